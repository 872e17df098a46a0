#!/bin/sh
# A file that takes more memory than LATHE_MEMORY lets tables have: its profile
# in one pass beside that of the same file in memory, and boosted trees.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

# 900,000 rows, 36 MB: the smallest budget, 64 MiB, does not hold them.
awk 'BEGIN {
    print "id,amount,user,group,day"
    for (i = 0; i < 900000; i++) {
        j = i < 899000 ? i : 0
        printf "%d,%s,user%d,g%d,2024-01-%02d\n", j, j % 11 ? j * 7919 % 100003 / 8 : "",
            j * 31 % 400009, j % 7, 1 + j % 28
    }
}' > big.csv
head -n 1001 big.csv > part.csv
small() { LATHE_MEMORY=64M "$lathe" profile big.csv "$@"; }
# The values of a name in a JSON document, in their order.
values() { grep -o "\"$1\":[-0-9.e]*" | cut -d: -f2 | tr '\n' ' '; }

small --json > streamed 2> err
is "$?" 0 "a profile is made"
is "$(cat err)" "" "and nothing else said"
"$lathe" profile big.csv --json > whole
like "$(cat streamed)" '"sampled_rows":20000' "on a sample of the rows where that is the rule"
for name in rows missing duplicates min max zeros negative infinite min_length max_length monotonic; do
    is "$(values $name < streamed)" "$(values $name < whole)" "$name is exact"
done
is "$(values mean < streamed | cut -c1-30)" "$(values mean < whole | cut -c1-30)" "means are exact"
is "$(values duplicates < streamed)" "1000 " "repeated rows are found"
like "$(cat streamed)" '"estimated":\["distinct","unique","entropy"' "estimates are named"
is "$(grep -c estimated whole)" 0 "in memory there are none"
like "$(small)" '~ estimates: distinct values within' "the screen tells the errors"
like "$(small --md)" 'marks estimates' "so does Markdown"
small --html page.html --target amount --time id --redact
is "$?" 0 "all options do"
like "$(cat page.html)" 'marks estimates' "and the page"
like "$(small --against part.csv)" '1,000 of 1,000 \(100.0 %\) rows of the other table are in this one' \
    "another table is looked for in all rows"
drift() { grep -o '"against":.*' "$1"; }
"$lathe" profile part.csv --against big.csv --json > near
LATHE_MEMORY=64M "$lathe" profile part.csv --against big.csv --json > far
is "$(drift far)" "$(drift near)" "the other table need not fit into memory, and is told the same of"
"$lathe" profile big.csv --against big.csv --json > near
small --against big.csv --json > far
# A sample does not tell which texts are in none of the rows: they are not judged.
judged() { drift "$1" | sed -E 's/"(unseen|test|score)":[^,]*,/"\1":?,/g; s/"tested":[45],/"tested":?,/'; }
is "$(judged far)" "$(judged near)" "nor need either of the two"

learn() { LATHE_MEMORY=64M "$lathe" train big.csv --target group --drop user --set trees=3 "$@"; }
learn --out far.lathe > card 2> err
is "$?" 0 "boosted trees are learnt"
like "$(cat card)" 'validated   on [0-9,]+ rows' "with rows held out"
LATHE_CACHE=0 LATHE_THREADS=1 learn --out again.lathe > /dev/null
cmp -s far.lathe again.lathe
is "$?" 0 "one thread gives the same bytes"
is "$("$lathe" runs ls --json | grep -o '"fingerprint":"[0-9a-f]*"' | sort -u | wc -l | tr -d ' ')" 1 \
    "the runs tell the data they learnt from"
LATHE_MEMORY=64M "$lathe" predict far.lathe big.csv --out far.csv 2> err
is "$?" 0 "predictions go to a file batch by batch"
"$lathe" predict far.lathe big.csv --out near.csv
cmp -s far.csv near.csv
is "$?" 0 "those of the whole table"
is "$(LATHE_MEMORY=64M "$lathe" evaluate far.lathe big.csv --json)" \
    "$("$lathe" evaluate far.lathe big.csv --json)" "so are the scores"
learn --test 0.2 2> err
is "$?" 2 "a share for a test cannot be set aside"
like "$(cat err)" 'lathe query DATA --sample' "and the error says what can"
LATHE_MEMORY=64M "$lathe" train big.csv --target group --model logistic 2> err
is "$?" 1 "logistic regression needs the table in memory"
like "$(cat err)" 'train gbdt' "and the error says what does not"
done_testing
