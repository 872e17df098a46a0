#!/bin/sh
# Tests that were left out, of the lists or when the tree was configured, are
# told, not forgotten.
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

cd "$LATHE_SOURCE" || exit 99
missing=$(find tests -type f ! -path 'tests/data/*' ! -path 'tests/fuzz/corpus/*' ! -name '*~' ! -name '.*' |
    while read -r f; do
        grep -qwF -e "${f%.c}" tests/local.mk src/*/local.mk || echo "$f"
    done)
is "$missing" "tests/local.mk" "every file below tests has a place in a local.mk"

# What no list names is not in the tarball either.
missing=$(find src -name '*.[ch]' | while read -r f; do
    grep -qwF -e "$f" src/*/local.mk || echo "$f"
done)
is "$missing" "" "so has every file below src"

done_testing
