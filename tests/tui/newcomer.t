# What someone who is here for the first time meets.
copy samples/churn/churn.csv
file months.csv
day,number
2025-01-05,-0.123456
2025-02-07,1234567.5
2026-11-30,3
end

test empty views say the next step
open a 80x24 xterm-256color
wait Start here
type 4
wait No models registered yet
wait 3 goes to the runs, where r registers a model
type 5
wait Nothing is served yet
wait 4 goes to the registry, where d deploys a version
wait 3 goes to the runs, where r registers a model first

test a frequency table fills the screen, and nothing is wrong with it
type :open churn.csv<Enter>
wait 7,043 rows × 20 columns
type jjjjjF
wait values of tenure · churn.csv · 73 rows
wait 613  0.0870  ██████
gone identifier

test what is too long for its place is said with fewer digits
type :open months.csv<Enter>
wait months.csv · 3 rows
row 4  day                date    0.0         3 2025-01 2025-02 2026-11 ~
row 5  number             f64     0.0         3 -0.1235       3 1234568 ~

test registering proposes the name of the table
type :train churn.csv --target churn --set trees=4 --name first<Enter>
wait run 
type q3
wait first
type r
wait name of the model: churn
type <Enter>
wait added churn/1
type r
wait name of the model: churn
type 2<Enter>
wait added churn2/1

test the registry's bar has what it is for
type 4
row 24  REGISTRY  t stage  d deploy  b roll back~
wait churn/1

test a wrong key is no answer to yes or no
type t
wait answers requests
type <Enter>
wait to Production?
type x
wait please answer:
wait to Production?
type 4
wait please answer:
type n
gone Production?
sh ! lathe registry history | grep stage
type t
wait answers requests
type <Enter>
wait to Production?
type <C-g>
gone Production?
sh ! lathe registry history | grep stage
type t
wait answers requests
type <Enter>
wait to Production?
type xy
wait promoted
type Q
ended 0
modes clean
