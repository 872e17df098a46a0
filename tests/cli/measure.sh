#!/bin/sh
# Scores of parts of the rows, curves, weights: evaluate's options, and the same
# in Lua.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

churn=$LATHE_SOURCE/samples/churn/churn.csv
export LATHE_PROJECT="$tap_dir"

$lathe train "$churn" --target churn --model logistic --out m.lathe > out 2>&1
is $? 0 "a model to judge"
out=$($lathe evaluate m.lathe "$churn" --slice contract --slice 'tenure > 12' --metric fbeta@0.5)
is $? 0 "evaluate takes slices"
like "$out" '^fbeta@0.5 +0\.' "and metrics beyond the usual"
like "$out" '^Two year +1,695' "a category has a line for each value"
like "$out" '^true +4,857' "a condition one for where it holds"
out=$($lathe evaluate m.lathe "$churn" --slice 'tenur > 12' 2>&1)
is $? 1 "a slice of no column is an error"
like "$out" "slice 'tenur > 12': .*tenure" "that names the nearest"
out=$($lathe evaluate m.lathe "$churn" --metric lift@2 2>&1)
is $? 1 "so is a number out of range"
like "$out" "lift.*expected 0.0001..1" "which is told"
like "$($lathe evaluate m.lathe "$churn" --curve roc --plain)" '^ROC: true_positives over false_positives' "a curve is drawn"
like "$($lathe evaluate m.lathe "$churn" --curve lift --json)" '"lift":\[\{"share":0,"gain":0,.*"gain":1,"lift":1\}\]' "and told as JSON"
is "$($lathe evaluate m.lathe "$churn" --gate 'prauc > 0.5' > /dev/null; echo $?)" 0 "new metrics hold gates"

# A weight of two is a row twice.
awk -F, 'NR == 1 {print $0 ",w"; next} {print $0 "," 1 + NR % 2}' "$churn" > w.csv
awk -F, 'NR == 1 {print $0 ",w"; next} {for (i = 0; i <= NR % 2; i++) print $0 ",1"}' "$churn" > twice.csv
scores() { # the values alone, to nine digits
    $lathe evaluate m.lathe "$@" --json | grep -o '"[a-z0-9]*":{"value":[-0-9.e]*' |
        awk -F'[":{]+' '{printf "%s %.9f\n", $2, $4}'
}
is "$(scores w.csv --weight w)" "$(scores twice.csv)" "a weight of two is a row twice"
is "$(scores twice.csv | wc -l)" 12 "by all metrics"
like "$($lathe evaluate m.lathe w.csv --weight churn 2>&1)" "weight 'churn' is text" "a weight is a number"

cat > m.lua << LUA
local t = lathe.read("$churn")
local m = lathe.load("m.lathe")
local e = m:evaluate(t, { slice = { "contract", "tenure > 12" }, metric = "lift@0.1" })
local s = e:slices()
print(#s, e["lift@0.1"] > 2, e.auc == m:evaluate(t).auc)
print(#e:curve("reliability"))
e:plot("pr")
print(lathe.silhouette(t, "churn", { columns = { "tenure", "monthly_charges" } }))
print(pcall(e.curve, e, "rock"))
LUA
out=$($lathe run m.lua)
like "$out" '^5.true.true$' "Lua has slices and metrics"
like "$out" 'precision over recall' "and plots"
like "$out" '^0\.[0-9]+.0\.[0-9]+.0\.[0-9]+$' "and silhouettes with intervals"
like "$out" 'false.*no curve .rock.' "a curve that is none is an error"
done_testing
