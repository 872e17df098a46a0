#!/bin/sh
# The subcommands as a shell user meets them: results, --json, exit statuses.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

churn=$LATHE_SOURCE/samples/churn/churn.csv
export LATHE_PROJECT="$tap_dir"

like "$($lathe version)" '^lathe [0-9]' "version names the program"
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

$lathe nosuch > out 2> err
is $? 2 "an unknown command is exit status 2"
$lathe profil "$churn" > out 2> err
like "$(cat err)" "profile" "and the nearest name is offered"
$lathe train "$churn" > out 2> err
is $? 2 "a missing option is exit status 2"
like "$(cat err)" "target" "and the message names it"
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

out=$($lathe evaluate a.lathe "$churn")
like "$out" 'AUC +0\.[89]' "evaluate scores with intervals"
$lathe evaluate a.lathe "$churn" --gate 'auc >= 0.8' > out 2>&1
is $? 0 "a gate that is met is exit status 0"
$lathe evaluate a.lathe "$churn" --gate 'auc >= 0.999' > out 2>&1
is $? 3 "a gate that is not met is exit status 3"
$lathe predict a.lathe "$churn" --out p.csv > out
is "$(wc -l < p.csv)" 7044 "predict answers every row"
like "$(head -1 p.csv)" 'probability' "with named columns"

out=$($lathe runs ls)
like "$out" 'first' "runs ls shows a run by its name"
like "$($lathe runs ls --json)" '^\[|^\{' "and speaks JSON"
out=$($lathe runs show first)
like "$out" 'churn' "runs show tells the target"
$lathe runs diff first second > out
is $? 0 "runs diff compares two"
$lathe runs rm second > out
out=$($lathe runs ls)
like "$out" 'first' "a deleted run leaves the others"
case $out in *second*) gone=1 ;; *) gone=0 ;; esac
is $gone 0 "and is listed no more"

$lathe registry promote churn/1 production --gate 'auc >= 0.999' > out 2>&1
is $? 3 "a promotion behind a gate that is not met is exit status 3"
$lathe registry promote churn/1 production --gate 'auc >= 0.8' > out 2>&1
is $? 0 "and goes through when it is met"
$lathe registry add churn b.lathe > out 2>&1
is $? 0 "a model file becomes a version"
$lathe registry promote churn/2 production --why better > out 2>&1
like "$($lathe registry ls churn)" 'Archived' "the former holder is archived"
$lathe registry rollback churn > out 2>&1
like "$($lathe registry show churn@production)" 'churn/1' "rollback gives it back"
$lathe registry alias churn/2 champion > out 2>&1
like "$($lathe registry show churn@champion)" 'churn/2' "an alias names a version"
like "$($lathe registry history churn)" 'better' "the history keeps why"
$lathe registry verify > out 2>&1
is $? 0 "the artifacts have their digests"
is "$($lathe predict churn@production "$churn" | cksum)" "$($lathe predict a.lathe "$churn" | cksum)" \
    "a version answers as its file does"

job=$($lathe job run -- lathe version | grep -Eo 'j-[0-9a-z-]+')
$lathe job wait "$job" --timeout 60 > out 2>&1
is $? 0 "a job runs to its end"
like "$($lathe job log "$job")" '^lathe [0-9]' "and its log is kept"
job=$($lathe job run -- sh -c 'exit 5' | grep -Eo 'j-[0-9a-z-]+')
$lathe job wait "$job" --timeout 60 > out 2>&1
is $? 1 "a job that fails is waited for with status 1"
job=$($lathe job run -- tail -f /dev/null | grep -Eo 'j-[0-9a-z-]+')
$lathe job stop "$job" > out 2>&1
is $? 0 "a job is stopped"
like "$($lathe job ls)" 'stopped' "and listed so"

$lathe doctor > out
is $? 0 "doctor finds its way"
for c in profile train evaluate predict "runs ls" "registry promote" serve "endpoint create" "job run" run repl; do
    # shellcheck disable=SC2086
    $lathe $c --help > out 2>&1
    is "$?$(grep -c 'usage' out)" 01 "$c --help shows its usage"
done
done_testing
