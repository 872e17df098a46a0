# All six views without colour, at both sizes, resized while each is shown.
env NO_COLOR=1
copy samples/churn/churn.csv
file work.lua
-- %% fit
churn = lathe.read "churn.csv"
model = lathe.gbdt { trees = 20 }:fit(churn, "churn", { valid = 0.2, name = "plain" })
lathe.register("plain", model)
lathe.deploy("plain@1", { name = "plainly" })
print("all " .. "there")
end

test a notebook makes something of everything
open a 80x24 xterm-256color churn.csv work.lua
type 2r
wait all there
colour none

test Data
type 1
wait 7,043 rows × 20 columns
style churn.csv|bold
resize 160x48
wait 7,043 rows × 20 columns
wait of 7,043 (0.31 %
row 48  DATA ~
resize 80x24
row 24  DATA ~
wait 7,043 rows × 20 columns
colour none

test Notebook
type 2
wait [1] fit ✓
resize 160x48
wait outline
wait variables
wait [1] fit ✓
row 48  NOTEBOOK ~
resize 80x24
row 24  NOTEBOOK ~
wait [1] fit ✓
colour none

test Runs, with its curve
type 3
wait plain
wait valid.logloss
resize 160x48
wait plain
wait logloss
row 48  RUNS ~
resize 80x24
row 24  RUNS ~
wait plain
colour none

test Registry
type 4
wait plain
resize 160x48
wait plain
wait history
row 48  REGISTRY ~
resize 80x24
row 24  REGISTRY ~
wait plain
colour none

test Endpoints
type 5
wait plainly
resize 160x48
wait plainly
wait latency
row 48  ENDPOINTS ~
resize 80x24
row 24  ENDPOINTS ~
wait plainly
colour none

test Jobs
type 6
wait fit gbdt on churn.csv
resize 160x48
wait fit gbdt on churn.csv
row 48  JOBS ~
resize 80x24
row 24  JOBS ~
wait fit gbdt on churn.csv
colour none

test its endpoint is stopped, and it ends
type 5o
wait ?
type y
wait stopped
type Q
ended 0
modes clean
dead
