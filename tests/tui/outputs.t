# How a notebook's text and outputs are laid out.
file layout.lua
-- %% [markdown]
-- # Heading
-- A paragraph whose lines are short in the file
-- is one paragraph on the screen, wrapped where the screen ends and no sooner.
-- - an item that is longer than the screen is wide goes on under its own first word
--
-- ```
-- code   stays
-- ```
-- %% wide
print(("wide "):rep(40))
for i = 1, 40 do print(i) end
-- %% error
error("an error that says so much that one line of the screen is not enough for all of it, to the last word")
-- %% after
print "never"
end

test prose is wrapped at the screen, items and code keep their shape
open a 80x24 xterm-256color layout.lua
type 2
wait Heading
wait A paragraph whose lines are short in the file is one paragraph on the
wait - an item that is longer than the screen is wide goes on under its own
wait   first word
wait code   stays

test what is cut says so
type A
wait the rest did not run
type gg
wait wide wide wide…
type <C-f>
wait … 17 more lines: v shows all

test an error is shown to its last word
type jj
wait to the last word
wait ✗ failed
type Q
ended 0
