#!/bin/sh
# A training that is killed goes on from its checkpoint to the same model, byte
# for byte; a checkpoint of something else, or a damaged one, is refused.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"
awk 'BEGIN { srand(1); print "a,b,c,y"
    for (i = 0; i < 3000; i++) { a = rand(); b = rand()
        print a "," b "," (i % 7 ? "l" int(9 * rand()) : "") "," (a * b + 0.3 * rand() > 0.4 ? "yes" : "no") } }' > t.csv

table=t.csv model=gbdt
train() { # arguments: as lathe train's
    case $model in gbdt) set -- --set learning_rate=0.02 "$@" ;; esac
    $lathe train $table --model $model --target y --seed 4 "$@"
}

# Kill a training as soon as it has written a checkpoint, then go on.
killed() { # name; arguments
    name=$1
    shift
    train "$@" --out whole.$name > out
    rm -f point.$name
    train "$@" --checkpoint point.$name --checkpoint-every 3 > out 2>&1 &
    pid=$!
    while [ ! -s point.$name ] && kill -0 $pid 2> kill.err; do :; done
    kill -9 $pid 2> kill.err
    wait $pid 2> kill.err
    train "$@" --checkpoint point.$name --resume --out resumed.$name > out
    is $? 0 "$name: a training goes on"
    cmp -s whole.$name resumed.$name
    is $? 0 "$name: to the same model"
}
killed plain --set trees=150 --set row_share=0.8
killed drop --set trees=90 --set drop_rate=0.3 --patience 10
killed goss --set trees=90 --set goss=true --set learning_rate=0.2
killed long --set trees=60 --set bins=2000 --set drop_rate=0.2
killed lines --set trees=60 --set linear_leaves=true
killed init --set trees=60 --init whole.plain
killed linesinit --set trees=40 --set linear_leaves=true --init whole.plain
killed longinit --set trees=60 --set bins=3000 --init whole.long

# A table that streams: 64 MB of memory are not enough for a text of 16 kB a row,
# which is left out.
awk 'BEGIN { srand(1); pad = sprintf("%1000s", ""); gsub(/ /, "x", pad)
    for (i = 0; i < 4; i++) pad = pad pad
    print "a,b,c,y,pad"
    for (i = 0; i < 3000; i++) { a = rand(); b = rand()
        print a "," b "," (i % 7 ? "l" int(9 * rand()) : "") "," (a * b + 0.3 * rand() > 0.4 ? "yes" : "no") "," i pad } }' > big.csv
streamed() { killed "$@" --drop pad; }
table=big.csv
export LATHE_MEMORY=64M
streamed sgoss --set trees=40 --set goss=true --set learning_rate=0.2
streamed sdrop --set trees=40 --set drop_rate=0.3 --patience 10
streamed slong --set trees=40 --set bins=2000 --set row_share=0.8
like "$(train --drop pad --set linear_leaves=true 2>&1)" 'beyond memory' "it does stream"
model=sgd
streamed ssgd --set epochs=40 --set lambda=0.001
unset LATHE_MEMORY
table=t.csv
killed sgd --set epochs=400 --set lambda=0.001
model=mlp
killed mlp --set epochs=12
awk 'BEGIN { srand(2); for (j = 1; j <= 16; j++) printf "p%d,", j; print "y"
    for (i = 0; i < 300; i++) { s = 0
        for (j = 1; j <= 16; j++) { x = rand(); s += j > 8 ? x : -x; printf "%.3f,", x }
        print (s > 0 ? "yes" : "no") } }' > pixels.csv
model=cnn table=pixels.csv
killed cnn --set epochs=12 --set layers=conv4,mean
model=gbdt table=t.csv

rm -f none
train --set trees=5 --checkpoint none --resume > out
is $? 0 "no checkpoint is the beginning"
runs=$($lathe runs ls --limit 999 | wc -l)
train --set trees=150 --set row_share=0.7 --checkpoint point.plain --resume > out 2> err
is $? 1 "a checkpoint of other parameters is refused"
like "$(cat err)" 'point.plain: it is of another fit: row_share is 0.8 there, 0.7 here$' "and told which"
train --set trees=150 --set row_share=0.8 --prepare 'scale minmax' --checkpoint point.plain --resume > out 2> err
is $? 1 "and one of another preparation"
like "$(cat err)" 'point.plain: it is of another fit: prepare is not set there, \["scale minmax"\] here$' "that has as many columns"
head -2000 t.csv > fewer.csv
$lathe train fewer.csv --target y --set trees=150 --set row_share=0.8 --set leaves=7 --drop b --valid 0.3 \
    --checkpoint point.plain --resume > out 2> err
like "$(cat err)" 'another fit: the rows; drop is not set there, \["b"\] here; seed is 4 there, 1 here; learning_rate is 0.02 there, auto here; and 2 more$' "all that differs is, up to a point"
LC_ALL=C sed 's/"of\\":/"oo\\":/' point.plain > older
train --set trees=150 --set row_share=0.7 --checkpoint older --resume > out 2> err
like "$(cat err)" 'older: it is of another fit: other rows, parameters or seed$' "one that does not have it is refused all the same"
is "$($lathe runs ls --limit 999 | wc -l)" "$runs" "and leaves no run, as other mistakes do"
train --set trees=150 --set row_share=0.8 --checkpoint older --resume --out older.lathe > out
cmp -s whole.plain older.lathe
is $? 0 "or gone on from"
head -c 2000 point.plain > cut
train --set trees=150 --set row_share=0.8 --checkpoint cut --resume > out 2> err
is $? 1 "so is a damaged one"
train --set trees=5 --resume > out 2> err
is $? 2 "to go on takes a checkpoint"
$lathe train t.csv --target y --model logistic --checkpoint p > out 2> err
like "$(cat err)" 'logistic keeps no checkpoint' "not every family keeps one"

# Going on from a model.
train --set trees=30 --valid 0.2 --patience 0 --out first.lathe > out
train --set trees=20 --init first.lathe --out second.lathe > out 2> err
is $? 0 "a model is gone on from"
is "$(grep -c 'held out here' err)" 0 "whose seed holds out the rows that it has not learnt from"
$lathe train t.csv --target y --seed 5 --set trees=20 --init first.lathe > out 2> err
like "$(cat err)" 'has learnt from rows of the same table that are held out here' "another seed is told of"
train --set trees=20 --init first.lathe --valid 0.3 > out 2> err
like "$(cat err)" 'held out here, by another seed or share' "and another share"
train --set trees=5 > out
like "$(cat out)" '^stopped +by trees=5, not by patience: more may help' "a fit that its rounds end says so"
train --set trees=5 --patience 0 > out
is "$(grep -c '^stopped' out)" 0 "but not where nothing else could end it"
like "$($lathe evaluate second.lathe t.csv)" 'AUC' "and judged"
train --set trees=20 --init first.lathe --set loss=squared 2> err
like "$(cat err)" 'the model to go on from has learnt by loss=logistic' "by the same loss"
$lathe train t.csv --target y --model logistic --init first.lathe 2> err
like "$(cat err)" 'a logistic does not go on from a gbdt' "and family"
$lathe train t.csv --target c --init first.lathe 2> err
like "$(cat err)" "predicts 'y', not 'c'" "and target"
train --init first.lathe --set refit_keep=0.5 --out third.lathe > out
is $? 0 "leaves take values of other rows"
like "$($lathe evaluate third.lathe t.csv)" 'AUC' "and are judged"

# A tree of one split and full steps: a leaf says the mean of its rows.
awk 'BEGIN { print "x,y"; for (i = 0; i < 200; i++) print i % 2 "," (i % 2 ? 20 : 10) }' > old.csv
awk 'BEGIN { print "x,y"; for (i = 0; i < 200; i++) print i % 2 "," (i % 2 ? 7 : i % 4 + 1) }' > new.csv
$lathe train old.csv --target y --set loss=squared --set trees=1 --set learning_rate=1 --set l2=0 \
    --patience 0 --name stump --out stump.lathe > out
$lathe train new.csv --refit stump.lathe --name again --out again.lathe --register stump > out
is $? 0 "--refit needs neither family nor target"
like "$(cat out)" '^learnt from 200 rows' "and learns from all rows"
like "$(cat out)" 'registered as stump/1' "is registered"
is "$($lathe predict again.lathe new.csv | sed 1d | sort -u | awk '{ printf "%.6g ", $1 }')" "2 7 " "leaves say the means of the new rows"
$lathe train new.csv --refit stump.lathe --set refit_keep=0.5 --out half.lathe > out
is "$($lathe predict half.lathe new.csv | sed 1d | sort -u | awk '{ printf "%.6g ", $1 }')" "13.5 6 " "or go half of the way"
like "$($lathe runs show again)" "^init +stump.lathe  #$($lathe runs show stump | sed -n 's/^artifact *//p' | cut -c1-12)$" "the run tells what it went on from"
$lathe train new.csv --refit stump.lathe --set trees=20 > out 2> err
is $? 2 "parameters of trees do nothing to leaves"
like "$(cat err)" 'keeps the trees as they are, and trees would do nothing; refit_keep, ' "which is told, with those that do"
$lathe train new.csv --refit stump.lathe --set l2=100 --out l2.lathe > out
is "$($lathe predict l2.lathe new.csv | sed 1d | sort -u | awk '{ printf "%.6g ", $1 }')" "11.0312 8.53125 " \
    "as l2 of 100 does, which halves the steps of 100 rows from 15.0625, the mean of the 160 of the old ones that were learnt"
$lathe train new.csv --refit stump.lathe --init stump.lathe > out 2> err
is $? 2 "it is one or the other"
$lathe train old.csv --target y --model linear --out line.lathe > out
$lathe train new.csv --refit line.lathe > out 2> err
like "$(cat err)" 'boosted trees.* a linear has none' "a line has no leaves"
$lathe export stump.lathe --lightgbm stump.txt > out
$lathe import stump.txt --out foreign.lathe > out
$lathe train new.csv --refit foreign.lathe > out 2> err
like "$(cat err)" 'not learnt here .imported. cannot be gone on from' "nor has a model of others any that are known"
$lathe train old.csv --target y --set loss=squared --set monotone=x+ --out up.lathe > out
$lathe train new.csv --refit up.lathe > out 2> err
like "$(cat err)" 'may break a trend' "a trend is not broken"
done_testing
