# tests/lib/tap.sh -- sourced by the shell tests: ok, is, like, skip, done_testing,
# and column.
# SPDX-License-Identifier: GPL-3.0-or-later
tap_n=0
lathe="$LATHE_BUILD/lathe"
tap_dir=$(mktemp -d "${TMPDIR:-/tmp}/lathe-test.XXXXXX") || exit 99
trap 'rm -rf "$tap_dir"' EXIT
cd "$tap_dir" || exit 99

ok() { # ok STATUS NAME
    tap_n=$((tap_n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tap_n - $2"
    else
        echo "not ok $tap_n - $2"
    fi
}
is() { # is GOT WANT NAME
    [ "$1" = "$2" ]
    tap_rc=$?
    ok $tap_rc "$3"
    [ $tap_rc -eq 0 ] || printf '# got:  %s\n# want: %s\n' "$1" "$2" | sed '2,$s/^\([^#]\)/# \1/'
}
like() { # like TEXT EXTENDED-REGEX NAME
    printf '%s\n' "$1" | grep -Eq -- "$2"
    tap_rc=$?
    ok $tap_rc "$3"
    [ $tap_rc -eq 0 ] || { echo "# no match for: $2"; printf '%s\n' "$1" | sed 's/^/# /'; }
}
skip() { # skip NAME REASON; a missing tool fails in CI
    tap_n=$((tap_n + 1))
    if [ -n "${CI:-}" ]; then
        echo "not ok $tap_n - $1 ($2, and CI must have it)"
    else
        echo "ok $tap_n - $1 # SKIP $2"
    fi
}
lacks() { # lacks NAME REASON; a program that no package brings, in CI too
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}
done_testing() { echo "1..$tap_n"; }

column() { # column FILE NAME: of a CSV, without its header
    awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' "$1"
}
