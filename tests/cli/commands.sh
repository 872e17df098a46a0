#!/bin/sh
# The command table on the shell, from a table to the registry.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"
data=$LATHE_SOURCE/samples/churn/churn.csv

like "$("$lathe" version)" '^lathe [0-9.]+ \(gcc' "version names the build"
like "$("$lathe" version --json)" '^\{"version":"[0-9.]+"' "also as JSON"
like "$("$lathe" help)" 'registry promote +Move a version' "help lists the commands"
is "$("$lathe" help registry ls)" "$("$lathe" registry ls --help)" "help of a command is its --help"
is "$("$lathe" help runs | grep -c '^  runs ')" 5 "help of a group lists its commands"
is "$("$lathe" help runs)" "$("$lathe" runs --help)" "and is its --help"
"$lathe" help nothing > /dev/null 2> err
is "$?" 2 "help of no command is wrong use"

# Every command answers --help without a project, and its example is its own.
bad=
"$lathe" help | sed -n 's/^  \([a-z][a-z]*\( [a-z][a-z]*\)*\)  .*/\1/p' > names
while read -r name; do
    # shellcheck disable=SC2086
    "$lathe" $name --help > help.txt 2>&1 || bad="$bad $name"
    grep -q "^usage: lathe $name" help.txt || bad="$bad $name"
    awk 'length > 80 { exit 1 }' help.txt || bad="$bad $name (wide)"
done < names
is "$bad" "" "every command has --help, of at most 80 columns"
ok "$([ "$(wc -l < names)" -gt 30 ]; echo $?)" "and there are more than thirty"

like "$("$lathe" query --help)" "--with NAME=EXPRESSION " "help says what an option wants"
like "$("$lathe" expressions MONTH)" "add_months\(date, n\) +the same day n months later" \
    "expressions lists the functions that have to do with a word"
like "$("$lathe" expressions --json)" '"usage":"x is null"' "and the operators, also as JSON"
"$lathe" expressions nothinglikeit 2> err
is "$?" 1 "or says that there is none"

"$lathe" runs shw 2> err
is "$?" 2 "an unknown command is wrong use"
like "$(cat err)" "did you mean 'runs show'" "and the nearest is named"
"$lathe" train "$data" 2> err
is "$?" 2 "a missing option is wrong use"
like "$(cat err)" "train: --target is missing" "and is named"
"$lathe" train "$data" churn 2> err
is "$? $(cat err)" "2 lathe: train: 'churn' is one argument too many, as in: lathe train churn.csv --target churn --test 0.2 --set trees=300" \
    "and so is a word too many, with an example of how it is told"
"$lathe" query "$data" --where 'tenure > 1' 2> err
is "$?" 2 "and what has its place, told as an option"
like "$(cat err)" "'--where' is no option but told by its place, as in: lathe query churn.csv 'tenure < 12'" "with an example, too"
"$lathe" runs ls 2> err
is "$?" 1 "without a project there are no runs"
like "$(cat err)" "there is no project" "and it says so"
ok "$([ ! -e .lathe ]; echo $?)" "looking makes no project"

is "$("$lathe" schema "$data" --json | head -c 30)" '{"rows":7043,"columns":[{"name' "schema counts the rows"
is "$("$lathe" query "$data" 'tenure = 72 and contract = "Two year"' --csv --select tenure | sort | uniq -c | tr -s ' ')" " 343 72
 1 tenure" "query filters and selects"
like "$("$lathe" profile "$data" --target churn)" 'HIGH_CORRELATION' "profile alerts"
like "$("$lathe" profile "$data" --json)" '"name":"tenure"' "profile has a JSON form"
"$lathe" profile missing.csv 2> err
is "$?" 1 "a missing table fails"
like "$(cat err)" "^lathe: missing.csv: " "and is named"

"$lathe" train "$data" --target churn --model logistic > /dev/null
"$lathe" registry show price 2> err
like "$(cat err)" "^lathe: no model 'price': none is registered yet.*--register price" "or how one is made"
rm -r .lathe
out=$("$lathe" train "$data" --target churn --set trees=20 --name first --register churn --out m.lathe --json 2> err)
is "$?" 0 "train trains"
is "$(cat err)" "" "and is silent on a pipe but for results"
like "$out" '"version":"churn/1"' "it registers"
"$lathe" train "$data" --target churn --model logistic --name second > /dev/null
"$lathe" predict chrun@production "$data" 2> err
is "$(cat err)" "lathe: no model 'chrun', did you mean 'churn'?" "the nearest model is named"
"$lathe" evaluate "$data" churn 2> err
is "$(cat err)" "lathe: $data: a table, where a model is expected" "the wrong order is told"
"$lathe" registry show price 2> err
is "$(cat err)" "lathe: no model 'price', there is churn" "or those that there are"
"$lathe" predict second "$data" 2> err
is "$(cat err)" "lathe: no model 'second', did you mean the run runs:/second?" "or the run of that name"
"$lathe" registry add new c.st 2> err
is "$(cat err)" "lathe: no file and no run 'c.st', expected the file of a model, or the id or name of a run" \
    "what a version is made of is told"
like "$("$lathe" runs ls)" 'second +done +logistic' "runs ls lists"
is "$("$lathe" runs ls --where "family = 'logistic'" | awk 'NR > 1 { print $2 }')" second "and of them those for which an expression is true"
is "$("$lathe" runs ls --where "params.trees = 20 and valid.auc > 0.5 and started > '2020-01-01'" | awk 'NR > 1 { print $2 }')" first \
    "parameters, metrics and times too"
like "$("$lathe" runs ls --where "name = 'second'" --limit 1 --json)" '^\[\{"id":"[0-9a-f]*","name":"second".*\}\]$' "before so many are taken, as JSON too"
is "$("$lathe" runs ls --where 'seconds > 1e6')" "no runs are so" "none may be so"
"$lathe" runs ls --where 'famly = 1' > out 2> err
is "$?" 2 "a word that is none is wrong use"
like "$(cat err)" "where: character 1: no column 'famly' .did you mean 'family'" "and told"
"$lathe" runs ls --where 'auc > 0.5' 2> err
like "$(cat err)" "no column 'auc' .did you mean '(test|valid|train).auc'" "the last part of a name points to it"
like "$("$lathe" runs ls)" '^run +name +state +family ' "what the list calls family is called so in expressions"
is "$("$lathe" registry ls --where "auc > 0.5 and model = 'churn'" | awk 'NR > 1 { print $1 }')" churn/1 "registry ls has it"
is "$("$lathe" registry ls --where 'auc < 0.5')" "no versions are so" "and may have none"
like "$("$lathe" runs show first)" 'valid.logloss' "runs show has the curve"
like "$("$lathe" runs diff first second)" 'family +gbdt +logistic' "runs diff tells what differs"
like "$("$lathe" runs export first)" '"series":\{"train.logloss":\[\[' "runs export has the series"

"$lathe" registry promote churn/1 production --gate 'auc > 0.99' 2> err
is "$?" 3 "a gate that is not met ends with 3"
out=$("$lathe" registry promote churn/1 production --gate 'auc > 0.8')
is "$out" "promoted churn/1  Production" "one that is met promotes"
"$lathe" registry add churn second > /dev/null
"$lathe" registry promote churn/2 production > /dev/null
like "$("$lathe" registry ls churn)" 'churn/1 +Archived' "the former holder is archived"
is "$("$lathe" registry rollback churn)" "rolled back to churn/1  Production" "rollback gives it back"
"$lathe" registry alias churn/2 champion > /dev/null
like "$("$lathe" registry show churn@champion)" '^churn/2' "an alias finds its version"
like "$("$lathe" registry verify)" 'churn/1 .* ok' "artifacts have their digests"
like "$("$lathe" registry history churn)" 'Production' "the history tells of stages"
is "$("$lathe" registry history)" "$("$lathe" registry history churn)" "without a name of all models"

a=$("$lathe" predict churn@production "$data" | sha256sum)
b=$("$lathe" predict m.lathe "$data" | sha256sum)
is "$a" "$b" "a registered model predicts as its file"
like "$("$lathe" evaluate m.lathe "$data")" 'AUC +0\.8' "evaluate scores"
like "$("$lathe" evaluate m.lathe "$data")" 'learnt from this very table' "and says when the rows were learnt from"
printf 'contract,fee\nOne year,5\nTwo year,7\n' > fees.csv
is "$("$lathe" query "$data" 'kept > 70' --join fees.csv --by contract --with 'kept = tenure' \
    --group contract,fee --agg 'n = count()' --sort -fee --csv | tr '\n' ' ')" \
    "contract,fee,n Two year,7,480 One year,5,45 " "query joins, derives, filters, groups and sorts"
is "$("$lathe" query "$data" --group contract --pivot churn --sort contract --csv | tr '\n' ' ')" \
    "contract,No,Yes Month-to-month,2220,1655 One year,1307,166 Two year,1647,48 " "and pivots"
is "$("$lathe" query "$data" --sample 0.5 --select churn,contract --distinct --csv | wc -l)" 7 "and samples distinct rows"
is "$("$lathe" query "$data" --group contract --agg 'n = count()' --having 'n > 1500' --sort -n --limit 1 --csv | tr '\n' ' ')" \
    "contract,n Month-to-month,3875 " "and keeps groups and the first rows"
is "$("$lathe" query "$data" --about missing --having 'missing > 0' --csv | tr '\n' ' ')" \
    "column,missing,share,only total_charges,11,0.001561834445548772,11 " "and tells what is missing"
is "$("$lathe" query "$data" --about frequency --group tenure --bins 2 --select from,to,count --csv | tr '\n' ' ')" \
    "from,to,count 0,50,4870 50,100,2173 " "and the values of a column in ranges"
is "$("$lathe" query "$data" --about duplicates --group contract,churn --limit 1 --csv | tr '\n' ' ')" \
    "copies,contract,churn 2220,Month-to-month,No " "and which rows occur more than once"
like "$("$lathe" query "$data" --about describe --select column,mean,median --csv)" \
    '^tenure,32.3711486582422.*,29' "and describes each column"
like "$("$lathe" query "$data" --about relations --select column,tenure --csv)" '^tenure,1' "and how they go together"
"$lathe" query "$data" --about frequency 2> err
like "$(cat err)" "wants one column: --group NAME" "a frequency without a column says what it wants"
"$lathe" query "$data" --join fees.csv --by contact 2> err
is "$?" 1 "a join by no column fails"
like "$(cat err)" "the left table: no column 'contact' \(did you mean 'contract'" "and says where"
is "$("$lathe" query "$data" 'tenure > 12' --out some.csv)" "4857 rows x 20 columns in some.csv" \
    "a query that writes says what and where"
is "$("$lathe" query "$data" 'tenure > 12' --out some.csv --json)" \
    '{"out":"some.csv","rows":4857,"columns":20}' "also as JSON"
is "$("$lathe" evaluate m.lathe some.csv | grep -c 'very table')" 0 "and only then"
like "$("$lathe" evaluate m.lathe "$data" --json)" '"learnt_rows":5634,' "and in its JSON how many"
like "$("$lathe" evaluate m.lathe "$data")" 'not learnt from: valid\.logloss 0\.' "with scores of those that stopped it"
aside=$("$lathe" train "$data" --target churn --set trees=20 --test 0.2 --out aside.lathe |
    awk '$1 == "AUC" { v = $2 } END { printf "%.4g", v }')
like "$("$lathe" evaluate aside.lathe "$data" | tr '\n' ' ')" \
    "very table, 4,507 of its 7,043 rows.*not learnt from: .*test.auc $aside" \
    "also where some were set aside, with the scores of these"
"$lathe" train "$data" --target churn --model logistic --test "$data" > out
like "$(cat out)" 'very table, 7,043 of its 7,043 rows' "and train, where it is tested on what it learns from"
"$lathe" train "$data" --init aside.lathe --set trees=5 --test 0.2 --seed 2 > out 2> err
like "$(cat err)" 'same table that are held out and tested on here' "a test by another seed than that of --init is warned of"
"$lathe" train "$data" --init m.lathe --set trees=5 --test 0.2 > out 2> err
like "$(cat err)" 'tested on here' "and one of what it has learnt all of"
"$lathe" train "$data" --init aside.lathe --set trees=5 --test 0.2 > out 2> err
is "$(grep -c 'too good' err)" 0 "but not one of rows that it set aside, too"
printf 'tenure\n3\n' > narrow.csv
"$lathe" predict m.lathe narrow.csv > /dev/null 2> err
like "$(cat err)" "^lathe: narrow.csv: no column '" "predict names the table that lacks a column"
"$lathe" evaluate m.lathe "$data" --gate 'auc > 0.999' > /dev/null 2> err
is "$?" 3 "evaluate has gates too"
like "$("$lathe" explain m.lathe)" 'contract' "explain has the importance"

"$lathe" runs rm second > rm.txt
ok "$("$lathe" runs ls | grep -q second; [ $? -ne 0 ]; echo $?)" "a deleted run is not listed"
"$lathe" runs rm --undo "$(sed 's/.*--undo \([0-9a-f]*\).*/\1/' rm.txt)" > /dev/null
like "$("$lathe" runs ls)" second "and comes back"
"$lathe" runs rm second > /dev/null
is "$("$lathe" runs rm --undo second)" "second is back" "by its name too"
"$lathe" runs rm --undo second 2> err
is "$(cat err)" "lathe: no deleted run 'second'" "which then is no deleted one"

# ---- jobs ----
id=$("$lathe" job run -- sh -c 'echo from the job; exit 4')
"$lathe" job wait "$id" > /dev/null 2> err
is "$?" 1 "job wait tells a failure"
is "$("$lathe" job log "$id")" "from the job" "its log is there"
like "$("$lathe" job ls)" 'failed +exit 4' "and its status"
is "$("$lathe" job ls --where "state = 'failed' and status = 4" | awk 'NR > 1 { print $2 }' | sort -u)" failed "of jobs those for which an expression is true"
id=$("$lathe" job run -- "$lathe" version)
like "$("$lathe" job ls)" "$id +.*  lathe version" "and what was typed, without the program's folder"

# ---- endpoints ----
out=$("$lathe" endpoint create churn churn@production)
like "$out" 'started churn: churn/1 at http://127.0.0.1:[0-9]+' "an endpoint starts"
is "$("$lathe" endpoint ls --where 'p99_ms > 1e6')" "no endpoints are so" "where nothing was asked no time is long"
"$lathe" query "$data" --rows 1 --json > all.json
/usr/bin/python3 - > one.json <<'PY' || sed 's/},{.*/}/; s/^\[//' all.json > one.json
import json
print(json.dumps(json.load(open("all.json"))[0]))
PY
got=$("$lathe" endpoint invoke churn @one.json | tr -dc '0-9.' )
want=$("$lathe" predict churn@production "$data" | sed -n '2s/,.*//p')
is "$got" "$want" "it answers what predict says, to the last digit"
"$lathe" endpoint invoke churn '{"tenure": "long"}' > answer.txt 2> err
is "$?" 1 "a bad request fails"
like "$(cat answer.txt)" "tenure" "and names the field"
like "$("$lathe" endpoint ls)" 'churn +churn/1 +up' "it is listed"
like "$("$lathe" endpoint show churn --json)" '"requests":[1-9]' "it counts"
"$lathe" endpoint rm churn > /dev/null
is "$("$lathe" endpoint ls)" "no endpoints yet" "it is gone"
"$lathe" endpoint log churn 2> err
is "$(cat err)" "lathe: no endpoint 'churn'" "and has no log"
done_testing
