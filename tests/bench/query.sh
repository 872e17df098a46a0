#!/bin/sh
# Filter, group, sort and join beside DuckDB and Polars, in one run, 2 threads.
#
#   make tests/bench/bench_query && ../tests/bench/query.sh TABLE.csv PEERS [RUNS]
#
# from the folder of the build.  TABLE.csv: 2 million rows with the columns the
# questions name; PEERS: a folder where `npm install nodejs-polars
# @duckdb/node-api` was run.  Prints seconds, and ours over the best peer's.
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
table=$1 peers=$2 runs=${3:-5}
here=$(cd "$(dirname "$0")" && pwd)
cp "$here/query.mjs" "$peers/query.mjs"
{
    tests/bench/bench_query -t 2 -n "$runs" "$table"
    (cd "$peers" && node query.mjs duckdb "$table" "$runs")
    (cd "$peers" && POLARS_MAX_THREADS=2 node query.mjs polars "$table" "$runs")
} | awk '
    { took[$1, $2] = $3; rows[$1, $2] = $4 }
    $1 == "lathe" { name[++n] = $2 }
    END {
        printf "%-14s %9s %8s %8s %8s %7s\n", "", "rows", "lathe", "duckdb", "polars", "ratio"
        for (i = 1; i <= n; i++) {
            q = name[i]; d = took["duckdb", q]; p = took["polars", q]
            printf "%-14s %9d %8.4f %8.4f %8.4f %7.2f", q, rows["lathe", q], took["lathe", q], d, p,
                took["lathe", q] / (d < p ? d : p)
            if (rows["lathe", q] != rows["duckdb", q] || rows["lathe", q] != rows["polars", q])
                printf "  rows differ: %d %d", rows["duckdb", q], rows["polars", q]
            printf "\n"
        }
    }'
