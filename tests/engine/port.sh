#!/bin/sh
# Models go to other programs and come from them, and all answer alike.  Beside
# it: python3 with xgboost (Debian: python3-xgboost) and, below LATHE_PEERS, the
# npm package onnxruntime-node (installed with ONNXRUNTIME_NODE_INSTALL=skip);
# python3-onnx makes models for both.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir" PYTHONDONTWRITEBYTECODE=1
churn=$tap_dir/rows.csv
# Where inputs are 32-bit floats, 84.55 may fall on the other side of 84.55.
$lathe query "$LATHE_SOURCE/samples/churn/churn.csv" \
    --with 'monthly_charges = round(monthly_charges * 4) / 4' \
    --with 'total_charges = round(total_charges)' --out "$churn" > /dev/null

train() { # train NAME TARGET OPTIONS...
    name=$1 target=$2
    shift 2
    $lathe train "$churn" --target "$target" --seed 3 --out "$name.lathe" "$@" > /dev/null 2>&1
}
# The largest relative difference of the first K numbers of each row.
apart() { # apart K A B
    paste -d, "$2" "$3" | awk -F, -v k="$1" '
        { n = NF / 2
          for (i = 1; i <= k; i++) {
              d = $i - $(n + i); if (d < 0) d = -d
              m = $i < 0 ? -$i : $i
              if (m > 1) d /= m
              if (d > worst) worst = d
          } }
        END {
            if (NR >= 100 && worst < 1e-6) print "close"
            else print "apart by " worst " over " NR " rows"
        }'
}

train boosted churn --set trees=40
train classes contract --set trees=15
train numbers monthly_charges --set trees=30
train grove churn --model forest --set trees=20 --set leaves=80
train groves contract --model forest --set trees=10 --set leaves=80
train extra monthly_charges --model extra_trees --set trees=10 --set leaves=80
train lines churn --set trees=20 --set linear_leaves=true
train lined contract --set trees=8 --set linear_leaves=true
train net churn --model mlp --set epochs=1
train nets contract --model mlp --set epochs=1 --set layers=20,10 --set activation=elu --set batch_norm=false
train logistic churn --model logistic
train softmax contract --model logistic
train linear monthly_charges --model linear

# ---- each format comes back as it went ----

back() { # back MODEL OPTION FILE MORE...
    model=$1 option=$2 file=$3
    shift 3
    $lathe export "$model.lathe" "--$option" "$file" "$@" > out 2> why || return 1
    $lathe import "$file" --out back.lathe > card 2> why || return 1
    $lathe predict "$model.lathe" "$churn" | sed 1d > a
    $lathe predict back.lathe "$churn" | sed 1d > b
    cut -d, -f1-"$k" a > a1
    cut -d, -f1-"$k" b > b1
    [ "$(apart "$k" a1 b1)" = close ]
}
for model in boosted classes numbers grove groves extra net nets logistic softmax linear; do
    k=1
    case $model in classes | groves | nets | softmax) k=3 ;; esac
    for form in "onnx m.onnx" "onnx m.onnx --onnx-ml 5"; do
        # shellcheck disable=SC2086
        back $model $form
        ok $? "$model as $form comes back the same"
    done
    case $model in net*) continue ;; esac
    back $model pmml m.xml
    ok $? "$model as pmml m.xml comes back the same"
    sed 's/^/# /' why
    case $model in logistic | softmax | linear) continue ;; esac
    for form in "xgboost m.json" "lightgbm m.txt"; do
        # shellcheck disable=SC2086
        back $model $form
        ok $? "$model as $form comes back the same"
    done
done
for model in lines lined; do
    k=1
    [ $model = lines ] || k=3
    back $model lightgbm m.txt
    ok $? "$model, whose leaves are lines, as LightGBM's text comes back the same"
    like "$(grep -c is_linear=1 m.txt)" '[1-9]' "where they are lines as well"
    if command -v cc > /dev/null 2>&1; then
        like "$($lathe export $model.lathe --c m.c 2>&1)" 'compiled, 2,000 rows differ by [0-9.e-]* at most' \
            "and compiled C answers them alike"
    fi
    for form in onnx "onnx-ml 5 --onnx" xgboost pmml; do
        # shellcheck disable=SC2086
        like "$($lathe export $model.lathe --$form m.other 2>&1)" 'linear_leaves.*--lightgbm or --c' \
            "--$form says what holds them"
    done
done
$lathe export boosted.lathe --xgboost m.json > out
like "$(cat out)" 'm.json: XGBoost JSON, [0-9,]* bytes; read again, 2,000 rows differ by' \
    "export says what was compared"
like "$($lathe import m.json)" 'learnt from elsewhere; 19 inputs, no baseline for drift' \
    "the card says that it was not learnt here"
like "$($lathe import m.json)" 'not kept' "and that it was not kept"
$lathe export logistic.lathe --xgboost m.json > out 2> why
is $? 1 "what a format cannot hold is an error"
like "$(cat why)" 'trees and nothing else.*--onnx' "which says what holds it"
$lathe export logistic.lathe --xgboost no.json --onnx yes.onnx --lightgbm no.txt --c yes.c > out 2> why
is $? 1 "of several formats one that cannot be written is an error"
is "$(grep -c 'trees and nothing else' why) $(tail -n 1 why)" "2 lathe: export: 2 of 4 files not written" \
    "each that is not written is told"
[ -s yes.onnx ] && [ -s yes.c ] && [ ! -e no.json ] && [ ! -e no.txt ]
ok $? "and the others are written"
like "$($lathe export logistic.lathe --xgboost no.json --c yes.c --json 2> why)" \
    '^\[\{"format":"c".*\{"format":"xgboost","out":"no.json","error":".*\]' "JSON has both"
$lathe export logistic.lathe > out 2> why
is $? 2 "export without a format is wrong use"
printf 'forest\n' > bad.json
$lathe import bad.json > out 2> why
is $? 1 "a file of no format is refused"
like "$(cat why)" 'bad.json: not a model' "by its name"
printf '{"learner": {"a": [[[' > bad.json
like "$($lathe import bad.json 2>&1)" 'bad.json: byte 22' "a broken one by the place"

$lathe import m.json --out kept.lathe --register foreign > out 2> why
like "$(cat out)" 'registered as foreign/1' "an imported model is registered"
like "$($lathe explain foreign/1)" 'a model of another program .imported. of churn' "and explained"
like "$($lathe evaluate foreign/1 "$churn")" 'AUC' "and scored"
like "$($lathe endpoint drift foreign 2>&1; $lathe train "$churn" --target churn --model imported 2>&1)" \
    "is 'imported', expected .*gbdt" "but not learnt"

# ---- losses and what is done to answers ----

for loss in poisson quantile huber; do
    train loss monthly_charges --set trees=10 --set loss=$loss
    k=1
    back loss lightgbm m.txt
    ok $? "trees learnt by $loss come back the same"
done
for family in ridge lasso elastic_net; do
    train path monthly_charges --model $family
    back path pmml m.xml
    ok $? "$family comes back the same"
done
train loss contract --set trees=10 --set loss=ova
k=3
back loss onnx m.onnx
ok $? "classes one against all come back the same"
k=1
for kind in platt temperature; do
    train calibrated churn --set trees=20 --calibrate $kind
    back calibrated xgboost m.json
    ok $? "trees calibrated by $kind come back the same"
    train calibrated churn --model logistic --calibrate $kind --threshold 0.3
    back calibrated pmml m.xml
    ok $? "so does a linear model"
done
like "$(cat out)" 'not what this model.s threshold says' "that the threshold stays here is told"
k=3
train calibrated contract --set trees=10 --calibrate platt
back calibrated onnx m.onnx
ok $? "so do three classes that were calibrated by platt"
k=1
train calibrated churn --model forest --set trees=10 --set leaves=20 --calibrate temperature
back calibrated onnx m.onnx
ok $? "and a forest by temperature"
train calibrated churn --set trees=20 --calibrate isotonic
$lathe export calibrated.lathe --onnx m.onnx > out 2> why
like "$(cat out)" 'calibration by isotonic is steep in places' "what rounding does to an isotonic calibration is told"
$lathe export calibrated.lathe --c m.c > out 2> why
like "$(cat out)" 'm.c: C, [0-9,]* bytes' "which C has exactly"
for form in lightgbm xgboost pmml; do
    like "$($lathe export calibrated.lathe --$form m.other 2>&1)" \
        'm.other: this model is calibrated by isotonic; .*--onnx or --c$' "--$form names the calibration it has no place for"
done
for loss in softmax ova; do
    train curves contract --set trees=20 --set loss=$loss --calibrate isotonic
    $lathe predict curves.lathe "$churn" | sed 1d | cut -d, -f1-3 > $loss.want
    $lathe export curves.lathe --onnx $loss.onnx > out 2>&1
    like "$(cat out)" 'read again, 2,000 rows differ by' "so have three classes by $loss, made to sum to one again"
    $lathe import $loss.onnx --out back.lathe > card
    $lathe predict back.lathe "$churn" | sed 1d | cut -d, -f1-3 > b
    is "$(awk -F, '{ s = $1 + $2 + $3; if (s < 0.999999 || s > 1.000001) bad++ } END { print NR, bad + 0 }' b)" "7043 0" \
        "which they do"
done

# Of classes that a line parts sums are large, and shares nearly 1.
awk 'BEGIN { srand(5); print "a,b,c"; for (i = 0; i < 1000; i++) { x = rand() * 10
    printf "%.3f,%.3f,%s\n", x, rand(), (x > 5 ? "yes" : "no") } }' > parted.csv
$lathe train parted.csv --target c --model logistic --set lambda=0 --seed 1 --calibrate platt --out parted.lathe > /dev/null 2>&1
for form in "onnx m.onnx" "pmml m.xml" "c m.c"; do
    # shellcheck disable=SC2086
    like "$($lathe export parted.lathe --$form 2>&1)" "^${form#* }: .* bytes" "what a share keeps of its sum is no difference, $form"
done

# Three sectors around a middle where there was no row: no class has a share of it.
awk 'BEGIN { srand(2); pi = atan2(0, -1); print "a,b,c"
    for (i = 0; i < 1500; i++) { t = rand() * 2 * pi; r = 1 + rand()
        printf "%.4f,%.4f,%s\n", r * cos(t), r * sin(t), substr("pqr", int(t / (2 * pi / 3)) + 1, 1) } }' > sectors.csv
awk 'BEGIN { print "a,b"; for (i = -20; i < 20; i++) for (j = -20; j < 20; j++) print i / 64 "," j / 64 }' > middle.csv
$lathe train sectors.csv --target c --model logistic --seed 1 --calibrate isotonic --out none.lathe > /dev/null 2>&1
$lathe predict none.lathe middle.csv | sed 1d | cut -d, -f1-3 > none.want
is "$(awk -F, '$1 == $2 && $2 == $3 { n++ } END { print (n > 50) }' none.want)" 1 "rows that no curve gives a share have all alike"
nearly() { # nearly A B: of three columns
    paste -d, "$1" "$2" | awk -F, '
        { for (i = 1; i <= 3; i++) { d = $i - $(i + 3); if (d < 0) d = -d; if (!(d < 1e-4)) bad++ } }
        END { print NR, bad + 0 }'
}
$lathe export none.lathe --onnx none.onnx > out
$lathe import none.onnx --out back.lathe > card
$lathe predict back.lathe middle.csv | sed 1d | cut -d, -f1-3 > b
is "$(nearly none.want b)" "1600 0" "so they have as ONNX"

# ---- steps of preparation ----

step=0
while read -r target options; do
    step=$((step + 1))
    k=1
    eval "train stepped $target $options"
    back stepped onnx m.onnx
    ok $? "$options comes back from ONNX"
    cp a1 want_$step
    cp m.onnx step_$step.onnx
    if command -v cc > /dev/null 2>&1; then
        like "$($lathe export stepped.lathe --c m.c 2>&1)" 'compiled, 2,000 rows differ by [0-9.e-]* at most' "and compiled C"
    fi
done << 'STEPS'
churn --set trees=10 --prepare 'target on payment_method,contract' --prepare 'scale minmax on tenure'
churn --model logistic --prepare 'impute iterative' --prepare 'scale quantile' --prepare onehot
churn --model logistic --prepare 'rare 0.2' --prepare 'ordinal DSL|No|Fiber on internet_service' --prepare 'polynomial 3 on tenure,total_charges'
churn --model naive_bayes
monthly_charges --model mlp --set epochs=1 --prepare 'impute mode indicator' --prepare 'scale robust' --prepare 'select 8 f'
STEPS
train stepped churn --set trees=10 --prepare 'impute constant=DSL on internet_service' --prepare 'target on internet_service'
like "$($lathe export stepped.lathe --onnx m.onnx 2>&1)" 'read again, 2,000 rows differ by' \
    "what is filled in is not what was not seen"
# In ONNX the empty text is the missing one, whatever stands in the table.
awk 'BEGIN { print "city,x,y"; for (r = 0; r < 300; r++) print (r % 5 ? "t" r % 5 : "") "," r % 7 "," r % 5 * 10 + r % 7 }' > cities.csv
$lathe train cities.csv --target y --model ridge --prepare target --seed 1 --out cities.lathe > /dev/null 2>&1
$lathe export cities.lathe --onnx m.onnx > out 2>&1
$lathe import m.onnx --out back.lathe > card
printf 'city,x\n,1\n"",1\nt1,1\nelse,1\nany other text,1\n' > some.csv
$lathe predict cities.lathe some.csv | awk 'NR > 1 { y = NR == 3 ? y : $1; printf "%.3f\n", y }' > a1
$lathe predict back.lathe some.csv | awk 'NR > 1 { printf "%.3f\n", $1 }' > b1
is "$(cat b1)" "$(cat a1)" "an empty text is missing to what was ONNX, and others were not seen"
is "$(sort -u b1 | wc -l)" 3 "which are three answers"
if command -v cc > /dev/null 2>&1; then
    $lathe export back.lathe --c cities.c --prefix back > out 2>&1
    printf '%s\n' '#include <stdio.h>' '#include "cities.c"' 'int main(void) { const char *city[] = {NULL, "", "t1", "else", "any other text"};' \
        'for (int i = 0; i < 5; i++) { struct back_row row = {.city = city[i], .x = 1}; double y; back_predict(&row, &y); printf("%.3f\n", y); } }' > main.c
    cc -std=c99 -o main main.c -lm 2> why
    is "$(./main)" "$(cat a1)" "and so they are in its C"
fi
train stepped churn --set trees=10 --prepare 'impute mean on tenure' --prepare 'words on payment_method'
like "$($lathe export stepped.lathe --onnx m.onnx 2>&1)" "step 'words on payment_method' has no form in ONNX: write this model as --c" \
    "a step that a format does not have is named, with the one that has it"
train tastes monthly_charges --model als --set user=tenure --set item=contract
like "$($lathe export tastes.lathe --onnx m.onnx 2>&1)" "kind 'als' can be written in lathe's own format only, and it knows users and items" \
    "and so is a family that no format has, with the reason"

# ---- C, by a program of its own ----

cat > main.c << 'C'
#include <stdio.h>
#include "churn.c"
int
main(void)
{
    struct churn_row row = {.female = 1, .partner = 1, .tenure = 1, .contract = "Month-to-month",
        .multiple_lines = "No phone service", .internet_service = "DSL", .online_security = "No",
        .online_backup = "Yes", .device_protection = "No", .tech_support = "No", .streaming_tv = "No",
        .streaming_movies = "No", .paperless_billing = 1, .payment_method = "Electronic check",
        .monthly_charges = 29.75, .total_charges = 30};
    double out[churn_outputs];

    churn_predict(&row, out);
    printf("%.12f %s\n", out[0], churn_classes[out[0] > 0.5]);
    row.total_charges = NAN;
    row.contract = NULL;
    row.tech_support = "never heard of";
    churn_predict(&row, out);
    printf("%.12f %s\n", out[0], churn_classes[out[0] > 0.5]);
    return 0;
}
C
sed -n 1,2p "$churn" > two.csv
sed -n 2p "$churn" | sed 's/Month-to-month//; s/[0-9.]*$//' > second
awk -F, -v OFS=, '{ $13 = "never heard of"; print }' second >> two.csv
if ! command -v cc > /dev/null 2>&1; then
    skip "C that was written compiles" "no cc"
else
    for model in boosted grove net logistic; do
        $lathe export $model.lathe --c churn.c --prefix churn > out 2> why
        like "$(cat out)" 'churn.c: C, [0-9,]* bytes; compiled, 2,000 rows differ by [0-9.e-]* at most' \
            "$model as C is compiled and compared"
        cc -std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -O1 -o main main.c -lm 2> why
        is "$(cat why)" "" "a compiler has nothing to say of it"
        $lathe predict $model.lathe two.csv | sed 1d | awk -F, '{ printf "%.12f %s\n", $1, $2 }' > want
        # A net of lathe's counts in 32 bits.
        [ $model = net ] && sed -i 's/[0-9]\{7\} / /' want
        is "$(./main | if [ $model = net ]; then sed 's/[0-9]\{7\} / /'; else cat; fi)" "$(cat want)" \
            "it answers what $model does, levels unheard of among it"
    done
fi

# ---- LightGBM's text, by its rules in Python ----

python=
for p in /usr/bin/python3 python3; do
    [ -z "$python" ] && "$p" -c 'import json' 2> /dev/null && python=$p
done
if [ -z "$python" ]; then
    skip "LightGBM's text by its own rules" "no python3"
else
    for model in boosted classes numbers lines lined grove groves extra; do
        k=1
        case $model in classes | groves | lined) k=3 ;; esac
        $lathe export $model.lathe --lightgbm m.txt > out 2> why
        $python "$LATHE_SOURCE/tests/engine/port_lightgbm.py" m.txt "$churn" > b1 2> why
        sed 's/^/# /' why
        $lathe predict $model.lathe "$churn" | sed 1d | cut -d, -f1-$k > a1
        is "$(apart $k a1 b1)" close "LightGBM's rules answer $model alike"
        if ! $python -c 'import lightgbm' 2> /dev/null; then
            lacks "LightGBM answers $model alike" "no python3 with lightgbm"
            continue
        fi
        $python "$LATHE_SOURCE/tests/engine/port_lightgbm.py" m.txt "$churn" lightgbm 2> why | grep -v '^\[' > b1
        sed 's/^/# /' why
        is "$(apart $k a1 b1)" close "LightGBM answers $model alike"
    done
fi

if [ -n "$python" ]; then
    for model in boosted classes numbers grove groves extra logistic softmax linear; do
        k=1
        case $model in classes | groves | softmax) k=3 ;; esac
        $lathe export $model.lathe --pmml m.xml > out 2> why
        $python "$LATHE_SOURCE/tests/engine/port_pmml.py" m.xml "$churn" > b1 2> why
        sed 's/^/# /' why
        $lathe predict $model.lathe "$churn" | sed 1d | cut -d, -f1-$k > a1
        is "$(apart $k a1 b1)" close "PMML's rules answer $model alike"
    done

    # A network as torch would name its tensors, and what it answers.
    $python "$LATHE_SOURCE/tests/engine/port_tensors.py" 2> why
    sed 's/^/# /' why
    for kind in f32 f16 bf16; do
        $lathe import net_$kind.safetensors --classes a,b,c --columns u,v,w --activation tanh \
            --out tensors.lathe > card 2> why
        sed 's/^/# /' why
        $lathe predict tensors.lathe net.csv | sed 1d | cut -d, -f1-3 > a1
        is "$(apart 3 a1 want_$kind)" close "a network in safetensors answers alike, weights $kind"
    done
    like "$(cat card)" 'a softmax is taken' "and the card says what was taken"
    like "$($lathe import tensors.lathe 2>&1)" "a model of lathe's already" "lathe's own file is told"
fi

# ---- Lua ----

cat > port.lua << LUA
model = lathe.load("boosted.lathe")
r = model:export{ onnx = "lua.onnx", onnx_ml = 5 }
print(r.format, r.rows, r.worst < 1e-6, r.bytes > 1000)
back = lathe.import("lua.onnx", { target = "left", classes = { "n", "y" } })
print(back.family, back.target, table.concat(back.classes, " "))
frame = lathe.read("$churn")
a, b = model:predict(frame), back:predict(frame)
print(#a == #b)
LUA
$lathe run port.lua > out 2>&1
like "$(cat out)" 'onnx[[:space:]]+2000[[:space:]]+true[[:space:]]+true' "Lua exports and says what was compared"
like "$(cat out)" 'imported[[:space:]]+left[[:space:]]+n y' "and imports under names of its own"
rm -f a b
printf 'r = lathe.load("boosted.lathe"):export{ onnx = "a", c = "b" }\nfor _, x in ipairs(r) do print(x.format, x.path, x.bytes) end\n' > two.lua
is "$($lathe run two.lua 2>&1 | sort)" "$(printf 'c\tb\t%s\nonnx\ta\t%s' "$(wc -c < b | tr -d ' ')" "$(wc -c < a | tr -d ' ')")" "two formats at once are written, and a list tells of both"
$lathe train "$churn" --target churn --model logistic --out logistic.lathe > out
printf 'lathe.load("logistic.lathe"):export{ onnx = "a2", lightgbm = "b2" }\n' > two.lua
like "$($lathe run two.lua 2>&1)" '1 of 2 files not written: b2: ' "one that cannot be is told"
is "$(ls a2 b2 2> err)" a2 "and the other is written"
printf 'lathe.load("boosted.lathe"):export{ prefix = "a" }\n' > two.lua
like "$($lathe run two.lua 2>&1)" 'expected formats and their files' "none is no use"

# ---- beside XGBoost ----

python=
for p in /usr/bin/python3 python3; do
    [ -z "$python" ] && "$p" -c 'import xgboost' 2> /dev/null && python=$p
done
if [ -z "$python" ]; then
    skip "models beside XGBoost" "no python3 with xgboost"
else
    mkdir xgboost
    (cd xgboost && $python "$LATHE_SOURCE/tests/engine/port_xgboost.py" "$lathe") > told 2> why
    is $? 0 "the script comes to its end"
    sed 's/^/# /' why
    while read -r status name; do
        ok "$status" "$name"
    done < told
fi

# ---- beside onnxruntime ----

peers=${LATHE_PEERS:-/nowhere}/node_modules
if ! command -v node > /dev/null 2>&1; then
    skip "ONNX beside onnxruntime" "no node"
elif [ ! -d "$peers/onnxruntime-node" ]; then
    skip "ONNX beside onnxruntime" "no onnxruntime-node below LATHE_PEERS"
else
    # Modules are looked for beside the script.
    cp "$LATHE_SOURCE/tests/engine/port.mjs" .
    ln -s "$peers" node_modules
    echo '["a", "b"]' > none.columns
    node port.mjs none.onnx middle.csv 2> why | cut -d, -f1-3 > b
    sed 's/^/# /' why
    is "$(nearly none.want b)" "1600 0" "onnxruntime has all alike where there is no share"
    for n in 1 2 3 4 5; do
        node port.mjs step_$n.onnx "$churn" > b 2> why
        case $n in
        5) cut -d, -f1 b > b1 ;;
        *) cut -d, -f2 b > b1 ;;
        esac
        is "$(apart 1 want_$n b1)" close "onnxruntime answers the steps above alike, $n"
        sed 's/^/# /' why
    done
    for model in boosted classes numbers grove groves extra net nets logistic softmax linear; do
        k=1
        case $model in classes | groves | nets | softmax) k=3 ;; esac
        $lathe predict $model.lathe "$churn" | sed 1d > a
        cut -d, -f1-$k a > a1
        for ml in 3 5; do
            $lathe export $model.lathe --onnx m.onnx --onnx-ml $ml > out 2> why
            node port.mjs m.onnx "$churn" > b 2> why
            case $model in
            boosted | grove | net | logistic) cut -d, -f2 b > b1 ;;
            *) cut -d, -f1-$k b > b1 ;;
            esac
            is "$(apart $k a1 b1)" close "onnxruntime answers $model, ai.onnx.ml $ml, alike"
            sed 's/^/# /' why
        done
        case $model in
        numbers | extra | linear) ;;
        *) is "$(sed 's/.*,//' b)" "$(sed 's/.*,//;s/"//g' a)" "and names the same classes" ;;
        esac
    done
fi

# ---- nets of images ----

# Light from the left, from above or from nowhere; a pixel in thirty is missing.
awk 'BEGIN {
    srand(4)
    for (i = 0; i < 64; i++) printf "p%d,", i
    print "light"
    for (r = 0; r < 300; r++) {
        k = r % 3
        for (i = 0; i < 64; i++) {
            v = rand() + (k == 1) * (i % 8) / 8 + (k == 2) * int(i / 8) / 8
            printf "%s,", (rand() < 1 / 30 ? "" : int(4 * v) / 4)
        }
        print (k == 0 ? "none" : k == 1 ? "left" : "above")
    }
}' > pictures.csv
head -n 1 pictures.csv | sed 's/,light//; s/,/","/g; s/.*/["&"]/' > m.columns
for net in "conv4x5/2 res6/2 mean2 8" "conv3 max2 res3 max"; do
    $lathe train pictures.csv --target light --model cnn --seed 3 --set epochs=2 --set "layers=$net" \
        --set activation=leaky_relu --out cnn.lathe > out 2>&1
    $lathe export cnn.lathe --onnx m.onnx > out 2> why
    like "$(cat out)" 'read again, 2,000 rows differ by' "a net of $net is written as ONNX"
    $lathe import m.onnx --out back.lathe > card 2> why
    $lathe predict cnn.lathe pictures.csv | sed 1d | cut -d, -f1-3 > a1
    $lathe predict back.lathe pictures.csv | sed 1d | cut -d, -f1-3 > b1
    is "$(apart 3 a1 b1)" close "and comes back the same"
    [ -e node_modules ] || continue
    node port.mjs m.onnx pictures.csv 2> why | cut -d, -f1-3 > b1
    is "$(apart 3 a1 b1)" close "onnxruntime answers it alike"
    sed 's/^/# /' why
done
$lathe export cnn.lathe --c m.c > out 2> why
if command -v cc > /dev/null 2>&1; then
    like "$(cat out)" 'compiled, 2,000 rows differ by [0-9.e-]* at most' "and compiled C does"
fi

# ---- ONNX that lathe did not write ----

python=
for p in /usr/bin/python3 python3; do
    [ -z "$python" ] && "$p" -c 'import onnx' 2> /dev/null && python=$p
done
if [ -z "$python" ] || [ ! -e node_modules ]; then
    skip "ONNX of others" "no python3 with onnx, or no onnxruntime-node"
else
    mkdir onnx
    (cd onnx && $python "$LATHE_SOURCE/tests/engine/port_onnx.py") 2> why
    sed 's/^/# /' why
    for model in "net 3 a,b,c,d" "rests 1 a,b,c,d" "modes 1 a,b,c,d" "forest 3 a,b,c,d" "words 1 a,shade"; do
        # shellcheck disable=SC2086
        set -- $model
        $lathe import onnx/$1.onnx --columns $3 --target y --out other.lathe > card 2> why
        $lathe predict other.lathe onnx/rows.csv 2>> why | sed 1d | cut -d, -f1-$2 > a1
        node port.mjs onnx/$1.onnx onnx/rows.csv > b 2>> why
        case $1 in
        words) cut -d, -f2 b > b1 ;;
        *) cut -d, -f1-$2 b > b1 ;;
        esac
        is "$(apart $2 a1 b1)" close "an ONNX $1 of others is answered as onnxruntime does"
        sed 's/^/# /' why
    done
    $lathe import onnx/pictures.onnx --columns "$(head -n 1 onnx/pictures.csv)" --target y --out other.lathe > card 2> why
    $lathe predict other.lathe onnx/pictures.csv 2>> why | sed 1d | cut -d, -f1-3 > a1
    node port.mjs onnx/pictures.onnx onnx/pictures.csv 2>> why | cut -d, -f1-3 > b1
    is "$(apart 3 a1 b1)" close "convolutions of others are answered as onnxruntime does"
    sed 's/^/# /' why
    like "$($lathe import onnx/forest.onnx)" 'multiclass .3, 5, 8.' "its classes keep their names"
fi
done_testing
