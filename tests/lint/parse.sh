#!/bin/sh
# Scripts parse, also those that are run by hand or only beside other programs.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

check() { # check NAME TOOL EXTENSION COMMAND...
    name=$1 tool=$2 extension=$3
    shift 3
    if ! command -v "$tool" > /dev/null 2>&1; then
        skip "$name" "no $tool"
        return
    fi
    bad=
    for f in "$LATHE_SOURCE"/tests/*/*."$extension"; do
        "$@" "$f" > why 2>&1 || { bad="$bad ${f##*/}"; sed 's/^/# /' why; }
    done
    is "$bad" "" "$name"
}

# What it compiles to stays out of the source tree.
PYTHONPYCACHEPREFIX=$tap_dir
export PYTHONPYCACHEPREFIX
check "each .py is Python" python3 py python3 -m py_compile
check "each .mjs is JavaScript" node mjs node --check
check "each .sh is a shell's" sh sh sh -n
done_testing
