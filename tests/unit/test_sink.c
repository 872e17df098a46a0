/* Tables written batch by batch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "frame/arrow.h"
#include "frame/parquet.h"
#include "frame/sink.h"
#include "tests/lib/scratch.h"

static char dir[SCRATCH_PATH];
static struct pool *pool;

static int
make_folder(void **state)
{
    (void)state;
    pool = pool_new(2);
    return scratch_make(dir) && setenv("LATHE_SPILL", dir, 1) == 0 ? 0 : -1;
}

static int
remove_folder(void **state)
{
    (void)state;
    pool_free(pool);
    scratch_remove(dir);
    return 0;
}

static char *
in_folder(const char *name)
{
    return file_join(dir, name);
}

/* Every type; texts with all that a format might trip over; the last of them
 * come late, so that batches have different ones. */
static struct frame *
table(size_t n_rows)
{
    static const char *const texts[] = {"plain",
                                        "two, three",
                                        "\"quoted\"\"twice\"",
                                        "\"a\nline\"",
                                        "\xc3\xa4\xe2\x82\xac",
                                        "",
                                        "\"NA\"",
                                        "last"};
    struct csv_table t;
    struct error err;
    struct buf b;

    buf_init(&b);
    buf_puts(&b, "flag,whole,real,word,day,moment,rare\n");
    for (size_t i = 0; i < n_rows; i++) {
        const char *word = texts[i * 8 / n_rows];

        if (strchr(word, ','))
            buf_printf(&b, "true,%zu,%zu.5,\"%s\"", i, i, word);
        else if (i % 7 == 3)
            buf_printf(&b, ",,,%s", word);
        else
            buf_printf(&b, "%s,-%zu,%.17g,%s", i % 2 ? "true" : "false", i,
                       1.0 / (double)(i + 3), word);
        buf_printf(&b, ",2026-0%zu-11,2026-01-02 03:04:0%zu.25,id-%zu\n",
                   i % 9 + 1, i % 10, i);
    }
    if (!csv_parse((struct str){b.data, b.len}, "test", NULL, NULL, NULL, &t,
                   &err))
        fail_msg("%s", err.message);
    assert_int_equal(t.n_rejected, 0);
    buf_fini(&b);
    frame_unref(t.rejects);
    return t.frame;
}

static struct frame *
read_back(const char *path)
{
    struct csv_table t;
    struct error err;

    if (!source_read(path, NULL, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    assert_int_equal(t.n_rejected, 0);
    frame_unref(t.rejects);
    return t.frame;
}

static void
assert_same(const struct frame *want, const struct frame *got)
{
    char a[33], b[33];
    struct error err;

    assert_int_equal(frame_rows(got), frame_rows(want));
    assert_true(frame_fingerprint(want, a, &err));
    assert_true(frame_fingerprint(got, b, &err));
    assert_string_equal(a, b);
}

/* Rows begin..end with dicts of their own. */
static struct frame *
own_part(const struct frame *f, size_t begin, size_t end)
{
    size_t n = end - begin, n_cols = frame_cols(f);
    struct column *columns[16];
    const char *names[16];
    struct frame *part;
    struct error err;

    assert_true(n_cols <= 16);
    part = frame_slice(f, begin, end, &err);
    assert_non_null(part);
    for (size_t c = 0; c < n_cols; c++) {
        const struct column *from = frame_column(part, c);
        struct dict *d;
        uint32_t *codes;
        uint64_t *valid;

        names[c] = frame_name(f, c);
        columns[c] = column_ref(from);
        if (column_type(from) != COL_TEXT)
            continue;
        column_unref(columns[c]);
        d = dict_new(&err);
        codes = mem_try_aligned(n, sizeof *codes, &err);
        valid = mem_try_array(n / 64 + 1, sizeof *valid, &err);
        for (size_t i = 0; i < n; i++)
            if (column_is_valid(from, i)) {
                assert_true(dict_add(d, column_text(from, i), &codes[i], &err));
                valid[i / 64] |= UINT64_C(1) << (i % 64);
            }
        columns[c] = column_new(COL_TEXT, n, codes, valid, d, &err);
        assert_non_null(columns[c]);
    }
    frame_unref(part);
    part = frame_new(n, n_cols, names, columns, &err);
    assert_non_null(part);
    return part;
}

static bool
put_parts(struct sink *s, const struct frame *f, size_t step, bool own,
          struct error *err)
{
    size_t n = frame_rows(f);

    for (size_t i = 0; i < n; i += step) {
        size_t end = n - i < step ? n : i + step;
        struct frame *part =
            own ? own_part(f, i, end) : frame_slice(f, i, end, err);
        bool ok = part && sink_put(s, part, err);

        frame_unref(part);
        if (!ok)
            return false;
    }
    return true;
}

static void
write_parts(const char *path, const struct frame *f, size_t step, bool own)
{
    struct error err;
    struct sink *s = sink_open(path, f, pool, NULL, &err);

    if (!s || !put_parts(s, f, step, own, &err))
        fail_msg("%s", err.message);
    assert_int_equal(sink_rows(s), frame_rows(f));
    if (!sink_commit(s, &err))
        fail_msg("%s", err.message);
}

static const char *const formats[] = {
    "t.csv",    "t.tsv",       "t.csv.gz",  "t.csv.zst", "t.csv.lz4", "t.jsonl",
    "t.arrows", "t.jsonl.lz4", "t.parquet", "t.arrow",   "t.feather",
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

static void
batches_read_back_as_the_table_written_whole(void **state)
{
    struct frame *f = table(500), *want, *got;
    struct error err;

    (void)state;
    for (size_t i = 0; i < N_FORMATS; i++)
        for (int own = 0; own < 2; own++) {
            char *path = in_folder(formats[i]);

            assert_true(source_write(f, path, &err));
            want = read_back(path);
            for (size_t step = 1; step <= 729; step *= 9) {
                write_parts(path, f, step, own);
                got = read_back(path);
                assert_same(want, got);
                frame_unref(got);
            }
            frame_unref(want);
            free(path);
        }
    frame_unref(f);
}

static void
a_table_of_no_rows_keeps_its_columns(void **state)
{
    static const char *const names[] = {"t.arrow", "t.arrows", "t.parquet"};
    struct frame *f = table(50), *none, *got;
    struct error err;

    (void)state;
    none = frame_slice(f, 0, 0, &err);
    for (size_t i = 0; i < 3; i++) {
        char *path = in_folder(names[i]);

        write_parts(path, none, 1, false);
        got = read_back(path);
        assert_same(none, got);
        frame_unref(got);
        free(path);
    }
    frame_unref(none);
    frame_unref(f);
}

static void
an_empty_csv_has_its_header(void **state)
{
    struct frame *f = table(50), *none;
    struct error err;
    struct buf b;
    char *path = in_folder("none.csv");

    (void)state;
    none = frame_slice(f, 0, 0, &err);
    write_parts(path, none, 1, false);
    buf_init(&b);
    assert_true(file_read(path, 1000, &b, &err));
    assert_string_equal(b.data, "flag,whole,real,word,day,moment,rare\n");
    buf_fini(&b);
    frame_unref(none);
    frame_unref(f);
    free(path);
}

/* The kind of a column stands at the beginning of an Arrow file, and that a
 * text is not UTF-8 may turn out at its end. */
static void
texts_of_foreign_bytes_that_come_late_survive(void **state)
{
    struct csv_table t;
    struct error err;
    struct frame *got;

    (void)state;
    assert_true(csv_parse(STR("a,b\nx,y\nz,y\n\xff\xfe,y\n"), "test", NULL,
                          NULL, NULL, &t, &err));
    for (size_t i = 0; i < N_FORMATS; i++) {
        char *path = in_folder(formats[i]);

        if (strstr(path, ".json")) { /* whose texts are UTF-8 */
            free(path);
            continue;
        }
        write_parts(path, t.frame, 1, true);
        got = read_back(path);
        assert_same(t.frame, got);
        frame_unref(got);
        free(path);
    }
    csv_table_fini(&t);
}

static void
parquet_groups_follow_the_batches(void **state)
{
    struct frame *f = table(500);
    char *path = in_folder("groups.parquet");
    struct parquet_info info;
    struct error err;

    (void)state;
    write_parts(path, f, 200, true);
    assert_true(parquet_info(path, &info, &err));
    assert_int_equal(info.n_groups, 3);
    assert_int_equal(info.group_rows[0], 200);
    assert_int_equal(info.group_rows[2], 100);
    assert_int_equal(info.n_rows, 500);
    parquet_info_fini(&info);
    frame_unref(f);
    free(path);
}

static void
a_dropped_sink_leaves_the_file_that_was_there(void **state)
{
    struct frame *f = table(50);
    struct error err;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < N_FORMATS; i++) {
        char *path = in_folder(formats[i]);
        struct sink *s;

        assert_true(file_replace(path, "old", 3, 0600, &err));
        s = sink_open(path, f, pool, NULL, &err);
        assert_non_null(s);
        assert_true(sink_put(s, f, &err));
        sink_drop(s);
        buf_init(&b);
        assert_true(file_read(path, 3, &b, &err));
        assert_string_equal(b.data, "old");
        buf_fini(&b);
        free(path);
    }
    sink_drop(NULL);
    frame_unref(f);
}

static size_t
files_there(void)
{
    DIR *d = opendir(dir);
    size_t n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static bool
write_with_faults(const char *path, const struct frame *f, struct error *err)
{
    struct sink *s = sink_open(path, f, NULL, NULL, err);

    if (!s)
        return false;
    if (put_parts(s, f, 40, false, err))
        return sink_commit(s, err);
    sink_drop(s);
    return false;
}

/* At most: what begins before there is a sink, or after, names no file or the
 * folder. */
static bool
names_once(const char *message, const char *path)
{
    const char *at = strstr(message, path);

    return !at || !strstr(at + 1, path);
}

static void
whatever_fails_the_file_is_whole_or_not_there(void **state)
{
    struct frame *f = table(100), *got;
    struct error err;

    (void)state;
    for (size_t i = 0; i < N_FORMATS; i++) {
        char *path = in_folder(formats[i]);
        bool ok = false;
        size_t before;

        unlink(path);
        before = files_there();
        for (unsigned long n = 1; !ok; n++) {
            mem_fault_arm(n, false);
            ok = write_with_faults(path, f, &err);
            mem_fault_arm(0, false);
            if (!ok) {
                assert_true(err.code == ERR_NOMEM || err.code == ERR_IO);
                assert_true(names_once(err.message, path));
                /* The folder's own sync is the one thing after the rename. */
                assert_true(files_there() == before || file_exists(path));
                unlink(path);
            }
        }
        got = read_back(path);
        assert_int_equal(frame_rows(got), 100);
        frame_unref(got);
        free(path);
    }
    frame_unref(f);
}

static void
what_is_packed_by_itself_takes_no_other_packing(void **state)
{
    struct frame *f = table(50);
    char *path = in_folder("t.parquet.gz");
    struct error err;

    (void)state;
    assert_null(sink_open(path, f, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "ends in .parquet"));
    frame_unref(f);
    free(path);
}

/* Text in "t.xlsx" would be noticed by the one who is sent it. */
static void
an_ending_of_another_format_is_refused_and_no_ending_is_text(void **state)
{
    static const char *const refused[] = {"t.xlsx", "t.pdf.gz", "t.csv.bz2"};
    static const char *const text[] = {"t", "t.gz", "t.2024", ".t", "t.v1.5"};
    struct frame *f = table(50);
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char *path = in_folder(refused[i]);

        assert_false(sink_write(f, path, pool, NULL, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.message, "expected .csv, .tsv"));
        assert_int_equal(access(path, F_OK), -1);
        free(path);
    }
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        char *path = in_folder(text[i]);

        assert_true(sink_write(f, path, pool, NULL, &err));
        unlink(path);
        free(path);
    }
    frame_unref(f);
}

static void
a_frame_whose_writing_is_stopped_leaves_no_file(void **state)
{
    static const char *const names[] = {"s.csv", "s.tsv.gz", "s.jsonl",
                                        "s.parquet"};
    struct frame *f = table(50);
    struct progress stop;
    struct error err;

    (void)state;
    progress_init(&stop);
    progress_stop(&stop);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = in_folder(names[i]);

        assert_false(sink_write(f, path, pool, &stop, &err));
        assert_int_equal(err.code, ERR_CANCELLED);
        assert_int_equal(access(path, F_OK), -1);
        free(path);
    }
    frame_unref(f);
}

/* Slices of one frame share its dict, which is written once. */
static void
a_dictionary_that_stays_is_written_once(void **state)
{
    struct csv_table t;
    struct error err;
    struct buf b;
    char *path = in_folder("stays.arrows");
    struct stat st;
    struct sink *s;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "t\n");
    for (int i = 0; i < 100000; i++)
        buf_printf(&b, "a text of some length with number %d\n", i % 1000);
    assert_true(csv_parse((struct str){b.data, b.len}, "test", NULL, NULL, NULL,
                          &t, &err));
    s = sink_open(path, t.frame, NULL, NULL, &err);
    assert_true(put_parts(s, t.frame, 1000, false, &err));
    assert_true(sink_commit(s, &err));
    /* 400,000 bytes of codes, one dictionary of about 44,000, and the heads
     * of 100 messages; once each would be over 4 million. */
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(st.st_size, 440000, 520000);
    free(path);
    buf_fini(&b);
    csv_table_fini(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_read_back_as_the_table_written_whole),
        cmocka_unit_test(a_table_of_no_rows_keeps_its_columns),
        cmocka_unit_test(an_empty_csv_has_its_header),
        cmocka_unit_test(texts_of_foreign_bytes_that_come_late_survive),
        cmocka_unit_test(parquet_groups_follow_the_batches),
        cmocka_unit_test(a_dropped_sink_leaves_the_file_that_was_there),
        cmocka_unit_test(whatever_fails_the_file_is_whole_or_not_there),
        cmocka_unit_test(what_is_packed_by_itself_takes_no_other_packing),
        cmocka_unit_test(
            an_ending_of_another_format_is_refused_and_no_ending_is_text),
        cmocka_unit_test(a_frame_whose_writing_is_stopped_leaves_no_file),
        cmocka_unit_test(a_dictionary_that_stays_is_written_once),
    };

    cmocka_run_group_tests(tests, make_folder, remove_folder);
    return 0;
}
