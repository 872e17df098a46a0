#!/bin/sh
# Derived columns are computed by the ONNX graph and the C file themselves, and
# are missing where they are missing here; so are steps that tell a missing text
# from one that was never seen.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"
# Numbers with halves, zeros and both signs, whole ones, truth, a text; one in
# eight is missing, and each pair is so at times.  No model has seen grey.
awk 'function gone(v) { return rand() < 0.125 ? "" : v }
BEGIN {
    srand(11)
    print "a,b,n,k,flag,shade,y"
    for (r = 0; r < 300; r++) {
        a = int(rand() * 41 - 20) / 4; b = rand() < 0.2 ? 0 : rand() < 0.2 ? a : int(rand() * 100 - 40) / 8
        n = rand() < 0.15 ? 10 ^ int(rand() * 7) : int(rand() * 21 - 10); k = int(rand() * 9 - 4)
        flag = rand() < 0.5
        printf "%s,%s,%s,%s,%s,%s,%.6f\n", gone(a), gone(b), gone(n), gone(k), gone(flag ? "true" : "false"),
            gone(r % 10 == 9 ? "grey" : r % 3 ? "dark" : "light"), a + b * flag + rand()
    }
}' > rows.csv
sed 1d rows.csv > body.csv
grep -v grey rows.csv > seen.csv

learn() { # learn NAME OPTION...
    name=$1
    shift
    $lathe train seen.csv --target y --seed 3 --out "$name.lathe" "$@" > /dev/null 2> why || sed 's/^/# /' why
}
train() { # train NAME MODEL [EXPRESSION...]: derived columns d1, d2 ... alone
    name=$1
    model=$2
    shift 2
    i=0
    for e; do
        shift
        i=$((i + 1))
        set -- "$@" --derive "d$i = $e"
    done
    # shellcheck disable=SC2086 # of several options
    learn "$name" --model $model "$@"
}
agree() { # agree A B
    paste -d, "$1" "$2" | awk -F, '
        { d = $1 - $2; if (d < 0) d = -d; if (!(d < 2e-6)) { if (!bad) first = NR; bad++ } }
        END { print NR == 300 && !bad ? "alike" : bad + 0 " apart from row " first " on, of " NR }'
}

raw="--drop a --drop b --drop n --drop k --drop flag --drop shade"
train signs "linear $raw" 'a + b' 'a - b' 'a * b' 'a / b' 'n + k' 'n - k' 'n * k' 'n / k' '-a' '-n + 2.5'
train wholes "linear $raw" 'a // b' 'a % b' 'n // k' 'n % k' 'n // 3' 'n % -3' '1 // (a / 10)' '7 % b' 'abs(a)' 'abs(n)'
train powers "linear $raw" 'a ^ 2' 'a ^ -3' 'a ^ 0' 'abs(a) ^ 0.5' '(a / 8) ^ k' '2 ^ (a / 4)' '(b / 8) ^ (a / 8)' \
    '0 ^ k' '(n / 100) ^ 3'
train compared "linear $raw" 'a = b' 'a != b' 'a < b' 'a <= b' 'a > b' 'a >= b' 'n in (1, 2, k)' 'n not in (1, k)' \
    'a between b and n' 'n = 3' 'flag = true' '1e308 * 10 * (a ^ 2 + 1) = exp(800 + b)'
train logic "linear $raw" 'flag and a > 0' 'flag or a > 0' 'not flag' 'flag and a > 0 and b > 0' \
    'not (flag or n > 2 or b > 1)' 'a is null' 'b is not null' 'is_missing(a + b)' 'flag and null' 'flag or null'
train chosen "linear $raw" 'if(a > b, a, b)' 'if(flag, n, a)' 'if(flag, null, a)' 'coalesce(a, b)' 'coalesce(a, n, 7)' \
    'min(a, b)' 'max(a, b)' 'min(a, n, k)' 'max(a, n, 0)' 'if(a is null, -1, if(a < 0, 0, 1))'
train functions "linear $raw" 'round(a)' 'round(a * 1.37, 1)' 'round(n * 1.5, -1)' 'floor(a)' 'ceil(a)' 'sqrt(a)' 'exp(a)' \
    'log(a)' 'log10(n)' 'floor(log10(n))' 'int(a)' 'float(k)' 'bool(n)' 'int(flag)' 'int(1e19 * a)'
train chained "linear --prepare polynomial --prepare impute" 'log(coalesce(a, 1) ^ 2 + 1)' 'd1 * flag' 'round(d2, 2) - d1'
train leaves "gbdt --set trees=30" 'a * b' 'if(n > 3, d1, k)' 'a > b or flag'
train texts "linear $raw" "shade = 'dark'" "'dark' = shade" "shade != 'dark'" "shade in ('dark', 'pale')" 'shade is null' \
    "if(shade = 'dark', a, b)" "shade not in ('pale')" "shade = 'pale' or a > 0" 'is_missing(shade) and a > 0'
train nested "gbdt --set trees=30" "(shade = 'dark') = (flag = true)" "(shade = 'dark') < (shade = 'pale')" \
    "(shade in ('dark')) != (shade in ('pale'))"
learn renamed --model linear --derive 'a = a * b' --derive "shade = if(shade = 'dark', 1, 2)" --derive 'b = a - b' \
    --prepare 'scale minmax on a,shade' --prepare impute
learn taken --model linear --derive 'c = a * 2' --derive 'd = c + n' --derive 'a = b - k' --derive 'e = a * d' --prepare impute
learn encoded --model linear --prepare 'target on shade' --prepare impute
learn grouped --model linear --prepare 'rare 0.5 on shade' --prepare 'target on shade' --prepare impute
learn filled --model linear --prepare 'impute constant=light indicator on shade' --prepare 'target on shade' --prepare impute
learn leveled --model gbdt --set trees=20 --prepare 'impute constant=light on shade'
models="signs wholes powers compared logic chosen functions chained leaves texts nested renamed taken encoded grouped filled leveled"

peers=${LATHE_PEERS:-/nowhere}/node_modules
if command -v node > /dev/null 2>&1 && [ -d "$peers/onnxruntime-node" ]; then
    cp "$LATHE_SOURCE/tests/engine/port.mjs" .
    ln -s "$peers" node_modules
fi
cat > head.c << 'C'
#include <stdio.h>
#include <stdlib.h>
#include "m.c"
static double
number(const char *s)
{
    return *s == 't' ? 1 : *s == 'f' ? 0 : *s ? atof(s) : NAN;
}
int
main(void)
{
    char line[400], *cell[7];
    double out;

    while (fgets(line, sizeof line, stdin)) {
        struct m_row row;
        char *s = line;

        for (int i = 0; i < 7; i++) {
            cell[i] = s;
            s += strcspn(s, ",\n");
            *s++ = '\0';
        }
C
for m in $models; do
    $lathe predict $m.lathe rows.csv | sed 1d > want
    $lathe export $m.lathe --c m.c --prefix m > out 2> why
    like "$(cat out)" 'C, |no C compiler' "$m as C"
    sed 's/^/# /' why
    case $(cat out) in *'computed before'*) got=asked ;; *) got=computed ;; esac
    is $got computed "nothing is to be computed before"
    columns=$(sed -n '/^struct m_row {/,/^};/s/.*[ *]\([a-z]*\);$/\1/p' m.c)
    if command -v cc > /dev/null 2>&1; then
        {
            cat head.c
            for c in $columns; do
                case $c in
                a) i=0 ;; b) i=1 ;; n) i=2 ;; k) i=3 ;; flag) i=4 ;; *) i=5 ;;
                esac
                [ $i = 5 ] && echo "        row.shade = *cell[5] ? cell[5] : NULL;" && continue
                echo "        row.$c = number(cell[$i]);"
            done
            printf '%s\n' '        m_predict(&row, &out);' '        printf("%.12g\n", out);' '    }' '    return 0;' '}'
        } > main.c
        cc -std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -O1 -o main main.c -lm 2> why
        is "$(cat why)" "" "a compiler has nothing to say of it"
        ./main < body.csv > got
        is "$(agree want got)" alike "and answers what $m does"
    else
        skip "$m compiled" "no cc"
    fi
    for ml in 3 $([ $m = leaves ] && echo 5); do
        $lathe export $m.lathe --onnx m.onnx --onnx-ml $ml > out 2> why
        like "$(cat out)" 'read again, 2,000 rows differ by' "$m as ONNX, ai.onnx.ml $ml"
        sed 's/^/# /' why
        $lathe import m.onnx --out back.lathe > card 2> why
        $lathe predict back.lathe rows.csv 2> why | sed 1d > got
        is "$(agree want got)" alike "and comes back the same"
        sed 's/^/# /' why
        [ $m = encoded ] && like "$($lathe export back.lathe --onnx again.onnx 2>&1)" 'read again, 2,000 rows differ by' \
            "as often as one likes"
        if [ ! -e node_modules ]; then
            skip "onnxruntime answers $m" "no onnxruntime-node below LATHE_PEERS"
            continue
        fi
        printf '%s\n' $columns | sed 's/.*/"&"/' | paste -s -d, | sed 's/.*/[&]/' > m.columns
        node port.mjs m.onnx rows.csv > got 2> why
        is "$(agree want got)" alike "onnxruntime answers it alike"
        sed 's/^/# /' why
    done
done

# ---- what stays to be computed before ----

train mixed "gbdt --set trees=5" 'length(shade)' 'd1 + a' "lower(shade) = 'dark'" 'a * 2'
$lathe export mixed.lathe --c m.c --prefix m > out
is "$(grep -o "input '.*' is to be computed before" out | tr '\n' ' ')" \
    "$(printf "input '%s' is to be computed before " d1 d2 d3)" "texts, and what is made of them, are inputs"
like "$(cat m.c)" 'double d3;' "which the file has"
is "$(grep -c ' d4;' m.c)" 0 "beside what it computes"
train again "linear $raw" 'a * 2'
$lathe export again.lathe --pmml m.pmml > out
like "$(cat out)" "input 'd1' is to be computed before" "PMML, which has no graph, is given what is derived"
$lathe export again.lathe --c m.c --prefix m > out
is "$(grep -c ' [bnk];\| flag;' m.c)" 0 "a column that nothing is made of is no input"

# An input and what replaces it have one name: where the latter stays to be
# computed before, so does all that is made of the former.
learn hidden --model linear --derive 'c = a * 2' --derive 'd = c + b' --derive 'e = b * k' --derive 'a = length(shade)' \
    --prepare impute
$lathe export hidden.lathe --c m.c --prefix m > out 2> why
sed 's/^/# /' why
is "$(grep -o "input '.*' is to be computed before" out | tr '\n' ' ')" \
    "$(printf "input '%s' is to be computed before " c d a)" "and so with what takes the name of a column"
is "$(grep -c ' e;' m.c)" 0 "while the rest is computed"
like "$($lathe export hidden.lathe --onnx m.onnx 2>&1)" 'read again, 2,000 rows differ by' "as ONNX, too"
learn doubled --model gbdt --set trees=5 --derive 'a = a * 2'
like "$($lathe export doubled.lathe --pmml m.pmml 2>&1)" "input 'a' is to be computed before" "PMML is given what replaces a column"
$lathe export encoded.lathe --onnx m.onnx > out 2>&1
is "$(grep -c 'answered there as' out)" 0 "nothing is answered otherwise than here"

# Midpoints of tenths are tenths: in 32 bits some of these are on the other side.
awk 'BEGIN { srand(2); print "a,b,y"
    for (r = 0; r < 300; r++) { a = int(rand() * 41 - 20) / 4; b = int(rand() * 100 - 40) / 8; print a "," b "," a * b + rand() } }' > tenths.csv
$lathe train tenths.csv --target y --model gbdt --set trees=300 --derive 'd = round(a * b, 1)' --derive 'e = a / b' \
    --out tenths.lathe > /dev/null 2>&1
$lathe export tenths.lathe --onnx m.onnx > out 2>&1
like "$(cat out)" 'read again, 2,000 rows differ by' "what disagrees in 32 bits is written nevertheless"
like "$(cat out)" "input 'd' is to be computed before" "with derived columns as inputs"
like "$(cat out)" 'derived columns are not computed there: row' "and why"
like "$($lathe export tenths.lathe --c m.c 2>&1)" 'm.c: C, .* bytes' "C computes in 64 bits"
is "$(grep -c ' [de];' m.c)" 0 "and needs none of them"
done_testing
