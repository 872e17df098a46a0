#!/bin/sh
# Boosted trees on tables and parameters that mean no good: each is an error
# that says what is wrong, or a result that makes sense.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"

refused() { # PATTERN NAME; arguments of lathe train
    pattern=$1 name=$2
    shift 2
    $lathe train "$@" > out 2> err
    status=$?
    [ $status -eq 1 ] || [ $status -eq 2 ]
    ok $? "$name is refused"
    like "$(cat err)" "$pattern" "and told so"
}

printf 'x,y\n' > none.csv
refused 'none.csv|no rows' "a table of no rows" none.csv --target y
printf 'x,y\n1,2\n' > one.csv
refused 'one value only' "a table of one row" one.csv --target y
awk 'BEGIN { print "x,y"; for (i = 0; i < 50; i++) print i ",7.5" }' > constant.csv
refused "'y' has one value only: nothing to learn" "a constant target" constant.csv --target y
awk 'BEGIN { print "x,z,y"; for (i = 0; i < 50; i++) print ",," i % 2 }' > missing.csv
refused 'no column is left to learn from' "a table without any value" missing.csv --target y
awk 'BEGIN { print "x,y"; for (i = 0; i < 50; i++) print i "," (i == 9 ? "inf" : i) }' > infinite.csv
refused "'y' is infinite in row 10" "an infinite target" infinite.csv --target y
awk 'BEGIN { print "x,y"; for (i = 0; i < 50; i++) print i "," i - 25 "e299" }' > large.csv
refused 'expected at most 1e.150' "a target past any float" large.csv --target y

awk 'BEGIN { print "x,z,y"; for (i = 0; i < 400; i++)
    print (i % 5 == 0 ? "inf" : i % 5 == 1 ? "-inf" : i % 5 == 2 ? "" : i) "," i % 3 "," (i % 5 < 2 ? "a" : "b") }' > edges.csv
$lathe train edges.csv --target y --set trees=20 --out edges.lathe > out
is $? 0 "infinite and missing values are learnt from"
like "$($lathe evaluate edges.lathe edges.csv)" 'accuracy +1\.0' "and told apart"

# Validation rows of one class: the area has no meaning, the loss has.
awk 'NR == 1 || /,a$/' edges.csv > ones.csv
refused 'auc, which stops the training, is not defined' "a metric without meaning" \
    edges.csv --target y --valid ones.csv --metric auc
$lathe train edges.csv --target y --valid ones.csv --set trees=5 > out
is $? 0 "one class to stop by is enough for the loss"

awk 'BEGIN { printf "y"; for (c = 0; c < 33000; c++) printf ",c" c; print ""
    for (i = 0; i < 6; i++) { printf i % 2; for (c = 0; c < 33000; c++) printf "," i * (c % 6 + 1) % 7; print "" } }' > wide.csv
$lathe train wide.csv --target y --set trees=2 --set min_rows=1 --out wide.lathe > out 2>&1
is $? 0 "a table of 33,000 columns is learnt"
is "$($lathe predict wide.lathe wide.csv | wc -l)" 7 "and predicted"

# At prediction.
$lathe predict edges.lathe edges.csv > whole
printf 'z,y\n1,a\n' > absent.csv
$lathe predict edges.lathe absent.csv > out 2> err
is $? 1 "a column that is absent is an error"
like "$(cat err)" "'x'|column x" "which names it"
printf 'x,z\nred,1\nblue,2\n' > retyped.csv
$lathe predict edges.lathe retyped.csv > out 2> err
is $? 1 "so is one of another type"
like "$(cat err)" "column 'x' is 'red' in row 1, expected float" "which names it too"
printf 'z,x\n' > empty.csv
$lathe predict edges.lathe empty.csv > out 2> err
is "$(cat out)" "probability,prediction" "no rows have no predictions"
awk -F, 'BEGIN { OFS = "," } { print $3, $2, $1 }' edges.csv > turned.csv
$lathe predict edges.lathe turned.csv | cmp -s - whole
is $? 0 "the order of columns does not matter"

for set in trees=0 trees=-1 trees=1e9 learning_rate=0 learning_rate=nan leaves=1 leaves=1000000 \
    row_share=0 bins=1 bins=1000000 l2=-1 loss=nothing alpha=2 power=3 drop_rate=2 delta=0; do
    case $set in
        alpha*) more="--set loss=quantile" data=constant.csv ;;
        *) more="" data=edges.csv ;;
    esac
    $lathe train $data --target y $more --set $set > out 2> err
    status=$?
    [ $status -eq 2 ] || [ $status -eq 1 ]
    ok $? "$set is refused"
done
done_testing
