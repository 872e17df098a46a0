#!/bin/sh
# Filter, group, sort and join beside DuckDB and Polars, in one run, 2 threads.
#
#   make tests/bench/bench_query && ../tests/bench/query.sh TABLE.csv PEERS [RUNS [QUESTION...]]
#
# from the folder of the build.  TABLE.csv: 2 million rows with the columns the
# questions name; PEERS: a folder where `npm install nodejs-polars
# @duckdb/node-api` was run.  Prints the best of RUNS (5), seconds, and ours
# over the best peer's; fails when an answer is not the same.
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
table=$(realpath "$1") peers=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
ours=$PWD/tests/bench/bench_query
cp "$here/query.mjs" "$peers/query.mjs"
cd "$peers"
exec node query.mjs "$ours" "$table" "$@"
