#!/bin/sh
# Notebooks, tables and output files that mean harm, or have had bad luck.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"

# One C call that no hook can stop: exponential in the length of the text.
cat > stuck.lua <<'END'
return ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40) .. "b")
END
timeout -s KILL 60 $lathe run --timeout 1s stuck.lua > out 2> err
is $? 1 "--timeout ends a notebook that sits in one C call"
like "$(cat err)" 'longer than --timeout' "and says why"

$lathe run stuck.lua > out 2> ended &
pid=$!
until grep -qs 'inside a C call' ended; do kill -0 $pid || break; done
kill -TERM $pid
wait $pid
is $? 143 "SIGTERM ends it too"

printf '"a\033[31m","b\nc"\n1,2\n' > names.csv
like "$($lathe query names.csv | head -1)" '^a \[31m +b c$' \
    "names of columns are printed without control characters"

# Nothing that commands say of a table whose names and values are escape
# sequences has one: on a pipe neither, whose end may be a terminal.
e=$(printf '\033')
red=$(printf '\033[31mred\007')
table=$e[32mgreen.csv
awk -v e="$e" -v red="$red" 'BEGIN {
    print red "," e "word," e "same," e "id," e "when,y,number"
    for (i = 0; i < 120; i++)
        printf "%d,w%s%d,1,u%s%d,2024-01-%02d %02d:00,%s,%d\n", i * 7 % 13, e, i % 3, e, i, i / 24 + 1, i % 24,
            (i * 7 % 13 > 5 ? e "[1myes" : "no"), i % 17
}' > "$table"
printf '%s,b\n1,2,3\n4,5\n' "$red" > "odd$e.csv"
printf '%s,b\n' "$red" > "empty$e.csv"
printf '%s,b\nc\351,1\n' "$red" > "foreign$e.csv"
quiet() { # quiet WORDS OPTION...: it works, says the words, and no control character
    words=$1
    shift
    $lathe "$@" > out 2> err
    rc=$?
    is "$rc $(cat out err | grep -c "[$(printf '\001-\010\013-\037\177')]")" "0 0" "lathe $1 says no control character"
    like "$(cat out err)" "$words" "but a name: $words"
}
quiet 'same +int' schema "$table"
quiet '\[31mred' head "$table"
quiet 'odd\\x1b.csv: 1 row set aside' head "odd$e.csv"
quiet 'empty\\x1b.csv: a header and no rows' head "empty$e.csv"
quiet 'foreign\\x1b.csv: line 2: not UTF-8' head "foreign$e.csv"
quiet '\[31mred' profile "$table"
quiet 'only the other table has b' profile "$table" --target y --time "${e}when" --against "odd$e.csv"
quiet '120 rows x 7 columns in written\\x1b.csv' query "$table" --out "written$e.csv"
quiet "column '\\\\x1b\[31mred'|column ' same' is left out" train "$table" --target y --set trees=3 --out m.lathe
quiet "the order of '\\\\x1bwhen'" train "$table" --target number --model seasonal_naive --drop y
quiet 'answer .*\[1myes' explain m.lathe "$table" --row 2
quiet '\[31mred' explain m.lathe "$table" --importance permutation
quiet 'confusion|yes' evaluate m.lathe "$table"
quiet 'written\\x1b.onnx: ONNX' export m.lathe --onnx "written$e.onnx"
quiet 'rows x 2 columns in written\\x1b.csv' predict m.lathe "$table" --out "written$e.csv"

[ -c /dev/full ] && {
    echo 'for i = 1, 1e4 do print(i) end' > long.lua
    $lathe run long.lua > /dev/full 2> err
    is $? 1 "output that cannot be written is exit status 1"
    like "$(cat err)" 'standard output' "and is told once"
}
is "$($lathe run long.lua 2>&1 | head -1)" 1 "a reader that has enough is not told of"

done_testing
