#!/bin/sh
# An endpoint of the real program on the churn table: its answers are those of
# `lathe predict`, digit for digit; SIGTERM ends it in order.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"
unset LATHE_PROJECT
csv=$LATHE_SOURCE/samples/churn/churn.csv
trap '"$lathe" endpoint rm churn >/dev/null 2>&1; rm -rf "$tap_dir"' EXIT

"$lathe" train "$csv" --target churn --set trees=40 --register churn >/dev/null
ok $? "a model is trained and registered"
"$lathe" registry promote churn/1 production >/dev/null
out=$("$lathe" endpoint create churn churn@production)
ok $? "an endpoint of it starts"
like "$out" 'churn/1 at http://127\.0\.0\.1:[0-9]+$' "it says where, and which version"

rows=$(($(wc -l < "$csv") - 1))
"$lathe" head "$csv" --rows "$rows" --json > rows.json
"$lathe" endpoint invoke churn @rows.json > answer.json
ok $? "it answers all rows in one request"
sed 's/.*\[//; s/\].*//; s/, */\n/g' answer.json > got
"$lathe" predict churn/1 "$csv" | sed '1d; s/,.*//' > want
is "$(wc -l < got)" "$rows" "there is an answer for each row"
cmp -s got want
ok $? "answers equal lathe predict on the same rows, digit for digit"

out=$("$lathe" endpoint invoke churn '{"tenure": 2, "contract": "Month-to-month"}')
like "$out" '^\{"predictions": \[0\.[0-9]+\]\}$' "columns left out of a typed record count as missing"
out=$("$lathe" endpoint invoke churn '{"tenur": 2}' 2>&1)
like "$out" "did you mean 'tenure'" "a misspelt one does not"
out=$("$lathe" endpoint invoke churn '{"tenure": "two"}' 2>&1)
like "$out" "row 1: field 'tenure' is 'two', expected a number" "a bad value is told by row and field"
out=$("$lathe" endpoint show churn --json)
like "$out" '"requests":4,"rows":7044,"errors":2' "the endpoint counts what it was asked"

pid=$(printf '%s\n' "$out" | sed 's/.*"pid":\([0-9]*\).*/\1/')
"$lathe" endpoint stop churn >/dev/null
ok $? "stop waits for the end"
[ ! -d "/proc/$pid" ] || grep -q '^State:.Z' "/proc/$pid/status"
ok $? "its process has ended"
like "$("$lathe" endpoint ls)" 'churn +churn/1 +stopped' "the list says stopped"
like "$("$lathe" endpoint ls --where "state = 'stopped' and model = 'churn/1'")" 'churn +churn/1 +stopped' "also of those for which an expression is true"
is "$("$lathe" endpoint ls --where "state = 'up'")" "no endpoints are so" "which may be none"

mkfifo started
"$lathe" serve churn/1 --port 0 > started &
pid=$!
read -r line < started
like "$line" '^churn/1 at http://127\.0\.0\.1:[0-9]+' "serve says where it listens"
kill -TERM $pid
wait $pid
is $? 0 "SIGTERM ends it with status 0"
done_testing
