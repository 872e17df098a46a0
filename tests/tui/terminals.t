# Small, large, old, colourless, and plain terminals.
test a terminal without colour by NO_COLOR gets none, and every state is legible
env NO_COLOR=1
copy samples/churn/churn.csv
open nocolor 80x24 xterm-256color --no-server churn.csv
wait tenure
colour none
style 1 Data|bold
style churn.csv|bold
type Qy
ended 0
modes clean

test --color=always overrules it
env NO_COLOR=1
open always 80x24 xterm-256color --no-server --color=always
wait Start here
colour some
type Qy
ended 0
env NO_COLOR=

test --color=never and CLICOLOR=0 give none
env CLICOLOR=0
open clicolor 80x24 xterm-256color --no-server
wait Start here
colour none
type Qy
ended 0
env CLICOLOR=
open never 80x24 xterm-256color --no-server --color=never
wait Start here
colour none
type Qy
ended 0

test vt100, linux, dumb and an unknown terminal start
open vt100 80x24 vt100 --no-server
wait Start here
colour none
type Qy
ended 0
open linux 80x24 linux --no-server
wait Start here
type Qy
ended 0
open dumb 80x24 dumb --no-server
wait Start here
type 6
wait Nothing runs
type Qy
ended 0
open unknown 80x24 no-such-terminal --no-server
wait Start here
colour some
type Qy
ended 0
modes clean

test in the C locale everything is ASCII
env LC_ALL=C
open c 80x24 xterm-256color --no-server churn.csv
wait - churn.csv . 7,043 rows x 20 columns -
type Qy
ended 0
env LC_ALL=C.UTF-8

test 40x10 is usable, one region at a time
open small 40x10 xterm-256color --no-server churn.csv
wait 1/2 [ ]
wait female
type ]
wait 2/2 [ ]
wait rows
type ]
wait 1/2 [ ]
row 3  column                  type  null%
wait churn                   text    0.0

test a chart at 40x10 takes the place of the rows, and is drawn to measure
type :histogram<Enter>
wait 2/2 [ ]
wait 5,174   73.5% █████
type lllll
wait 500┤
type ]
wait 1/2 [ ]
type ]q
wait 1/2 [ ]
type ]
wait 2/2 [ ]
wait rows
type ?
wait keys here
type <C-g>
gone keys here
type T
wait theme light

test no size breaks it
resize 10x3
wait DATA
resize 1x1
resize 2x2
resize 300x100
wait female
resize 80x24
wait female
type Qy
ended 0
modes clean

test escape sequences of a script or a table do not drive the terminal
file colours.lua
print("before\27[2J\27[31mred\xc2\x9b2J")
error("\27]0;title\7told")
end
open hostile 80x24 xterm-256color run colours.lua
wait before [2J [31mred 2J
wait told
wait \x1b]0;title\x07told
ended 1
