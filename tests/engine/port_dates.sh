#!/bin/sh
# Dates and times go to other programs as numbers, with the parts that a step
# takes of them.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"
# days.csv as lathe reads it; numbers.csv as other programs are asked.  Days of
# years that divide by 100 and by 400, leap days, and before 1970.
awk '
function civil(z,    era, doe, yoe, doy, mp) { # of days, by Hinnant
    z += 719468; era = int(z / 146097); doe = z - era * 146097
    yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
    doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100)); mp = int((5 * doy + 2) / 153)
    D = doy - int((153 * mp + 2) / 5) + 1; M = mp < 10 ? mp + 3 : mp - 9; Y = yoe + era * 400 + (M <= 2)
    return sprintf("%04d-%02d-%02d", Y, M, D)
}
BEGIN {
    srand(5)
    print "day,at,x,y" > "days.csv"
    print "day,at,x,y" > "numbers.csv"
    for (i = 0; i < 240; i++) {
        d = i < 8 ? -25509 + i : i < 16 ? 11012 + i : int(rand() * 70000) - 30000
        s = int(rand() * 3e9) - 1e9
        x = int(rand() * 1000) / 1000
        text = civil(d)
        y = x + M + 3 * (D > 15) + int((s % 86400 + 86400) % 86400 / 3600) / 8
        z = int((s + 1e6 * 86400) / 86400) - 1e6
        time = civil(z) sprintf("T%02d:%02d:%02d", (s - z * 86400) / 3600, (s - z * 86400) % 3600 / 60, s % 60 < 0 ? s % 60 + 60 : s % 60)
        gone = i % 20 == 3
        print (gone ? "" : text) "," time "," x "," y > "days.csv"
        print (gone ? "" : d) "," s "," x "," y > "numbers.csv"
    }
}'
train() { # train NAME OPTIONS...
    name=$1
    shift
    $lathe train days.csv --target y --seed 3 --out "$name.lathe" "$@" > /dev/null 2> why || sed 's/^/# /' why
}
agree() { # agree A B
    paste -d, "$1" "$2" | awk -F, '
        { d = $1 - $2; if (d < 0) d = -d; if (d > worst) worst = d }
        END { print NR == 240 && worst < 2e-6 ? "alike" : "apart by " worst " over " NR " rows" }'
}
train parts --model gbdt --set trees=40 --prepare date
train all --model linear --prepare 'date year month day weekday yearday hour'
train plain --model gbdt --set trees=40
train compared --model linear --drop day --drop at --derive "d1 = day > '2000-06-15'" --derive "d2 = at <= '1990-01-01 12:00:00'" \
    --derive "d3 = day between '1980-01-01' and '2010-12-31'" --derive 'd4 = day is null' --derive "d5 = (at - day) / 1e9" \
    --derive "d6 = (day - '1999-12-31') / 1e4" --derive "d7 = day in ('2000-03-01', '2000-02-29', '1900-03-01 00:00:00')" \
    --derive 'd8 = at > day' --derive "d9 = '2000-02-29' = day"
peers=${LATHE_PEERS:-/nowhere}/node_modules
if command -v node > /dev/null 2>&1 && [ -d "$peers/onnxruntime-node" ]; then
    cp "$LATHE_SOURCE/tests/engine/port.mjs" .
    ln -s "$peers" node_modules
fi
for m in parts all plain compared; do
    $lathe predict $m.lathe days.csv | sed 1d > want
    $lathe export $m.lathe --c m.c --prefix m > out 2> why
    sed -n '/^struct m_row {/,/^};/s/.*[ *]\([a-z]*\);$/"\1"/p' m.c | paste -s -d, | sed 's/.*/[&]/' > m.columns
    for ml in 3 5; do
        $lathe export $m.lathe --onnx m.onnx --onnx-ml $ml > out 2> why
        like "$(cat out)" 'read again, 2,000 rows differ by' "$m as ONNX, ai.onnx.ml $ml"
        sed 's/^/# /' why
        like "$(cat out)" "'at' is a number there: seconds since 1970-01-01" "it is told what a time is"
        $lathe import m.onnx --out back.lathe > card 2> why
        $lathe predict back.lathe days.csv | sed 1d > got
        is "$(agree want got)" alike "and comes back the same"
        [ -e node_modules ] || continue
        # Times of day want 64 bits: what goes by 32 is not asked of here.
        [ $m = plain ] && continue
        node port.mjs m.onnx numbers.csv > got 2> why
        is "$(agree want got)" alike "onnxruntime answers it alike"
        sed 's/^/# /' why
    done
    $lathe export $m.lathe --c m.c --prefix m > out 2> why
    if ! command -v cc > /dev/null 2>&1; then
        skip "$m as C" "no cc"
        continue
    fi
    like "$(cat out)" 'compiled, 2,000 rows differ by [0-9.e-]* at most' "$m as C"
    sed 's/^/# /' why
    cat > main.c << 'C'
#include <stdio.h>
#include <stdlib.h>
#include "m.c"
int
main(void)
{
    char line[200];

    if (!fgets(line, sizeof line, stdin))
        return 1;
    while (fgets(line, sizeof line, stdin)) {
        char *at = strchr(line, ','), *x = strchr(at + 1, ',');
        struct m_row row;
        double out;

        row.day = at == line ? NAN : atof(line);
        row.at = atof(at + 1);
        row.x = atof(x + 1);
        m_predict(&row, &out);
        printf("%.12g\n", out);
    }
    return 0;
}
C
    cc -std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -O1 -o main main.c -lm 2> why
    is "$(cat why)" "" "a compiler has nothing to say of it"
    ./main < numbers.csv > got
    is "$(agree want got)" alike "and answers what $m does"
done
like "$($lathe export parts.lathe --pmml m 2>&1)" 'write this model as --onnx or --c' "PMML is refused"
done_testing
