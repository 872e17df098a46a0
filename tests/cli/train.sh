#!/bin/sh
# Tables that are damaged, training that must repeat itself, and exit statuses.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

churn=$LATHE_SOURCE/samples/churn/churn.csv
export LATHE_PROJECT="$tap_dir"

out=$($lathe profile "$churn" --target churn)
like "$out" '7,043 rows x 20 columns' "profile counts rows and columns"
like "$out" 'total_charges: 11 of 7,043' "profile tells what is missing"
out=$($lathe profile "$tap_dir/absent.csv" 2>&1)
is $? 1 "a table that is not there is exit status 1"
like "$out" 'absent.csv: No such file' "and the message names it"
printf 'a,b\n1,2\n3\n4,5\n' > ragged.csv
like "$($lathe profile ragged.csv 2>&1)" 'line 3' "a ragged row is told by its line"
: > empty.csv
like "$($lathe profile empty.csv 2>&1)" 'empty.csv.*empty' "an empty file is told so"
printf 'a,b\n1,\0002\n' > binary.csv
like "$($lathe profile binary.csv 2>&1)" 'binary.csv.*(zero|binary|NUL)' "a binary file is told so"

$lathe train "$churn" --target churn --set tres=3 > out 2> err
is $? 2 "an unknown parameter is exit status 2"
like "$(cat err)" "trees" "and the nearest parameter is offered"

$lathe train "$churn" --target churn --set trees=40 --seed 3 --name first \
    --out a.lathe --register churn > out 2> err
is $? 0 "train fits, records and registers"
like "$(cat out)" 'churn/1' "and says the version"
$lathe train "$churn" --target churn --set trees=40 --seed 3 --name second --out b.lathe > out
cmp -s a.lathe b.lathe
is $? 0 "the same data, parameters and seed give the same file"
LATHE_THREADS=1 $lathe train "$churn" --target churn --set trees=40 --seed 3 --out c.lathe > out
cmp -s a.lathe c.lathe
is $? 0 "on one thread too"
LATHE_THREADS=7 LATHE_NO_AVX2=1 $lathe train "$churn" --target churn --set trees=40 --seed 3 --out d.lathe > out
cmp -s a.lathe d.lathe
is $? 0 "on seven threads without AVX2 too"
GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX2_Usable \
    $lathe train "$churn" --target churn --set trees=40 --seed 3 --out e.lathe > out
cmp -s a.lathe e.lathe
is $? 0 "with FMA and AVX2 masked off too"

# Without a target.
$lathe query "$churn" --select tenure --select monthly_charges --out two.csv > /dev/null
$lathe train two.csv --model kmeans --set k=4 --seed 2 --out k.lathe > out
is $? 0 "clusters are learnt without a target"
like "$(cat out)" '^model +k-means clusters \(kmeans\)$' "and the card names none"
is "$($lathe predict k.lathe two.csv | head -1)" "cluster,distance" "an answer is a cluster and how far"
is "$($lathe predict k.lathe two.csv --json | head -c 11)" "$($lathe predict k.lathe two.csv --json | head -c 11)" "the same each time"
$lathe explain k.lathe --table centres --out centres.csv > /dev/null
is "$(head -1 centres.csv)" "cluster,rows,tenure,monthly_charges" "explain writes the centres"
is "$(awk -F, 'NR > 1 { n += $2 } END { print n }' centres.csv)" 7043 "which have all rows"
like "$($lathe explain k.lathe --table choice)" 'silhouette' "and what else is known of them"
for wrong in "--model kmeans --target churn" "--model kmeans --test 0.2" "--model kmeans --valid 0.2" "--model gbdt"; do
    $lathe train "$churn" $wrong > out 2> err
    is $? 2 "train $wrong is wrong use"
    like "$(cat err)" 'target' "and told so"
done
LATHE_THREADS=3 $lathe train two.csv --model kmeans --set k=4 --seed 2 --out k3.lathe > out
LATHE_NO_AVX2=1 LATHE_NO_AVX512=1 LATHE_THREADS=1 \
    $lathe train two.csv --model kmeans --set k=4 --seed 2 --out k1.lathe > out
cmp -s k.lathe k3.lathe && cmp -s k.lathe k1.lathe
is $? 0 "threads and vectors do not change a byte of it"

# Few whole numbers: classes, or numbers?
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 600; i++) print i % 7 "," i % 11 "," int((i % 7 + i % 11) / 4) }' > rate.csv
$lathe train rate.csv --target y --set trees=5 > out 2> err
like "$(cat out)" 'multiclass \(0, 1, 2, 3, 4\)' "few whole numbers are classes"
like "$(cat err)" "target 'y' has 5 different numbers, each learnt as a class; --problem regression .in Lua problem." "which is told, with how to have it otherwise"
$lathe train rate.csv --target y --set trees=5 --problem regression --test 0.2 --out rate.lathe > out 2> err
like "$(cat out)" 'of y, regression' "--problem regression has"
is "$(grep -c 'different' err)" 0 "and is told nothing"
$lathe train rate.csv --target y --types y=float --model forest --set trees=5 > out 2> err
like "$(cat out)" 'of y, regression' "numbers with decimals are none"
like "$(cat err)" "target 'y' has few different values.* --problem classes .in Lua problem." "which is told too"
$lathe train rate.csv --target y --types y=float --model forest --set trees=5 --problem classes > out 2> err
like "$(cat out)" 'multiclass \(0, 1, 2, 3, 4\)' "--problem classes makes them some"
$lathe train rate.csv --init rate.lathe --problem classes > out 2> err
like "$(cat err)" 'go on from learns a regression target: it keeps to that' "but not for a model that goes on from another"
$lathe train rate.csv --target y --model linear --problem classes > out 2> err
like "$(cat err)" 'linear does not learn a multiclass target' "nor for one of numbers alone"
$lathe train rate.csv --target y --model linear > out 2> err
is "$(cat err)" '' "which is told nothing"
$lathe train rate.csv --target a --derive 'z = y > 1' --model logistic > out 2> err
is "$(grep -c 'regression' err)" 0 "nor is one of classes alone"
printf 't = lathe.read("rate.csv")\nprint(lathe.gbdt{ trees = 5 }:fit(t, "y", { problem = "regression" }).problem)\n' > p.lua
like "$($lathe run p.lua)" '^regression$' "Lua has the option too"

# A series, and tastes.
awk 'BEGIN { print "month,sold"; for (i = 0; i < 36; i++)
    printf "%d-%02d-01,%d\n", 2020 + i / 12, i % 12 + 1, 50 + i + i % 12 * 9 }' > sold.csv
$lathe train sold.csv --target sold --model seasonal_naive --set time=month --out series.lathe > out
is $? 0 "a series is learnt"
is "$($lathe forecast series.lathe --horizon 2 --json | head -c 2)" '[{' "its forecast is JSON"
$lathe forecast series.lathe --horizon 13 --out coming.csv > /dev/null
is "$(awk -F, 'NR == 14 { print $2 }' coming.csv)" 2024-01-01 "or a table, with the dates to come"
$lathe train sold.csv --target sold --model seasonal_naive --set time=month --test 0.3 > out
is $? 0 "a share to test on"
# i + 9 (i % 12) + 50: twelve steps later it is 12 more.
like "$(cat out)" 'RMSE +12[.]0* ' "is the last rows of a series"
$lathe train sold.csv --target sold --model seasonal_naive --set period=12 --cv 2 --cv-rows 6 > out
is $? 0 "folds of a series"
like "$(cat out)" 'rmse +12\.0+ .* 12\.0+ +12\.0+' "come after what they are foretold from"
$lathe train sold.csv --target sold --model ets --valid 0.2 2> err
is $? 2 "rows to stop by are not drawn from a series"
like "$(cat err)" 'leave gaps' "and told so"
$lathe train sold.csv --target sold --model gbdt_lags --set time=month --set difference=season --set means=0 --out lags.lathe > out
is $? 0 "boosting on lags learns it"
$lathe forecast lags.lathe --horizon 2 --out coming.csv > /dev/null
like "$(sed -n 2p coming.csv)" '^1,2023-01-01,86' "and goes on"
$lathe train sold.csv --target sold --model ets --set time=mnth 2> err
like "$(cat err)" "time: .*'mnth'" "a time that is not there is told"
awk 'BEGIN { print "year,x,y"; for (i = 0; i < 300; i++)
    print 2000 + int(i / 100) "," i % 13 "," (i % 13) * 2 + i % 3 }' > years.csv
$lathe train years.csv --target y --cv 2 --cv-time year --set trees=20 > out 2> err
is $? 0 "a fold that learns from one year alone holds some of it out"
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 200; i++)
    print i % 7 "," i % 11 "," 2 + 3 * (i % 7) - 4 * (i % 11) }' > plane.csv
$lathe train plane.csv --target y --model linear --set lambda=0 --out plane.lathe > /dev/null
$lathe explain plane.lathe --table coefficients --out plane.out.csv > /dev/null
is "$(awk -F, 'NR > 1 { printf "%s %.6f ", $1, $2 }' plane.out.csv)" \
    "(intercept) 2.000000 a 3.000000 b -4.000000 " "coefficients are those of the columns as they were"
seq 1 60 | sed '1i n' > numbers.csv
for m in ets seasonal_naive gbdt_lags; do
    $lathe train numbers.csv --target n --model $m --out numbers.lathe > /dev/null
    $lathe forecast numbers.lathe --horizon 1 --json > out
    is $? 0 "a series without any other column is learnt by $m and read back"
done
$lathe train numbers.csv --target n --model ets --interval 0.9 2> err
like "$(cat err)" 'gaps in a series.*cross-validation' "ranges of a series are learnt by folds"
awk 'BEGIN { print "user,item,stars"; for (u = 1; u < 9; u++) for (i = 1; i < 9; i++)
    if ((u + i) % 4) printf "u%d,i%d,%d\n", u, i, 1 + (u * i) % 5 }' > stars.csv
$lathe train stars.csv --target stars --model als --set factors=3 --out tastes.lathe > out
is $? 0 "tastes are learnt"
is "$($lathe recommend tastes.lathe --user u1 --n 5 --out best.csv > /dev/null; wc -l < best.csv | tr -d ' ')" 3 "what u1 has not rated is offered"
awk 'BEGIN { print "user,item,stars"; for (u = 0; u < 8; u++) for (i = 0; i < 8; i++)
    if ((u + i) % 4) printf "9007199254740993%d,%d,%d\n", u, i, 1 + (u * i) % 5 }' > long.csv
$lathe train long.csv --target stars --model als --set factors=2 --out long.lathe > out 2> err
is $? 1 "numbers that a double does not hold name no one"
like "$(cat err)" "column 'user' has the number 9007199254740993[0-9]: .* read them as text .types user=text." "which is told, with what to do"
$lathe train long.csv --types user=text --target stars --model als --set factors=2 --out long.lathe > out
is "$($lathe predict long.lathe long.csv | sed 1d | sort -u | awk 'END { print (NR > 20) }')" 1 "as texts they are told apart, and read so again"
like "$($lathe recommend long.lathe --user 90071992547409935)" '^ *[37] ' "and asked for"
for step in 1 1000000007; do
    awk -v s=$step 'BEGIN { print "t,y"; for (i = 0; i < 40; i++) printf "17000000%011d,%d\n", 1 + i * s, 100 + i % 7 }' > nanos.csv
    for m in ets gbdt_lags; do
        $lathe train nanos.csv --target y --model $m --set time=t --out nanos.lathe > out 2> err
        is $? 1 "times that a double does not hold are refused by $m"
        like "$(cat err)" "time 't' is 1700000[0-9]* in row 1: beyond 2.53 .* read it as a timestamp" "which is told"
    done
done
for n in 0 -5; do
    $lathe recommend tastes.lathe --user u1 --n $n > out 2> err
    is $? 2 "$n of the best is wrong use"
    like "$(cat err)" "n is $n, expected 1 item or more" "and told so"
done
is "$($lathe recommend tastes.lathe --user u1 --n 1 --out best.csv > /dev/null; wc -l < best.csv | tr -d ' ')" 2 "the best one alone is offered where one is asked for"
is "$($lathe recommend tastes.lathe --user u1 --n 9000000000000000000 --seen --out best.csv > /dev/null; wc -l < best.csv | tr -d ' ')" 9 "and all of eight where more are"
$lathe recommend tastes.lathe --user nobody 2> err
is $? 1 "to nobody nothing is"
like "$(cat err)" "user 'nobody' is not known" "and told so"

# Shares mean what they mean to Lua: the same rows, so the same scores.
$lathe train "$churn" --target churn --model logistic --valid 0.25 --test 0.2 --seed 7 --out f.lathe > out
is $? 0 "train takes shares"
cat > shares.lua << LUA
train, test = lathe.read("$churn"):split{ test = 0.2, stratify = "churn", seed = 7 }
model = lathe.logistic():fit(train, "churn", { valid = 0.25, seed = 7 })
model:save("g.lathe")
model:evaluate(test, { seed = 7 })
LUA
$lathe run shares.lua > lua
cmp -s f.lathe g.lathe
is $? 0 "the same rows are held out as in Lua"
is "$(grep -E '^(AUC|log loss|1,409 rows)' out)" "$(grep -E '^(AUC|log loss|1,409 rows)' lua)" "and the same rows are tested"
is "$(grep -Ec '^(AUC|log loss|1,409 rows)' out)" 3 "which is a fifth of them"
run=$(sed -n 's/^run //p' out)
like "$($lathe runs show "$run")" "test.auc $(awk '/^AUC/ { print $2 + 0 }' out)" "and the run keeps the scores"
for share in 0 1 1.5 -0.1; do
    $lathe train "$churn" --target churn --test=$share > out 2> err
    is $? 2 "a share of $share is wrong use"
    like "$(cat err)" "train: --test is $share, expected a table or a share between 0 and 1" "and told so"
done
$lathe query "$churn" 'tenure > 70' --out ./0.5
mv 0.5 0.5.csv && ln -s 0.5.csv 0.5
$lathe train "$churn" --target churn --model logistic --test ./0.5 > out
like "$(cat out)" "$(wc -l < 0.5.csv | awk '{print $1 - 1}') rows, binary" "a file whose name is a number has a path"
$lathe train "$churn" --target chrun --test 0.2 2> err
like "$(cat err)" "churn" "the target is looked for before rows are set aside"
printf 'a,y\n' > numbers.csv
awk 'BEGIN { for (i = 0; i < 300; i++) print i "," i * 2.5 }' >> numbers.csv
$lathe train numbers.csv --target y --model linear --test 0.1 > out
like "$(cat out)" '^30 rows, regression' "numbers are tested on a share too"

# Two rows of a query; weights; a target that is known but for the queries.
awk 'BEGIN { print "x,w,q,y"
    for (i = 0; i < 600; i++)
        print i % 37 "," i % 3 "," int(i / 2) "," (i % 37 > 20 ? "yes" : "no") }' > rows.csv
$lathe train rows.csv --target y --set trees=5 --weight w --group q --test 0.25 --class-weight yes=2 \
    --out weighed.lathe > out
is $? 0 "train takes weights, queries and class weights"
like "$(cat out)" '^150 rows, binary' "whole queries are tested"
like "$($lathe explain weighed.lathe --json)" '"importance":\[{"column":"x","importance":1}\]' \
    "weights and queries are no inputs"
sed '1s/$/,t/; 1!s/$/,a/' rows.csv > texts.csv
for family in logistic gbdt; do
    $lathe train texts.csv --target y --model $family --weight t 2> err
    like "$(cat err)" "weight 't' is a text" "$family says what is no weight"
done
cat > weighed.lua << LUA
local t = lathe.read("rows.csv")
local o = { weight = "w", group = "q", class_weight = { yes = 2 }, seed = 1 }
local train = t
local m = lathe.gbdt { trees = 5 }:fit(train, "y", o)
m:save("lua.lathe")
lathe.gbdt { trees = 5 }:fit(train, "y", { class_weight = "balanced" })
lathe.logistic():cv(train, "y", { weight = "w", class_weight = { "yes=2", "no=1" } })
LUA
$lathe run weighed.lua > out
is $? 0 "so does Lua"
$lathe train rows.csv --target y --set trees=5 --weight w --group q --class-weight yes=2 --out shell.lathe > out
cmp -s lua.lathe shell.lathe
is $? 0 "and gets the same model"

# Losses; counts are numbers to them, though there are few.
awk 'BEGIN { print "x,q,y"
    for (i = 0; i < 900; i++) print i % 90 "," int(i / 9) "," int((i % 90) / 18) }' > counts.csv
$lathe train counts.csv --target y --set loss=poisson --set trees=30 --out counts.lathe > out
is $? 0 "a loss decides that counts are numbers"
$lathe predict counts.lathe counts.csv > p.csv
is "$(head -1 p.csv)" "prediction" "and are predicted as such"
$lathe train counts.csv --target y --set loss=quantile --set alpha=0.1,0.5,0.9 --set trees=30 --test 0.2 \
    --out quantiles.lathe > out
is $? 0 "several quantiles are learnt at once"
$lathe predict quantiles.lathe counts.csv > p.csv
is "$(head -1 p.csv)" "prediction,q0.1,q0.5,q0.9" "each has a column"
is "$(awk -F, 'NR > 1 && ($1 != $3 || $2 > $3 || $3 > $4)' p.csv | wc -l)" 0 "and they do not cross"
$lathe train counts.csv --target y --set loss=rank --group q --set trees=10 > out
is $? 0 "the order of rows is learnt"
$lathe train counts.csv --target y --set loss=rank 2> err
like "$(cat err)" 'name the column that tells which by group' "but not without queries"
$lathe train counts.csv --target y --set loss=poisson --stop mae --set trees=30 > out
is $? 0 "another metric may stop"
# A year twice as long has twice the events.
awk 'BEGIN { print "x,years,o,y"
    for (i = 0; i < 600; i++) { v = i % 3 + 1
        print i % 5 "," v "," log(v) "," v * (1 + i % 5) } }' > years.csv
$lathe train years.csv --target y --set loss=poisson --set trees=300 --offset o --drop years --out years.lathe > out
is $? 0 "scores begin at an offset"
$lathe predict years.lathe years.csv > p.csv
is "$(paste -d, years.csv p.csv | awk -F, 'NR > 1 && ($5 - $4 > 0.2 || $4 - $5 > 0.2)' | wc -l)" 0 \
    "and so do predictions"
printf 'x\n0\n4\n' | $lathe predict years.lathe - | tr '\n' ' ' > p.csv
like "$(cat p.csv)" '^prediction (1\.0|0\.9)[0-9]* (5\.0|4\.9)[0-9]* $' "of a table without it for one year"
$lathe train years.csv --target y --model linear --offset o 2> err
like "$(cat err)" 'linear does not begin at an offset' "not every family does"

cat > losses.lua << LUA
local t = lathe.read("counts.csv")
local m = lathe.gbdt { loss = "quantile", alpha = { 0.1, 0.5, 0.9 }, trees = 30 }:fit(t, "y", { stop = "loss" })
print(m:predict(t).columns[2])
LUA
$lathe run losses.lua > out
like "$(cat out)" 'q0.1' "Lua takes a list of quantiles"

mkdir -p .git/refs/heads
echo "ref: refs/heads/main" > .git/HEAD
echo 0123456789abcdef0123456789abcdef01234567 > .git/refs/heads/main
$lathe train "$churn" --target churn --set trees=5 --name committed > out
like "$($lathe runs show committed --json)" '0123456789abcdef0123456789abcdef01234567' \
    "a run keeps the commit, with no git to ask"
rm -r .git

out=$($lathe evaluate a.lathe "$churn")
like "$out" 'AUC +0\.[89]' "evaluate scores with intervals"
$lathe evaluate a.lathe "$churn" --gate 'auc >= 0.8' > out 2>&1
is $? 0 "a gate that is met is exit status 0"
$lathe evaluate a.lathe "$churn" --gate 'auc >= 0.999' > out 2>&1
is $? 3 "a gate that is not met is exit status 3"
$lathe predict a.lathe "$churn" --out p.csv > out
is "$(cat out)" "7043 rows x 2 columns in p.csv" "predict says what it wrote"
is "$(wc -l < p.csv)" 7044 "predict answers every row"
like "$(head -1 p.csv)" 'probability' "with named columns"

$lathe runs rm second > out
out=$($lathe runs ls)
like "$out" 'first' "a deleted run leaves the others"
case $out in *second*) gone=1 ;; *) gone=0 ;; esac
is $gone 0 "and is listed no more"

$lathe registry add churn b.lathe > out 2>&1
is $? 0 "a model file becomes a version"
$lathe registry promote churn/2 production --why better > out 2>&1
like "$($lathe registry history churn)" 'better' "the history keeps why"

job=$($lathe job run -- tail -f /dev/null | grep -Eo 'j-[0-9a-z-]+')
$lathe job stop "$job" > out 2>&1
is $? 0 "a job is stopped"
like "$($lathe job ls)" 'stopped' "and listed so"

$lathe doctor > out
is $? 0 "doctor finds its way"
# Forests.
$lathe train "$churn" --target churn --model forest --set trees=40 --set keep_oob=true --out rf.lathe > out
is "$?" 0 "a forest is learnt"
run=$(sed -n 's/^run \([0-9a-f]*\).*/\1/p' out)
like "$($lathe runs show "$run")" 'oob_logloss 0\.[45]' "its run has the out-of-bag score"
cat > oob.lua <<'END'
model = lathe.load("rf.lathe")
print(model:oob())
END
like "$($lathe run oob.lua)" '7,?043 rows x 1 column' "and its rows the predictions of trees that have not seen them"
like "$($lathe explain rf.lathe "$churn" --row 1)" 'probability of churn = Yes · exact' "a forest is explained in probabilities"
LATHE_THREADS=1 $lathe train "$churn" --target churn --model extra_trees --set trees=9 --out a.lathe > /dev/null
LATHE_THREADS=3 $lathe train "$churn" --target churn --model extra_trees --set trees=9 --out b.lathe > /dev/null
ok "$(cmp a.lathe b.lathe; echo $?)" "threads do not change extra trees"
$lathe train "$churn" --target churn --model forest --set features=half 2> err
like "$(cat err)" "features is 'half', expected sqrt" "a wrong number of features is told"

$lathe train sold.csv --target sold --model gbdt_lags --set ahead=3 --set difference=season --cv 2 --cv-rows 6 --out direct.lathe > out 2>&1
like "$(cat out)" 'rmse ' "and directly, several steps at a time"
$lathe train sold.csv --target sold --model gbdt_lags --set ahead=3 --set difference=season --out direct.lathe > out 2>&1
like "$($lathe explain direct.lathe --table features)" 'season ago' "by the last known step of the same season"
like "$($lathe forecast direct.lathe --horizon 8 --out coming.csv 2>&1; sed -n 9p coming.csv)" '^8,2023-08-01,' \
    "and goes on beyond them"
done_testing
