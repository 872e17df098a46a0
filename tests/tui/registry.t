# The registry by its keys: stages, roll back, aliases, gates, and the history of it all.
copy samples/churn/churn.csv
sh lathe train churn.csv --target churn --register churn --set trees=4
sh lathe train churn.csv --target churn --register churn --set trees=8
sh lathe train churn.csv --target churn --register other --model logistic

test the models and their versions are listed
open a 80x24 xterm-256color
wait Start here
type 4
wait Models 2
wait churn · versions
wait churn/2 · card
wait  v2     -           auc 0.8
row 21 ~
gone ● Production

test a declined promotion changes nothing
type t
wait answers requests
type <Enter>
wait churn/2 to Production?
type n
gone churn/2 to Production?
gone ● Production
sh lathe registry history churn | grep -vq stage

test an accepted one shows in the list and the history
type t
wait answers requests
type <Enter>
wait churn/2 to Production?
type y
wait promoted churn/2
wait  v2   ● Production
wait v2   stage None → Production
wait → churn/2

test the next one says whom it sends to the archive
type <Enter>j
wait churn/1 · card
type t
wait answers requests
type <Enter>
wait churn/1 to Production? v2 goes to Archived
type y
wait  v1   ● Production
wait  v2   ○ Archived
wait v1   stage None → Production
wait v2   stage Production → Archived

test staging is chosen by its letters
type kt
wait answers requests
type stag<Enter>
wait churn/2 to Staging?
type y
wait promoted churn/2
wait  v2   ◆ Staging
wait v2   stage Archived → Staging

test rolling back asks, and a no keeps Production
type b
wait give Production of churn back to the version before?
type n
gone give Production
wait  v1   ● Production

test rolling back gives Production to the version that held it
type b
wait give Production of churn back to the version before?
type y
wait rolled back to churn/2
wait  v2   ● Production
wait  v1   ○ Archived
wait v2   rollback

test an alias is given, and moves
type a
wait alias:
type champion<Enter>
wait churn@champion is churn/2
wait v2   alias
type ja
wait alias:
type champion<Enter>
wait churn@champion is churn/1
wait  v1   ○ Archived    auc 0.8440     @champion

test an alias with a name that cannot be says so
type a
wait alias:
type 3<Enter>
wait '3' cannot be an alias

test a gate that is not met refuses, and Production stays
type :registry promote churn/1 production --gate 'auc >= 0.99'<Enter>
wait gate 'auc >= 0.99' is not met: auc is 0.84
wait  v2   ● Production

test a gate on a metric nobody has says so
type :registry promote churn/1 production --gate 'acu >= 0.5'<Enter>
wait did you mean 'auc'?
wait  v2   ● Production

test a gate that is met lets it through
type :registry promote churn/1 production --gate 'auc >= 0.5'<Enter>
wait promoted churn/1
wait  v1   ● Production

test a damaged file is found
type v
wait churn/2
type q
sh for f in .lathe/objects/*/*; do chmod u+w $f; printf x >> $f; done
type v
wait damaged

test the other sizes show it all
resize 160x48
wait stage Production → Archived
wait  v1   ● Production
type Qy
ended 0
modes clean
