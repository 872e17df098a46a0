# What terminals say, programs that borrow them, and cells that never end.
copy samples/churn/churn.csv
file stuck.lua
-- %% stuck in C
string.find(("a"):rep(60), ("a?"):rep(60) .. ("a"):rep(60))
end

test a light background chooses the light theme, after the first frame
open a 80x24 xterm-256color --no-server
wait Start here
wait theme dark
answer \e]11;rgb:ffff/ffff/ffff\e\
wait theme light
style START|bg=25

test a theme that was asked for stays
open b 80x24 xterm-256color --no-server --theme=contrast
wait theme contrast
answer \e]11;rgb:ffff/ffff/ffff\e\
type ?<C-g>
wait theme contrast
type Qy
ended 0
use a

test sequences nobody knows type nothing
answer \e[?62;22c\e[999zp\ePa long answer\e\
wait p does nothing here
gone nswer

test a missing file says so
type o<C-u>nosuch.csv<Enter>
wait nosuch.csv

test copying says how
type :open churn.csv<Enter>
wait 7,043 rows
type yc
wait sent to the terminal (OSC 52)

test a shell borrows the terminal and gives it back
env SHELL=/bin/sh
type Qy
ended 0
open c 80x24 xterm-256color churn.csv
wait 7,043
type !
modes clean
type echo borr''owed<Enter>
wait borrowed
type exit<Enter>
wait 7,043
modes screen

test words of the terminal's own are gone after a redraw
type <C-l>
wait 7,043
gone borrowed

test :screendump writes what is shown
type :screendump shot.txt<Enter>
wait the screen is in shot.txt

test keys can be bound
type :bind data gz tab-6<Enter>
wait gz runs tab-6
type gz
wait Jobs ·
type :bind data q tab-6<Enter>
wait means "go back" everywhere
type Qy
ended 0

test a cell stuck in C says how to end the workbench, and it ends
open d 80x24 xterm-256color stuck.lua
wait stuck in C
type r
wait cannot be interrupted
type <C-c><C-c><C-c>
ended 1
modes clean
dead
