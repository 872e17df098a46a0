# A table that takes more memory than tables may have: its first rows show, and
# what is asked of it is asked of all rows, or says that it is not.  The numbers
# are counted by hand from how the file is made, with Python.  Its file is opened
# to see what it is, for its head, and for the first rows.
test a table larger than memory shows its first rows and says so
sh awk 'BEGIN { print "id,city,score,day,note"; for (i = 0; i < 1200000; i++) printf "%d,%s,%s,2024-%02d-%02d,note %d\n", i, i % 7 == 3 ? "" : "city " (i * 7919) % 50, i % 11 == 5 ? "" : (i * 7919) % 1000 / 8, 1 + i % 12, 1 + i % 28, i }' > big.csv
copy samples/churn/churn.csv
env LATHE_MEMORY=64M
hold big.csv 2
open a 100x24 xterm-256color big.csv
wait big.csv · first
release big.csv
wait larger than memory: these are the first
wait big.csv · 1,200,000 rows × 5 columns · larger than memory
wait rows · first 
wait of 1,200,000

test its numbers are those of the first rows, and say so
wait ─ of the first 

test the profile of all rows takes their place
type I
wait columns of big.csv · 5 rows
wait 1200000   171429
type U
wait big_columns = big:profile():describe()
type qq
wait ─ of all rows ─
wait i64     0.0 1,200,000

test a filter gives a table of all rows that match
type fscore > 124<Enter>
wait big.csv:score > 124 · 7,636 rows
wait all rows of big.csv that match
type U
wait big = lathe.scan("big.csv")
wait big = big:where("score > 124")
wait big_score_124 = big:collect()
type qq
wait of 1,200,000

test what does not fit says what to do
type fid >= 0<Enter>
wait filter further, sample with gx
wait of 1,200,000

test a sort gives the first of all rows in that order
type gcscore<Enter>S
wait big.csv:top by -score · 100,000 rows
wait ▸    321  city 49  124.875
type q
wait of 1,200,000

test frequencies are those of all rows and lead to their rows
type gccity<Enter>F
wait values of city · big.csv · 51 rows
type G
wait ∅        171429
type <Enter>
wait 171,429 rows × 5 columns
type q
wait values of city
type q
wait of 1,200,000

test groups, gaps and copies are those of all rows
type gb<C-u>city: n = count(), max(score)<Enter>
wait groups of big.csv · 51 rows
type U
wait big:group({ "city" }, { "n = count()", "max(score)" }):collect()
type qqgm
wait missing in big.csv · 5 rows
wait 155845
type qgp
wait missing together in big.csv · 4 rows
wait 15584
type q
wait of 1,200,000

test a sample is drawn from all rows
type gx1%<Enter>
wait big.csv:sample 1% · 12,000 rows
wait drawn from all rows
type q
wait of 1,200,000

test a computed column is a step that the file is gone through with
type =half = score / 2<Enter>
wait half
type fhalf > 62.4<Enter>
wait :half > 62.4 · 1,091 rows
type U
wait big = big:with{ half = "score / 2" }
wait big = big:where("half > 62.4")
type qq
wait of 1,200,000

test a join looks all rows up
file small.csv
city,land
city 7,north
city 8,south
end
type :open-file small.csv<Enter>
wait small.csv · 2 rows
type abig<Enter>
wait of 1,200,000
type &small<Enter>
wait join with small.csv
type <C-u>inner by city<Enter>
wait big.csv:inner small.csv · 
wait × 7 columns

test a join from the smaller one says where it works
type q
wait of 1,200,000
type asmall<Enter>
wait small.csv · 2 rows
type &
wait 1,200,000 × 6
type <Enter>
wait join with big.csv
type <Enter>
wait is larger than memory: join from there
type abig<Enter>
wait of 1,200,000

test all rows are written
type Eall.csv<Enter>
wait wrote 
sh test "$(wc -l < all.csv)" = 1200001
sh head -1 all.csv | grep -q '^id,city,score,day,note,half$'

test what is being made is stopped by Esc
env LATHE_THREADS=1
type Qy
ended 0
open b 100x24 xterm-256color big.csv
wait of 1,200,000
hold big.csv
type S<Esc>
wait stopped
release big.csv
wait of 1,200,000

test a search says that it looks at the first rows
type gg/^city 19<Enter>
wait of the first rows

test the list of tables tells how large they are
type a
wait 1,200,000 × 5
type <Esc>
gone ─ tables
type Qy
ended 0

test what the project's cache has is read from there
env LATHE_THREADS=
sh mkdir -p .lathe && env -u LATHE_MEMORY lathe head big.csv > /dev/null && test -n "$(ls .lathe/cache)"
sh touch -d 2001-01-01 .lathe/cache/*.arrow
open c 100x24 xterm-256color big.csv
wait big.csv · 1,200,000 rows × 5 columns · larger than memory
sh test -z "$(find .lathe/cache -name '*.arrow' ! -newermt 2002-01-01)"
sh touch -d 2001-01-01 .lathe/cache/*.arrow
type gccity<Enter>F
wait values of city · big.csv · 51 rows
sh test -z "$(find .lathe/cache -name '*.arrow' ! -newermt 2002-01-01)"
type Qy
ended 0

test how it is read is part of its Lua, and of what trains on it
sh tr , ';' < big.csv > semicolons.csv
open d 100x24 xterm-256color small.csv
wait small.csv · 2 rows
type :open-file semicolons.csv --delimiter ; --types id=text --null "city 7"<Enter>
wait semicolons.csv · about 1,200,000 rows × 5 columns · larger than memory
type U
wait semicolons = lathe.scan("semicolons.csv", { delimiter = ";",
wait types = { "id=text" }, nulls = { "city
type q
type m<C-u>id<Enter>
wait target 'id' has over 256 classes
type Qy
ended 0
