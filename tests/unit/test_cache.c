/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/cache.h"
#include "frame/stream_verbs.h"
#include "tests/lib/scratch.h"

enum { ROW = 64, MARK = 20 /* a digit of the first row */ };

static char dir[SCRATCH_PATH], source[SCRATCH_PATH + 16],
    cache[SCRATCH_PATH + 16];

/* A table just long enough to be kept, with one row to reject. */
static void
write_source(char mark)
{
    struct error err;
    struct buf b;
    int i = 0;

    buf_init(&b);
    buf_puts(&b, "a,b\n1,2,3\n");
    for (; b.len < CACHE_SOURCE_MIN + 1000; i++)
        buf_printf(&b, "%0*d,text %d\n", ROW, i, i % 100);
    b.data[MARK] = mark;
    if (!file_replace(source, b.data, b.len, 0600, &err))
        fail_msg("%s", err.message);
    buf_fini(&b);
}

static int
make_dir(void **state)
{
    (void)state;
    if (!scratch_make(dir))
        return -1;
    snprintf(source, sizeof source, "%s/t.csv", dir);
    snprintf(cache, sizeof cache, "%s/cache", dir);
    unsetenv("LATHE_CACHE");
    write_source('0');
    return 0;
}

static int
remove_dir(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static struct csv_table
parse(void)
{
    struct csv_table t;
    struct error err;

    if (!source_read(source, NULL, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    assert_int_equal(t.n_rejected, 1);
    return t;
}

static void
put(const struct csv_table *t)
{
    struct cache_key *k = cache_key_new(cache, source, NULL);
    struct error err;

    assert_non_null(k);
    if (!cache_put(k, t, &err))
        fail_msg("%s", err.message);
    cache_key_free(k);
}

static bool
get(const struct source_options *o, struct csv_table *t)
{
    struct cache_key *k = cache_key_new(cache, source, o);
    bool ok = k && cache_get(k, NULL, t);

    cache_key_free(k);
    return ok;
}

static bool
is_kept(void)
{
    struct csv_table t;

    if (!get(NULL, &t))
        return false;
    csv_table_fini(&t);
    return true;
}

static void
assert_same(const struct frame *a, const struct frame *b)
{
    char x[33], y[33];
    struct error err;

    assert_true(frame_fingerprint(a, x, &err) && frame_fingerprint(b, y, &err));
    assert_string_equal(x, y);
}

/* Calls fn for each file of the folder; returns how many there are. */
static size_t
each_file(void (*fn)(const char *path))
{
    DIR *d = opendir(cache);
    struct dirent *e;
    size_t n = 0;

    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.') {
            char *path = file_join(cache, e->d_name);

            if (fn)
                fn(path);
            free(path);
            n++;
        }
    if (d)
        closedir(d);
    return n;
}

static void
cut(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 1), 0);
}

static void
remove_file(const char *path)
{
    assert_int_equal(unlink(path), 0);
}

/* ---- tests ---- */

static void
a_kept_table_comes_back_whole(void **state)
{
    struct csv_table t = parse(), u;

    (void)state;
    assert_false(is_kept());
    put(&t);
    assert_true(get(NULL, &u));
    assert_same(t.frame, u.frame);
    assert_same(t.rejects, u.rejects);
    assert_int_equal(u.n_rejected, t.n_rejected);
    assert_int_equal(u.n_bytes, t.n_bytes);
    assert_int_equal(u.delimiter, ',');
    assert_true(u.header);
    /* It may be emptied while tables are mapped. */
    assert_int_equal(each_file(remove_file), 2);
    assert_same(t.frame, u.frame);
    csv_table_fini(&t);
    csv_table_fini(&u);
    assert_false(is_kept());
}

/* As a stream it has the same rows, and tells the same of the file. */
static void
a_kept_table_streams_as_it_is_read(void **state)
{
    struct cache_key *k = cache_key_new(cache, source, NULL);
    struct csv_table t = parse(), told;
    struct error err;
    struct stream *s;
    struct frame *f;
    size_t n_rejected;

    (void)state;
    assert_non_null(k);
    assert_null(cache_stream(k, NULL, NULL));
    put(&t);
    assert_non_null(s = cache_stream(k, NULL, NULL));
    stream_told(s, &told);
    assert_int_equal(told.n_rejected, t.n_rejected);
    assert_int_equal(told.delimiter, t.delimiter);
    assert_int_equal(told.n_bytes, t.n_bytes);
    assert_int_equal(told.header, t.header);
    assert_int_equal(frame_rows(stream_rejects(s, &n_rejected)),
                     frame_rows(t.rejects));
    for (int again = 0; again < 2; again++) {
        assert_non_null(f = stream_collect(s, &err));
        assert_same(f, t.frame);
        frame_unref(f);
        assert_true(stream_rewind(s, &err));
    }
    stream_close(s);
    cache_key_free(k);
    csv_table_fini(&t);
    assert_int_equal(each_file(remove_file), 2);
}

static void
other_options_are_another_table(void **state)
{
    static const char *const types[] = {"a=text", NULL};
    struct source_options o = {.csv = {.header = -1, .types = types}};
    struct csv_table t = parse(), u;

    (void)state;
    put(&t);
    assert_true(is_kept());
    assert_false(get(&o, &u));
    o.csv.types = NULL;
    assert_true(get(&o, &u));
    csv_table_fini(&t);
    csv_table_fini(&u);
}

/* Times are set back: only the contents differ, in one byte at the head. */
static void
a_source_that_changed_is_read_anew(void **state)
{
    struct csv_table t = parse();
    struct timespec times[2];
    struct stat st;
    int fd;

    (void)state;
    put(&t);
    assert_int_equal(stat(source, &st), 0);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    fd = open(source, O_WRONLY);
    assert_true(fd >= 0 && pwrite(fd, "9", 1, MARK + 1) == 1);
    close(fd);
    assert_int_equal(utimensat(AT_FDCWD, source, times, 0), 0);
    assert_false(is_kept());
    /* A table of what was there before is not kept as what is there now. */
    put(&t);
    write_source('1');
    assert_false(is_kept());
    csv_table_fini(&t);
}

static void
a_table_is_not_kept_when_its_source_changed_meanwhile(void **state)
{
    struct csv_table t = parse();
    struct cache_key *k = cache_key_new(cache, source, NULL);
    struct error err;

    (void)state;
    each_file(remove_file);
    write_source('2');
    assert_true(cache_put(k, &t, &err));
    assert_int_equal(each_file(NULL), 0);
    cache_key_free(k);
    csv_table_fini(&t);
}

static void
damaged_files_are_absent_and_replaced(void **state)
{
    struct csv_table t = parse();

    (void)state;
    put(&t);
    assert_true(is_kept());
    assert_int_equal(each_file(cut), 2);
    assert_false(is_kept());
    put(&t);
    assert_true(is_kept());
    csv_table_fini(&t);
}

static uint64_t kept_bytes;

static void
add_size(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    kept_bytes += (uint64_t)st.st_blocks * 512;
}

static void
make_old(const char *path, time_t used)
{
    struct timespec times[2] = {{used, 0}, {used, 0}};
    struct error err;

    assert_true(file_replace(path, "x", 1, 0600, &err));
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
what_was_not_used_for_longest_goes_first(void **state)
{
    struct csv_table t = parse();
    char room[32];
    char *older, *old, *left;

    (void)state;
    each_file(remove_file);
    put(&t);
    kept_bytes = 0;
    assert_int_equal(each_file(add_size), 2);
    each_file(remove_file);
    older = file_join(cache, "older.arrow");
    old = file_join(cache, "old.arrow");
    left = file_join(cache, "left.arrow.abcdef");
    make_old(older, 1000);
    make_old(old, 2000);
    make_old(left, 1000);
    /* Larger than all the room there is: not even begun. */
    setenv("LATHE_CACHE", "1000", 1);
    put(&t);
    assert_int_equal(each_file(NULL), 3);
    /* Room for the table and one block more. */
    snprintf(room, sizeof room, "%llu", (unsigned long long)kept_bytes + 4096);
    setenv("LATHE_CACHE", room, 1);
    put(&t);
    unsetenv("LATHE_CACHE");
    assert_false(file_exists(older));
    assert_false(file_exists(left));
    assert_true(file_exists(old));
    assert_true(is_kept());
    free(older);
    free(old);
    free(left);
    csv_table_fini(&t);
}

static void
small_files_pipes_and_a_cache_of_nothing_are_left_alone(void **state)
{
    struct error err;
    char *small = file_join(dir, "small.csv");

    (void)state;
    assert_true(file_replace(small, "a\n1\n", 4, 0600, &err));
    assert_null(cache_key_new(cache, small, NULL));
    assert_null(cache_key_new(cache, "-", NULL));
    assert_null(cache_key_new(cache, dir, NULL));
    assert_null(cache_key_new(cache, "/no/such/file", NULL));
    setenv("LATHE_CACHE", "0", 1);
    assert_null(cache_key_new(cache, source, NULL));
    unsetenv("LATHE_CACHE");
    free(small);
}

static void
keeping_and_opening_survive_every_fault(void **state)
{
    struct csv_table t = parse(), u;
    struct cache_key *k = cache_key_new(cache, source, NULL);
    struct error err;
    bool ok = false;

    (void)state;
    each_file(remove_file);
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        ok = cache_put(k, &t, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_false(is_kept());
    }
    /* A fault while the source is looked at says that it changed. */
    assert_true(cache_put(k, &t, &err));
    assert_true(is_kept());
    ok = false;
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        ok = cache_get(k, NULL, &u);
        mem_fault_arm(0, false);
    }
    assert_same(t.frame, u.frame);
    csv_table_fini(&u);
    csv_table_fini(&t);
    cache_key_free(k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_table_comes_back_whole),
        cmocka_unit_test(a_kept_table_streams_as_it_is_read),
        cmocka_unit_test(other_options_are_another_table),
        cmocka_unit_test(a_source_that_changed_is_read_anew),
        cmocka_unit_test(a_table_is_not_kept_when_its_source_changed_meanwhile),
        cmocka_unit_test(damaged_files_are_absent_and_replaced),
        cmocka_unit_test(what_was_not_used_for_longest_goes_first),
        cmocka_unit_test(
            small_files_pipes_and_a_cache_of_nothing_are_left_alone),
        cmocka_unit_test(keeping_and_opening_survive_every_fault),
    };

    (void)cmocka_run_group_tests(tests, make_dir, remove_dir);
    return 0;
}
