# `lathe quit` ends a workbench from outside, but not what runs there.
file endless.lua
-- %% endless
while true do end
end

test it refuses while a cell runs, and says how to go on
open a 80x24 xterm-256color endless.lua
wait endless
type r
wait Ctrl-C
sh lathe quit 2> err; test $? = 1
sh grep 'cell runs: .lathe quit --force. stops it' err
wait Ctrl-C

test with --force it ends, and gives the terminal back
sh lathe quit --force | grep ended
ended 0
modes clean
wait ended by `lathe quit`
dead

test another starts at once, and one without a terminal ends too
open b 80x24 xterm-256color
wait Start here
type :detach<Enter>
ended 0
sh lathe ps | grep detached
sh lathe quit
dead
sh lathe ps | grep 'no workbench is running'

test where none runs it says so
sh lathe quit 2> err; test $? = 1
sh grep 'no workbench is running for' err
