#!/bin/sh
# The profile of a table beside DuckDB's SUMMARIZE, in one run, 2 threads.
#
#   make tests/bench/bench_profile && ../tests/bench/profile.sh PEERS TABLE.csv...
#
# from the folder of the build.  PEERS: a folder where `npm install
# @duckdb/node-api` was run.  Prints seconds, and ours over theirs.
# SPDX-License-Identifier: GPL-3.0-or-later
set -e
peers=$1 runs=${RUNS:-5}
shift
here=$(cd "$(dirname "$0")" && pwd)
cp "$here/profile.mjs" "$peers/profile.mjs"
printf '%-20s %8s %8s %7s\n' "" lathe duckdb ratio
for table in "$@"; do
    {
        tests/bench/bench_profile -t 2 -n "$runs" "$table"
        (cd "$peers" && node profile.mjs "$table" "$runs")
    } | awk -v name="$(basename "$table")" '
        { took[$1] = $3 }
        END { printf "%-20s %8.4f %8.4f %7.2f\n", name, took["lathe"], took["duckdb"], took["lathe"] / took["duckdb"] }'
done
