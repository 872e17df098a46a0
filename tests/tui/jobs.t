# Jobs by their keys: progress, log, cancel; those of the workbench and those that outlive it.
# A round that leaves fifty trees out and puts them back takes long: 100,000 of them do not end here on any machine.
copy samples/churn/churn.csv
file fit.lua
-- %% fit
churn = lathe.read "churn.csv"
-- %% endless
m = lathe.gbdt { trees = 100000, drop_rate = 0.5, skip_drop = 0 }:fit(churn, "churn",
   { valid = 0.2, patience = 100000, name = "endless" })
-- %% told
print("rounds", #lathe.runs()[1].id)
end
open a 80x24 xterm-256color fit.lua
wait read "churn.csv"
type R
wait [1] fit ✓

test a fit in a cell shows its progress
type r
wait running
type 6
wait K cancel
wait Jobs · 1 running
wait %

test its log is opened, and followed
type <Enter>
wait follow ●
wait logloss
type <Tab>
wait Jobs · 1 running

test a no keeps it
type K
wait cancel fit gbdt on churn.csv?
type n
gone cancel fit
wait Jobs · 1 running

test cancelling keeps the rounds it has done
type K
wait cancel fit gbdt on churn.csv?
type y
wait cancelled
wait Jobs · 0 running
type 2
wait [2] endless ✓
wait valid.logloss

test a job that outlives the workbench is seen, with what it writes
sh lathe job run --title "long training" -- lathe train "$PWD/churn.csv" --target churn --set trees=99999 --set drop_rate=0.5 --set skip_drop=0 --patience 0
type 6
wait ● 
wait long training
wait Jobs · 1 running · 2 ended
wait K cancel
wait %
sh cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\0' ' ' | grep -q "train $PWD/[c]hurn.csv"

test cancelling it asks, and ends its process
type K
wait cancel long training?
type n
gone cancel long training?
wait Jobs · 1 running
type K
wait cancel long training?
type y
wait long training is stopped
wait Jobs · 0 running
sh ! cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\0' ' ' | grep -q "train $PWD/[c]hurn.csv"

test one that fails shows its status and its last words
sh lathe job run --title "bad one" -- lathe train churn.csv --target nosuch
type 1
gone Jobs ·
mouse 62 1
wait ✗ 
wait bad one
wait exit status 1
type gg
wait nosuch

test wide
resize 160x48
wait bad one
wait log · bad one
type Q
ended 0
modes clean
dead
