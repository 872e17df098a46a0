# Cells: completion, undo, $EDITOR.
copy samples/churn/churn.csv
file book.lua
-- %% one
answer = 42
-- %% two
print(answer)
end
file edit.sh
#!/bin/sh
# The cell's line comes before the file.
case $1 in +*) echo "$1" > line.txt; shift ;; esac
sed -i 's/answer = 42/answer = 6 * 9/' "$1"
end
sh chmod +x edit.sh
env EDITOR=./edit.sh
open a 80x24 xterm-256color book.lua
wait answer = 42

test Tab completes a global, a member, and what a cell has made
type r
wait [1] one ✓
type ji<End><Enter>
type lath<Tab>
wait    lathe
type .log<Tab>
wait lathe.logistic(
type answ<Tab>
wait lathe.logistic(answer
type  + nosuch)<Esc>
wait NOTEBOOK
wait lathe.logistic(answer + nosuch)

test undo and redo of a cell
type u
gone nosuch
type <C-r>
wait nosuch
type u
gone nosuch
type :save<Enter>
sh ! grep nosuch book.lua

test a cell deleted comes back
type dd
gone print(answer)
type u
wait print(answer)

test Tab in the palette takes the name, and a prompt completes files
type :thm<Tab>
wait : theme
type <C-g>
type :open book<Tab>
type <C-g>
gone PALETTE

test Tab with several offers them
type i<End><Enter>lathe.re<Tab>
wait register
wait read
type <Esc>
wait NOTEBOOK
type u
gone lathe.re

test e gives the terminal to $EDITOR, at the cell, and the cell comes back changed
type k
type e
wait answer = 6 * 9
modes screen
sh grep -x +2 line.txt
type R
wait [2] one ✓
type r
wait 54

test the change can be undone
type u
wait answer = 42
type <C-r>
wait answer = 6 * 9
type Qy
ended 0
modes clean
dead
