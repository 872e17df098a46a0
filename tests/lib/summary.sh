#!/bin/sh
# summary.sh FILE.trs...: one line that counts every case.
# SPDX-License-Identifier: GPL-3.0-or-later
awk '/^:test-result: (PASS|XFAIL)/ { p++ }
     /^:test-result: (FAIL|XPASS|ERROR)/ { f++ }
     /^:test-result: SKIP/ { s++ }
     END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$@" /dev/null
