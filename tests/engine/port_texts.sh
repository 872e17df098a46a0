#!/bin/sh
# Texts of many words go to C, which counts their n-grams as lathe does.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"
# A text a line: letters of one to four bytes with and without a lower case (that
# of the Kelvin sign is k, of the dotted I an i), marks, quotes, blanks of two
# bytes, a long one; '-' alone stands for a missing one.
awk 'BEGIN {
    srand(11)
    n = split("good Good bad BAD don'"'"'t say \"no\" r\303\251sum\303\251 R\303\211SUM\303\211 \316\243\316\237\316\246\316\237\316\243 " \
        "\317\203\316\277\317\206\317\214\317\202 \320\226\320\270\320\267\320\275\321\214 \344\270\255\346\226\207 \360\237\230\200 \360\220\220\200x \304\260stanbul " \
        "27\342\204\252 \341\272\236 x_1 a.b-c ?? e\314\201 a\302\240b", word, " ")
    for (r = 0; r < 300; r++) {
        text = ""
        k = r == 50 ? 4000 : int(rand() * 9)
        for (i = 0; i < k; i++) text = text (i ? " " : "") word[1 + int(rand() * n)]
        y = (text ~ /good/) - (text ~ /BAD/) + (text ~ /\303\211/) + (rand() < 0.15)
        if (r % 17 == 4 || text == "") text = "-"
        print text > "texts"
        x = int(rand() * 1000) / 1000
        print x > "numbers"
        cell = text
        gsub(/"/, "\"\"", cell)
        if (r == 0) print "note,x,y,kind" > "rows.csv"
        print (text == "-" ? "" : "\"" cell "\"") "," x "," y + x "," (y > 0 ? "up" : "down") > "rows.csv"
    }
}'
cat > main.c << 'C'
#include <stdio.h>
#include <stdlib.h>
#include "m.c"
int
main(void)
{
    static char line[1 << 20];
    char number[40];
    FILE *texts = fopen("texts", "r"), *numbers = fopen("numbers", "r");

    if (!texts || !numbers)
        return 1;
    while (fgets(line, sizeof line, texts) && fgets(number, 40, numbers)) {
        struct m_row row;
        double out[m_outputs];

        line[strcspn(line, "\n")] = '\0';
        row.note = strcmp(line, "-") ? line : NULL;
        row.x = atof(number);
        m_predict(&row, out);
        printf("%.15g\n", out[0]);
    }
    return 0;
}
C
agree() { # agree A B
    paste -d, "$1" "$2" | awk -F, '
        { d = $1 - $2; if (d < 0) d = -d; if (!(d <= worst)) worst = d }
        END { print NR == 300 && worst < 1e-9 ? "alike" : "apart by " worst " over " NR " rows" }'
}
compile() {
    rm -f main
    cc -std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -O1 -ffp-contract=off -o main main.c -lm 2> why
}
has_cc=1
command -v cc > /dev/null 2>&1 || has_cc=
while read -r name options; do
    eval "$lathe train rows.csv --seed 3 --out m.lathe $options" > /dev/null 2> why || sed 's/^/# /' why
    $lathe export m.lathe --c m.c --prefix m > out 2> why
    ok $? "$name is written as C"
    sed 's/^/# /' why
    [ "$has_cc" ] || continue
    like "$(cat out)" 'compiled, 2,000 rows differ by [0-9.e-]* at most' "and compared"
    compile
    is "$(cat why)" "" "a compiler has nothing to say of it"
    $lathe predict m.lathe rows.csv | sed 1d | cut -d, -f1 > want
    ./main > got
    is "$(agree want got)" alike "and it answers as lathe does"
    is "$(sort -u got | awk 'END { print (NR > 50) }')" 1 "by the text"
done << 'MODELS'
words --drop kind --target y --model gbdt --set trees=30 --prepare 'words tfidf size=64'
counts --drop kind --target y --model linear --prepare 'words from=1 to=3 size=50'
chars --drop kind --target y --model ridge --prepare 'chars tfidf size=128'
singles --drop kind --target y --model ridge --prepare 'chars from=1 to=8 size=97'
filled --drop kind --target y --model ridge --prepare 'impute constant=BAD indicator on note' --prepare 'words from=2 to=2 tfidf size=40'
classes --drop y --target kind --model logistic --prepare 'words tfidf size=32'
MODELS

# ---- the edges of texts ----

if [ ! "$has_cc" ]; then
    skip "texts that are no UTF-8" "no cc"
else
    $lathe train rows.csv --seed 3 --out m.lathe --drop kind --target y --model ridge --prepare 'chars size=64' > /dev/null 2>&1
    $lathe export m.lathe --c m.c --prefix m > out
    compile
    # What is no UTF-8 is U+FFFD, a byte each: cut short, overlong, a surrogate,
    # beyond the last, a byte that goes on from nothing.
    printf 'a\303 b\n\300\200x\n\340\237\277\n\355\240\200\n\364\220\200\200\n\200y\360\237\230\n\377\n' > texts
    sed 's/.*/0.5/' texts > numbers
    ./main > got
    awk 'BEGIN {
        f = "\357\277\275"
        print "a" f " b"; print f f "x"; print f f f; print f f f; print f f f f; print f "y" f f f; print f
    }' > texts
    ./main > want
    is "$(cat got)" "$(cat want)" "bytes that are no UTF-8 are each as U+FFFD"
    printf 'good\n-\n-- ?\n\n' > texts
    sed 's/.*/0.5/' texts > numbers
    ./main > got
    is "$(sed 1d got | sort -u | wc -l) $(sed -n '1p;4p' got | sort -u | wc -l)" "1 2" \
        "a text that is missing, empty or of marks alone is of no words"
    # A text has 100,000 words at most.
    awk 'BEGIN { for (i = 0; i < 100010; i++) printf "w%d ", i % 7; print "" }' > texts
    { echo note,x; sed 's/$/,0.5/' texts; } > long.csv
    ./main > got
    $lathe predict m.lathe long.csv | sed 1d | cut -d, -f1 > want
    is "$(awk 'NR == FNR { w = $1; next } { d = ($1 - w) / w; print (d < 1e-9 && d > -1e-9) }' want got)" 1 \
        "of a long text as many words are read as here"
fi

$lathe train rows.csv --seed 3 --out both.lathe --drop kind --target y --model ridge --derive 'both = concat(note, " ", x)' \
    --prepare 'words size=16 on both' > /dev/null 2> why || sed 's/^/# /' why
like "$($lathe export both.lathe --c both.c 2>&1)" "input 'both' is to be computed before" "words of a derived text are counted, too"
is "$(sed -n '/^struct/,/^}/p' both.c | grep -c ';')" 3 "what it alone is made of is no input"

# ---- where it does not go ----

for form in onnx:ONNX pmml:PMML lightgbm:LightGBM xgboost:XGBoost; do
    like "$($lathe export m.lathe --"${form%:*}" m 2>&1)" "step 'chars size=64' has no form in ${form#*:}.*: write this model as --c" \
        "${form#*:} refuses it by its name, with what carries it"
done
# Rare levels are one: what is left are few, which any format knows.
awk 'BEGIN {
    print "note,y"
    for (r = 0; r < 200; r++) print (r % 3 ? "so Good" : r % 2 ? "not good" : "r" r) "," r % 3 - r % 2
}' > few.csv
$lathe train few.csv --target y --model ridge --prepare 'rare 0.1' --prepare 'words size=16' --out few.lathe > /dev/null 2>&1
like "$($lathe export few.lathe --onnx few.onnx 2>&1)" 'read again, 2,000 rows differ by' "words of a few levels go to ONNX"
if [ "$has_cc" ]; then
    $lathe export few.lathe --c m.c --prefix m > out
    cc -std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -Wshadow -c m.c 2> why
    is "$(cat why)" "" "and to C, of which a compiler has nothing to say"
fi

# "" is a text, and nothing between commas a missing one, of another y or of the same.
awk 'BEGIN {
    print "note,other,y,z"
    for (r = 0; r < 240; r++) print (r % 4 ? r % 4 > 1 ? r % 4 > 2 ? "so" : "not" : "" : "\"\"") ",a" r % 3 "," r % 4 "," r % 4 * (r % 4 > 1)
}' > empty.csv
for model in linear gbdt; do
    $lathe train empty.csv --target y --drop z --seed 3 --model $model --out empty.lathe > /dev/null 2>&1
    like "$($lathe export empty.lathe --onnx empty.onnx 2>&1)" \
        "ONNX does not tell the missing texts of 'note' from empty ones: write this model as --c" "$model of both, which ONNX has not"
    like "$($lathe export empty.lathe --c empty.c 2>&1)" 'C, .* bytes' "goes to C"
done
$lathe train empty.csv --target z --drop y --seed 3 --model gbdt --out empty.lathe > /dev/null 2>&1
like "$($lathe export empty.lathe --onnx empty.onnx 2>&1)" 'read again, 2,000 rows differ by' "where the model answers both alike it is written"
# XML holds no control characters: with a blank instead two classes were one.
awk 'BEGIN {
    print "x,y"
    for (r = 0; r < 60; r++) print r "," (r % 2 ? "a\001" : "a ")
}' > control.csv
"$lathe" train control.csv --target y --set trees=3 --out control.lathe > /dev/null 2>&1
"$lathe" export control.lathe --pmml control.pmml 2> err
is "$?" 1 "classes with control characters do not go to PMML"
like "$(cat err)" "PMML cannot hold 'a.x01', which has a control character" "and it is said why"
[ ! -e control.pmml ]
ok $? "no file is left behind"
done_testing
