#!/bin/sh
# A file that takes more memory than LATHE_MEMORY lets tables have: its profile
# in one pass beside that of the same file in memory.
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
LATHE_MEMORY=64M "$lathe" profile part.csv --against big.csv 2> err
is "$?" 1 "the other table must fit into memory"
like "$(cat err)" 'more memory than there is' "and the error says so"
done_testing
