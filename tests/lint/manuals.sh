#!/bin/sh
# The manuals name every command, function, parameter and expression function,
# and mandoc finds nothing to say about them.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

man1=$LATHE_SOURCE/man/lathe.1
man7=$LATHE_SOURCE/man/lathe-lua.7

missing=$($lathe help | sed -n 's/^  \([a-z][a-z ]*[a-z]\)   *[A-Z].*/\1/p' |
    while read -r words; do
        grep -q "Cm.* *$words\b" "$man1" || printf '%s, ' "$words"
    done)
is "$missing" "" "lathe.1 has every command"

printf -- '-- %%%%\nlathe.help()\n' > help.lua
$lathe run help.lua > help.txt
missing=$(sed -n 's/.*\b\(lathe\|[a-z]*\)[.:]\([a-z_]*\)[({].*/\2/p' help.txt | sort -u |
    while read -r name; do
        grep -q "[.:]$name[({]" "$man7" || printf '%s, ' "$name"
    done)
is "$missing" "" "lathe-lua.7 has every function of the library"
is "$([ "$(wc -l < help.txt)" -gt 30 ]; echo $?)" 0 "which are more than thirty"

missing=$(sed -n 's/^ *{"\([a-z0-9_]*\)", PARAM_.*/\1/p' "$LATHE_SOURCE"/src/engine/*/*.[ch] | sort -u |
    while read -r name; do
        grep -q "\b$name\b" "$man7" || printf '%s, ' "$name"
    done)
is "$missing" "" "and every parameter"

missing=$(sed -n '/expr_function .*= {/,/};/s/^ *{"\([a-z0-9_]*\)", ".*/\1/p' "$LATHE_SOURCE"/src/frame/expr_fn.c |
    while read -r name; do
        grep -q "\"$name(" "$man7" || printf '%s, ' "$name"
    done)
is "$missing" "" "and every function of expressions"

if command -v mandoc >/dev/null 2>&1; then
    cp "$man1" "$man7" .
    is "$(mandoc -Tlint lathe.1 lathe-lua.7 2>&1)" "" "mandoc has nothing to say on them"
else
    skip "mandoc has nothing to say on them" "no mandoc"
fi
done_testing
