#!/bin/sh
# `lathe repl` on a pipe and in a terminal.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

is "$(printf 'x = 20\nx + 1\n' | "$lathe" repl)" 21 "a value is shown"
is "$(printf 'for i = 1, 2 do\nprint(i)\nend\n"done"\n' | "$lathe" repl)" "1
2
done" "an unfinished chunk goes on in the next line"
printf 'error("no")\nprint("never")\n' | "$lathe" repl > out 2> err
is "$?" 1 "a failure on a pipe ends with 1"
is "$(cat out)" "" "and nothing after it runs"
like "$(cat err)" '^repl:1: no' "the error is told"

if ! command -v tmux > /dev/null; then
    skip "the terminal" "no tmux"
    done_testing
    exit 0
fi

# A terminal of our own; keys go in, the screen is read until it shows what
# is waited for (at most 10 s).
type() { tm send-keys -l "$1"; }
key() { tm send-keys "$@"; }
tm() { tmux -S "$tap_dir/s" -f /dev/null "$@"; }
shows() { # shows EXTENDED-REGEX NAME
    end=$(($(date +%s) + 10))
    while screen=$(tm capture-pane -p); ! printf '%s\n' "$screen" | grep -Eq -- "$1"; do
        [ "$(date +%s)" -lt $end ] || break
    done
    like "$screen" "$1" "$2"
}
unset TMUX
tm new-session -d -x 80 -y 24 "env XDG_STATE_HOME=$tap_dir/state $lathe repl; echo left; cat"
shows '^> *$' "a prompt comes"
type 'config = { rate = 7, rows = 2 }' && key Enter
type 'conf' && key Tab && type '.ra' && key Tab Enter
shows '^7$' "Tab completes globals and fields"
type 'lathe.isol' && key Tab && type '{}'
shows 'lathe.isolation_forest\(' "and the library"
key C-c
type 'if true then' && key Enter
shows '^>> *$' "an unfinished line asks for more"
type 'print("whole")' && key Enter && type 'end' && key Enter
shows '^whole$' "until it is whole"
type 'print("be" .. "gun") while true do end' && key Enter
shows '^begun$' "a line that goes on for ever begins"
key C-c
shows 'interrupted' "Ctrl-C interrupts"
type 'df = lathe.frame { tenure = { 1 } }' && key Enter
type 'df:where "ten' && key Tab && type ' > 0"' && key Enter
shows '1 row' "within a text Tab completes columns"
key C-d
shows '^left$' "Ctrl-D leaves"
ok "$(grep -q 'rate = 7' state/lathe/history; echo $?)" "the history is kept"
tm kill-server
done_testing
