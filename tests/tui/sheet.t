# The sheet: cursor, widths, columns kept, hidden, moved, cast and renamed,
# sorts by several keys, filters from values, search.
test the cursor goes to a share of the rows
copy samples/churn/churn.csv
open a 80x24 xterm-256color churn.csv
wait 7,043 rows × 20
type <Tab>50%
wait 50% of the rows: row 3,522
wait row 3,522 ─
type %25<Enter>
wait row 1,762
type %101<Enter>
wait a share is 0 to 100, not "101"

test in a sorted column it is a quantile of the values
type gctenure<Enter>
wait ─ tenure ─
type s
wait ▲
type 50%
wait 50% of the values of tenure: 29
type %25%<Enter>
wait 25% of the values of tenure: 9

test a column by a wrong name says which is meant
type gctenur<Enter>
wait no column 'tenur' (did you mean 'tenure'?)

test further keys are numbered where they are
type lgS
wait ▼2
type gs
wait ▲2
gone ▼2
type :unsort<Enter>
gone ▲2
type u
wait ▲2
type uuuu
gone ▲2

test the value under the cursor filters, and the filter grows
type ggh
type gcchurn<Enter>
wait ─ churn ─
type ,
wait filter churn = 'No'
wait rows · 5,174
type gcfemale<Enter>
wait ─ female ─
type ;
wait churn = 'No' and female <>
type uu
wait rows · 7,043

test the numbers of a column are those of the rows that match
type gctenure<Enter>
wait ─ tenure ─
type ftenure > 60<Enter>
wait rows · 1,407
wait of these 1,407 rows
wait mean 68.1102
wait No 93%
type s
wait ▲ tenure
wait of these 1,407 rows
type uu
wait rows · 7,043
gone of these
wait mean 32.3711

test a hidden column can still be filtered by, and comes back to its place
type gcpartner<Enter>
wait ─ partner ─
type -
wait × 19 columns · 1 hidden
wait ─ dependents ─
type fpartner = 1<Enter>
wait rows · 3,402 · filter partner = 1
type +
wait × 20 columns
type f<C-u><Enter>
wait rows · 7,043
type gcpartner<Enter>h
wait ─ senior_citizen ─

test several hidden columns come back by a menu
type --
wait 2 hidden
type +
wait all of them
wait senior_citizen
type <Enter>
wait × 20 columns
gone hidden

test a column moves, and the cursor with it
type gctenure<Enter>
wait ─ tenure ─
type 9H
wait ─ tenure ─
type 0
wait ─ tenure ─
type L
type 0
wait ─ churn ─
type uu

test a new name is known to the filter and the sort
type gctenure<Enter>
wait ─ tenure ─
type ftenure > 60<Enter>
wait rows · 1,407
type S
wait ▼
type R<C-u>months here<Enter>
wait filter `months here` > 60
wait ─ months here ─
wait ▼
type R<C-u>female<Enter>
wait there are two columns 'female'
type U
wait churn = churn:rename{ tenure = "months here" }
type q
type uuu
wait rows · 7,043

test a cast says first what it loses
type gctotal_charges<Enter>
wait ─ total_charges ─
type t
wait total_charges, now float, as
wait change
wait nothing is lost
type <Esc>
gone now float
type t
wait now float
type int<Enter>
wait total_charges      i64
type U
wait churn:with{ total_charges = "int(total_charges)" }
type q
type u
wait total_charges      f64

test frozen columns stay at the left
type gcfemale<Enter>
wait ─ female ─
type ^
wait 2 columns stay; ^ lets go
type $
wait ─ total_charges ─
row 15 ‹churn  female │~
type gcfemale<Enter>^
wait all columns scroll

test a column grows, shrinks and fits
type gcchurn<Enter>
wait ─ churn ─
row 15  churn  female~
type <A-5>>
row 15  churn       female~
type <A-6><lt>
row 15  chu…  female~
type _
row 15  churn  female~
type __|
wait as wide as their values
type |
wait narrow columns
wait senior_…
type |
gone senior_…

test a press on a heading finds the column, another sorts by it
mouse 10 15
wait ─ female ─
mouse 10 15
wait ▲ female
mouse 10 15
wait ▼ female
mouse 10 15
gone ▼ female

test a search counts its matches and marks them
type gg0/^(1840.75|1889.5)$<Enter>
wait match 1 of 2 · row 2
style 1840.75|bg=221
type gg0/^month-to<Enter>
wait match 1 of 3,875 · row
type n
wait match 2 of 3,875
type NN
wait on from the end
wait match 3,875 of 3,875

test a search of all columns says in how many
type gg0/yes|no<Enter>
wait of 57,870 in 9 columns
type <C-g>
gone in 9 columns

test a capital makes capitals count
type gg/MONTH<Enter>
wait "MONTH" is not here
wait 0 matches
type <C-g>
gone 0 matches

test one column can be searched alone
type gcpayment_method<Enter>
wait ─ payment_method ─
type g/check<Enter>
wait match 2 of 3,977 in payment_method · row 2

test a filter changes the matches
type ,
wait · filter paymen…
wait match 2 of 1,612 in payment_method
type u
wait rows · 7,043
wait of 3,977 in payment_method
type <C-g>
gone in payment_method

test headings are searched, too, between the last match and the first
type gg0/^tech_sup<Enter>
wait in the heading tech_support
wait heading · 0 matches
type gg0/^contract$|^two year$<Enter>
wait match 1 of 1,695
type N
wait in the heading contract
wait heading · 1,695 matches
type N
wait on from the end
wait match 1,695 of 1,695
type n
wait in the heading contract
type n
wait on from the top
wait match 1 of 1,695
type <C-g>
gone of 1,695

test in the list of columns it is their names
type <Tab>/^tech<Enter>
wait ─ tech_support ─
type n
wait ─ tech_support ─
type <C-g><S-Tab>

test a search is forgotten while it still counts
type gg0/e<Enter><C-g>
gone searching
gone matches
type /zz|^1889.5$<Enter>
wait match 1 of 1

test a wrong pattern says where
type /(a<Enter>
wait pattern: missing closing parenthesis at character 3

test the frozen, cast and found go away with nothing left
type Qy
ended 0

test large numbers are written out, and those of a column are never cut
sh awk 'BEGIN { print "n,a,b,c,d,e,f,g"; for (i = 1; i <= 999; i++) printf "%d,1,2,3,4,5,6,7\n", i * i * 1001 }' > large.csv
open e 140x30 xterm-256color large.csv
wait large.csv · 999 rows × 8 columns
wait mean 333499833  sd 298272610  skew 0.639
wait 95% 
wait max 998999001
gone e+
type Qy
ended 0
