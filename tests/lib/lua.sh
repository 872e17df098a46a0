#!/bin/sh
# lua.sh FILE: run a Lua test inside lathe, in a project of its own.
# SPDX-License-Identifier: GPL-3.0-or-later
dir=$(mktemp -d "${TMPDIR:-/tmp}/lathe-lua.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
case $1 in
/*) file=$1 ;;
*) file=$(pwd)/$1 ;;
esac
cd "$dir" || exit 99
"$LATHE_BUILD/lathe" run "$file" 2>&1 || echo "Bail out! lathe run ended with $?"
