#!/bin/sh
# Models without a target, and nearest neighbours, go to ONNX and to C and come
# back: the answers have the names and the numbers that they have here.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"
# Two clouds and some rows far off; a number in twenty is missing.
awk 'BEGIN {
    srand(7)
    print "a,b,c,shade,kind,size"
    for (r = 0; r < 240; r++) {
        k = r % 2
        far = r % 40 == 7 ? 6 : 0
        a = rand() + 2 * k + far; b = rand() - k; c = 10 * rand() - far
        printf "%s,%.6f,%s,%s,%s,%.6f\n", (rand() < 0.05 ? "" : a), b, c,
            (rand() < 0.1 ? "" : r % 3 ? "dark" : "light"), (k ? (rand() < 0.7 ? "one" : "two") : "three"),
            3 * a + b + rand()
    }
}' > rows.csv

train() { # train NAME OPTIONS...
    name=$1
    shift
    $lathe train rows.csv --seed 3 --out "$name.lathe" "$@" > /dev/null 2> why || sed 's/^/# /' why
}
# Do two files of answers with the same head agree to a relative 1e-6?
agree() { # agree A B
    paste -d, "$1" "$2" | awk -F, '
        NR == 1 { n = NF / 2; for (i = 1; i <= n; i++) if ($i != $(n + i)) bad = "names differ" }
        NR > 1 {
            for (i = 1; i <= n; i++) {
                if ($i == $(n + i)) continue
                d = $i - $(n + i); if (d < 0) d = -d
                m = $i < 0 ? -$i : $i; if (m > 1) d /= m
                if (!(d < 1e-6) || $i + 0 == 0 && $i != "0") bad = "row " NR ": " $i " and " $(n + i)
            }
        }
        END { print bad ? bad : NR == 241 ? "alike" : NR " rows" }'
}
want=alike

train kmeans --model kmeans --set k=3 --drop kind --drop size
train pca --model pca --set components=3 --drop kind --drop size
train whitened --model pca --set components=2 --set whiten=true --drop kind --drop size
train isolation --model isolation_forest --set trees=40 --drop kind --drop size
train outliers --model isolation_forest --set trees=40 --set contamination=0.05 --drop kind --drop size
train plain --model isolation_forest --set trees=20 --drop kind --drop size --drop shade
train near --model knn --target kind --drop size
train nearer --model knn --set weights=distance --set k=7 --target kind --drop size
train nearest --model knn --set weights=distance --target size --drop kind
models="kmeans pca whitened isolation outliers plain near nearer nearest"

for m in $models; do
    $lathe predict $m.lathe rows.csv > $m.csv
    for ml in 3 5; do
        $lathe export $m.lathe --onnx $m$ml.onnx --onnx-ml $ml > out 2> why
        like "$(cat out)" 'read again, 2,000 rows differ by' "$m is written as ONNX, ai.onnx.ml $ml"
        sed 's/^/# /' why
        $lathe import $m$ml.onnx --out back.lathe > card 2> why
        sed 's/^/# /' why
        $lathe predict back.lathe rows.csv > back.csv
        is "$(agree $m.csv back.csv)" "$want" "and comes back under the same names"
    done
    for form in xgboost lightgbm pmml; do
        [ $m$form = kmeanspmml ] && continue
        like "$($lathe export $m.lathe --$form m 2>&1)" 'write this model as --onnx or --c' \
            "$m as $form is refused, with what carries it"
    done
done
is "$(head -n 1 kmeans.csv)" cluster,distance "clusters are answered as before"
$lathe export kmeans.lathe --pmml kmeans.xml > out 2> why
like "$(cat out)" 'PMML 4.4, .*; read again, 2,000 rows differ by' "clusters are written as PMML"
sed 's/^/# /' why
$lathe import kmeans.xml --out back.lathe > card 2> why
sed 's/^/# /' why
$lathe predict back.lathe rows.csv > back.csv
is "$(agree kmeans.csv back.csv)" "$want" "and come back under the same names"
sed 's/<euclidean/<squaredEuclidean/' kmeans.xml > squared.xml
$lathe import squared.xml --out squared.lathe > card 2> why
sed 's/^/# /' why
$lathe predict squared.lathe rows.csv | awk -F, 'NR == 1 { print; next } { printf "%s,%.12g\n", $1, sqrt($2) }' > back.csv
is "$(agree kmeans.csv back.csv)" "$want" "squared distances are their squares"
$lathe export squared.lathe --pmml again.xml > out 2> why
sed 's/^/# /' why
like "$(cat again.xml)" '<squaredEuclidean/>' "and go out again as such"
for change in 's/<euclidean/<cityBlock/' 's/centerBased/distributionBased/' 's/id="2"/id="b"/' 's/kind="distance"/kind="similarity"/' \
    's/absDiff/gaussSim/' 's/mapMissingTo="0"/mapMissingTo="1"/' 's/fieldWeight="[^"]*"/fieldWeight="-1"/' \
    's/Array n="\([0-9]*\)" type="real">/&1 /' 's/ClusteringField field="filled a"/ClusteringField field="filled"/'; do
    sed "$change" kmeans.xml > other.xml
    ok "$(cmp -s kmeans.xml other.xml && echo 1 || echo 0)" "$change is another document"
    $lathe import other.xml > out 2> why
    is $? 1 "which is refused"
    sed 's/^/# /' why
done
python=
for p in /usr/bin/python3 python3; do
    [ -z "$python" ] && "$p" -c 'import json' 2> /dev/null && python=$p
done
if [ -z "$python" ]; then
    skip "clusters by the rules of PMML" "no python3"
else
    { echo cluster,distance; $python "$LATHE_SOURCE/tests/engine/port_pmml.py" kmeans.xml rows.csv 2> why; } > b
    sed 's/^/# /' why
    is "$(agree kmeans.csv b)" "$want" "the rules of PMML answer them alike"
fi
is "$(head -n 1 outliers.csv)" score,outlier "and so are outliers"
$lathe export kmeans.lathe --onnx m.onnx > out
like "$($lathe import m.onnx --out again.lathe --register shelf && $lathe export again.lathe --onnx n.onnx)" \
    'n.onnx: ONNX' "what came back goes out again"

# ---- C, by a program of its own ----

cat > head.c << 'C'
#include <stdio.h>
#include <stdlib.h>
#include "m.c"
static double
number(const char *s)
{
    return *s ? atof(s) : NAN;
}
int
main(void)
{
    char line[400], *cell[6];
    double out[m_outputs];

    if (!fgets(line, sizeof line, stdin))
        return 1;
    while (fgets(line, sizeof line, stdin)) {
        struct m_row row;
        char *s = line;

        for (int i = 0; i < 6; i++) {
            cell[i] = s;
            s += strcspn(s, ",\n");
            *s++ = '\0';
        }
C
if ! command -v cc > /dev/null 2>&1; then
    skip "C that was written compiles" "no cc"
else
    for m in $models; do
        $lathe export $m.lathe --c m.c --prefix m > out 2> why
        like "$(cat out)" 'compiled, 2,000 rows differ by [0-9.e-]* at most' "$m is written as C"
        {
            cat head.c
            for c in 0:a 1:b 2:c 3:shade; do
                case $(grep -c "[ *]${c#*:};" m.c) in 0) continue ;; esac
                case $c in
                3:shade) echo "        row.shade = *cell[3] ? cell[3] : NULL;" ;;
                *) echo "        row.${c#*:} = number(cell[${c%:*}]);" ;;
                esac
            done
            printf '%s\n' '        m_predict(&row, out);' '        for (int k = 0; k < m_outputs; k++)' \
                '            printf(k ? ",%.12g" : "%.12g", out[k]);' "        putchar('\\n');" '    }' '    return 0;' '}'
        } > main.c
        cc -std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -O1 -o main main.c -lm 2> why
        is "$(cat why)" "" "a compiler has nothing to say of it"
        { head -n 1 $m.csv | cut -d, -f1-3 | sed 's/,prediction//'; ./main < rows.csv; } > b
        k=$(head -n 1 b | awk -F, '{ print NF }')
        cut -d, -f1-"$k" $m.csv > a
        is "$(agree a b)" "$want" "and answers what $m does"
    done
    like "$(cat m.c)" 'm_outputs = 1' "a file says how many numbers there are"
    $lathe export kmeans.lathe --c m.c --prefix m > out
    like "$(cat m.c)" 'm_cluster, m_distance, m_outputs = 2' "and what they are"
fi
awk 'BEGIN { print "a,b,y"; for (i = 0; i < 140000; i++) printf "%d,%d,%d\n", i * 7 % 1001, i * 13 % 997, i % 2 }' > many.csv
$lathe train many.csv --model knn --target y --out many.lathe > /dev/null 2>&1
like "$($lathe export many.lathe --c m.c 2>&1)" 'of 140000 rows of 2 columns: .* 262144 numbers at most; learn from fewer rows' \
    "more rows than a file is to carry are refused, with what to do"

# ---- beside onnxruntime ----

peers=${LATHE_PEERS:-/nowhere}/node_modules
if ! command -v node > /dev/null 2>&1; then
    skip "ONNX beside onnxruntime" "no node"
elif [ ! -d "$peers/onnxruntime-node" ]; then
    skip "ONNX beside onnxruntime" "no onnxruntime-node below LATHE_PEERS"
else
    cp "$LATHE_SOURCE/tests/engine/port.mjs" .
    ln -s "$peers" node_modules
    echo '["a", "b", "c"]' | tee plain3.columns > plain5.columns
    for m in $models; do
        for ml in 3 5; do
            { head -n 1 $m.csv; node port.mjs $m$ml.onnx rows.csv 2> why; } > b
            is "$(agree $m.csv b)" "$want" "onnxruntime answers $m, ai.onnx.ml $ml, alike"
            sed 's/^/# /' why
        done
    done
fi
done_testing
