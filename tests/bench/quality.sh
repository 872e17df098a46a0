#!/bin/sh
# tests/bench/quality.sh -- our defaults beside those of others, same folds.
#
#   make tests/bench/quality && ../tests/bench/quality.sh FOLDER
#   make tests/bench/quality && ../tests/bench/quality.sh TABLE TARGET [MODEL...]
#
# From the build folder.  FOLDER: wa_churn.csv, credit_data.csv, ames.csv,
# diamonds.csv and digits.csv, all of which are told, then each program's mean
# rank and how far it is behind the best where that is worst.
# SPDX-License-Identifier: GPL-3.0-or-later
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3=/usr/bin/python3

# table NAME TARGET [MODEL...]
table() {
    echo "$1 $2"
    name=$1 target=$2
    shift 2
    ./tests/bench/quality "$name" "$target" "$work/folds" "$@" |
        tee -a "$work/all"
    if "$python3" -c 'import sklearn, xgboost, pandas' 2>/dev/null; then
        "$python3" "$here/quality.py" "$name" "$target" "$work/folds" |
            tee -a "$work/all"
    else
        echo "python3-pandas, python3-sklearn or python3-xgboost is missing:" \
            "nothing to compare with"
    fi
}

if [ -d "$1" ]; then
    for t in wa_churn:churn credit_data:Status ames:Sale_Price \
        diamonds:price digits:target; do
        table "$1/${t%:*}.csv" "${t#*:}"
    done
    [ ! -x "$python3" ] || "$python3" "$here/quality.py" --rank <"$work/all"
else
    table "$@"
fi
