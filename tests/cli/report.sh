#!/bin/sh
# The HTML report of a profile, opened in a browser that no one here wrote.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"
data=$LATHE_SOURCE/samples/churn/churn.csv

"$lathe" profile "$data" --target churn --all --html report.html > out
is "$?" 0 "a report is written"
is "$(cat out)" "" "and nothing printed beside it"
is "$("$lathe" profile "$data" --html - | head -c 15)" "<!DOCTYPE html>" "- is standard output"
ok "$([ "$(wc -c < report.html)" -lt 1048576 ]; echo $?)" "twenty columns take less than a megabyte"
"$lathe" profile "$data" --html absent/report.html 2> err
is "$?" 1 "a folder that is not there is exit status 1"
like "$(cat err)" "absent/report.html" "and is named"
like "$("$lathe" profile "$data" --redact)" 'one value' "--redact leaves values out"

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$browser" ]; then
    skip "the page in a browser" "no chromium"
    done_testing
    exit
fi
mkdir home
view() { # view URL: the page as its script leaves it; the console in `console`
    HOME=$PWD/home timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --user-data-dir="$PWD/home/chromium" --enable-logging=stderr --virtual-time-budget=3000 \
        --dump-dom "$1" 2> console
}
view "file://$PWD/report.html" > dom
like "$(cat dom)" 'kind warn">HIGH_CORRELATION' "the alerts are there"
is "$(grep -c 'section class="column"' dom)" 20 "and the twenty columns"
is "$(grep -o 'data-measure="[a-z_]*" hidden' dom | wc -l | tr -d ' ')" 5 "of six measures one is shown"
is "$(grep CONSOLE console)" "" "the console has nothing to say"

view "file://$PWD/report.html#q=charges" > dom
is "$(grep 'section class="column"' dom | grep -vc 'hidden=""')" 2 "a search shows the two columns of that name"
like "$(cat dom)" 'id="found" class="dim">2 columns<' "and says so"
view "file://$PWD/report.html#q=imbalance" > dom
is "$(grep 'section class="column"' dom | grep -v 'hidden=""' | grep -o 'data-name="[a-z_]*')" 'data-name="phone_service' \
    "a search finds alerts too"
done_testing
