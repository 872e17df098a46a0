# $EDITOR has the terminal, and something happens meanwhile.
file book.lua
-- %% one
answer = 42
end
file editor.sh
#!/bin/sh
case $1 in +*) shift ;; esac
echo the editor is open
read -r line < go
printf '%s\n' "$line" >> "$1"
end
sh chmod +x editor.sh && mkfifo go
env EDITOR=./editor.sh

test Ctrl-Z in the editor stops the job, and fg goes on with it
start sh 80x24 xterm-256color exec bash --norc --noediting -i
type PS1=ready:<Enter>
wait ready:
type lathe book.lua<Enter>
wait answer = 42
type e
wait the editor is open
modes clean
type <C-z>
wait Stopped
type echo in''between<Enter>
wait inbetween
type fg<Enter>
sh echo "-- first" > go
wait -- first
modes screen

test Ctrl-Z in the workbench, and fg, in that shell
type <C-z>
wait Stopped
modes clean
type fg<Enter>
wait -- first
modes screen
type :detach<Enter>
wait detached
modes clean
type exit<Enter>
ended 0

test the end of the workbench does not wait for the editor, nor harm it
open a 80x24 xterm-256color
wait answer = 42
type e
wait the editor is open
signal TERM workbench
dead
sh echo "-- second" > go
ended 143
modes clean
wait the workbench was told to end
sh grep -e "-- second" book.lua

test what the editor wrote then is there at the next start
open b 80x24 xterm-256color book.lua
wait -- second

test kill -9 of the workbench leaves the editor too
type e
wait the editor is open
signal KILL workbench
dead
sh echo "-- third" > go
ended 1
modes clean
wait the workbench died
open c 80x24 xterm-256color book.lua
wait -- third

test a terminal that takes over while the editor is open goes on without it
type e
wait the editor is open
open d 80x24 xterm-256color
wait -- third
use c
sh echo "-- fourth" > go
ended 0
modes clean
wait taken over
use d
type 6
wait Nothing runs
type 2
wait -- fourth
wait another program changed book.lua: it was read again

test and its editor opens
type e
wait the editor is open
sh echo "-- fifth" > go
wait -- fifth
modes screen

test kill -9 of the client with the editor open: the next terminal can edit
type e
wait the editor is open
signal KILL client
ended 137
open e 80x24 xterm-256color
wait -- fifth
type e
wait the editor is open
sh echo "-- sixth" > go
wait -- sixth

test a version of another program is kept when ours is saved over it
type i<End><Enter>ours = 1<Left>
wait ours = 1
sh echo "-- theirs" >> book.lua
type <Esc>
wait its version is kept as book.lua~
sh grep -e "-- theirs" book.lua~
sh grep ours book.lua
sh ! grep theirs book.lua
type Qy
ended 0
modes clean
dead
