# A search that takes long: each text is looked at in tens of thousands of ways.
test the count of a slow search is under way
sh awk 'BEGIN { print "id,word"; for (i = 0; i < 400000; i++) print i ",this is a rather long text with many letters in it number " i }' > long.csv
copy samples/churn/churn.csv
env LATHE_THREADS=1
open a 80x24 xterm-256color long.csv
wait long.csv · 400,000 rows
gone loading
type /(.*)(.*)(.*)\d(?=z)<Enter>
wait searching 

test the keys move meanwhile
type <Tab>jj
wait row 3 ─

test Ctrl-G stops it, and nothing is left of it
type <C-g>
gone searching

test another search starts at once
type /number 399999$<Enter>
wait match 1 of 1 · row 400,000

test so does Esc, and what is searched for next is found
type gg/(.*)(.*)(.*)\d(?=z)<Enter>
wait searching 
type <Esc>
gone searching
type g/number 7$<Enter>
wait match 1 of 1

test leaving the workbench does not wait for a search
type /(.*)(.*)(.*)\d(?=z)<Enter>
wait searching 
type Qy
ended 0
