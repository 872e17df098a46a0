#!/bin/sh
# The same bytes whatever the number of threads, whole and in batches.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

# Beyond a budget of 64 MiB; floats whose sums depend on their order.
awk 'BEGIN {
    print "id,group,score,note,day,none,flag"
    for (i = 0; i < 700000; i++)
        printf "%d,g%d,%.6f,\"note, %d\",2026-%02d-%02d,,%s\n", i, (i * 7919) % 977,
            (i * 2654435761 % 1000003) / 777.7, i % 5000, i % 12 + 1, i % 28 + 1,
            i % 11 ? (i % 3 ? "true" : "false") : ""
}' > in.csv
awk 'BEGIN { print "group,weight"; for (i = 0; i < 977; i += 2) printf "g%d,%.3f\n", i, i / 7 }' > with.csv

# same NAME ARGUMENT...: what the command prints or writes to out.* with 1, 2,
# 3 and 7 threads.
same() {
    name=$1
    shift
    for memory in 64M 4G; do
        different=
        for threads in 1 2 3 7; do
            # Whole tables are the unit tests' own; a look at them.
            [ "$memory$threads" = 4G2 ] || [ "$memory$threads" = 4G7 ] && continue
            LATHE_THREADS=$threads LATHE_MEMORY=$memory "$lathe" "$@" > said 2>&1 || different="$threads failed"
            case $* in *out.*) cat out.* >> said ;; esac
            rm -f out.*
            [ "$threads" = 1 ] && mv said first && continue
            cmp -s first said || different="$different $threads"
        done
        is "$different" "" "$name is the same with $memory of memory and any threads"
    done
}

same "a filter with new columns" query in.csv 'score > 600 and flag' --with 'z = log(score) * 3' --out out.csv
same "a sort" query in.csv --sort -score,note --limit 5000 --csv
same "a group" query in.csv --group group --agg 'm = mean(score)' --agg 's = sd(score)' \
    --agg 'p = median(score)' --agg 'd = distinct(note)' --agg 'f = first(note)' --csv
same "different rows" query in.csv --select note,flag --distinct --csv
same "a join" query in.csv --join with.csv --by group --select id,weight --out out.parquet
same "a window" query in.csv --with 'l = lag(score, 3) over (group)' --with 'c = cumsum(score)' --out out.arrow
same "a sample" query in.csv --sample 1000 --csv
same "a profile" profile in.csv --json
same "a file of text" convert in.csv out.csv.gz
same "a Parquet file" convert in.csv out.parquet
same "an Arrow stream" convert in.csv out.arrows
same "JSON lines" convert in.csv out.jsonl
done_testing
