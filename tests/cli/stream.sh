#!/bin/sh
# Queries over a table beyond memory answer as those over one in memory.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

awk 'BEGIN { srand(3); print "id,user,city,score,day,note"
    for (i = 0; i < 700000; i++)
        printf "%d,u%d,%s,%s,2024-%02d-%02d,note %d of many\n", i,
            int(rand() * rand() * 200000),
            i % 7 == 3 ? "" : "city " int(rand() * 50),
            i % 11 == 5 ? "" : sprintf("%.3f", rand() * 1000),
            1 + i % 12, 1 + i % 28, i % 977 }' > big.csv
awk 'BEGIN { print "user,rank"
    for (i = 0; i < 200000; i += 3) printf "u%d,%d\n", i, i % 10 }' > right.csv

same() { # same NAME OPTION...
    name=$1
    shift
    LATHE_MEMORY=16G "$lathe" query big.csv "$@" --csv > whole
    LATHE_MEMORY=64M "$lathe" query big.csv "$@" --csv > streamed
    ok "$([ -s whole ] && cmp -s whole streamed; echo $?)" "$name"
}

same "rows that are filtered" "score > 990 and city = 'city 3'"
same "groups that spill" --group user --agg 'n = count()' --agg 'd = distinct(city)' --sort=-n,user --limit 100
same "rows that are sorted" --sort=-score,user --select id,score --limit 500000
same "different rows" --select user,note --distinct
same "rows that are joined" --join right.csv --by user --limit 20000
same "rows that others decide" --with 'y = score - lag(score)' --sample 1000

# Texts that look like numbers are read as a model has learnt them.
awk 'BEGIN { print "id,y"; for (i = 0; i < 300; i++) print (i % 2 ? "x" : "007") "," i % 2 }' > texts.csv
"$lathe" train texts.csv --target y --model linear --out texts.lathe > /dev/null 2>&1
LATHE_MEMORY=16G "$lathe" predict texts.lathe big.csv > whole 2> /dev/null
LATHE_MEMORY=64M "$lathe" predict texts.lathe big.csv > streamed 2> /dev/null
is "$(wc -l < streamed) $(cmp whole streamed > /dev/null; echo $?)" "700001 0" "texts that look like numbers are read as texts, too"

LATHE_MEMORY=64M "$lathe" query big.csv --sort=-score --out sorted.parquet
is "$("$lathe" schema sorted.parquet --json | head -c 14)" '{"rows":700000' "a result of any size is written"
like "$(LATHE_MEMORY=64M "$lathe" head big.csv --rows 1)" '^700,000 rows x 6 columns, first 1$' "head counts all rows"
is "$(LATHE_MEMORY=64M "$lathe" schema big.csv)" "$(LATHE_MEMORY=16G "$lathe" schema big.csv)" "schema is the same"
LATHE_MEMORY=64M LATHE_SPILL=/nowhere "$lathe" query big.csv --sort score --csv > /dev/null 2> err
like "$(cat err)" "/nowhere.*LATHE_SPILL" "without a folder for what does not fit it says so"

cat > scan.lua << 'END'
local f = lathe.scan("big.csv"):where("score > 998"):sort{"-score"}:limit(5):collect()
print(#f, f:values("id")[1])
print(pcall(lathe.read, "big.csv"))
local p = lathe.scan("big.csv"):rename{ score = "points" }:profile{ target = "city" }
print("described", table.concat(p:describe():values("column"), " "), p:describe():values("rows")[1])
local s = lathe.scan("big.csv")
print("told", #s:frequency("city"), s:missing():values("missing")[3], #s:patterns(), #s:duplicates(),
    #s:pivot({ "city" }, "day", { "count()" }):collect())
END
LATHE_MEMORY=64M "$lathe" run scan.lua > out 2>&1
like "$(cat out)" '^5' "a scan collects what is left"
like "$(cat out)" 'lathe.scan' "reading all of it names the scan"
like "$(cat out)" 'described.*points.*700000' "a scan is profiled, all rows of it"
# a seventh of 700,000 has no city; a city or none by a score or none; no two rows have one id
like "$(cat out)" 'told[^0-9]*51[^0-9]*100000[^0-9]*4[^0-9]*0[^0-9]*51' "and tells of values, gaps and copies"
done_testing
