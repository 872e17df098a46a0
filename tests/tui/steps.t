# What is done to a table is kept as Lua, undone, and given to the notebook.
test each step is a line of Lua, in the order in which they apply
copy samples/churn/churn.csv
open a 80x24 xterm-256color churn.csv
wait 7,043 rows × 20
type <Tab>
type lllllS
wait ▼
type ftenure > 60<Enter>
wait rows · 1,407
type =twice = 2 * tenure<Enter>
wait × 21 columns
type :steps<Enter>
wait what was done
row 3 churn = lathe.read("churn.csv")
row 4 churn = churn:with{ twice = "2 * tenure" }
row 5 churn = churn:where("tenure > 60")
row 6 churn = churn:sort{ "-tenure" }
row 9 ✓ :sort{ "-tenure" }
row 10 ✓ :where("tenure > 60")
row 11 ▸ :with{ twice = "2 * tenure" }
type q

test undo takes back any of them
type u
wait × 20 columns
type -
wait × 19 columns · 1 hidden
type u
wait × 20 columns
gone hidden
type uu
wait rows · 7,043
gone ▼
type :steps<Enter>
wait ○ :sort{ "-tenure" }
gone :where("tenure > 60")~
type q
type <C-r><C-r>
wait rows · 1,407
wait ▼

test an impossible step leaves everything as it is
type =x = 2 * tenur<Enter>
wait no column 'tenur' (did you mean 'tenure'?)
wait rows · 1,407
type :steps<Enter>
wait what was done
gone tenur"
type q

test a table made from another has its lines
type hF
wait values of tenure
type :steps<Enter>
wait churn_tenure = churn:frequency("tenure")
wait churn = churn:where("tenure > 60")
type q

test the way back finds the table as it was
type q
wait rows · 1,407 · filter tenure > 60

test the notebook takes the Lua, and it makes the same table
type :steps-notebook<Enter>
wait a new cell of churn.lua makes churn
type 2
wait churn = churn:where("tenure > 60")
type r
wait 1,407 rows
sh test "$(sed -n 2p churn.lua)" = 'churn = lathe.read("churn.csv")'

test a second one goes below it
type 1
type :steps-notebook<Enter>
wait a new cell of churn.lua
sh test "$(grep -c 'lathe.read' churn.lua)" = 2
type Qy
ended 0
