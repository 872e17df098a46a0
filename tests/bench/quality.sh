#!/bin/sh
# tests/bench/quality.sh -- our defaults beside those of others, same folds.
#
#   make tests/bench/quality && tests/bench/quality.sh [TABLE TARGET [MODEL...]]
#
# From the build folder.  Without arguments: the churn table of the samples.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
table=${1:-$here/../../samples/churn/churn.csv}
target=${2:-churn}
[ $# -lt 2 ] || shift 2
folds=$(mktemp)
trap 'rm -f "$folds"' EXIT
./tests/bench/quality "$table" "$target" "$folds" "$@"
if python3=$(command -v /usr/bin/python3) &&
    "$python3" -c 'import sklearn, xgboost, pandas' 2>/dev/null; then
    "$python3" "$here/quality.py" "$table" "$target" "$folds"
else
    echo "python3-pandas, python3-sklearn or python3-xgboost is missing:" \
        "nothing to compare with"
fi
