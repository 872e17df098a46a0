#!/bin/sh
# Delimited text of pandas is read, and ours by pandas; all values agree, bit
# for bit.  Needs a python3 with pandas (Debian: python3-pandas).
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

export LATHE_PROJECT="$tap_dir" PYTHONDONTWRITEBYTECODE=1
python=
for p in /usr/bin/python3 python3; do
    [ -z "$python" ] && "$p" -c 'import pandas' 2> /dev/null && python=$p
done
if [ -z "$python" ]; then
    skip "CSV beside pandas" "no python3 with pandas"
else
    $python "$LATHE_SOURCE/tests/frame/csv_pandas.py" write . 2> why
    is "$?" 0 "pandas writes its tables"
    types=$($lathe schema plain.csv | sed '1d;s/  */ /g' | cut -d' ' -f1,2 | tr '\n' ' ')
    is "$types" "i int x float t text m float b bool d date w timestamp z timestamp " \
        "the columns have their types"
    for f in plain semi tabs quoted crlf bom latin sixteen; do
        encoding=
        [ $f = latin ] && encoding='--encoding latin1'
        # shellcheck disable=SC2086
        $lathe query $f.csv $encoding --out $f.out.csv > /dev/null 2> why
        is "$(cat why)" "" "there is nothing to say of $f"
    done
    $python "$LATHE_SOURCE/tests/frame/csv_pandas.py" read . > told 2> why
    while read -r status name; do
        ok "$status" "pandas finds its own values in $name as lathe wrote it"
    done < told
    sed 's/^/# /' why
    is "$(wc -l < told | tr -d ' ')" 8 "in all of them"
fi
done_testing
