#!/bin/sh
# What cards and explanations tell on paper: the metrics that were asked for, what
# clusters hold, importance once, how many rows, numbers.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

churn=$LATHE_SOURCE/samples/churn/churn.csv
export LATHE_PROJECT="$tap_dir"
tr -d '"' < "$churn" | awk 'NR == 1 || NR % 4' > train.csv
tr -d '"' < "$churn" | awk 'NR == 1 || NR % 4 == 0' > test.csv

# The pinball loss of the middle of three quantiles, and Cohen's kappa, by hand.
$lathe train train.csv --target monthly_charges --set trees=30 --set loss=quantile --set alpha=0.1,0.5,0.9 \
    --valid test.csv --test test.csv --metric pinball@0.9 --metric mape --metric mape --out three.lathe > card
$lathe predict three.lathe test.csv --out three.csv > /dev/null
column test.csv monthly_charges > truth
pinball=$(column three.csv prediction | paste -d, - truth |
    awk -F, '{ d = $2 - $1; s += d > 0 ? 0.9 * d : -0.1 * d } END { printf "%.5g", s / NR }')
short=$(printf '%.4g' "$pinball")
like "$(cat card)" "^validated   on [0-9,]+ rows: pinball@0.9 $pinball \(" "a metric that is asked for leads the scores of the card"
like "$(tr -s '\n ' ' ' < card)" ", MAPE [^,]*, RMSE [^,]* parameters" "and the others follow, each once, with usual ones up to three"
like "$(cat card)" "^pinball@0.9 +$pinball " "and is among those of the test"
like "$($lathe explain three.lathe)" "^validated .*: pinball@0.9 $pinball \(" "the model keeps it"
like "$($lathe runs show run-1)" "test.pinball@0.9 $short.* valid.pinball@0.9 $short" "and the run"

$lathe train train.csv --target churn --set trees=30 --valid test.csv --metric kappa --metric precision \
    --metric f1 --metric recall --out churn.lathe > card
$lathe predict churn.lathe test.csv --out churn.csv > /dev/null
column test.csv churn > truth
kappa=$(column churn.csv prediction | paste -d, - truth | awk -F, '
    { n++; a[$1]++; b[$2]++; same += $1 == $2 }
    END { for (k in a) e += a[k] * b[k] / n / n; printf "%.4f", (same / n - e) / (1 - e) }')
like "$(cat card)" "^validated .*: kappa $kappa \(" "so it is of classes"
like "$(tr -s '\n ' ' ' < card)" 'kappa [^,]*, precision [^,]*, F1 [^,]*, recall [^,]* parameters' "where more are asked for than three, all of them"
$lathe train train.csv --target churn --set trees=30 --valid test.csv > card
like "$(tr -s '\n ' ' ' < card)" ': log loss [^,]*, AUC [^,]*, PR AUC [^,]* (positive|parameters|stopped)' "where none is, the usual ones"
for i in 1 2 3 4 5 6 7 8 9; do
    set -- "$@" --metric "pinball@0.1$i" --metric "pinball@0.2$i" --metric "pinball@0.3$i" --metric "pinball@0.4$i"
done
$lathe train train.csv --target monthly_charges --set trees=2 "$@" 2> err
is "$? $(cat err)" "1 lathe: over 32 metrics" "more than can be scored are refused before anything is learnt"

# Two clusters of a column: 30 rows at -1 and 1, 10 at 9 and 11; by hand.
awk 'BEGIN { print "x"; for (i = 0; i < 40; i++) print (i < 30 ? 0 : 10) + (i % 2 ? 1 : -1) }' > points.csv
eval "$(awk 'NR > 1 { x[n++] = $1; sum += $1; squares += $1 * $1 }
    END {
        mean = sum / n; variance = squares / n - mean * mean
        for (i = 0; i < n; i++) {
            same = other = n_same = n_other = 0
            for (j = 0; j < n; j++) {
                d = x[i] > x[j] ? x[i] - x[j] : x[j] - x[i]
                if ((x[i] < 5) == (x[j] < 5)) { same += d; n_same++ } else { other += d; n_other++ }
            }
            a = same / (n_same - 1); b = other / n_other
            s += (b - a) / b
        }
        printf "inertia=%.5g silhouette=%.5g", n / variance, s / n
    }' points.csv)"
$lathe train points.csv --model kmeans --set k=2 --out points.lathe > card
like "$(cat card)" '^sizes +(1: 30, 2: 10|1: 10, 2: 30)$' "the card of clusters says how many rows each holds"
like "$(cat card)" "^inertia +$inertia$" "and their inertia, in scaled columns"
like "$(cat card)" "^silhouette +$silhouette$" "and their silhouette"
is "$($lathe explain points.lathe | grep -E '^(sizes|inertia|silh)')" "$(grep -E '^(sizes|inertia|silh)' card)" "the model keeps them"
like "$($lathe explain points.lathe --json)" '"facts":\{"sizes":\[(30,10|10,30)\],"inertia":' "and tells them to programs"
like "$($lathe runs show run-4)" '^  train.inertia +[0-9.]+ @1$' "a curve of one value is that value"
$lathe train points.csv --model kmeans --set k=4 > card
is "$(grep -cE '^silhouette  1$' card)" 1 "clusters without any spread have a silhouette of 1"
$lathe train points.csv --model kmeans --set k=1 > card
like "$(cat card)" '^sizes +1: 40$' "one cluster holds all"
is "$(grep -c silhouette card)" 0 "and has no silhouette"

# Importance stands in the card, once; all of it where that is asked for.
$lathe explain churn.lathe > card
first=$(awk '$1 == "importance" { print $2 }' card)
is "$(grep -cw -- "$first" card)" 1 "the card that is explained tells importance once"
rest=$(($($lathe explain churn.lathe --json | grep -o '"levels"\|"type"' | grep -c type) - 8))
like "$(cat card)" "^ +and $rest more$" "and how many inputs it leaves out"
$lathe explain churn.lathe --importance gain --out gain.csv > /dev/null
is "$(awk 'END { print NR - 1 }' gain.csv)" $((rest + 8)) "what each input brings is told without rows"
like "$($lathe explain churn.lathe --importance gain)" "^  $first " "on paper, too"
for asked in "--importance shap" "--importance permutation" --interactions "--row 1"; do
    # shellcheck disable=SC2086
    $lathe explain churn.lathe $asked 2> err
    is "$? $(cut -d' ' -f2- err)" "2 ${asked%% *} is asked of rows: name a table behind the model" "$asked is not"
done

# What takes long goes by some of the rows, and says so.
{ tr -d '"' < "$churn"; tr -d '"' < "$churn" | sed 1d; } > twice.csv
all=$(awk 'END { print NR - 1 }' twice.csv | sed 's/...$/,&/')
$lathe train train.csv --target churn --set trees=5 --out small.lathe > /dev/null
explain() { $lathe explain small.lathe twice.csv "$@"; }
explain --interactions > pairs
like "$(cat pairs)" "^1,000 of $all rows · " "what features do together is told by 1,000 rows"
is "$(explain --interactions --rows 1000)" "$(cat pairs)" "as where so many are asked for"
like "$(explain --importance permutation)" "^10,000 of $all rows · what logloss" "shuffling goes by 10,000"
like "$(explain --importance permutation --rows 300)" "^300 of $all rows · what" "or by as many as are asked for"
like "$(explain --importance shap)" "^10,000 of $all rows · " "so does a ranking by shares"
like "$(explain)" "^10,000 of $all rows · " "so does their chart"
like "$(explain --out shares.csv)" "^$all rows · " "shares themselves are of all rows"
like "$(explain --interactions --rows 10 --out pairs.csv)" "^10 of $all rows · " "where they are written, too, it is said"
like "$(explain --ice tenure)" "· 50 of $all rows$" "as of curves"

# Numbers: as many digits as tell something, points below each other, and no
# exponent where plain digits do. Squares of 0 to 29, 1,000 times, above 50,000.
awk 'BEGIN { print "x,g,y"; for (i = 0; i < 600; i++) print i % 30 "," i % 2 "," i % 30 * (i % 30) * 1000 + 50000 + i % 7 }' > squares.csv
$lathe train squares.csv --target y --set trees=40 --cv 3 --valid 0.2 --out squares.lathe > card
like "$(cat card)" '^validated   on 120 rows: RMSE [0-9]{5,6} \([0-9]+ to [0-9]+\),' "a card has every digit before the point"
is "$(grep -cE '[0-9]e[+]' card)" 0 "and no exponent"
is "$(awk '/^  (rmse|mae|mape|r2) / { print length }' card | sort -u | wc -l)" 1 "folds stand below each other"
$lathe evaluate squares.lathe squares.csv > scores
like "$(cat scores)" '^RMSE +[0-9]{5,6}   [0-9]+ to [0-9]+$' "so have scores"
like "$(cat scores)" '^R2 +0\.[0-9]{4}   0\.[0-9]{4} to 0\.[0-9]{4}$' "shares have four decimals"
like "$($lathe runs ls)" 'cv.rmse [0-9]{5,6}, ' "lists of runs are plain, too"
is "$($lathe runs show run-1 | grep -cE '[0-9]e[+]')" 0 "and a run"
$lathe train squares.csv --target y --set trees=41 --set leaves=5 --valid 0.2 --name other > /dev/null
is "$($lathe runs diff run-8 other | awk '/^(trees|leaves|valid.mae) / { match($0, "^" $1 " +" $2); print RLENGTH }' | sort -u | wc -l)" 1 \
    "numbers of two runs end below each other"
$lathe explain squares.lathe squares.csv --row 30 > row
base=$(awk '$1 == "base" { print $2 }' row)
like "$base" '^[0-9]{6}$' "a base has all its digits"
is "$(awk '$1 == "base" || / = / { sum += $1 == "base" ? $2 : $4 } $1 == "value" { print sum - $2 < 3 && $2 - sum < 3 }' row)" 1 \
    "and what is added to it adds up"
like "$($lathe explain squares.lathe squares.csv --importance permutation)" ' x +[0-9]{6} ± [0-9]+ ' "a deviation has the digits of its mean"
like "$($lathe explain churn.lathe test.csv --row 1)" '^  base +-?[0-9]\.[0-9]{3}$' "log odds have three decimals"
awk 'BEGIN { print "x"; for (i = 1; i <= 9; i++) print i "000000" }' > millions.csv
like "$($lathe profile millions.csv --md)" '^\| x \| int .* \| 5000000 \| 2738613 \| 1000000 \|' \
    "nor has Markdown exponents: mean, deviation and least of 1 to 9 million"
done_testing
