#!/bin/sh
# The includes follow src/LAYERS, each header compiles alone, and third-party
# headers stay in their one home.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

src=$LATHE_SOURCE/src

# "FILE LAYER" of every source file; a wing of the engine is engine/WING, and
# what lists the wings is engine/family; so does what lists the formats.
layer_of() {
    case $1 in
    engine/family.* | engine/port/port.*) echo engine/family ;;
    engine/*/*) echo "$1" | cut -d/ -f1,2 ;;
    *) echo "$1" | cut -d/ -f1 ;;
    esac
}

# "A B": A may include B.
allowed() {
    awk '
        /^#/ || NF == 0 { next }
        /^ui:|^cli:/ {
            who = substr($1, 1, length($1) - 1)
            print who, who
            for (i = 2; i <= NF; i++) {
                print who, $i
                if ($i == "engine") print who, "engine/family"
            }
            next
        }
        /^engine:/ {
            n = 0; rank = 0
            for (i = 2; i <= NF; i++) {
                if ($i == "<") { rank++; continue }
                name = $i == "shared" ? "engine" : "engine/" $i
                part[++n] = name; at[n] = rank
            }
            for (i = 1; i <= n; i++) {
                print part[i], part[i]
                print part[i], "base"; print part[i], "frame"
                for (j = 1; j <= n; j++)
                    if (at[j] < at[i]) print part[i], part[j]
            }
            next
        }
        {
            n = 0
            for (i = 1; i <= NF; i++) if ($i != "<") seq[++n] = $i
            for (i = 1; i <= n; i++)
                for (j = 1; j <= i; j++) {
                    print seq[i], seq[j]
                    if (seq[j] == "engine" && i > j) print seq[i], "engine/family"
                }
        }' "$src/LAYERS" | sort -u
}

allowed > rules
bad=
for f in $(cd "$src" && find . -name '*.[ch]' | sed 's#^\./##' | sort); do
    from=$(layer_of "$f")
    for inc in $(sed -n 's/^ *# *include "\([^"]*\/[^"]*\)".*/\1/p' "$src/$f"); do
        to=$(layer_of "$inc")
        grep -qx "$from $to" rules || bad="$bad $f->$inc"
    done
done
is "$bad" "" "no file includes what stands to the right of its layer"

homes="cJSON.h=base/json.c sqlite3.h=store/ microhttpd.h=serve/ curl.h=base/remote.c
sha2.h=base/digest.c base16.h=base/digest.c utf8proc.h=base/str.c xxhash.h=base/file.c pcre2.h=base/regex.c
zlib.h=frame/codec.c zstd.h=frame/codec.c lz4.h=frame/codec.c
lz4frame.h=frame/codec.c decode.h=frame/codec.c
png.h=engine/neural/image.c jpeglib.h=engine/neural/image.c jerror.h=engine/neural/image.c
readline.h=ui/prompt.c,cli/ lua.h=script/ curses.h=ui/"
bad=
for pair in $homes; do
    header=${pair%%=*}
    places=${pair#*=}
    for f in $(cd "$src" && grep -rlE "include <([a-z]*/)?$header>" . | sed 's#^\./##'); do
        found=
        for p in $(echo "$places" | tr , ' '); do
            case $f in "$p"*) found=1 ;; esac
        done
        [ -n "$found" ] || bad="$bad $f:$header"
    done
done
is "$bad" "" "each third-party header is included in its one home only"

# Lua's headers are not on the compiler's own path.
cflags=$(pkg-config --cflags lua5.4 2>/dev/null)
bad=
for h in $(cd "$src" && find . -name '*.h' | sed 's#^\./##' | sort); do
    printf '#include "config.h"\n#include "%s"\nextern int x;\n' "$h" > alone.c
    ${CC:-gcc} -std=c17 -fsyntax-only -I"$src" -I"$LATHE_BUILD" $cflags alone.c 2> why ||
        { bad="$bad $h"; sed 's/^/# /' why; }
done
is "$bad" "" "each header compiles alone"

bad=
for f in $(cd "$src" && find . -name '*.[ch]' | sed 's#^\./##'); do
    head -40 "$src/$f" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' || bad="$bad $f"
done
is "$bad" "" "each file names its licence"

bad=$(cd "$src" && grep -rnE '\b(system|popen|gets|strcat|sprintf|rand|strtok) ?\(' --include='*.c' . |
    grep -vE '^\./(ui|session)/.*gnuplot' | grep -v '^[^:]*:[0-9]*: *\*' | head -3)
is "$bad" "" "no call to a shell, and none of the functions we do without"

if command -v clang-format >/dev/null 2>&1; then
    bad=$(cd "$LATHE_SOURCE" && find src tests -name '*.[ch]' | sort |
        xargs clang-format --dry-run 2>&1 | sed -n 's/^\([^:]*\):[0-9].*/\1/p' | sort -u)
    is "$bad" "" "clang-format has nothing to change"
else
    skip "clang-format has nothing to change" "no clang-format"
fi

if command -v luacheck >/dev/null 2>&1; then
    bad=$(cd "$LATHE_SOURCE" && luacheck --std lua54 --read-globals lathe --no-color -q \
        lua tests/lua tests/lib/tap.lua) || :
    like "$bad" ' 0 warnings / 0 errors' "luacheck has nothing to say"
else
    skip "luacheck has nothing to say" "no luacheck"
fi
done_testing
