#!/bin/sh
# Reading CSV and Parquet beside DuckDB, Polars and pandas, in one run, 2
# threads, each load in a fresh process.
#
#   make tests/bench/bench_load tests/bench/make_tables &&
#       ../tests/bench/load.sh FOLDER PEERS [RUNS [LOAD...]]
#
# from the folder of the build.  FOLDER: where higgs.csv and mixed.csv are, or
# are made when they are not, and the Parquet files and the cache made of them;
# PEERS: a folder where `npm install nodejs-polars @duckdb/node-api` was run.
# Prints the medians of RUNS (5): seconds, seconds of processor time, the peak
# of memory, and ours over the best peer's; fails when peers read another
# number of rows, columns or values.
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
here=$(cd "$(dirname "$0")" && pwd)
bench=$PWD/tests/bench
mkdir -p "$1"
folder=$(realpath "$1") peers=$2
shift 2
for table in higgs mixed; do
    if ! [ -f "$folder/$table.csv" ]; then
        "$bench/make_tables" $table >"$folder/$table.part"
        mv "$folder/$table.part" "$folder/$table.csv"
    fi
    [ -f "$folder/$table.lathe.parquet" ] || "$bench/bench_load" -n 1 \
        -w "$folder/$table.lathe.parquet" "$folder/$table.csv" >&2
done
cp "$here/load.mjs" "$peers/load.mjs"
cd "$peers"
exec node load.mjs "$bench/bench_load" "$folder" "$@"
