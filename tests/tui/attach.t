# Terminals come and go, the workbench stays.
test a workbench starts with the first terminal
open first 80x24 xterm-256color
wait Start here
type 6
wait Nothing runs
modes screen

test another terminal, of another size and type, takes it over as it was
open second 120x40 screen-256color
wait Nothing runs
row 1  lathe ~
use first
ended 0
modes clean
wait taken over by another terminal

test kill -9 of the client leaves a clean terminal and a living workbench
use second
signal KILL client
modes clean
open third 60x16 vt100
wait Nothing runs

test detaching gives the terminal back
type :detach<Enter>
ended 0
modes clean
wait detached

test kill -9 of the workbench leaves a clean terminal
open fourth 80x24 xterm-256color
wait Nothing runs
signal KILL workbench
ended 1
modes clean
wait the workbench died

test the next start does not mind the socket left behind
open fifth 80x24 xterm-256color
wait Start here

test SIGTERM of the client detaches
signal TERM client
ended 0
modes clean

test a dropped line leaves the workbench running
open sixth 80x24 xterm-256color
wait Start here
type 6
wait Nothing runs
hangup
open seventh 80x24 xterm-256color
wait Nothing runs

test Ctrl-Z stops the client, and the terminal is clean meanwhile
type <C-z>
stopped
modes clean

test coming back paints everything, in a size that changed meanwhile
resize 100x30
signal CONT client
wait Nothing runs
modes screen
row 30  JOBS~

test kill -TSTP of the client suspends too
signal TSTP client
stopped
modes clean
signal CONT client
wait Nothing runs

test kill -TERM of the workbench leaves a clean terminal
signal TERM workbench
ended 143
modes clean
dead

test in the foreground the workbench ends with its terminal
open eighth 80x24 xterm-256color --no-server
wait Start here
signal KILL client
modes clean
dead
