#!/bin/sh
# Arrow files and streams of Polars are read, and ours by Polars; all agree.
# Polars is an npm package, looked for below LATHE_PEERS:
#   npm install --prefix DIR nodejs-polars
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir"
peers=${LATHE_PEERS:-/nowhere}/node_modules
# Modules are looked for beside the script.
[ -d "$peers" ] && ln -s "$peers" node_modules
# Its library for this machine is an optional package, which npm may leave out.
if ! echo 'import "nodejs-polars"' | node --input-type=module > /dev/null 2>&1; then
    skip "Arrow beside Polars" "no node, or no nodejs-polars below LATHE_PEERS"
else
    cp "$LATHE_SOURCE/tests/frame/arrow.mjs" .
    node arrow.mjs > told 2> why
    is "$?" 0 "the script comes to its end"
    sed 's/^/# /' why
    while read -r status name; do
        ok "$status" "$name"
    done < told
    is "$(wc -l < told | tr -d ' ')" 6 "after all of its checks"
fi
done_testing
