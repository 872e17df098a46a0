# Two fits of one table: their curves and numbers side by side.
copy samples/churn/churn.csv
file models.lua
-- %% fit
rows = lathe.read "churn.csv"
function fit(name, trees)
    return lathe.gbdt { trees = trees }:fit(rows, "churn", { valid = 0.2, seed = 7, name = name }) end
coarse, fine = fit("coarse", 2), fit("fine", 60)
lathe.register("leaving", coarse, { metrics = { auc = 0.8, logloss = 0.5, brier = 0.125, likes = 1 } })
lathe.register("leaving", fine, { metrics = { auc = 0.85, logloss = 0.45, brier = 0.25, likes = 2 } })
end

test two runs are fitted and registered
open a 120x40 xterm-256color models.lua
type 2
wait fit
type r
wait ✓
type 3
wait Runs 2
type gg
wait a fine

test a run that is overlaid has one letter, also under the cursor
type /coarse<Enter>
wait a coarse
type <Space>
gone a coarse
wait b coarse
type k
wait a fine
wait b coarse
type j
gone a fine
wait b coarse
type k
wait a fine

test the better value of a metric is marked
wait ✓0.

test the card of a version says better or worse whichever way a metric counts
type 4
wait auc       0.85  v1 +0.0500 ▲ better
wait logloss   0.45  v1 -0.0500 ▲ better
wait brier     0.25  v1 +0.1250 ▼ worse
wait likes     2  v1 +1.000
gone +1.0000 ▲

test help names the signs
type ?
wait keys here
type better than
wait ▲
type <Enter>
gone keys here
type Q
ended 0
