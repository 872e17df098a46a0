# Sheets and charts made from a table in Data, and the way back to its rows.
test the values of a column lead to their rows, and q to the values
copy samples/churn/churn.csv
file fees.csv
contract,fee
One year,5
Two year,7
end
file gaps.csv
a,b,c
1,x,2025-01-30
2,,2025-02-28
1,x,2025-01-30
,,2025-03-01
end
open a 80x24 xterm-256color churn.csv
wait 7,043 rows × 20 columns
type F
wait values of churn · churn.csv · 2 rows
wait SHEET  Enter rows  q back
wait Yes     1869  0.2654
type j<Enter>
wait churn.csv:churn = 'Yes' · 1,869 rows × 20 columns
type q
wait values of churn · churn.csv · 2 rows
wait ▸Yes
type q
wait churn.csv · 7,043 rows × 20 columns

test a text with a zero byte leads to its rows, too
sh printf '{"a":"x\\u0000y\\\\z","n":1}\n{"a":"x","n":2}\n{"a":"x\\u0000y\\\\z","n":3}\n' > zero.jsonl
type :open-file zero.jsonl<Enter>
wait zero.jsonl · 3 rows × 2 columns
type gca<Enter>F
wait values of a · zero.jsonl · 2 rows
type <Enter>
wait · 2 rows × 2 columns
type :steps<Enter>
wait zero:where("a = e'x\\x00y\\\\z'")
type qqq
wait zero.jsonl · 3 rows × 2 columns
type w
wait churn.csv · 7,043 rows × 20 columns

test Right leads into the column under the cursor, and Left back
type <Right>
wait values of churn · churn.csv · 2 rows
type l
wait values of churn · churn.csv · 2 rows
type hh
wait churn.csv · 7,043 rows × 20 columns

test a table that q closes comes back
type F
wait values of churn
type j<Enter>
wait churn.csv:churn = 'Yes' · 1,869 rows × 20 columns
type gb<C-u>contract: count()<Enter>
wait groups of churn.csv:churn = 'Yes' · 3 rows
type q
wait closed churn.csv:churn = 'Yes':by contract; u brings it back
type u
wait groups of churn.csv:churn = 'Yes' · 3 rows
type qqq
wait churn.csv · 7,043 rows × 20 columns

test a prompt says what it takes, and completes within an expression
type gb<C-u>contract: mean(tota<Tab>
wait as  city: n = count()
wait mean(total_charges
type <C-g>
gone mean(
type E
wait .parquet .arrow
type <C-g>
gone .parquet

test the help finds what people look for
type ?save
wait write to a file
type <C-g>
gone type to filter
type ?export
wait write to a file
type <C-g>
gone type to filter
type ?undo
wait undo
wait brings the closed table back
type <C-g>
gone type to filter
type ?close
wait close the table
type <C-g>
gone type to filter

test what is being made can be stopped
type F<C-g>
wait stopped
gone values of churn
row 2 ─ churn.csv · 7,043 rows × 20 columns~

test marked values are opened together, and the Lua says so
type jjjjjF
wait values of tenure · churn.csv · 73 rows
type <Space><Space>
wait ●
type <Enter>
wait 975 rows × 20 columns
type :steps<Enter>
wait where("(tenure = 1) or (tenure = 72)")
type qqq
wait churn.csv · 7,043 rows × 20 columns

test numbers of many values are counted in ranges
type <Tab>$hF
wait ranges of monthly_charges · churn.csv · 11 rows
wait 10    20    613
type gf<C-u>3<Enter>
wait ranges of monthly_charges · churn.csv · 3 rows
type <Enter>
wait churn.csv:monthly_charges >= 0
wait · 2,294 rows × 20 columns
type qq
wait churn.csv · 7,043 rows × 20 columns
type <S-Tab>
wait churn.csv · 7,043 rows × 20 columns

test the description is a sheet whose rows lead to their columns
type I
wait columns of churn.csv · 20 rows
type jjjjj
wait ▸tenure
type <Enter>
wait churn.csv · 7,043 rows × 20 columns
wait ─ tenure ─
type q
wait columns of churn.csv · 20 rows
type q
wait churn.csv · 7,043 rows × 20 columns

test groups are asked for with a proposal, and lead to their rows
type :group<Enter>
wait group by: 
type <C-u>contract, churn: n = count(), fee = mean(monthly_charges)<Enter>
wait groups of churn.csv · 6 rows
wait 1307  62.51
type <Enter>
wait churn.csv:contract = 'Month
wait · 2,220 rows
type qq
wait churn.csv · 7,043 rows × 20 columns
type W<C-u>contract / churn: count()<Enter>
wait groups by churn · churn.csv · 3 rows
wait 1655
type <Enter>
wait churn.csv:contract = 'Month
wait · 3,875 rows
type qll<Enter>
wait churn.csv:contract = 'Month
wait · 1,655 rows
type q<Space><Space><Enter>
wait … · 1,821 rows × 20 columns
type qq
wait churn.csv · 7,043 rows × 20 columns

test columns that are marked are proposed as the keys
type gg<Space>jjjj
type <Space>
wait 2 columns are marked; gb groups by them
wait ●tenure
type gb
wait group by: churn, tenure: n = count(), mean(
type <C-g>
gone group by:
type *
wait 18 columns are marked
type *ggjjjjj<Space>gg<Space>
wait 0 columns are marked
gone ●

test what a group lacks is said
type gb<C-u>contact: count()<Enter>
wait no column 'contact' (did you mean 'contract'?)
type gb<C-u>contract / <Enter>
wait a column is missing behind the slash

test relations are shaded, and lead to a chart of the two
type C
wait relations in churn.csv
wait 0.36
type llllll<Enter>
wait groups of churn.csv · 2 rows
wait 37.57
type qq
type q
wait churn.csv · 7,043 rows × 20 columns

test a join asks for the table, how and by what
type :open fees.csv<Enter>
wait fees.csv · 2 rows
type &
wait join with
type churn.csv<Enter>
wait join with churn.csv: inner by contract
type <C-u>left by contract<Enter>
wait 2 of 2 rows here have a partner, 3,168 of 7,043 there
wait 3,168 rows × 21 columns
type :steps<Enter>
wait fees:join(churn, { by = { "contract" }, how = "left" })
type qq
wait fees.csv · 2 rows
type w

test what is missing and what is repeated
type :open gaps.csv<Enter>
wait gaps.csv · 4 rows × 3 columns
type gm
wait missing in gaps.csv · 3 rows
type j<Enter>
wait gaps.csv:b is null · 2 rows × 3 columns
type qq
wait gaps.csv · 4 rows × 3 columns
type gp
wait missing together in gaps.csv · 3 rows
type j<Enter>
wait 1 row × 3 columns
type qq
wait gaps.csv · 4 rows × 3 columns
type gn
wait gaps.csv:with missing values · 2 rows
type q
type gd
wait repeated rows in gaps.csv · 1 row
wait 1 row repeats an earlier one; Enter shows the copies
type <Enter>
wait 2 rows × 3 columns
type qq
wait gaps.csv · 4 rows × 3 columns
type w
wait churn.csv · 7,043 rows × 20 columns

test a chart shows the column, its neighbour, and its classes
type :histogram<Enter>
wait PLOT
type 99h
wait 5,174   73.5% ████
type lllll
wait ranges of 2 · rows
wait 600┤
wait ⣿⣿⣿
type }
wait ranges of 1 · rows
type a
wait log y
type aaac
wait no column is the target: @ on one makes it the target
type hhhhhq@
wait churn is the target
type .lllllc
wait a No 5,174   b Yes 1,869
wait percent of each class
wait b
type c
type q

test a cloud of two columns is zoomed, and said when it cannot be
type X<C-u>monthly_charges<Enter>
wait monthly_charges ↑
wait 7,043 rows
type +
wait part
type =
gone part
type q
type X<C-u>contract<Enter>
wait contract is text: a cloud of points wants numbers or times
type q
wait churn.csv · 7,043 rows × 20 columns

test a chart is written as a picture
type .E<C-u>tenure.svg<Enter>
wait wrote
sh grep -q '<svg' tenure.svg
type q

test the same at 160x48 without colour
env NO_COLOR=1
open b 160x48 xterm-256color churn.csv
wait 7,043 rows × 20 columns
type .c
wait percent of each class
colour none
type q
wait 7,043 rows × 20 columns
type Qy
ended 0

test a table whose file was cut is refused as often as it is asked
env NO_COLOR=
sh awk 'BEGIN { print "n,m"; for (i = 0; i < 40000; i++) print i % 9 "," i }' > cut.csv && lathe convert cut.csv cut.arrow
open c 80x24 xterm-256color cut.arrow
wait cut.arrow · 40,000 rows × 2 columns
type F
wait values of n · cut.arrow · 9 rows
type q
wait cut.arrow · 40,000 rows × 2 columns
sh truncate -s 100000 cut.arrow
type F
wait cut.arrow: it became shorter
type j
gone became shorter
type F
wait cut.arrow: it became shorter
type j
gone became shorter
type fn > 3<Enter>
wait cut.arrow: it became shorter
type j
gone became shorter
type Ecopy.csv<Enter>
wait cut.arrow: it became shorter
sh test ! -e copy.csv
type Qy
ended 0
