#!/bin/sh
# How a table is read, told on the command line: --delimiter, --header,
# --types, --null, --encoding; and what is said when it was not told.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"

# ---- options ----

printf 'a;b\n1;2\n3;-\n' > semi.csv
is "$($lathe query semi.csv --csv --delimiter ';' --null - 2>&1)" "a,b
1,2
3," "a delimiter and a text that means missing"
is "$($lathe query semi.csv --csv --delimiter , 2>&1)" "a;b
1;2
3;-" "another delimiter finds one column"

printf '1\t2\n3\t4\n' > tabs.txt
is "$($lathe query tabs.txt --csv --delimiter tab --header yes 2>&1)" "1,2
3,4" "tab is a word, and the first row the names when told so"
is "$($lathe query tabs.txt --csv '--delimiter=\t' --no-header 2>&1)" "column_1,column_2
1,2
3,4" "\\t is one, too, and there may be no names"
$lathe head tabs.txt --header no --no-header > out 2> err
is $? 2 "both at once is a mistake"

printf 'zip,n\n01234,5\n99999,x\n' > zip.csv
is "$($lathe query zip.csv --csv --types zip=text --types n=int 2> err)" "zip,n
01234,5" "types may be told for several columns"
like "$(cat err)" "1 row set aside: line 3, 'x' is not an int" \
    "what does not fit is set aside and told"

$lathe schema zip.csv --types zip=txt > out 2> err
is $? 2 "an unknown type is a mistake"
like "$(cat err)" "did you mean 'text'" "that names the nearest"
$lathe schema zip.csv --types zap=text > out 2> err
is $? 1 "so is an unknown column"
like "$(cat err)" "no column 'zap' .did you mean 'zip'" "with the nearest"
$lathe schema zip.csv --encoding latin-1 > out 2> err
is $? 2 "and an unknown encoding"
like "$(cat err)" "did you mean 'latin1'" "likewise"
$lathe schema zip.csv --delimiter '""' > out 2> err
is $? 2 "and a delimiter that cannot be"

printf 'zip,other\n01234,1\n' > beside.csv
is "$($lathe query zip.csv --join beside.csv --by zip --types zip=text --types n=text --csv)" "zip,n,other
01234,5,1" "types hold for a table beside it where it has the column"

printf '{"a": "01", "b": 2}\n' > lines.jsonl
like "$($lathe schema lines.jsonl --types a=int)" '^a +int' \
    "types are for every format"

printf 'a,b\nyes,1\nNo,0\n' > yes.csv
printf '{"a": "yes", "b": "1"}\n{"a": "No", "b": "0"}\n' > yes.jsonl
for f in yes.csv yes.jsonl; do
    is "$($lathe query $f --csv --types a=bool --types b=bool)" "a,b
true,true
false,false" "yes and no are bools where they are told to be: $f"
done
is "$($lathe query yes.csv --csv 'a = "yes"')" "a,b
yes,1" "and texts where they are not"

# A model that has learnt texts is given the texts of the file.
awk 'BEGIN { print "code,x,y"; for (i = 0; i < 60; i++) print (i % 3 == 0 ? "007" : i % 3 == 1 ? "12" : "1e2x") "," i "," 10 * (i % 3) }' > codes.csv
$lathe train codes.csv --target y --model linear --out codes.lathe > /dev/null 2>&1
printf 'code,x\n007,1\n12,2\n' > some.csv
is "$($lathe predict codes.lathe some.csv 2> err | awk -F, 'NR > 1 { printf "%.0f ", $1 }')" "0 10 " \
    "007 is a text where the model has learnt texts"
is "$(cat err)" "" "and one that it knows"
is "$($lathe predict codes.lathe - < some.csv 2>&1)" "$($lathe predict codes.lathe some.csv)" "so it is when it comes by a pipe"
is "$($lathe predict codes.lathe - --types x=float < some.csv 2>&1)" "$($lathe predict codes.lathe some.csv)" \
    "also where a type of another column is told"
like "$($lathe predict codes.lathe - --types z=float < some.csv 2>&1)" "no column 'z'" "which must be there"
printf 'x\n1\n' > one.csv
like "$($lathe predict codes.lathe - --types x=float < one.csv 2>&1)" "$($lathe predict codes.lathe one.csv 2>&1 | sed 's/.*: //')" \
    "and what the model wants is missed as in a file"
printf 'code,x,y\n007,1,0\n12,2,10\n' > judged.csv
is "$($lathe evaluate codes.lathe judged.csv --json > out 2> err; echo $?)" 0 "evaluate reads it so"
is "$($lathe explain codes.lathe judged.csv --row 1 > out 2> err; echo $?)" 0 "and so does explain"
$lathe predict codes.lathe some.csv --types code=int > out 2> err
is $? 1 "but not where a type is told"
like "$(cat err)" "column 'code' is int, expected text" "which is an error then"
printf '{"code": 12, "x": 1}\n' > some.jsonl
is "$($lathe predict codes.lathe some.jsonl 2>&1)" "$(printf 'code,x\n12,1\n' | $lathe predict codes.lathe - 2>&1)" \
    "numbers of JSON are texts then, too"

# All that is no file is read once: a pipe with a name says what standard input does.
want=$($lathe predict codes.lathe some.csv)
mkfifo named
cat some.csv > named &
is "$(timeout 60 $lathe predict codes.lathe named 2>&1)" "$want" "a named pipe is read once"
is "$(cat some.csv | timeout 60 $lathe predict codes.lathe /dev/stdin 2>&1)" "$want" "so is /dev/stdin"
cat judged.csv > named &
is "$(timeout 60 $lathe evaluate codes.lathe named --json 2>&1)" "$($lathe evaluate codes.lathe judged.csv --json 2>&1)" \
    "a named pipe is judged as the file is"

# Classes that are texts are texts wherever they stand.
awk 'BEGIN { print "x,y"; for (i = 0; i < 60; i++) print i % 3 "," (i % 3 == 0 ? "01" : i % 3 == 1 ? "2" : "x") }' > classes.csv
$lathe train classes.csv --target y --model naive_bayes --out classes.lathe > /dev/null 2>&1
printf 'x,y\n0,01\n1,2\n0,01\n1,2\n' > two.csv
is "$($lathe evaluate classes.lathe two.csv --json 2>&1 | grep -o '"accuracy":{"value":[0-9.]*')" '"accuracy":{"value":1' \
    "classes 01 and 2 alone are those that were learnt"
is "$($lathe evaluate classes.lathe - --json < two.csv 2>&1)" "$($lathe evaluate classes.lathe two.csv --json 2>&1)" \
    "so they are by a pipe"

# A table beside the one that is learnt from is read like it.
head -1 codes.csv > alike.csv
awk -F, '$1 != "1e2x"' codes.csv | sed 1d >> alike.csv
$lathe train codes.csv --target y --model linear --test alike.csv --json > out 2> err
is $? 0 "--test has texts where the training table has"
is "$(grep -c '"test":{' out)" 1 "and is judged"
$lathe train codes.csv --target y --model gbdt --set trees=5 --valid alike.csv > out 2> err
is $? 0 "--valid has"
$lathe train codes.csv --target y --model gbdt --set trees=5 --out first.lathe > out 2> err
$lathe train alike.csv --target y --model gbdt --set trees=9 --init first.lathe > out 2> err
is $? 0 "and what goes on from a model has them where that has"

for c in convert profile head schema query train evaluate predict; do
    like "$($lathe $c --help)" '^reading, where the file does not tell:' \
        "$c has the options of reading"
done
like "$($lathe runs ls --help)" '^usage' "what reads no table"
is "$($lathe runs ls --help | grep -c delimiter)" 0 "has none of them"

# ---- encodings ----

printf 'name;city\nJos\351;K\366ln\nAnn;Z\374rich\n' > latin.csv
$lathe query latin.csv --csv > out 2> err
is "$(cat out)" "$(sed 's/;/,/' latin.csv)" "bytes that are not UTF-8 are kept"
is "$(cat err)" "lathe: latin.csv: line 2: not UTF-8, 3 fields kept as is; --encoding latin1 or windows-1252 tells what it is" \
    "which is said once, with the first line and how to read it"
is "$($lathe schema latin.csv --json 2> err | sed 's/.*\],//')" \
    '"rejected":0,"not_utf8":3}' "JSON has it, too"
is "$($lathe query latin.csv --csv --encoding latin1 2>&1)" "name,city
José,Köln
Ann,Zürich" "latin1 is read when told so"
printf 'price\n\2005\n' > euro.csv
is "$($lathe query euro.csv --csv --encoding windows-1252 2>&1)" "price
€5" "windows-1252 has more letters"
gzip -c latin.csv > latin.csv.gz
is "$($lathe query latin.csv.gz --csv --encoding latin1 --rows 1 2>&1 | head -2 | tail -1)" \
    "José,Köln" "packed or not"
printf '{"a": "Jos\351"}\n{"a": "x"}\n' > latin.jsonl
is "$($lathe query latin.jsonl --csv --encoding latin1 2>&1)" "a
José
x" "of JSON lines as well"
like "$($lathe head latin.jsonl 2>&1)" 'line 1: not UTF-8, 1 line kept' \
    "which are told likewise"
printf '\377\376a\0,\0b\0\n\0\351\0,\0002\0\n\0' > wide.csv
is "$($lathe query wide.csv --csv 2>&1)" "a,b
é,2" "UTF-16 is known by its mark"

# ---- shapes ----

: > empty.csv
$lathe head empty.csv > out 2> err
is $? 1 "a file of no bytes is no table"
like "$(cat err)" 'empty.csv: line 1: the file is empty' "and says so"
printf 'a,b\n' > names.csv
is "$($lathe query names.csv --csv 2> err)" "a,b" "names alone are a table of no rows"
like "$(cat err)" 'names.csv: a header and no rows' "and a word"
like "$($lathe profile names.csv 2>&1)" '0 rows' "which has a profile"

printf 'return lathe.read("latin.csv", { encoding = "latin1" })\n' > read.lua
like "$($lathe run read.lua 2>&1)" 'José' "Lua has the encoding, too"
printf 'return lathe.read("latin.csv", { encoding = "latin2" })\n' > read.lua
like "$($lathe run read.lua 2>&1)" "did you mean 'latin1'" "and its mistakes"

done_testing
