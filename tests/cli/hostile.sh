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

[ -c /dev/full ] && {
    echo 'for i = 1, 1e4 do print(i) end' > long.lua
    $lathe run long.lua > /dev/full 2> err
    is $? 1 "output that cannot be written is exit status 1"
    like "$(cat err)" 'standard output' "and is told once"
}
is "$($lathe run long.lua 2>&1 | head -1)" 1 "a reader that has enough is not told of"

done_testing
