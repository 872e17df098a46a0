# The start screen, palette, help: at both sizes, and in what terminals there are.
test an empty project shows what can be done
open a 80x24 xterm-256color
wait Start here
row 1  lathe  1 Data  2 Notebook  3 Runs  4 Registry  5 Endpoints  6 Jobs      ? help
wait Open a table or a notebook
wait shows every key for where you are
wait : commands
modes screen

test help lists the keys and ticks its box
type ?
wait keys here, then everywhere
wait create a notebook
type notebook
wait create a notebook
gone the keys for where you are
type <C-g>
gone keys here
wait ✓ ? shows every key

test every letter filters the help, also the q of quit
type ?
wait keys here
type quit
wait End the workbench
type <C-g>
gone keys here

test the palette finds a command by a few letters
type :thm
wait Theme: next, or by name
type <C-g>
wait Start here

test a whole line runs in the palette
type :theme light<Enter>
wait theme light
type :theme nosuch<Enter>
wait no theme "nosuch"; there are: contrast, dark, light, mono, sol

test an unknown key says where the keys are
type w
wait w does nothing here; ? lists the keys, : all commands

test a prefix held shows what may follow
type g
wait next view
type <C-g>
gone next view

test numbers switch views, and begin counts
type 6
wait Nothing runs, and nothing has run yet
type 21
wait No table is open
type <C-g>70
row 23                                                                              70
type <C-g>

test q at the root asks
type q
wait Leave lathe?
type n
gone Leave lathe?

test Q ends the workbench and leaves a clean terminal
type Q
ended 0
modes clean
dead
