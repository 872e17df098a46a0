#!/bin/sh
# Tables of one format to another, whole and in batches.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

# Forty megabytes: beyond a budget of 64 when they are worked with.
awk 'BEGIN {
    print "id,group,score,note,day"
    for (i = 0; i < 800000; i++)
        printf "%d,g%d,%d.%d,\"note, %d\"\"%s\",2026-%02d-%02d\n", i, i % 977, i % 1000, i % 7, i,
            i % 100 == 99 ? "\nline two" : "", i % 12 + 1, i % 28 + 1
    print "bad,row"
}' > in.csv

"$lathe" convert in.csv whole.parquet > out 2> err
is "$?" 0 "a table is converted"
is "$(cat out)" "800000 rows x 5 columns in whole.parquet" "and its size told"
like "$(cat err)" "1 row set aside: line 808002, 2 fields, expected 5" "with the rows that were set aside"

export LATHE_MEMORY=64M
from=in.csv
for to in a.parquet b.arrow c.jsonl.zst d.arrows e.csv.gz f.tsv; do
    "$lathe" convert "$from" "$to" --json > out 2> err || cat err
    like "$(cat out)" '"rows":800000' "$from to $to keeps all rows"
    from=$to
done
like "$("$lathe" convert in.csv g.arrows --json 2> err)" '"rejected":1,"in_batches":true' \
    "what is beyond the budget goes in batches"
like "$(cat err)" "1 row set aside: line 808002, 2 fields" "and tells what it set aside"
unset LATHE_MEMORY

for i in whole.parquet a.parquet b.arrow c.jsonl.zst d.arrows e.csv.gz f.tsv; do
    "$lathe" convert "$i" back.csv > out
    [ "$i" = whole.parquet ] && cp back.csv first.csv
    ok "$(cmp back.csv first.csv > err 2>&1; echo $?)" "$i holds the same table"
done

# As it is told to be read, whole or not.
LC_ALL=C sed "s/note, /$(printf 'not\351'), /" in.csv > latin.csv
for memory in 4G 64M; do
    LATHE_MEMORY=$memory "$lathe" convert latin.csv "$memory.arrows" --json \
        --encoding latin1 --types id=float --types day=text > out 2> err
    like "$(cat out)" '"rows":800000.*"rejected":1' "with $memory options of reading are heeded"
    LATHE_MEMORY=$memory "$lathe" convert latin.csv "plain$memory.arrows" --json > out 2> err
    like "$(cat err)" "line 2: not UTF-8, 800000 fields kept as is" "and bytes that are not UTF-8 told"
    "$lathe" convert "$memory.arrows" "$memory.csv" > out
done
like "$(head -n 2 64M.csv | tail -n 1)" '^0(\.0)?,g0,0(\.0)?,"noté, 0' "the text is decoded"
ok "$(cmp 4G.csv 64M.csv > err 2>&1; echo $?)" "in batches as in one"

"$lathe" convert in.csv out.pdf 2> err
is "$?" 2 "an ending that is no table's is a mistake in the call"
like "$(cat err)" "out.pdf: its ending tells no format" "and is named"
"$lathe" convert absent.csv out.csv 2> err
is "$?" 1 "a file that is not there is exit status 1"
ok "$([ ! -e out.csv ]; echo $?)" "and nothing is written"

# Killed as soon as its file is open, written or not.
LATHE_MEMORY=64M "$lathe" convert in.csv killed.csv > out 2> err &
pid=$!
while kill -0 $pid 2> /dev/null && ! ls -l /proc/$pid/fd 2> /dev/null | grep -q "$PWD/#\|killed.csv"; do
    :
done
kill -9 $pid 2> /dev/null
wait $pid 2> /dev/null
is "$(ls | grep -c 'killed.csv.')" 0 "a kill in the middle of a write leaves nothing beside the file"
done_testing
