#!/bin/sh
# What a newcomer asks of training and is told by it: the positive class, what
# profits and ranges came to, mistakes before it begins, parameters, the order of
# a series, identifiers.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

churn=$LATHE_SOURCE/samples/churn/churn.csv
export LATHE_PROJECT="$tap_dir"
tr -d '"' < "$churn" | awk 'NR == 1 || NR % 4' > train.csv
tr -d '"' < "$churn" | awk 'NR == 1 || NR % 4 == 0' > test.csv

train() {
    $lathe train train.csv --target churn --model logistic --test test.csv "$@"
}

# The positive class.
train --out yes.lathe > yes
like "$(cat yes)" '^positive +class Yes$' "of two classes the second is the positive one"
train --positive No --out no.lathe > no
is $? 0 "the other may be chosen"
like "$(cat no)" '^positive +class No$' "and the card says so"
like "$(cat no)" 'binary, positive class No$' "the scores, too"
like "$($lathe explain no.lathe --json)" '"positive":"No"' "and the card as JSON"
like "$(train --positive No --json)" '"positive":"No"' "train as JSON"
is "$(awk '$1 == "AUC" { print $2 }' no)" "$(awk '$1 == "AUC" { print $2 }' yes)" \
    "logistic regression is the same the other way round: its AUC"
$lathe predict yes.lathe test.csv --out yes.csv > /dev/null
$lathe predict no.lathe test.csv --out no.csv > /dev/null
is "$(paste -d, yes.csv no.csv | awk -F, 'NR > 1 && ($1 + $3 < 0.99999 || $1 + $3 > 1.00001 || $2 != $4)' | wc -l)" 0 \
    "and its probabilities, which are of that class"
column test.csv churn > truth
like "$($lathe evaluate no.lathe test.csv --json)" '"positive":"No"' "evaluate as JSON"
recall=$(column no.csv prediction | paste -d, - truth | awk -F, '$2 == "No" { n++; r += $1 == "No" } END { printf "%.6f", r / n }')
like "$($lathe evaluate no.lathe test.csv --json)" "\"recall\":\{\"value\":$(echo "$recall" | cut -c1-7)" \
    "recall is of it"
train --positive Yes --out same.lathe > /dev/null
cmp -s yes.lathe same.lathe
is $? 0 "naming the usual one changes nothing"
cat > positive.lua << LUA
local t = lathe.read("train.csv")
local m = lathe.logistic():fit(t, "churn", { positive = "No" })
m:save("lua.lathe")
print("positive " .. m.positive .. " of " .. table.concat(m.classes, " "))
print("folds " .. #lathe.logistic():cv(t, "churn", { positive = "No", folds = 3 }):predictions().columns)
LUA
$lathe run positive.lua > out
like "$(cat out)" 'positive No of Yes No' "Lua chooses it, too"
cmp -s lua.lathe no.lathe
is $? 0 "and gets the same model"
$lathe train train.csv --target churn --set trees=20 --positive No --calibrate platt --threshold f1 --out trees.lathe > out
is $? 0 "trees learn it, with a threshold of its own"
$lathe export trees.lathe --c trees.c --onnx trees.onnx > out 2>&1
is $? 0 "and are exported"
awk 'BEGIN { print "x,y"; for (i = 0; i < 200; i++) print i % 10 "," (i % 10 > 6) }' > ones.csv
like "$($lathe train ones.csv --target y --positive 0 --set trees=5)" '^positive +class 0$' "a number is a class by its name"
runs=$($lathe runs ls --json | grep -o '"id"' | wc -l)
train --positive maybe > out 2> err
is $? 1 "a class that is not there is an error"
like "$(cat err)" "no class 'maybe'.* 'No' and 'Yes'" "which tells those there are"
$lathe train train.csv --target tenure --model linear --positive Yes 2> err
like "$(cat err)" "one of two, and the target 'tenure' is regression" "a number has no positive class"
$lathe train train.csv --model kmeans --positive Yes 2> err
is $? 2 "nor has what learns without a target"

# Mistakes are found before anything is learnt, and leave no run.
mistake() { # mistake WHAT TARGET OPTION...
    what=$1 target=$2
    shift 2
    $lathe train train.csv --target "$target" --model gbdt --cv 5 "$@" > out 2> err
    rc=$?
    like "$rc $(cat err)" "^1 lathe: $what" "a mistake in $* is told"
}
mistake "no threshold makes the most of AUC" churn --threshold auc
mistake "threshold is 1.5, expected between 0 and 1" churn --threshold 1.5
mistake "profit 'maybe:No=3', expected tp=" churn --profit maybe:No=3
mistake "a threshold comes from 'f1' or from a profit, not from both" churn --threshold f1 --profit tp=1
mistake "a threshold is of two classes, and there are 3" contract --threshold f1
mistake "a threshold is of classes" monthly_charges --threshold 0.3
mistake "a level of 1.5, expected between 0 and 1" churn --interval 1.5
mistake "a level of -1, expected between 0 and 1" churn --interval=-1
mistake "probabilities are calibrated, and the target is a number" monthly_charges --calibrate platt
mistake "(no|unknown) metric 'acu'" churn --metric acu
mistake "'auc,logloss' are several metrics: name one, or in Lua a list" churn --stop auc,logloss
mistake "class weight 'maybe=2': the target has no such class$" churn --class-weight maybe=2
mistake "class weight 'No=1,Yes=2': the target has no such class; each is told by itself" churn --class-weight No=1,Yes=2

# Names may be given with commas, as they are to query.
$lathe train train.csv --target churn --set trees=5 --metric kappa --metric mcc --drop tenure --drop contract --out a.lathe > one
$lathe train train.csv --target churn --set trees=5 --metric 'kappa, mcc' --drop tenure,contract --out b.lathe > both
cmp -s a.lathe b.lathe
is "$? $(grep -o 'validated.*' both)" "0 $(grep -o 'validated.*' one)" "metrics and columns to drop may be given with commas"
like "$($lathe evaluate a.lathe test.csv --metric fbeta@2,fbeta@0.5 | tr '\n' ' ')" 'fbeta@2 .*fbeta@0.5 ' "to evaluate, too"
tr -s '\n' < train.csv | sed '1s/tenure/"ten,ure"/' > comma.csv
like "$($lathe train comma.csv --target churn --model logistic --drop ten,ure)" '18 inputs' "but a column whose name has one is that column"
$lathe train train.csv --target churn --problem classification 2> err
like "$(cat err)" "expected regression.classes .did you mean 'classes'" "classes are known by other words"
$lathe train train.csv --target churn --set rounds=5 2> err
like "$(cat err)" "did you mean 'trees'" "and rounds"

# What was asked for stays with the run.
$lathe train train.csv --target churn --model logistic --name plain > out
$lathe train train.csv --target churn --model logistic --calibrate platt --metric f1,mcc --drop tenure --name asked > out
like "$($lathe runs show asked)" '^options +metric \["f1","mcc"\], drop \["tenure"\], calibrate platt$' "a run keeps what was asked for"
is "$($lathe runs show plain | grep -c '^options')" 0 "not where that is as usual"
like "$($lathe runs diff plain asked)" '^calibrate +- +platt +≠$' "runs are compared by it"
is "$($lathe runs ls --where "tags.options matches 'f1.*mcc'" | awk 'NR > 1 { print $2 }')" asked "and found"
cat > asked.lua << LUA
lathe.logistic():fit(lathe.read("train.csv"), "churn", { calibrate = "platt", metric = { "f1", "mcc" }, drop = { "tenure" }, name = "lua" })
LUA
$lathe run asked.lua > out
is "$($lathe runs show lua | grep '^options')" "$($lathe runs show asked | grep '^options')" "from Lua, too"
like "$($lathe runs show plain)" '^parameters +lambda [0-9.]{1,11}(,|$)' "numbers have no more digits than on cards"
head -41 train.csv > few.csv
$lathe train few.csv --target churn --interval 0.99 --set trees=5 2> err
like "$(cat err)" '8 rows were kept, and a level of 0.99 wants 99' "too few rows for a level are told"
is "$($lathe runs ls --json | grep -o '"state":"failed"' | wc -l)" 1 "as a run that failed; the others are none"

# What a profit came to. The confusion is counted here, from the answers.
train --profit tp=10,fp=-3,fn=-20 --out profit.lathe > out
$lathe predict profit.lathe test.csv --out p.csv > /dev/null
column p.csv probability > prob
column p.csv prediction | paste -d, truth - prob | awk -F, '
    function brings(truth, said) {
        return truth == "Yes" ? (said == "Yes" ? 10 : -20) : said == "Yes" ? -3 : 0
    }
    { n++; won += brings($1, $2); half += brings($1, $3 > 0.5 ? "Yes" : "No")
      yes += brings($1, "Yes"); no += brings($1, "No") }
    END { printf "profit %.5g\nprofit_total %.5g\nprofit_at_half %.5g\n", won / n, won, half / n
          printf "profit_all_positive %.5g\nprofit_all_negative %.5g\n", yes / n, no / n }' > want
is "$(awk '/^profit/ { print $1, $2 }' out)" "$(cat want)" "a profit is told, beside that of other ways to answer"
run=$(sed -n 's/^run \([0-9a-f]*\).*/\1/p' out)
like "$($lathe runs show "$run" --json)" "\"test.profit_total\":$(awk '/_total/ { print $2 }' want)" "the run keeps it"
$lathe evaluate profit.lathe test.csv --gate "profit_total >= $(awk '/_total/ { print $2 }' want)" > out
is $? 0 "and a gate may ask for it"
like "$(train --profit tp=1000000,fp=-300000 | grep profit_total)" '^profit_total +[0-9]{7,}$' "large ones are written out"
$lathe train train.csv --target contract --model logistic --drop churn --test test.csv \
    --profit 'One year:One year=2,Two year:Two year=1,Month-to-month:Two year=-4' --out three.lathe > out
$lathe predict three.lathe test.csv --out p.csv > /dev/null
column test.csv contract > truth3
column p.csv prediction | paste -d, truth3 - | awk -F, '
    { n++; won += $1 == $2 ? ($1 == "One year" ? 2 : $1 == "Two year") : $1 == "Month-to-month" && $2 == "Two year" ? -4 : 0
      one += $1 == "One year" ? 2 : 0; two += $1 == "Two year" ? 1 : $1 == "Month-to-month" ? -4 : 0 }
    END { best = one > two ? one : two; best = best > 0 ? best : 0
          printf "profit %.5g\nprofit_total %.5g\nprofit_one_class %.5g\n", won / n, won, best / n }' > want
is "$(awk '/^profit/ && !/likeliest/ { print $1, $2 }' out)" "$(cat want)" "of several classes, too"

# Ranges and sets.
train --interval 0.8 --out set.lathe > out
$lathe predict set.lathe test.csv --json | grep -o '"set":"[^"]*"' | sed 's/"set":"//; s/"$//' > sets
paste -d: truth sets | awk -F: '{ n++; k = split($2, s, ", "); m += k; for (i = 1; i <= k; i++) in_set += s[i] == $1 }
    END { printf "coverage %.5g\nmean_set %.5g\n", in_set / n, m / n }' > want
is "$(awk '/^(coverage|mean_set)/ { print $1, $2 }' out)" "$(cat want)" "how often sets hold the truth, and how much they hold"
awk 'BEGIN { srand(3); print "x,w,y"; for (i = 0; i < 900; i++) { x = rand() * 9
    print x "," i % 3 + 1 "," 2 * x + rand() + rand() } }' > line.csv
awk 'NR == 1 || NR <= 600' line.csv > line_train.csv
awk 'NR == 1 || NR > 600' line.csv > line_test.csv
for role in drop weight; do
    $lathe train line_train.csv --target y --model linear --interval 0.9 --test line_test.csv --$role w --out line.lathe > out
    $lathe predict line.lathe line_test.csv --out p.csv > /dev/null
    paste -d, line_test.csv p.csv | awk -F, -v role=$role '
        NR > 1 { w = role == "weight" ? $2 : 1; n += w; c += w * ($3 >= $5 && $3 <= $6); m += w * ($6 - $5) }
        END { printf "coverage %.5g\nmean_width %.5g\n", c / n, m / n }' > want
    is "$(awk '/^(coverage|mean_width)/ { printf "%s %.5g\n", $1, $2 }' out)" "$(cat want)" \
        "how often ranges hold it, and how wide they are: $role w"
done
cat > outcomes.lua << LUA
local e = lathe.load("line.lathe"):evaluate(lathe.read("line_test.csv"))
print(("coverage %.5g"):format(e.coverage))
print(("mean_width %.5g"):format(e.mean_width))
LUA
like "$($lathe run outcomes.lua | tr '\n' ' ')" "$(tr '\n' ' ' < want)" "Lua reads them as fields"

# Parameters.
$lathe train train.csv --target churn --set tres=3 2> err
is $? 2 "a parameter that is not there is wrong use"
like "$(cat err)" "no parameter 'tres' \(did you mean 'trees'\?\): .lathe models gbdt. lists them" "and told what lists them"
like "$($lathe models)" '^gbdt +classes and numbers +gradient boosting' "models lists families"
like "$($lathe models gbdt)" '^  max_depth +.*whole number from 0 to 64; default 0\)' "and the parameters of one"
like "$($lathe models gbdt)" '^  grow .*leaf or depth; default leaf\)' "with what they may be"
like "$($lathe models --json)" '"name":"kmeans","title":"k-means clusters","targets":"no target"' "as JSON, too"
$lathe models gbdt --json > out
like "$(cat out)" '^\[\{"name":"trees","type":"int","default":null,"min":1,"max":100000,"choices":null,"help":"rounds' \
    "and those of one: their bounds, and null where there are none"
like "$(cat out)" '"name":"grow","type":"choice","default":"leaf","min":null,"max":null,"choices":"leaf.depth","help"' \
    "what they may be and are"
is "$(grep -o '"name":' out | wc -l)" "$($lathe models gbdt | grep -c '^  [a-z]')" "all that the list has"
for family in $($lathe models --json | grep -o '"name":"[a-z_]*"' | sed 's/.*:"//; s/"//'); do
    COLUMNS=80 $lathe models "$family" > out
    like "$? $(head -1 out)" "^0 $family: " "$family has a list"
    is "$(awk 'length > 80' out)" "" "that fits 80 columns"
done
$lathe models gbtd 2> err
like "$(cat err)" "no model 'gbtd' .did you mean 'gbdt'" "a family that is not there is told"
for other in random_forest=forest rf=forest xgboost=gbdt lightgbm=gbdt catboost=gbdt svm=sgd; do
    like "$($lathe models ${other%=*} 2>&1)" "no model '${other%=*}' .did you mean '${other#*=}'" \
        "${other%=*} is known by its name here"
    like "$($lathe train none.csv --target y --model ${other%=*} 2>&1)" "expected als.* .did you mean '${other#*=}'" \
        "where it is to be learnt, too"
done
like "$($lathe models prophet 2>&1)" "no model 'prophet', there are als, cnn" "or all there are"
$lathe models GBDT 2> err
like "$(cat err)" "no model 'GBDT' .did you mean 'gbdt'" "in capitals, too"

# Classes that are numbers and bools go by their value.
awk 'BEGIN { print "x,y,half,told,kind"; for (i = 0; i < 60; i++)
    print i * 7 % 13 "," i % 2 "," i % 2 + 0.5 "," (i % 3 == 1 ? "true" : "false") "," (i % 2 ? "good" : "bad") }' > two.csv
for c in y=1.0=1 y=0e0=0 half=.5=0.5 told=TRUE=true told=False=false; do
    target=${c%%=*} class=${c#*=}
    like "$($lathe train two.csv --target "$target" --model logistic --positive "${class%=*}" 2>&1)" \
        "^positive +class ${class#*=}$" "--positive ${class%=*} is class ${class#*=}"
done
for pair in "y --class-weight 1=3 1.0=3" "told --class-weight true=3 TRUE=3" "half --profit 1.5:0.5=-3 1.50:.5=-3"; do
    set -- $pair
    rm -f as.lathe told.lathe
    $lathe train two.csv --target "$1" --model logistic "$2" "$3" --profit tp=1 --out as.lathe > out 2> err
    $lathe train two.csv --target "$1" --model logistic "$2" "$4" --profit tp=1 --out told.lathe > out 2> err
    cmp as.lathe told.lathe > out 2>&1
    is $? 0 "$2 $4 is $3"
done
cat > weighed.lua << LUA
local t = lathe.read("two.csv")
for file, class in pairs { as = 1, told = 1.0 } do
    lathe.logistic {}:fit(t, "y", { class_weight = { [tostring(class)] = 3 } }):save(file .. ".lathe")
end
LUA
rm as.lathe told.lathe
$lathe run weighed.lua > out 2>&1
cmp as.lathe told.lathe > out 2>&1
is $? 0 "in Lua, too"
awk 'BEGIN { print "x,y"; for (i = 0; i < 90; i++) print i * 7 % 13 "," i % 3 }' > three.csv
$lathe train three.csv --target y --model logistic --out three.lathe > out 2> err
is "$($lathe explain three.lathe three.csv --class 2.0)" "$($lathe explain three.lathe three.csv --class 2)" \
    "explain --class 2.0 explains class 2"
$lathe train two.csv --target kind --model logistic --positive GOOD > out 2> err
is $? 1 "texts go by their letters"
echo 'print(pcall(lathe.logistic {}.fit, lathe.logistic {}, lathe.read("two.csv"), "y", { positive = {} }))' > class.lua
like "$($lathe run class.lua 2>&1)" "option 'positive' is a table, expected a class" "a table is no class"

# What is to be learnt has no other part.
for option in weight offset drop; do
    $lathe train two.csv --target y --$option y > out 2> err
    is $? 2 "--$option of the target is wrong use"
    like "$(cat err)" "'y' is the target" "and told"
done
$lathe train two.csv --target kind --model logistic --class-weight bad=1e308 --class-weight good=1e308 > out 2> err
is $? 1 "class weights whose sum is no number are refused"
like "$(cat err)" "class weight 'bad=1e308', expected a number from 0 to 1e100" "with how large they may be"

# The order of a series.
awk 'BEGIN { print "month,sold"; for (i = 0; i < 36; i++)
    printf "%d-%02d-01,%d\n", 2020 + i / 12, i % 12 + 1, 50 + i + i % 12 * 9 }' > sold.csv
for m in ets seasonal_naive gbdt_lags; do
    $lathe train sold.csv --target sold --model $m --out guessed.lathe > out 2> err
    like "$(cat err)" "$m: rows are in the order of 'month', the only column of times" "$m takes the only column of times"
    $lathe train sold.csv --target sold --model $m --set time=month --out named.lathe > out 2> err
    is "$(cat err)" "" "and says nothing where it is named"
    cmp -s guessed.lathe named.lathe
    is $? 0 "which is the same"
done
(head -1 sold.csv; tail -n +2 sold.csv | sort -t, -k2 -n) > mixed.csv
$lathe train mixed.csv --target sold --model seasonal_naive --test 0.25 > out 2> err
like "$(cat out)" 'RMSE +12[.]0* ' "the last rows by it are those tested"
$lathe train sold.csv --target sold --model ets --set time=none --out none.lathe > out 2> err
is "$(cat err)" "" "time=none takes none"
$lathe forecast none.lathe --horizon 1 --out ahead.csv > /dev/null
is "$(head -1 ahead.csv)" "step,forecast,low,high" "and foretells steps"
awk -F, 'NR == 1 { print $0 ",booked" } NR > 1 { print $0 "," $1 }' sold.csv > two.csv
$lathe train two.csv --target sold --model ets --out two.lathe > out 2> err
is "$(cat err)" "" "of two columns of times none is taken"
$lathe train two.csv --target sold --model ets --drop booked --out two.lathe > out 2> err
like "$(cat err)" "order of 'month'" "unless the other is dropped"
awk -F, 'NR == 1 { print $0 ",booked" } NR > 1 { print $0 ",2020-01-01" }' sold.csv > same.csv
$lathe train same.csv --target sold --model ets --drop month --out same.lathe > out 2> err
is "$?$(cat err)" "0" "a column that says the same of all rows orders none"
awk -F, 'NR == 1 { print "booked," $2 } NR > 1 { print "," $2 }' sold.csv > never.csv
for m in ets seasonal_naive gbdt_lags; do
    $lathe train never.csv --target sold --model $m --types booked=date --out never.lathe > out 2> err
    is "$?$(cat err)" "0" "$m: nor does one without a time"
    is "$($lathe train never.csv --target sold --model $m --types booked=date --set time=booked 2>&1)" \
        "lathe: time 'booked' has no values" "which is told where it is asked for"
done
is "$($lathe train sold.csv --target sold --model gbdt_lags --set time=month --set series=month 2>&1)" \
    "lathe: 'month' tells the time of a row, and cannot tell its series as well" "a time is no series"
cat > series.lua << LUA
local t = lathe.read("sold.csv")
lathe.ets():fit(t, "sold"):save("lua.lathe")
local r = lathe.seasonal_naive():cv(t, "sold", { folds = 2, cv_rows = 6 })
print(("rmse %g"):format(r.rmse))
LUA
$lathe run series.lua > out 2> err
like "$(cat err)" "ets: rows are in the order of 'month'" "Lua says so, too"
$lathe train sold.csv --target sold --model ets --set time=month --out ets.lathe > /dev/null
cmp -s lua.lathe ets.lathe
is $? 0 "Lua does likewise"
like "$(cat out)" 'rmse 12$' "in folds, too"

# Identifiers.
awk 'BEGIN { print "customer_id,x,y"; for (i = 0; i < 300; i++)
    print 1000 + (i * 7919) % 3001 "," i % 13 "," i % 13 * 2 + i % 3 }' > named.csv
$lathe train named.csv --target y --set trees=5 > out 2> err
is "$(cat err)" "lathe: column 'customer_id' looks like an identifier, of which nothing can be learnt: drop leaves it out" \
    "a column that names rows is told"
$lathe train named.csv --target y --set trees=5 --drop customer_id > out 2> err
is "$(cat err)" "" "and not where it is dropped"
$lathe train named.csv --target y --set trees=5 --group customer_id > out 2> err
is "$(cat err)" "" "or is no input"
like "$($lathe profile named.csv)" 'ID_LIKE' "the profile says so, too"
printf '\033[31mcustomer_id,x,y\n' > red.csv
sed 1d named.csv >> red.csv
$lathe train red.csv --target y --set trees=5 > out 2> err
is "$(cat err)" "lathe: column '\\x1b[31mcustomer_id' looks like an identifier, of which nothing can be learnt: drop leaves it out" \
    "a name says nothing to the terminal"
is "$(for w in 30 40 61; do COLUMNS=$w $lathe runs ls | awk -v w=$w '{ gsub(/…/, "."); if (length > w) print }'; done)" "" \
    "runs are a line each where there is little room"

cat > named.lua << LUA
t = lathe.read("named.csv")
for i = 1, 2 do lathe.gbdt { trees = 3 }:fit(t, "y") end
LUA
$lathe run named.lua > out 2> err
is "$(grep -c "column 'customer_id' looks like an identifier" err)" 1 "a script is told once"
$lathe repl < named.lua > out 2> err
is "$(grep -c "column 'customer_id' looks like an identifier" err)" 1 "and so is the prompt"
printf 'a,b\n1,2\n3\n' > short.csv
echo 'lathe.read("short.csv")' > short.lua
$lathe run short.lua > out 2> err
like "$(cat err)" '^lathe: short.csv: 1 rows? .*set aside; frame:rejects' "rows that are set aside are told, too"

# Texts in buckets. Red is in all of 240 rows, green in 120, blue in 80, rare in 6.
awk 'BEGIN { print "t,y"; for (i = 0; i < 240; i++)
    print "Red" (i % 2 ? "" : " green") (i % 3 ? "" : " BLUE") (i % 40 ? "" : " rare") "," i % 2 }' > words.csv
$lathe train words.csv --target y --set trees=5 --prepare 'words size=1' --out words.lathe > out
like "$(cat out)" '^importance +t#0 red/green/blue +100' "a bucket of words is named by the most frequent"
like "$($lathe explain words.lathe words.csv --row 1)" '  t#0 red/green/blue ' "where answers are explained, too"
$lathe train words.csv --target y --set trees=5 --prepare 'chars from=5 size=1' > out
like "$(cat out)" '^importance +t#0 _red_/(_gree|gree|green|reen_)' "so is one of characters, where '_' ends a word"
$lathe export words.lathe --c words.c > out 2>&1
is $? 0 "and is exported"
$lathe train words.csv --target y --set trees=5 --prepare 'words size=64' > out
like "$(cat out)" '^ +and [0-9]+ more \(--json has them all\)' "notes on buckets without words are cut short"

# Lists on a screen and on a pipe.
name=$(printf '%0300d' 7)
$lathe train named.csv --target y --set trees=5 --name "$name" > out 2> err
like "$($lathe runs ls)" "$name" "on a pipe nothing is cut"
is "$(COLUMNS=80 $lathe runs ls | sed 's/…/./g' | awk 'length > 80' )" "" "on 80 columns lines are no longer"
like "$(COLUMNS=80 $lathe runs ls)" '^[0-9a-f]{8}  run-.* done  .*  [0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]  ' \
    "and times have day and hour"
like "$(COLUMNS=120 $lathe runs ls)" '20[0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]' "where there is room their year"
done_testing
