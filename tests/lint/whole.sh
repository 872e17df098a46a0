#!/bin/sh
# Tests that were left out when the tree was configured are told, not forgotten.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

while read -r part package; do
    case " $LATHE_TESTS " in
    *" $part "*) ok 0 "the tests in tests/$part are there" ;;
    *) skip "the tests in tests/$part are there" "configured without $package" ;;
    esac
done <<'EOF'
unit libcmocka-dev
tui libvterm-dev
EOF

done_testing
