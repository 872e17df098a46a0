# One table and one notebook through every view.
copy samples/churn/churn.csv
file loop.lua
-- %% endless
while true do end
-- %% sort
local t = {}
for i = 1, 100 do t[i] = i end
table.sort(t, function(a, b) while true do end end)
-- %% answer
answer = 6 * 7
end

test a frequency table opens, and q leaves it
open a 80x24 xterm-256color churn.csv loop.lua
type 1
wait 7,043 rows × 20 columns
wait tenure
type F
wait values of churn · churn.csv · 2 rows
wait 5174
type q
wait 7,043 rows × 20 columns

test the rows that are shown are written
type ftenure > 71<Enter>
wait filter tenure > 71
type Elong.csv<Enter>
wait wrote
type u
wait rows · 7,043
type :open long.csv<Enter>
wait long.csv · 362 rows × 20 columns
type w
wait 7,043 rows × 20 columns

test an endless cell is interrupted
type 2
wait endless
type r
wait Ctrl-C
type <C-c>
gone Ctrl-C
wait [1]

test so is a loop in a comparator
type jr
wait Ctrl-C
type <C-c>
gone Ctrl-C
wait [2]

test a cell is edited in place and run
type ji<End>
wait answer = 6 * 7
type <F5>
wait [3] answer ✓
type <C-g>

test all views at 160x48 and back
resize 160x48
wait variables
wait answer
type 3
wait compare
resize 80x24
type 4
wait No models registered yet
type 5
wait Nothing is served yet
type 6
wait Jobs ·
type 1
wait 7,043 rows × 20 columns
type Q
ended 0
modes clean

test without colour it reads the same
env NO_COLOR=1
open b 80x24 xterm-256color churn.csv
wait 7,043 rows × 20 columns
colour none
type 6
wait profile churn.csv
resize 160x48
wait log · 
colour none
type 1
wait tenure
type Q
ended 0
