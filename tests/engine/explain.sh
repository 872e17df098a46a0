#!/bin/sh
# Explanations at the command line, and the same numbers from XGBoost,
# scikit-learn and plain subsets where their programs are there.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

lathe=$LATHE_BUILD/lathe
churn=$LATHE_SOURCE/samples/churn/churn.csv

$lathe train "$churn" --target churn --set trees=20 --out m.lathe > /dev/null
like "$($lathe explain m.lathe "$churn")" \
    'log odds of churn = Yes · exact, by the ways of the training rows' \
    "a table is explained by shares"
like "$($lathe explain m.lathe "$churn" --row 3)" 'contract = Month-to-month' \
    "a row by its values"
like "$($lathe explain m.lathe "$churn" --importance permutation --metric auc --repeats 2)" \
    'what auc loses from 0\.' "importance by shuffling tells its metric"
like "$($lathe explain m.lathe "$churn" --pdp contract)" 'Two year +0\.' \
    "an effect has a line for each text"
like "$($lathe explain m.lathe "$churn" --pdp tenure --points 3 --json)" \
    '"tenure":36.5,"mean":0\.' "and numbers as JSON"
$lathe explain m.lathe "$churn" --interactions --row 2 --out pairs.csv > /dev/null
is "$(wc -l < pairs.csv)" 20 "pairs of a row are a line for each feature"
LATHE_THREADS=1 $lathe explain m.lathe "$churn" --out one.csv > /dev/null
LATHE_THREADS=3 $lathe explain m.lathe "$churn" --out three.csv > /dev/null
ok "$(cmp one.csv three.csv > /dev/null; echo $?)" "threads give the same numbers"
$lathe explain m.lathe "$churn" --row 9999 2> err
is "$?" 1 "a row that is not there is an error"
like "$(cat err)" 'row 9999 of 7043' "which says how many there are"
is "$($lathe explain m.lathe | awk '/^importance/ { exit } length > 78')" "" "its card fits 80 columns"
$lathe explain m.lathe --pdp tenure > out 2> err
is "$?" 2 "an effect wants rows"
like "$(cat err)" '--pdp is asked of rows' "and says so"
head -2 "$churn" > alone.csv
like "$($lathe explain m.lathe alone.csv --pdp tenure)" '^ +[0-9]+ +[01]\.[0-9]+ ' \
    "of a number with one value that is told"
$lathe train "$churn" --target churn --drop contract --set trees=3 --offset tenure --out begun.lathe > /dev/null 2>&1
like "$($lathe export begun.lathe --lightgbm begun.txt)" "'tenure' is to be added" \
    "an export tells of the column that scores begin with"
$lathe explain m.lathe "$churn" --row 1 --pdp tenure 2> err
is "$?" 2 "two questions at once are wrong usage"
$lathe explain m.lathe "$churn" --pdp tenur 2> err
is "$?" 1 "an input that is not there is an error"

# A calibrated model is explained before that, and answers behind it.
$lathe train "$churn" --target churn --set trees=20 --calibrate isotonic --out even.lathe > /dev/null
$lathe explain even.lathe "$churn" --row 3 > out
like "$(cat out)" 'log odds .*of the score before it is calibrated by isotonic' "shares say that they are of the raw score"
head -4 "$churn" | $lathe predict even.lathe - --out said.csv > /dev/null
said=$(awk -F, 'NR == 4 { printf "%.4g", $1 }' said.csv)
like "$(cat out)" "answer +probability $said, prediction (Yes|No)" "and the answer stands beside them ($said)"
like "$($lathe explain even.lathe "$churn" --row 3 --json)" '"answer": *\[\{"probability":0' "in JSON, too"
like "$($lathe explain even.lathe "$churn" --json | head -c 400)" 'before it is calibrated by isotonic' \
    "so does the note of a table's"
is "$($lathe explain m.lathe "$churn" --row 3 | grep -c calibrated)" 0 "a model that is not says nothing of it"

# Each of several quantiles has its own shares: with the base they are what is
# predicted.
$lathe train "$churn" --target monthly_charges --set loss=quantile --set alpha=0.1,0.9 --set trees=5 --out q.lathe > /dev/null
like "$($lathe explain q.lathe "$churn")" '^quantile q0\.9$' "quantiles are explained by their names"
$lathe explain q.lathe "$churn" --out q.csv > /dev/null
$lathe predict q.lathe "$churn" --out said.csv > /dev/null
at=$(head -1 said.csv | tr , '\n' | grep -n '^q0.9$' | cut -d: -f1)
is "$(sed -n 1p q.csv | cut -d, -f1,2)" "row,quantile" "which a column tells"
is "$(awk -F, 'NR == 3 { for (i = 3; i <= NF; i++) s += $i; printf "%.6g", s }' q.csv)" \
    "$(awk -F, -v at="$at" 'NR == 2 { printf "%.6g", $at }' said.csv)" "and that add up to the answer"
like "$($lathe explain q.lathe "$churn" --class q0.1 --pdp tenure)" 'q0\.1 of monthly_charges by tenure' \
    "one of them may be asked for"
$lathe explain q.lathe "$churn" --class q0.5 2> err
like "$(cat err)" "no quantile 'q0.5'" "if the model has it"

# A model that is written for others and read back keeps how its rows went.
for form in lightgbm xgboost; do
    $lathe export m.lathe --$form m.other > /dev/null
    $lathe import m.other --out back.lathe > /dev/null
    like "$($lathe explain back.lathe "$churn" --row 3)" \
        'log odds of churn = Yes · exact, by the ways of the training rows' \
        "what came back by --$form is explained exactly"
    $lathe explain back.lathe "$churn" --out back.csv > /dev/null
    is "$(paste -d, one.csv back.csv | awk -F, 'NR > 1 { for (i = 1; i <= NF / 2; i++)
        if (($i - $(i + NF / 2)) ^ 2 > 1e-12) n++ } END { print n + 0 }')" 0 "with the same shares"
    $lathe explain back.lathe "$churn" --interactions --row 2 2> err
    is "$?" 1 "pairs are not told of it"
done

python=/usr/bin/python3
for peer in LightGBM XGBoost; do
    word=$(echo $peer | tr '[:upper:]' '[:lower:]')
    if ! $python -c "import numpy, pandas, $word" > /dev/null 2>&1; then
        [ $peer = XGBoost ] && skip=skip || skip=lacks
        $skip "shares beside $peer" "no python3 with pandas and $word"
        continue
    fi
    $python "$LATHE_SOURCE/tests/engine/port_shares.py" $peer > told 2> why
    is "$?" 0 "the script comes to its end beside $peer"
    sed 's/^/# /' why
    while read -r status name; do
        ok "$status" "$name"
    done < told
done
if ! $python -c 'import pandas, sklearn, xgboost' > /dev/null 2>&1; then
    skip "explanations beside other programs" \
        "no python3 with pandas, sklearn and xgboost"
else
    $python "$LATHE_SOURCE/tests/engine/explain.py" > told 2> why
    is "$?" 0 "the script comes to its end"
    sed 's/^/# /' why
    while read -r status name; do
        ok "$status" "$name"
    done < told
fi
done_testing
