#!/bin/sh
# Parquet files of DuckDB and hyparquet-writer are read, and ours by DuckDB and
# hyparquet; all agree.  The programs are npm packages, looked for below
# LATHE_PEERS: npm install --prefix DIR @duckdb/node-api hyparquet \
#   hyparquet-compressors hyparquet-writer
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

peers=${LATHE_PEERS:-/nowhere}/node_modules
if ! command -v node > /dev/null 2>&1; then
    skip "Parquet beside other programs" "no node"
elif [ ! -d "$peers/@duckdb/node-api" ] || [ ! -d "$peers/hyparquet-writer" ]; then
    skip "Parquet beside other programs" "no npm packages below LATHE_PEERS"
else
    # Modules are looked for beside the script.
    cp "$LATHE_SOURCE/tests/frame/parquet.mjs" .
    ln -s "$peers" node_modules
    node parquet.mjs "$LATHE_BUILD/tests/frame/parquet_lines" > told 2> why
    is "$?" 0 "the script comes to its end"
    sed 's/^/# /' why
    while read -r status name; do
        ok "$status" "$name"
    done < told
fi
done_testing
