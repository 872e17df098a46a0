# A table that takes a while to open: its first rows at once, then all of them.
# The last value of its first column is no number: all are read once more.
# Its file is opened to see what it is, for its head, and for all: the last one
# waits here for as long as the first rows are looked at.
test the first rows show while the table is loading
sh awk 'BEGIN { print "id,word,x"; for (i = 1; i <= 60000; i++) print i ",w" i % 7 "," i ".5"; print "end,w,1" }' > big.csv
copy samples/churn/churn.csv
env LATHE_THREADS=1
hold big.csv 2
open a 80x24 xterm-256color big.csv
wait big.csv · first
wait × 3 columns
wait Esc stops it
wait i64

test the cursor moves over them and stays where it is
type <Tab>jjl
wait row 3 · loading
release big.csv
wait big.csv · 60,001 rows × 3 columns
gone loading
wait row 3 ─
row 12  id     word ~
row 15 ▸3      w3 ~

test a value that does not fit has changed the type
gone i64

test a sort that is asked for meanwhile comes with the table
type w
wait No table is open
hold big.csv 2
type :open-file big.csv<Enter>
wait · first
type llS
wait then ▼ x
release big.csv
wait rows · 60,001
wait row 60,000 ─

test so do a filter and a way back
type w
wait No table is open
hold big.csv 2
type :open-file big.csv<Enter>
wait · first
type llsf<C-u>5 > x<Enter>
wait then filter 5 > x · then ▲ x
release big.csv
wait rows · 5 · filter 5 > x
type u
wait rows · 60,001

test what needs all rows says so
type w
wait No table is open
hold big.csv 2
type :open-file big.csv<Enter>
wait · first
type F
wait this needs all rows of big.csv: loading
release big.csv
wait 60,001 rows

test a small terminal says that it is loading
type w
wait No table is open
resize 40x10
hold big.csv 2
type :open-file big.csv<Enter>
wait ─ loading
release big.csv
resize 80x24
wait 60,001 rows

test Esc brings back what was before, as it was
type w
wait No table is open
type :open-file churn.csv<Enter>
wait churn.csv · 7,043 rows
type ftenure > 60<Enter>
wait rows · 1,407 · filter tenure > 60
type <A-5>j
wait row 36 ─
hold big.csv 2
type :open-file big.csv<Enter>
wait · first
type <Esc>
wait big.csv is not opened
release big.csv
wait churn.csv · 7,043 rows
wait rows · 1,407 · filter tenure > 60
wait row 36 ─

test a table opened while another one is profiled is profiled too
type u
wait rows · 7,043
wait Yes 27%
type <C-r>
wait rows · 1,407

test Ctrl-C does too
hold big.csv 2
type :open-file big.csv<Enter>
wait · first
type <C-c>
gone · first
release big.csv
wait rows · 1,407 · filter tenure > 60

test an error at the end leaves nothing of the first rows
sh { cat big.csv; printf '1,w,'; head -c 68M /dev/zero | tr '\0' x; } > bad.csv
hold bad.csv 2
type :open-file bad.csv<Enter>
wait bad.csv · first
release bad.csv
wait bad.csv: line 60003, column 3: a field of
wait churn.csv · 7,043 rows
wait rows · 1,407 · filter tenure > 60

test another table may be looked at meanwhile
hold big.csv 2
type :open-file big.csv<Enter>
wait · first
type :open-file churn.csv<Enter>
wait churn.csv · 7,043 rows
release big.csv
wait big.csv is open
wait table 1 of 2

test how it is read may stand behind its name
sh printf 'name;city\nJos\351;K\366ln\n' > latin.csv
type :open-file latin.csv<Enter>
wait latin.csv · 1 row × 2 columns · not UTF-8
type :open-file latin.csv --encoding latin1 --no-header<Enter>
wait José
wait column_2
wait 2 rows × 2 columns
type :open latin.csv --encoding latin<Enter>
wait open: --encoding is 'latin', expected utf-8
type Qy
ended 0
