# The mouse: the wheel scrolls, a click chooses a view, a row, a cell.
copy samples/churn/churn.csv
file long.lua
-- %% rows
for i = 1, 60 do print(("row number %d."):format(i)) end
-- %% more
for i = 1, 30 do print(("more number %d."):format(i)) end
end
open a 80x24 xterm-256color churn.csv long.lua
wait for i = 1, 60

test a click on a tab shows its view
mouse 9 1
wait 7,043 rows
wait tenure
mouse 18 1
wait for i = 1, 60
mouse 9 1
wait tenure

test the wheel scrolls what is under the pointer, not where the keys are
mouse 40 18 down
wait row 4
mouse 40 18 down
mouse 40 18 down
wait row 10
mouse 40 18 up
wait row 7
mouse 20 5 down
mouse 20 5 down
mouse 20 5 down
wait online_security

test a click chooses a column, and a row
mouse 20 8
wait ─ online_security ─
mouse 20 18
wait row 6
mouse 20 20
wait row 8

test the wheel scrolls a notebook
mouse 18 1
wait for i = 1, 60
type rjr
wait more number 15.
type gg
wait for i = 1, 60
mouse 40 12 down
mouse 40 12 down
gone for i = 1, 60
wait row number 9.
mouse 40 12 up
mouse 40 12 up
wait for i = 1, 60

test the wheel stops at the ends
mouse 40 12 up
wait for i = 1, 60
type G
wait for i = 1, 30
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
mouse 40 12 down
wait more lines: v shows all
wait more number 24.
mouse 40 12 up
mouse 40 12 up
mouse 40 12 up
mouse 40 12 up
wait for i = 1, 30

test a click chooses a cell, and places the cursor in one that is edited
type gg
wait for i = 1, 60
type i
wait editing
mouse 9 4
type x<Esc>
wait NOTEBOOK
sh grep -x 'for xi = 1, 60.*' long.lua
type u
gone for xi

test off, the terminal has the mouse
type M
wait mouse off
type M
wait mouse on
type Qy
ended 0
modes clean
dead

test a table of two columns has headings, and a click is of its line
file fees.csv
contract,fee
One year,5
end
open b 80x24 xterm-256color fees.csv
wait fees.csv · 1 row × 2 columns
row 3  column             type  null%  distinct~
row 4  contract           text ~
row 5  fee                i64 ~
mouse 5 5
wait ─ fee ─
mouse 5 4
wait ─ contract ─
type Qy
ended 0
