# What tables and files say never drives the terminal: no colour, title or
# cleared screen, wherever a name or a value is shown.  A control is a point.
test names and values that are escapes are shown as what they are
sh printf '"\033[31mred","\033]0;t\007title","a""d]]",n\n\033[2J\033[Hgone,"]]--","it'"'"'s \033[7m",1\n\033[2J\033[Hgone,\302\233\062J,"\342\200\256mirror",2\nplain,x,y,3\n' > evil.csv
open a 100x30 xterm-256color evil.csv
wait 3 rows × 4 columns
wait ·[31mre
wait ▸·[2J·[Hgone
wait ·mirror

test so in the sheets about them
type <Tab>F
wait values of ·[31mred · evil.csv
wait ▸·[2J·[Hgone    2  0.6667
type <Enter>
gone plain
type :steps<Enter>
wait evil:where("`\x1b[31mred` = '\x1b[2J\x1b[Hgone'")
type qqq
wait evil.csv · 3 rows × 4 columns
type I
wait columns of evil.csv
wait ·]0;t·title
type q
wait evil.csv · 3 rows × 4 columns

test so in groups, charts and what is asked
type :group<Enter>
wait group by: 
type <C-u>`]] "`: count()<Enter>
wait no column ']] "'
type <C-g>
type :histogram<Enter>
wait ·[31mred
type <C-g>
