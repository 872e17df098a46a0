# Endpoints by their keys: deploy, ask, watch, stop, start, remove.
copy samples/churn/churn.csv
sh lathe train churn.csv --target churn --register churn --set trees=4
sh lathe train churn.csv --target churn --register churn --set trees=8
open a 80x24 xterm-256color
wait Start here

test without any the view says how to get one
type 5
wait Nothing is served yet

test a version is deployed from the registry
type 4
wait churn/2 · card
type d
wait name of the endpoint:
type live<Enter>
wait Endpoints
wait ● up
wait churn/2
wait 0 requests
wait no requests yet: t sends one
wait asked against trained
wait p99 ms err %

test a good line is answered, and counted; Tab knows the columns
type t
wait JSON: {"
type <Tab>
wait completions
wait monthly_charges
type ten<Tab>
wait JSON: {"tenure":
type 2, "contr<Tab>
wait {"tenure": 2, "contract":
type "Month-to-month"}<Enter>
wait > {"tenure": 2, "contract": "Month-to-month"}
wait 200 in
wait {"predictions": [0.
wait 1 requests · 4xx 0

test so is one in a form of MLflow's
type t
wait JSON:
type <C-u>{"dataframe_records": [{"tenure": null}]}<Enter>
wait > {"dataframe_records"
wait 2 requests · 4xx 0

test a line that is no JSON says where
type t
wait JSON:
type <C-u>{"dataframe_records": [}<Enter>
wait · the body: byte 24: not JSON
wait 3 requests · 4xx 1

test a field that is not known is named
type t
wait JSON:
type <C-u>{"dataframe_records": [{"tenur": 2}]}<Enter>
wait · row 1: no input 'tenur' (did you mean 'tenure'?)
wait 4xx 2

test a value of the wrong kind is named
type t
wait JSON:
type <C-u>{"dataframe_records": [{"tenure": "long"}]}<Enter>
wait · row 1: field 'tenure' is 'long', expected a number
wait 4xx 3

test the prompt remembers
type t
wait JSON:
type <Up><Up><Up><Up><Up>
wait Month-to-month
type <Enter>
wait 200 in
wait 6 requests · 4xx 3

test requests from elsewhere move the numbers too
sh for i in 1 2 3 4; do lathe endpoint invoke live '{"tenure": 70}' || exit; done
wait 10 requests

test the curl line works as it stands
type yy
wait OSC 52

test stopping asks, and a no keeps it
type o
wait stop live? clients get no answers then
type n
gone stop live?
wait ● up

test stopping
type o
wait stop live? clients get no answers then
type y
wait ○ stopped
sh ! lathe endpoint invoke live '{"tenure": 70}'

test asking a stopped one says so
type t
wait JSON:
type <C-u>{"tenure": 1}<Enter>
wait connect

test starting again
type o
wait ● up
sh lathe endpoint invoke live '{"tenure": 70}'

test another version is served after a check
type m
wait model (churn/3, churn@production):
type churn/1<Enter>
wait churn/1
wait → churn/1
wait ● up

test a model that does not exist changes nothing
type m
wait model (churn/3, churn@production):
type churn/9<Enter>
wait churn/9
wait ● up
wait → churn/1

test the log
type L
wait churn/1 at http://127.0.0.1:
type q
wait ● up

test an endpoint that died is seen
sh kill -9 $(lathe endpoint ls --json | grep -o '"pid": *[0-9]*' | grep -o '[0-9]*$')
wait its process ended by itself: L shows why, o starts it again
type o
wait ● up

test wide
resize 160x48
wait asked against trained
wait ● up
resize 80x24

test removing asks
type D
wait stop and forget live?
type n
wait ● up
type D
wait stop and forget live?
type y
wait Nothing is served yet
type Qy
ended 0
modes clean
dead
