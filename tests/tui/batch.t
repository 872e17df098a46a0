# Many cells at once: where it is, how it ended, and what a cell still needs.
file book.lua
-- %% [markdown]
-- # A small story
-- %% tags=["parameters"]
n, greeting = 3, "hello"
-- %% helper
function double(x) return 2 * x end
-- %% show
for i = 1, n do print(greeting, double(i)) end
-- %% call
s = greeting
print(double(21))
-- %% wait
while not ready do end
-- %% last
print "the end"
end
file wrong.lua
-- %% one
a = 1
-- %% two
error "no"
-- %% three
b = 2
end

test a cell that lacks another one's result says which, and which key helps
open a 80x24 xterm-256color book.lua
wait A small story
type jjjr
wait book.lua:8: bad 'for' limit
wait B runs the cells above: cell 2 (parameters) sets n and has not run
type jr
wait attempt to call a nil value (global 'double')
wait B runs the cells above: cell 3 (helper) sets double and has not run

test that key runs them, comes back, and then it works
type kB
wait 2 cells ran in
gone has not run
row 2 ─ book.lua · cell 4 of 7~
type r
wait hello 6

test running all takes the cursor along and says where it is
type ggA
wait ● cell 6 of 7 runs
row 2 ─ book.lua · cell 6 of 7~

test the cursor stays where it is moved to
type k
row 2 ─ book.lua · cell 5 of 7~
type <C-c>
wait cell 6 of 7 was interrupted: the rest did not run
row 2 ─ book.lua · cell 5 of 7~

test when all have passed it is at the last, which shows
type :open wrong.lua<Enter>
wait cell 1 of 3
type jdd
gone error "no"
type gg
type A
wait 2 cells ran in
row 2 ─ wrong.lua · cell 2 of 2~
type u
wait error "no"

test when one fails it is there
resize 160x48
type ggA
wait cell 2 of 3 failed: the rest did not run
row 2 ~
wait wrong.lua · cell 2 of 3
type Qy
ended 0
modes clean
