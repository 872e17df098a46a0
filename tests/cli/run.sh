#!/bin/sh
# `lathe run`: order, parameters, status, what it saves.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

cat > nb.lua <<'NB'
-- %% [markdown]
-- # Title
-- Some **words**.

-- %% tags=["parameters"]
rows, name = 3, "a"

-- %% table
t = {}
for i = 1, rows do t[i] = i end
t

-- %%
print(name)
NB

out=$("$lathe" run nb.lua 2> err)
is "$?" 0 "a notebook whose cells pass ends with 0"
is "$out" "
Title
=====
Some words.

[1] parameters

[2] table
{ 1, 2, 3 }

[3]
a" "text, headings and results come in order"
is "$(cat err)" "" "nothing else is said on a pipe"

out=$("$lathe" run nb.lua -p rows=2 -p name=7 | tail -1)
is "$out" 7 "-p keeps the type of the parameter"
echo '{"rows": 1, "name": "from a file"}' > p.json
out=$("$lathe" run nb.lua -f p.json | tail -1)
is "$out" "from a file" "-f sets parameters"
out=$("$lathe" run nb.lua -f p.json -p name=last | tail -1)
is "$out" last "-p goes before -f"

"$lathe" run nb.lua -p row=2 > /dev/null 2> err
is "$?" 2 "an unknown parameter is wrong use"
like "$(cat err)" "no parameter 'row' \(did you mean 'rows'\?\)" "and names the nearest"
"$lathe" run nb.lua -p rows=many > /dev/null 2> err
is "$?" 1 "a parameter of the wrong type fails"
like "$(cat err)" "rows is 'many', expected a number" "and says what is expected"

printf -- '-- %%%%\nx = 1\n-- %%%%\nx.y.z = 2\n-- %%%%\nprint("never")\n' > bad.lua
out=$("$lathe" run bad.lua 2> err)
is "$?" 1 "a failed cell ends with 1"
like "$(cat err)" "^bad.lua:4: attempt to index" "the error names file and line"
is "$(echo "$out" | grep -c never)" 0 "cells after a failed one do not run"

echo 'while true do end' > loop.lua
"$lathe" run loop.lua --timeout 0.2s 2> err
is "$?" 1 "--timeout stops a loop"
like "$(cat err)" "longer than --timeout" "and says so"
"$lathe" run loop.lua --timeout soon 2> err
is "$?" 2 "a timeout that is no time is wrong use"

timeout --preserve-status -s INT 2 "$lathe" run loop.lua > /dev/null 2> err
is "$?" 130 "an interrupt ends a loop"
is "$(cat err)" "interrupted
lathe: stopped by Ctrl-C; what was finished before is kept" "and says so"

# A hostile pattern is one C call: only the watchdog hears Ctrl-C then.
echo "return (('a'):rep(40)):find(('a-'):rep(20) .. 'b')" > stuck.lua
"$lathe" run stuck.lua > /dev/null 2> err &
pid=$!
end=$(($(date +%s) + 20))
until grep -q 'inside a C call' err || [ "$(date +%s)" -ge $end ]; do :; done
like "$(cat err)" 'stuck.lua \[1\] is inside a C call: it cannot be interrupted' "the watchdog speaks of a C call"
while kill -INT $pid 2> /dev/null && [ "$(date +%s)" -lt $end ]; do :; done
wait $pid
is "$?" 130 "Ctrl-C three times ends it"

echo 'print("ok 1 - a plain script")' > plain.lua
is "$("$lathe" run plain.lua)" "ok 1 - a plain script" "a plain script prints what it prints"
ok "$([ ! -e .lathe/outputs ] || [ "$(ls .lathe/outputs | wc -l)" -le 2 ]; echo $?)" "and keeps no outputs"
"$lathe" run nothing.lua 2> err
is "$?" 1 "a missing notebook fails"
like "$(cat err)" "^lathe: nothing.lua: " "and is named"

# ---- saving ----
"$lathe" run nb.lua --save nb.ipynb --save nb.md --save nb.html > /dev/null
is "$?" 0 "it saves three forms"
if /usr/bin/python3 -c 'import nbformat' 2> /dev/null; then
    got=$(/usr/bin/python3 -c '
import nbformat
n = nbformat.read("nb.ipynb", as_version=4)
nbformat.validate(n)
print(n.nbformat, n.nbformat_minor, [c.cell_type for c in n.cells])
print(n.cells[1].metadata.tags, n.cells[2].execution_count)
print(n.cells[2].outputs[0].text.strip(), n.cells[3].outputs[0].text.strip())')
    is "$got" "4 5 ['markdown', 'code', 'code', 'code']
['parameters'] 2
{ 1, 2, 3 } a" "nbformat validates the notebook and finds the outputs"
    "$lathe" run bad.lua --save bad.ipynb > /dev/null 2>&1
    got=$(/usr/bin/python3 -c '
import nbformat
n = nbformat.read("bad.ipynb", as_version=4)
nbformat.validate(n)
print(n.cells[1].outputs[0].output_type, n.cells[2].execution_count)')
    is "$got" "error None" "a failed notebook is saved with its error"
else
    skip "nbformat validates the notebook" "no python3-nbformat"
fi
is "$(sed -n 1,2p nb.md)" "# Title
Some **words**." "Markdown keeps the text"
like "$(cat nb.md)" '^```lua$' "and fences the code"
like "$(cat nb.html)" '<h1>Title</h1>' "HTML has the headings"
like "$(cat nb.html)" '<p>Some <b>words</b>' "and what is bold"
cat > page.lua <<'NB'
-- %% [markdown]
-- - one
--   goes on
-- 1. first, `a < b`
--
-- ```
-- **kept**
-- ```
-- %% table
lathe.frame { share = { 0.5, 0.000145682 }, name = { "<b>", "x" } }
-- %% fit
x, y = {}, {}
for i = 1, 60 do x[i], y[i] = i, i % 2 == 0 and "yes" or "no" end
lathe.gbdt { trees = 5 }:fit(lathe.frame { x = x, y = y }, "y", { valid = 0.3 })
-- %% error
error "no <good>"
NB
"$lathe" run page.lua --save page.html > /dev/null 2>&1
page=$(cat page.html)
like "$page" '<li>one' "a list is one"
like "$page" '<ol>' "also of numbers"
like "$page" '<code>a &lt; b</code>' "code in a line is code"
like "$page" '^<pre>\*\*kept\*\*$' "fenced text stays as it is"
like "$page" '<td class="number">0.000146</td>' "numbers read as on the screen, to the right"
like "$page" '<td>&lt;b&gt;</td>' "and texts as texts"
like "$page" '<p class="count">2 rows x 2 columns</p>' "with their count"
like "$page" '<path class="s1" d="M[0-9. L]*"/>' "a fit has its curve"
like "$page" 'class="t1".*>valid 0' "and names it"
like "$page" '<pre class="error">.*no &lt;good&gt;' "an error is marked"
cat > chart.lua <<'NB'
x, y = {}, {}
for i = 1, 60 do x[i], y[i] = i, ({ "<a>", "b", "c" })[i % 3 + 1] end
t = lathe.frame { x = x, y = y }
m = lathe.gbdt { trees = 3 }:fit(t, "y")
m:evaluate(t):plot("roc")
-- %% effect
m:explain { data = t, pdp = "x" }
NB
"$lathe" run chart.lua --save chart.html --save chart.ipynb > out 2>&1
like "$(cat out)" "┤" "curves are drawn in cells"
page=$(cat chart.html)
is "$(grep -c '<svg viewBox' chart.html)" 3 "and as pictures in a page, beside that of the fit"
like "$page" '<p class="count">ROC: true_positives over false_positives</p>' "under their titles"
like "$page" '<text class="t1"[^>]*>&lt;a&gt;</text>' "with names of classes as texts"
is "$(grep -c '┤' chart.html)" 0 "in place of the cells"
if /usr/bin/python3 -c 0 2> /dev/null; then
    /usr/bin/python3 - > out 2>&1 <<'PY'
import json, xml.dom.minidom
cells = json.load(open("chart.ipynb"))["cells"]
svg = ["".join(o["data"]["image/svg+xml"]) for c in cells for o in c["outputs"] if "image/svg+xml" in o.get("data", {})]
for s in svg:
    assert xml.dom.minidom.parseString(s).documentElement.getElementsByTagName("style")
print(len(svg))
PY
    is "$(cat out)" 2 "a notebook of Jupyter has them with their colours"
else
    skip "a notebook of Jupyter has them with their colours" "no python3"
fi
out=$("$lathe" run nb.lua --save nb.pdf 2> err)
is "$?" 2 "another ending is wrong use"
is "$out" "" "which is said before anything runs"

# ---- the sample ----
sample=$LATHE_SOURCE/samples/churn
"$lathe" run "$sample/churn.lua" -p trees=20 > /dev/null 2> err
is "$?" 0 "the sample runs"
"$lathe" predict churn@production "$sample/churn.csv" --out answers.csv 2> err
is "$?" 0 "its model predicts the table as it came"

# ---- gates ----
cat > gate.lua <<'NB'
t = lathe.frame { x = { 1, 2, 3, 4, 5, 6, 7, 8 }, y = { 2, 4, 6, 8, 10, 12, 14, 17 } }
m = lathe.linear():fit(t, "y")
v = lathe.register("line", m, { metrics = m:evaluate(t) })
print(pcall(lathe.promote, v, "production", { gate = "r2 >= 0.5 and nonsense > 1" }))
lathe.promote(v, "production", { gate = "r2 >= 0.5" })
print(lathe.version_of("line@production").label)
lathe.promote(v, "staging", { gate = "r2 > 1" })
NB
out=$("$lathe" run gate.lua 2> err)
is "$?" 3 "a gate that is not met ends with 3"
like "$(cat err)" "gate 'r2 > 1' is not met: r2 is 0.98" "and tells the value"
like "$out" "^line/1$" "a gate that is met promotes"
like "$out" "no column 'nonsense'" "a gate on an unknown metric is an error"
done_testing
