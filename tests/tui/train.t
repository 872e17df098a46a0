# A model straight from the table that is looked at.
copy samples/churn/churn.csv

test the last column is proposed, and a name that is not there stays in the view
open a 80x24 xterm-256color churn.csv
wait 7,043 rows × 20 columns
row 24  DATA  o open  F freq  f filter  m train~
type m
wait column to predict: total_charges
type <C-u>chrun<Enter>
wait did you mean 'churn'
wait 7,043 rows × 20 columns

test Tab completes a column
type m<C-u>payment_<Tab>
wait column to predict: payment_method
type <C-g>
gone column to predict

test the target of the profile is proposed
type @
wait churn is the target
type m
wait column to predict: churn

test Enter trains, as lathe train does, and the curve is in Runs
type <Enter>
wait gradient boosting (gbdt) of churn, binary (No, Yes)
wait train: done
type q
wait ✓a run-1
sh lathe train churn.csv --target churn --name same
sh test $(lathe runs ls --json | grep -o '"artifact":"[0-9a-f]*"' | sort -u | wc -l) = 1

test what was made of the table since it was opened is learnt from
type 1=
wait name = expression:
type per_month = total_charges / max(tenure, 1)<Enter>
wait 7,043 rows × 21 columns
type m
wait column to predict: churn
type <Enter>
wait 20 inputs
type q
wait run-3
resize 160x48
type 1
wait 21 columns
wait m train
type Q
ended 0
modes clean
