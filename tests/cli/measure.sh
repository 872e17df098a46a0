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
awk 'BEGIN { print "day,at,x,y"; for (i = 0; i < 48; i++)
    printf "2024-%02d-%02d,2024-01-01 %02d:30:00,%d,%d\n", 1 + i % 12, 1 + i % 28, i % 24, i, 3 * i + i % 5 }' > days.csv
$lathe train days.csv --target y --model linear --out days.lathe > /dev/null 2>&1
out=$($lathe evaluate days.lathe days.csv --slice day --slice at --slice x)
like "$out" '^2024-01-01 to below 2024-04-04 +12' "parts of dates are named by dates"
like "$out" '^2024-01-01 00:30 to below 2024-01-01 06:30 +12 ' "and those of times by times"
like "$out" '^0 to below 12 +12' "those of numbers by numbers"
sed '2s/,[^,]*$/,0/' days.csv > zero.csv
like "$($lathe evaluate days.lathe zero.csv)" '^MAPE +- +a true value is 0$' "errors are no share of a truth of 0"
out=$($lathe evaluate m.lathe "$churn" --slice 'tenur > 12' 2>&1)
is $? 1 "a slice of no column is an error"
like "$out" "slice 'tenur > 12': .*tenure" "that names the nearest"
out=$($lathe evaluate m.lathe "$churn" --metric lift@2 2>&1)
is $? 1 "so is a number out of range"
like "$out" "lift.*expected 0.0001..1" "which is told"
like "$($lathe evaluate m.lathe "$churn" --curve roc --plain)" '^ROC: true_positives over false_positives' "a curve is drawn"
like "$($lathe evaluate m.lathe "$churn" --curve lift --json | sed 's/},{.*},{/ ... /')" '"lift":\[\{"share":0,"gain":0,.*"share":1,"gain":1,"lift":1\}\]' "and told as JSON"
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
like "$($lathe evaluate m.lathe w.csv --weight churn 2>&1)" "weight 'churn' is a text" "a weight is a number"

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

# Splits.  A customer has four rows of one answer: told apart at random, the
# model knows them; by groups it does not.
awk 'BEGIN {
    srand(7); print "who,when,a,b,y"
    for (i = 0; i < 200; i++) {
        a = rand(); b = rand(); y = rand() < 0.5
        for (j = 0; j < 4; j++)
            printf "c%d,%d-%02d-%02d,%.6f,%.6f,%s\n", i, 2001 + i % 20, 1 + i % 12, 1 + j * 7, a, b, y ? "yes" : "no"
    }
}' > who.csv
auc() { sed -n 's/^  auc  *\([0-9.]*\).*/\1/p'; }
apart=$($lathe train who.csv --target y --cv 4 --drop who --drop when --set trees=60 | auc)
whole=$($lathe train who.csv --target y --cv 4 --cv-group who --drop who --drop when --set trees=60 --name whole | auc)
is "$(echo "$apart $whole" | awk '{print ($1 > 0.75), ($2 < 0.65)}')" "1 1" "folds by group tell the truth that others hide ($apart, $whole)"
like "$($lathe runs show whole --json)" '"cv.auc":0\.[0-9]+' "the run is remembered by it"
$lathe train who.csv --target y --cv 3 --cv-time when --cv-gap 8 --drop who --set trees=20 > out 2>&1
is $? 0 "folds by time"
like "$(cat out)" '^3-fold cross-validation, 60[0-9] rows tested, 8 left out before each fold' \
    "of which the first part is not tested, and those of the gap are told"
$lathe train who.csv --target y --test 0.25 --cv-time when --cv-gap 8 --drop who --set trees=20 > out 2>&1
like "$(cat out)" '^8 rows left out between those that were learnt from' "rows of a gap before a test are told"
$lathe train who.csv --target y --test 0.25 --cv-time when --drop who --set trees=20 --json > out 2>&1
like "$(cat out)" '"left_out": *0' "without a gap none is left out"
$lathe train who.csv --target y --test 0.25 --cv-group who --set trees=20 > out 2>&1
is $? 0 "shares are split by groups, too"
like "$(cat out)" '^200 rows, binary' "as many rows as whole groups come to"
$lathe train who.csv --target y --cv 1 > out 2>&1
is $? 2 "one fold is wrong use"
$lathe train who.csv --target y --cv 3 --cv-time when --cv-group who > out 2>&1
is $? 1 "time and groups together are an error"
like "$(cat out)" "by time \('when'\) or by groups \('who'\), not by both" "that says so"
cat > cv.lua << LUA
local t = lathe.read("who.csv")
local r = lathe.gbdt{ trees = 20 }:cv(t, "y", { folds = 4, cv_group = "who", drop = { "who", "when" } })
print(#r:predictions(), r.auc < 0.7, r.auc_sd > 0)
local n = lathe.logistic():cv(t, "y", { folds = 3, inner = 2, by = "auc", drop = { "who", "when" },
    grid = { lambda = { 0.001, 1 }, l1_ratio = { 0, 0.5 } } })
print(#n.chosen, n.chosen[1] >= 1 and n.chosen[1] <= 4)
print(n)
local a, b = t:split{ test = 0.25, group = "who" }
print(#a, #b)
a, b = t:split{ test = 0.25, time = "when" }
print(#a, #b)
print(pcall(t.split, t, { test = 0.25, gap = 3 }))
LUA
out=$($lathe run cv.lua 2>&1)
like "$out" '^800.true.true$' "Lua crosses by groups"
like "$out" '^3.true$' "and nested"
like "$out" '^nested 3-fold cross-validation' "which it says"
like "$out" '^600.200$' "and splits by groups"
like "$out" '^false.*a gap, a window or the rows of a fold are of rows by time' "a gap wants time"

# What is done to answers.
$lathe train "$churn" --target churn --model logistic --test 0.2 --calibrate isotonic --threshold f1 --interval 0.9 --out f.lathe > out 2>&1
is $? 0 "train calibrates, chooses a threshold and answers in sets"
like "$(cat out)" '^calibrated +by isotonic, on 1,127 rows not learnt from' "on a fifth of the rows, kept aside"
like "$(cat out)" '^threshold +0\.[0-9]+ by f1' "which the card tells"
like "$(cat out)" 'positive class Yes above 0\.' "and the scores heed"
is "$($lathe predict f.lathe "$churn" | head -1)" 'probability,prediction,set' "answers have a set"
t=$(sed -n 's/^threshold *\([0-9.]*\) .*/\1/p' out)
is "$($lathe predict f.lathe "$churn" | awk -F, -v t="$t" 'NR > 1 && ($2 == "Yes") != ($1 > t + 0) && ($1 - t > 1e-3 || t - $1 > 1e-3)' | wc -l)" 0 "and the class is said above the threshold"
$lathe train "$churn" --target monthly_charges --model linear --interval 0.8 --out h.lathe > out 2>&1
is "$($lathe predict h.lathe "$churn" | head -1)" 'prediction,low,high' "numbers have a range"
is "$(grep -c 'few for isotonic' out)" 0 "which are enough"
awk 'BEGIN { srand(4); print "x,y"; for (i = 0; i < 4000; i++) { x = 10 * rand(); print x "," 20 + 5 * x + x * (rand() - 0.5) } }' > fan.csv
$lathe train fan.csv --target y --model linear --interval 0.9 --local-interval --test 0.5 --out fan.lathe > out 2> err
like "$(cat out)" '^ranges +90 % within [0-9.]+ to [0-9.]+ of the prediction, by where it lies' "ranges may be local"
like "$(cat out)" '^coverage +0\.(8[6-9]|9[0-4])' "and hold what they promise"
printf 'x\n1\n9\n' > two.csv
# The noise is even within x / 2 on both sides: 0.9 of it lie within 0.45 x.
is "$($lathe predict fan.lathe two.csv | awk -F, 'NR > 1 { w = ($3 - $2) / 2; printf "%s ", (NR == 2 ? w < 1.2 : w > 3.2 && w < 4.6) }')" "1 1 " \
    "narrow where little is off, and wide where much is"
$lathe train fan.csv --target y --model linear --local-interval > out 2> err
like "$(cat err)" 'local ranges want a level: --interval 0.9 .in Lua interval.' "they want a level"
$lathe train "$churn" --target churn --model logistic --interval 0.9 --local-interval > out 2> err
like "$(cat err)" 'local ranges are of numbers' "and numbers"
$lathe train fan.csv --target y --set trees=20 --set loss=quantile --set alpha=0.05,0.95 --interval 0.9 --local-interval > out 2> err
like "$(cat err)" 'quantiles are local by themselves' "quantiles are so without"
$lathe query "$churn" --sample 500 --seed 3 --out few.csv > /dev/null
$lathe train few.csv --target churn --model logistic --cv 5 --calibrate isotonic --test "$churn" > out 2>&1
like "$(cat out)" 'few for isotonic' "500 are few for isotonic"
like "$(cat out)" 'log loss was less before the calibration' "which has made it worse"
raw=$($lathe train few.csv --target churn --model logistic --test "$churn" | awk '/^log loss/ { print $3 }')
is "$(awk '/^logloss_uncal/ { printf "%.4f", $2 }' out)" "$raw" "than the same model without"
$lathe train few.csv --target churn --model logistic --cv 5 --calibrate platt --test "$churn" > out 2>&1
is "$(grep -c 'few for\|was less' out)" 0 "platt has enough of them"
$lathe train "$churn" --target churn --model logistic --cv 4 --calibrate platt --profit tp=10,fp=-3 --out g.lathe > out 2>&1
like "$(cat out)" '^calibrated +by platt, on 7,043 rows not learnt from' "with folds no row is lost"
like "$(cat out)" '^threshold +0\.[0-9]+ by profit, 1\.[0-9]+ a row' "and a profit chooses"
$lathe train "$churn" --target churn --profit tp=x > out 2>&1
is $? 1 "a profit that is none is an error"
like "$(cat out)" "profit 'tp=x', expected tp=" "that says what is"
cat > fin.lua << LUA
local t = lathe.read("$churn")
local m = lathe.logistic():fit(t, "churn", { calibrate = "temperature", profit = { tp = 10, fp = -3, ["Yes:No"] = -1 }, interval = 0.9 })
print(m:predict(t):values("set")[1] ~= nil, m:evaluate(t).recall > 0.7)
print(pcall(lathe.logistic().fit, lathe.logistic(), t, "churn", { threshold = 7 }))
LUA
out=$($lathe run fin.lua 2>&1)
like "$out" '^true.true$' "Lua has them, too"
like "$out" 'threshold is 7, expected between 0 and 1' "with the same errors"

# Preparation.
$lathe train "$churn" --target churn --model logistic --out p.lathe \
    --derive 'per_month = total_charges / (tenure + 1)' \
    --prepare 'impute mean indicator on total_charges, per_month' --prepare 'rare 0.05' \
    --prepare 'target smooth=20 on payment_method' --prepare 'onehot on contract' \
    --prepare 'scale robust on tenure' --prepare 'polynomial 2 on tenure, monthly_charges' \
    --prepare 'select 12 mi' > out 2>&1
is $? 0 "train prepares"
like "$($lathe evaluate p.lathe "$churn")" '^AUC +0\.8' "and the model knows how"
$lathe train "$churn" --target churn --prepare 'scal robust' > out 2>&1
is $? 1 "a step that is none is an error"
like "$(cat out)" "no step 'scal' .did you mean 'scale'" "that names the nearest"
LATHE_THREADS=3 $lathe train "$churn" --target churn --set trees=20 --prepare 'target' --out t3.lathe > /dev/null 2>&1
LATHE_THREADS=1 $lathe train "$churn" --target churn --set trees=20 --prepare 'target' --out t1.lathe > /dev/null 2>&1
cmp -s t1.lathe t3.lathe
is $? 0 "threads do not change what is learnt"
cat > prep.lua << LUA
local t = lathe.read("$churn")
local m = lathe.logistic():fit(t, "churn", { prepare = { "impute", "scale minmax on tenure", "onehot on contract" } })
local p = m:prepared(t)
print(p:values("contract=Two year")[1], math.type(p:values("tenure")[1]), #p == #t)
LUA
like "$($lathe run prep.lua 2>&1)" '^0\.0.float.true$' "Lua prepares, and shows what the model sees"

# A family without a target.
$lathe train "$churn" --model kmeans --prepare 'scale robust' --out k.lathe > out 2>&1
is $? 0 "clusters are prepared, too"
like "$($lathe train "$churn" --model kmeans --prepare 'select 3 mi' 2>&1)" 'it wants a target' "but for steps that look at a target"
like "$($lathe train "$churn" --model kmeans --threshold f1 2>&1)" 'kmeans learns without a target: there is nothing to' "and nothing is decided"

# Texts that were not there to learn from.
awk 'BEGIN { print "city,y"; for (i = 0; i < 200; i++) print (i % 2 ? "rome" : "oslo") "," (i % 2 ? 5 : 1) + i % 10 / 100 }' > known.csv
printf 'city,y\nrome,5\nkiev,1\n,1\nbern,1\nkiev,1\n' > new.csv
$lathe train known.csv --target y --out city.lathe > out 2>&1
is "$($lathe predict city.lathe new.csv 2>&1 > out)" \
    'lathe: new.csv: 3 rows had levels of city unseen in training' "texts that were not learnt from are told of once"
is "$(sed -n '3p;5p' out | uniq | wc -l)" 1 "and answered as missing ones are"
is "$($lathe predict city.lathe known.csv 2>&1 > out)" '' "of others there is nothing to tell"
like "$($lathe evaluate city.lathe new.csv --json 2> err)" '"unseen":\{"city":3\}' "evaluate has them in its JSON"
like "$(cat err)" '3 rows had levels of city unseen' "and tells them"
like "$($lathe evaluate city.lathe known.csv --json)" '"unseen":\{\}' "or that there are none"
done_testing
