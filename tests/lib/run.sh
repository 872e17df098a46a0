#!/bin/sh
# Run one cmocka program.  cmocka 1.1.5 writes a skip as "not ok N # SKIP",
# which TAP reads as a failure: mend it.
# SPDX-License-Identifier: GPL-3.0-or-later
out=$(mktemp) || exit 99
trap 'rm -f "$out"' EXIT
"$@" > "$out"
rc=$?
sed 's/^not ok \([0-9]*\) # SKIP/ok \1 # SKIP/' "$out"
exit $rc
