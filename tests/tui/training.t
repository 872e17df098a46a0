# A cell that trains, and terminals that come, go, and die meanwhile.
# The endless one leaves fifty trees out in each round, which takes long on any machine.
copy samples/churn/churn.csv
file fit.lua
-- %% before
churn = lathe.read "churn.csv"
kept = lathe.gbdt { trees = 5 }:fit(churn, "churn", { name = "kept" })
lathe.register("churner", kept)
print("kept is " .. 6 * 7)
-- %% long
local function there(name) local f = io.open(name); if f then f:close() end return f ~= nil end
local rounds = 0
for line = 1, 30 do
   repeat
      lathe.gbdt { trees = 20 }:fit(churn, "churn", { valid = 0.2, patience = 0 })
      rounds = rounds + 20
   until line ~= 3 and line ~= 20 or there("go" .. line)
   print(("line %02d of what was told"):format(line))
   io.open("told" .. line, "w"):close() end
print("told all, 600 rounds: " .. tostring(rounds >= 600))
-- %% endless
print "this far"
m = lathe.gbdt { trees = 100000, drop_rate = 0.5, skip_drop = 0 }:fit(churn, "churn",
   { valid = 0.2, patience = 100000, name = "endless" })
end

test a cell trains, and its terminal is detached
open a 80x24 xterm-256color fit.lua
type R
wait kept is 42
type r
wait valid.auc
row 3 ▌ [2] long ● running~
type :detach<Enter>
ended 0
modes clean

test it goes on with nobody there, and the next terminal is smaller and plainer
sh touch go3
open b 60x16 vt100
colour none
row 3 ▌ [2] long ● running~
sh test -e told19
type 6
wait 1 running
hangup

test the third is taller, of another type, and has every line
sh touch go20
open c 120x110 screen-256color
type 2
wait told all, 600 rounds: true
wait earlier fits: v shows all, 3 Runs
wait line 01 of what was told
wait line 30 of what was told

test kill -9 of the workbench in a fit leaves a clean terminal
type jr
wait this far
type 3
wait (1 live)
wait endless
sh lathe runs ls | grep -q "endless .*running"
signal KILL workbench
ended 1
modes clean
wait the workbench died

test the next start has the outputs, the runs and the version from before
open d 120x110 screen-256color fit.lua
wait kept is 42
wait line 01 of what was told
wait line 30 of what was told
type 3
wait kept
wait lost
type 4
wait churner
