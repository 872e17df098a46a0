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
done_testing
