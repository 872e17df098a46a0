#!/bin/sh
# What cards and explanations tell on paper: the metrics that were asked for, what
# clusters hold, importance once, how many rows, numbers.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

churn=$LATHE_SOURCE/samples/churn/churn.csv
export LATHE_PROJECT="$tap_dir"
tr -d '"' < "$churn" | awk 'NR == 1 || NR % 4' > train.csv
tr -d '"' < "$churn" | awk 'NR == 1 || NR % 4 == 0' > test.csv

# Column NAME of a CSV, without its header.
column() {
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' "$1"
}

# The pinball loss of the middle of three quantiles, and Cohen's kappa, by hand.
$lathe train train.csv --target monthly_charges --set trees=30 --set loss=quantile --set alpha=0.1,0.5,0.9 \
    --valid test.csv --test test.csv --metric pinball@0.9 --metric mape --metric mape --out three.lathe > card
$lathe predict three.lathe test.csv --out three.csv > /dev/null
column test.csv monthly_charges > truth
pinball=$(column three.csv prediction | paste -d, - truth |
    awk -F, '{ d = $2 - $1; s += d > 0 ? 0.9 * d : -0.1 * d } END { printf "%.4g", s / NR }')
like "$(cat card)" "^validated   on [0-9,]+ rows: pinball@0.9 $pinball \(" "a metric that is asked for leads the scores of the card"
like "$(tr -s '\n ' ' ' < card)" ", MAPE [^,]*, RMSE [^,]* parameters" "and the others follow, each once, with usual ones up to three"
like "$(cat card)" "^pinball@0.9 +${pinball%?}" "and is among those of the test"
like "$($lathe explain three.lathe)" "^validated .*: pinball@0.9 $pinball \(" "the model keeps it"
like "$($lathe runs show run-1)" "test.pinball@0.9 $pinball.* valid.pinball@0.9 $pinball" "and the run"

$lathe train train.csv --target churn --set trees=30 --valid test.csv --metric kappa --metric precision \
    --metric f1 --metric recall --out churn.lathe > card
$lathe predict churn.lathe test.csv --out churn.csv > /dev/null
column test.csv churn > truth
kappa=$(column churn.csv prediction | paste -d, - truth | awk -F, '
    { n++; a[$1]++; b[$2]++; same += $1 == $2 }
    END { for (k in a) e += a[k] * b[k] / n / n; printf "%.4g", (same / n - e) / (1 - e) }')
like "$(cat card)" "^validated .*: kappa $kappa \(" "so it is of classes"
like "$(tr -s '\n ' ' ' < card)" 'kappa [^,]*, precision [^,]*, F1 [^,]*, recall [^,]* parameters' "where more are asked for than three, all of them"
$lathe train train.csv --target churn --set trees=30 --valid test.csv > card
like "$(tr -s '\n ' ' ' < card)" ': log loss [^,]*, AUC [^,]*, PR AUC [^,]* (positive|parameters|stopped)' "where none is, the usual ones"
for i in 1 2 3 4 5 6 7 8 9; do
    set -- "$@" --metric "pinball@0.1$i" --metric "pinball@0.2$i" --metric "pinball@0.3$i" --metric "pinball@0.4$i"
done
$lathe train train.csv --target monthly_charges --set trees=2 "$@" 2> err
is "$? $(cat err)" "1 lathe: over 32 metrics" "more than can be scored are refused before anything is learnt"
done_testing
