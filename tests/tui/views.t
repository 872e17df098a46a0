# All six views on a real table, at both sizes, with a resize in the middle.
test a table opens in Data
copy samples/churn/churn.csv
open a 80x24 xterm-256color churn.csv
wait churn.csv · 7,043 rows × 20 columns
wait Yes 27%
wait tenure
colour some

test the filter keeps the rows an expression holds for
type ftenure > 60<Enter>
wait rows · 1,407 · filter tenure > 60
type u
wait rows · 7,043

test a count of two digits moves so far, and stays in its view
type <Tab>12j
wait row 13
type <A-3>j
wait row 16
type 9k
wait row 7

test a wrong filter says what is wrong and where
type f<C-u>tenur > 60<Enter>
wait tenur

test each number shows its view
type 2
wait No notebook is open
type 3
wait No runs yet
type 4
wait No models registered yet
type 5
wait Endpoints
type 6
wait Jobs
type 1
wait 7,043 rows

test the same at 160x48, after a resize in the middle
resize 160x48
wait 7,043 rows
row 48  DATA ~
type 3
wait compare
type 6
wait Jobs
type 1
wait 7,043 rows
resize 80x24
row 24  DATA ~

test a click on a tab switches
mouse 12 1
wait 7,043 rows
mouse 30 1
wait No runs yet

test words pasted into a prompt are one line
type /
paste one
paste two
wait /onetwo
type <C-g>
gone /onetwo
type Qy
ended 0
modes clean
