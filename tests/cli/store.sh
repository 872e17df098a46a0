#!/bin/sh
# A project whose files cannot be read or written, are damaged or are gone:
# what can be done still works, and what cannot says why and how to go on.
# SPDX-License-Identifier: GPL-3.0-or-later
. "$LATHE_SOURCE/tests/lib/tap.sh"

unset LATHE_PROJECT
db="$tap_dir/.lathe/lathe.db"
awk 'BEGIN { print "a,y"; for (i = 0; i < 200; i++) print i % 37 "," (i % 37 > 17) }' > t.csv
$lathe train t.csv --target y --set trees=3 --register m --out m.model > /dev/null
sound="$tap_dir/sound"
cp -a .lathe "$sound"
echo 'lathe.load("m"); lathe.gbdt{trees = 3}:fit(lathe.read("t.csv"), "y")' > fit.lua

# heal: the project as it was.
heal() {
    chmod -R u+rwX .lathe 2> /dev/null
    rm -rf .lathe
    cp -a "$sound" .lathe
}
# refused WORDS NAME: reading and writing both fail and say WORDS; a model file
# needs no project.
refused() {
    for command in "runs ls" "registry ls" "train t.csv --target y"; do
        $as $lathe $command > "$tap_dir/out" 2> "$tap_dir/err"
        is $? 1 "$2: lathe ${command%% *} fails"
        like "$(cat "$tap_dir/err")" "^lathe: $tap_dir/\.lathe.*$1" "$2: lathe ${command%% *} says so"
    done
    like "$($as $lathe doctor 2> /dev/null)" "bad +project +$tap_dir/.*$1" "$2: doctor says so"
    is "$($as $lathe predict m.model t.csv | wc -l)" 201 "$2: lathe predict needs none"
}
# readable WORDS NAME: lists are shown, writing says WORDS.
readable() {
    like "$($as $lathe runs ls 2>&1)" 'run-1 +done' "$2: runs are listed"
    like "$($as $lathe registry ls 2>&1)" '^m/1 ' "$2: versions are listed"
    is "$($as $lathe predict m t.csv | wc -l)" 201 "$2: a version predicts"
    $as $lathe train t.csv --target y > "$tap_dir/out" 2> "$tap_dir/err"
    is $? 1 "$2: training fails"
    like "$(cat "$tap_dir/err")" "^lathe: $tap_dir/.*$1" "$2: and says why"
    like "$($as $lathe run "$tap_dir/fit.lua" 2>&1)" "$tap_dir/.*$1" "$2: so does a notebook"
}

as=
rm .lathe/lathe.db && mkdir .lathe/lathe.db
refused 'is a folder, expected .*move it away' "a folder in the database's place"

heal
awk 'BEGIN { for (i = 0; i < 999; i++) print "no database" }' > "$db"
refused 'is not a database: restore it from a backup' "another file in its place"

heal
head -c 20000 "$sound/lathe.db" > "$db"
refused 'is damaged .*restore it from a backup' "a database that was cut"

heal
: > "$db"
refused 'is empty, yet objects/.*restore lathe.db from a backup' "a database cut to nothing"
is "$(wc -c < "$db")" 0 "it is not begun anew"

rm "$db"
refused 'is missing, yet objects/.*restore lathe.db' "a database that is gone"
[ ! -e "$db" ]
ok $? "nor is that"
cp "$sound/lathe.db" "$db"
like "$($lathe runs ls)" 'run-1 +done' "a backup put in its place brings all back"

rm -r .lathe
echo file > .lathe
refused 'is a file, expected a folder: move it away' "a file in the folder's place"
rm .lathe
mkdir .lathe
: > "$db"
$lathe train t.csv --target y --set trees=3 > /dev/null
ok $? "an empty database beside nothing else is begun"

# Permissions: root has them all, so someone else must try.
heal
if [ "$(id -u)" != 0 ]; then
    as=env
elif setpriv --reuid 65534 --regid 65534 --clear-groups test -r "$LATHE_BUILD/lathe" 2> /dev/null; then
    as="setpriv --reuid 65534 --regid 65534 --clear-groups"
    chmod 755 "$tap_dir"
    chown -R 65534 "$tap_dir"
fi
if [ "$as" ]; then
    chmod 0500 .lathe
    readable 'no permission to write it: ask its owner' "a folder that may not be written"
    chmod 0700 .lathe
    chmod 0444 "$db"
    readable 'no permission to write it' "a database that may not be written"
    chmod 0 "$db"
    refused 'no permission to read it: ask its owner' "a database that may not be read"
    chmod 0 .lathe
    refused 'no permission to open this folder' "a folder that may not be opened"
    chmod 0700 .lathe
    chmod 0644 "$db"
    sqlite3 "$db" "PRAGMA wal_autocheckpoint = 0; UPDATE run SET name = 'new'" \
        ".shell cp $db-wal $tap_dir/wal" > sql 2>&1 &&
        cp wal "$db-wal" && chown 65534 "$db-wal" && chmod 0500 .lathe && {
        like "$($as $lathe runs ls 2>&1)" 'lathe.db-wal holds changes.*no permission to write' \
            "changes that cannot be taken up are not passed over"
    }
    chmod 0700 .lathe
else
    skip "permissions" "no way to be another user"
fi

# A disk that is read-only, and one that is full.
as=
heal
if [ "$(id -u)" = 0 ] && mkdir disk && mount -t tmpfs -o size=300k lathe-test disk 2> /dev/null; then
    trap 'cd /; umount "$tap_dir/disk"; rm -rf "$tap_dir"' EXIT
    cp -a t.csv m.model .lathe disk
    cd disk || exit 99
    dd if=/dev/zero of=fill bs=1k 2> /dev/null
    readable 'disk is full: free some space' "a full disk"
    rm fill
    mount -o remount,ro "$tap_dir/disk"
    readable 'file system is read-only' "a read-only disk"
    cd "$tap_dir" || exit 99
else
    skip "a full and a read-only disk" "no tmpfs may be mounted"
fi

done_testing
