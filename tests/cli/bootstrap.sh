#!/bin/sh
# ./bootstrap: what it says where packages are missing, and that a second call
# has nothing to do.  dpkg-query, id, sudo and configure are played by stubs.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

stub() { # stub NAME: the script is standard input
    { echo '#!/bin/sh'; cat; } > "$1"
    chmod +x "$1"
}

mkdir -p bin top/tests/lib
cp "$LATHE_SOURCE/bootstrap" top/
cp "$LATHE_SOURCE/tests/lib/summary.sh" top/tests/lib/
: > top/configure.ac; : > top/Makefile.am; : > top/Makefile.in
# The packages asked about, all but those in $ABSENT.
stub bin/dpkg-query <<'EOF'
echo call >> "$CALLS"
shift 3
for p in "$@"; do
    case " $ABSENT " in
    *" $p "*) echo "dpkg-query: no packages found matching $p" >&2 ;;
    *) printf '%s:installed ' "$p" ;;
    esac
done
EOF
echo 'echo 1000' | stub bin/id
echo 'exit 1' | stub bin/sudo
echo 'exit 1' | stub bin/apt-get
# As automake has it: the stamp is written after config.h.
stub top/configure <<'EOF'
printf 'lathe: config.h\n\techo built; cp config.h lathe\ncheck:\n\techo checked\nconfig.h: stamp-h1\n\t@test -f $@\nstamp-h1:\n' > Makefile
echo "S[\"HAVE_CMOCKA_TRUE\"]=\"$NO_CMOCKA\"" > config.status
touch -d '1 minute ago' config.h
touch -d '50 seconds ago' stamp-h1
EOF
touch -d '2 minutes ago' top/configure.ac top/Makefile.am
bootstrap() { PATH="$tap_dir/bin:$PATH" CALLS="$tap_dir/calls" ABSENT="$absent" NO_CMOCKA="$no_cmocka" ./top/bootstrap "$@" 2>&1; }

no_cmocka="#"
absent="gnuplot-nox zlib1g-dev"
out=$(bootstrap build)
is $? 1 "where nobody may install, it stops with status 1"
is "$(printf '%s\n' "$out" | tail -1)" "  apt-get install --no-install-recommends zlib1g-dev gnuplot-nox " "and prints the exact line for what is missing"

absent=
out=$(bootstrap build)
is $? 0 "with all packages there it configures and compiles"
like "$out" "bootstrap: configure" "saying that it configures"
like "$out" "built" "and it compiles"
: > calls
is "$(bootstrap build)" "" "a second call does nothing"
is "$(grep -c . calls)" 1 "and asks once for all packages"
no_cmocka=
like "$(bootstrap check)" "bootstrap: configure" "a check configures again when it was without the tests' libraries"
out=$(bootstrap check)
like "$out" "^checked$" "the next one runs the suite"
is "$(printf '%s\n' "$out" | grep -c configure)" 0 "and configures no more"
is "$(bootstrap nonsense)" "usage: ./bootstrap demo | check | build" "any other word gets the usage"

done_testing
