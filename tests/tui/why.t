# Why the model of a run answers as it does, in the Runs view.
test Enter on a run explains it by the rows of its table
copy samples/churn/churn.csv
sh awk 'BEGIN { print "x,y"; for (i = 0; i < 400; i++) print i "," int(i / 40) }' > ten.csv
sh lathe train ten.csv --target y --set trees=3 --name ten 2> /dev/null
sh lathe train churn.csv --target monthly_charges --set loss=quantile --set alpha=0.1,0.9 --set trees=3 --name spread
sh lathe train churn.csv --target internet_service --set trees=3 --drop churn --name lines
sh lathe train churn.csv --target churn --set trees=20 --name boosted
sh lathe train churn.csv --target churn --model naive_bayes --name naive
sh sed 's/tenure/months/' churn.csv > other.csv
sh lathe train other.csv --target churn --model logistic --name gone && rm other.csv
open a 80x24 xterm-256color churn.csv
wait 7,043 rows
type 3
wait boosted
type jj
wait ✓a boosted
type <Enter>
wait why · boosted
wait by shares
wait 500 rows · log odds of churn = Yes
wait contract
row 24  WHY  i by  q back  r register  x actions  : commands  ? keys

test what the feature under the cursor does to the answer is drawn below
wait probability of churn = Yes by contract
wait Month-to-month
type j
wait probability of churn = Yes by tenure
gone Month-to-month

test i takes the next way
type i
wait by shuffling
wait what logloss loses
type i
wait by gain
wait what each input contributes
type i
wait by shares

test the curves come back
type q
gone why ·
wait compare

test a model that would have to be asked about every coalition is shuffled first
type k
wait ✓a naive
wait ● a 
type <Enter>
wait why · naive
wait by shuffling

test without its table the importance is what the model knows
type qk
wait ✓a gone
type <Enter>
wait by gain
wait its table is not here
wait months

test another run is explained when the cursor moves to it
type <C-w>h
type j
wait why · naive
wait by shuffling
resize 160x48
wait why · naive
wait probability of churn = Yes by
resize 40x10
wait naive
resize 80x24
wait why · naive

test of several classes each has a column, in their order
type jj
wait ✓a lines
wait why · lines
wait DSL
type <C-w>l
type j
wait classes of internet_ser
wait       DSL  Fiber optic      No
type <C-w>h
row 24  RUNS  Enter why  r register  x actions  : commands  ? keys

test of several quantiles each has one, too
type j
wait ✓a spread
wait why · spread
wait quantiles of monthly_charges by
wait q0.1      q0.9

test of more classes than there are lines it is told first how many are drawn
type j
wait ✓a ten
wait why · ten
wait 7 of 10 classes · probabi
type 1
wait 7,043 rows
type Q
ended 0
modes clean
