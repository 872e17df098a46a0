#!/bin/sh
# Ctrl-C and SIGTERM: the status says which, one line says what was kept, and
# no output file is half of what was asked for.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 4000; i++) print i % 37 "," i % 101 "," (i % 37 > i % 19) }' > t.csv
mkfifo pipe

# listens PID: it takes signals now: INT and TERM are blocked, to be read from a
# file, and not HUP as well, as while a thread is started.  It is lathe by then,
# not the shell that is about to become it: bash blocks the same two, and when
# ended there runs this script's EXIT.
listens() {
    until [ "$(grep -cE '^Name:.lathe$|^SigBlk:.*[4-7c-f]..[26ae]$' "/proc/$1/status")" = 2 ]; do
        kill -0 "$1" || break
    done
}
# ends SIGNAL STATUS WORDS NAME: the command in the background, $pid, does so.
ends() {
    kill -"$1" $pid
    kill -CONT $pid
    wait $pid
    is $? "$2" "$4 ended by SIG$1 has status $2"
    is "$(grep -c '^lathe: ' err)" 1 "$4 says one line"
    like "$(cat err)" "$3" "$4 says what was kept"
}
# has_curve RUN: wait for the first values of the one that $pid trains.  It stands
# still while they are looked for, and afterwards; between two looks it goes on for
# a moment of its own clock.  So it cannot be at its end before it is ended,
# however long a look takes.
has_curve() {
    until kill -STOP $pid && $lathe runs export "$1" 2> /dev/null | grep -q train.logloss; do
        ticks=$(cut -d ' ' -f 14 "/proc/$pid/stat")
        kill -CONT $pid || break
        while now=$(cut -d ' ' -f 14 "/proc/$pid/stat") && [ "$now" = "$ticks" ]; do kill -0 $pid || break; done
    done
}

if [ -r /proc/self/status ]; then
    for command in "profile -" "predict $tap_dir/m - --out p.csv" "evaluate $tap_dir/m -" "train - --target y" "query - --out q.csv"; do
        [ -e m ] || $lathe train t.csv --target y --set trees=2 --out m > /dev/null
        exec 9<> pipe
        $lathe $command < pipe > out 2> err &
        pid=$!
        listens $pid
        ends INT 130 'standard input: cancelled' "lathe ${command%% *}"
        $lathe $command < pipe > out 2> err &
        pid=$!
        listens $pid
        ends TERM 143 'standard input: cancelled' "lathe ${command%% *}"
        exec 9>&-
    done
    is "$(ls p.csv* q.csv* 2> /dev/null)" "" "no output file, nor a part of one, is left"
else
    skip "commands that wait for standard input" "no /proc"
fi

$lathe train t.csv --target y --set trees=100000 --set leaves=255 --patience 0 --name long --out kept \
    --register never > out 2> err &
pid=$!
has_curve long
ends TERM 143 'stopped; run [0-9a-f]{8} keeps what was finished, nothing was written or registered$' "lathe train"
like "$($lathe runs ls)" ' long +cancelled .*logloss' "the run is recorded as cancelled, with its metrics"
like "$(cat out)" '^run [0-9a-f]+$' "what was finished is shown"
is "$(ls kept* 2> /dev/null)" "" "a model of half the rounds is not written to --out"
like "$($lathe registry ls)" 'no models' "nor registered"
is "$($lathe predict runs:/long t.csv | wc -l)" 4001 "but predicts as the run's model"

cat > nb.lua <<'END'
-- %%
print("first")
-- %%
lathe.gbdt { trees = 100000, leaves = 255 }:fit(lathe.read("t.csv"), "y", { patience = 0, name = "cell" })
-- %%
print("never")
END
$lathe run nb.lua --save nb.md > out 2> err &
pid=$!
has_curve cell
ends TERM 143 'stopped by SIGTERM; what was finished before is kept' "lathe run"
like "$($lathe runs ls)" ' cell +cancelled ' "a fit in a notebook is recorded as cancelled"
like "$(cat nb.md)" '^first$' "--save has the cells that ended"
is "$(grep -c '^never$' out)" 0 "no further cell is run"

# The function of a loss may run for ever.
cat > loss.lua <<'END'
lathe.gbdt { trees = 100 }:fit(lathe.read("t.csv"), "y", { name = "endless", loss = function(rows)
    print("called")
    while true do end
end })
END
$lathe run loss.lua > out 2> err &
pid=$!
while ! grep -q called out && kill -0 $pid 2> kill.err; do :; done
ends INT 130 '' "a loss that never ends"
like "$($lathe runs ls)" ' endless +cancelled ' "its fit is recorded as cancelled"

done_testing
