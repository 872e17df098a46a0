/* Opening files of any format.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

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
#include "frame/codec.h"
#include "frame/source.h"

static char dir[] = "/tmp/lathe-source.XXXXXX";

static char *
put(const char *name, struct str bytes)
{
    char *path = file_join(dir, name);
    struct error err;

    if (!file_replace(path, bytes.p, bytes.n, 0600, &err))
        fail_msg("%s", err.message);
    return path;
}

static char *
put_packed(const char *name, enum codec codec, const char *text)
{
    struct buf b;
    struct error err;
    char *path;

    buf_init(&b);
    assert_true(codec_compress(codec, 0, str_of(text), &b, &err));
    path = put(name, (struct str){b.data, b.len});
    buf_fini(&b);
    return path;
}

/* The first two columns of the file are x, 1 and 2, and y, a and b. */
static void
assert_reads(char *path)
{
    struct csv_table t;
    struct error err;

    if (!source_read(path, NULL, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    assert_int_equal(frame_rows(t.frame), 2);
    assert_string_equal(frame_name(t.frame, 0), "x");
    assert_int_equal(column_int64s(frame_column(t.frame, 0))[1], 2);
    assert_true(str_is(column_text(frame_column(t.frame, 1), 0), "a"));
    csv_table_fini(&t);
    free(path);
}

static void
assert_fails(char *path, const struct source_options *o, const char *end)
{
    struct csv_table t;
    struct error err;
    size_t n = strlen(end);

    if (source_read(path, o, NULL, NULL, &t, &err))
        fail_msg("%s was read", path);
    assert_memory_equal(err.message, path, strlen(path));
    assert_true(strlen(err.message) >= n);
    assert_string_equal(err.message + strlen(err.message) - n, end);
    free(path);
}

static const char lines[] = "{\"x\":1,\"y\":\"a\"}\n{\"x\":2,\"y\":\"b\"}\n";

static void
test_the_ending_or_else_the_text_tells_the_format(void **state)
{
    (void)state;
    assert_reads(put("a.csv", STR("x,y\n1,a\n2,b\n")));
    assert_reads(put("a.tsv", STR("x\ty\n1\ta\n2\tb\n")));
    assert_reads(put("a.jsonl", str_of(lines)));
    assert_reads(put("a.JSON", STR("[{\"x\":1,\"y\":\"a\"},{\"x\":2}]")));
    assert_reads(put("a.log", str_of(lines)));
    assert_reads(put("a", STR("x;y\n1;a\n2;b\n")));
}

static void
test_compressed_text_is_opened_whatever_its_name(void **state)
{
    (void)state;
    assert_reads(put_packed("b.csv.gz", CODEC_GZIP, "x,y\n1,a\n2,b\n"));
    assert_reads(put_packed("b.jsonl.zst", CODEC_ZSTD, lines));
    assert_reads(
        put_packed("b.tsv.lz4", CODEC_LZ4_FRAME, "x\ty\n1\ta\n2\tb\n"));
    assert_reads(put_packed("b.csv", CODEC_ZSTD, "x,y\n1,a\n2,b\n"));
    assert_reads(put_packed("b.data", CODEC_GZIP, lines));
}

static void
test_much_compressed_text_is_read_whole(void **state)
{
    struct csv_table t;
    struct error err;
    struct buf b;
    char *path;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "x\n");
    for (int i = 0; i < 2000000; i++)
        buf_puts(&b, "123456\n");
    path = put_packed("c.csv.zst", CODEC_ZSTD, b.data);
    assert_true(source_read(path, NULL, NULL, NULL, &t, &err));
    assert_int_equal(frame_rows(t.frame), 2000000);
    csv_table_fini(&t);
    buf_fini(&b);
    free(path);
}

/* Rows "0.5,word" with a name above each column, as put in a file. */
static void
assert_head(char *path, size_t n_rows, size_t n_bytes)
{
    struct csv_table t;
    struct error err;
    size_t n;

    if (!source_read_head(path, NULL, &t, &n, &err))
        fail_msg("%s", err.message);
    assert_in_range(frame_rows(t.frame), n_rows, 2 * n_rows);
    assert_int_equal(frame_cols(t.frame), 2);
    assert_int_equal(column_type(frame_column(t.frame, 0)), COL_FLOAT64);
    assert_true(
        str_is(column_text(frame_column(t.frame, 1), n_rows - 1), "word"));
    assert_int_equal(t.n_rejected, 0);
    assert_int_equal(n, n_bytes);
    assert_true(n_bytes == 0 || t.n_bytes <= n_bytes);
    csv_table_fini(&t);
    free(path);
}

static void
test_the_head_of_a_table_is_read_by_itself(void **state)
{
    struct buf csv, json;

    (void)state;
    buf_init(&csv);
    buf_init(&json);
    buf_puts(&csv, "x,y\n");
    for (int i = 0; i < 1000000; i++)
        buf_puts(&csv, "0.5,word\n");
    for (int i = 0; i < 20000; i++)
        buf_puts(&json, "{\"x\":0.5,\"y\":\"word\"}\n");
    assert_head(put("h.csv", (struct str){csv.data, csv.len}), 20000, csv.len);
    assert_head(put("h.jsonl", (struct str){json.data, json.len}), 10000,
                json.len);
    assert_head(put_packed("h.csv.gz", CODEC_GZIP, csv.data), 20000, 0);
    assert_head(put_packed("h.jsonl.zst", CODEC_ZSTD, json.data), 10000,
                json.len);
    assert_head(put("i.csv", STR("x,y\n0.5,word\n")), 1, 13);
    assert_head(put_packed("i.csv.gz", CODEC_GZIP, "x,y\n0.5,word\n"), 1, 13);
    buf_fini(&csv);
    buf_fini(&json);
}

static void
assert_no_head(char *path)
{
    struct csv_table t;
    struct error err;
    size_t n;

    assert_false(source_read_head(path, NULL, &t, &n, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_memory_equal(err.message, path, strlen(path));
    free(path);
}

static void
test_a_long_list_and_a_pipe_have_no_head(void **state)
{
    char *pipe = file_join(dir, "pipe");
    struct buf b;

    (void)state;
    buf_init(&b);
    for (int i = 0; i < 100000; i++)
        buf_puts(&b, i ? ",{\"x\":1}\n" : "[{\"x\":1}\n");
    buf_puts(&b, "]");
    assert_no_head(put("l.json", (struct str){b.data, b.len}));
    buf_fini(&b);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_no_head(pipe);
}

static void
test_damaged_compression_names_the_file(void **state)
{
    char *path = put_packed("d.csv.gz", CODEC_GZIP, "x,y\n1,a\n2,b\n");
    struct csv_table t;
    struct error err;

    (void)state;
    assert_int_equal(truncate(path, 20), 0);
    assert_false(source_read(path, NULL, NULL, NULL, &t, &err));
    assert_int_equal(err.code, ERR_PARSE);
    assert_memory_equal(err.message, path, strlen(path));
    free(path);
}

static void
test_types_can_be_asked_for_in_json(void **state)
{
    static const char *const to_text[] = {"x=text", NULL};
    static const char *const to_int[] = {"y=int", NULL};
    static const char *const to_none[] = {"price=int", NULL};
    struct source_options o = {.csv = {.header = -1, .types = to_text}};
    char *path = put("e.jsonl", str_of(lines));
    struct csv_table t;
    struct error err;

    (void)state;
    assert_true(source_read(path, &o, NULL, NULL, &t, &err));
    assert_int_equal(column_type(frame_column(t.frame, 0)), COL_TEXT);
    csv_table_fini(&t);
    free(path);
    o.csv.types = to_int;
    assert_fails(put("e.jsonl", str_of(lines)), &o,
                 ": column 'y': 2 values are no int");
    o.csv.types = to_none;
    assert_fails(put("e.jsonl", str_of(lines)), &o, ": no column 'price'");
}

static void
test_what_is_written_is_read_by_its_ending(void **state)
{
    static const char *const names[] = {"f.csv",    "f.tsv",     "f.jsonl",
                                        "f.csv.gz", "f.tsv.zst", "f.jsonl.lz4",
                                        "f.arrow",  "f.arrows",  "f.parquet"};
    char *from = put("f.json", str_of(lines));
    struct csv_table t;
    struct error err;

    (void)state;
    assert_true(source_read(from, NULL, NULL, NULL, &t, &err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = file_join(dir, names[i]);

        if (!source_write(t.frame, path, &err))
            fail_msg("%s", err.message);
        assert_reads(path);
    }
    csv_table_fini(&t);
    free(from);
}

/* Each of the two, under a name that says nothing, and packed as well. */
static void
test_arrow_and_parquet_are_known_by_their_first_bytes(void **state)
{
    static const char *const names[] = {"g.arrow", "g.arrows", "g.parquet"};
    char *from = put("g.json", str_of(lines));
    struct csv_table t;
    struct error err;

    (void)state;
    assert_true(source_read(from, NULL, NULL, NULL, &t, &err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = file_join(dir, names[i]);
        struct buf b, packed;

        buf_init(&b);
        buf_init(&packed);
        assert_true(source_write(t.frame, path, &err));
        assert_true(file_read(path, 1 << 20, &b, &err));
        assert_true(codec_compress(CODEC_GZIP, 0, (struct str){b.data, b.len},
                                   &packed, &err));
        assert_reads(put("g.csv", (struct str){b.data, b.len}));
        assert_reads(put("g.data", (struct str){packed.data, packed.len}));
        buf_fini(&b);
        buf_fini(&packed);
        free(path);
    }
    csv_table_fini(&t);
    free(from);
}

static void
test_what_compresses_by_itself_is_not_packed_as_a_whole(void **state)
{
    static const char *const names[] = {"h.arrow.gz", "h.parquet.zst"};
    char *from = put("h.json", str_of(lines));
    struct csv_table t;
    struct error err;

    (void)state;
    assert_true(source_read(from, NULL, NULL, NULL, &t, &err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = file_join(dir, names[i]);

        assert_false(source_write(t.frame, path, &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_false(file_exists(path));
        free(path);
    }
    csv_table_fini(&t);
    free(from);
}

static void
test_a_damaged_parquet_file_is_named(void **state)
{
    (void)state;
    assert_fails(put("i.parquet", STR("PAR1 nothing of the kind PAR1")), NULL,
                 "");
}

static int
enter(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int
leave(void **state)
{
    char command[100];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_ending_or_else_the_text_tells_the_format),
        cmocka_unit_test(test_compressed_text_is_opened_whatever_its_name),
        cmocka_unit_test(test_much_compressed_text_is_read_whole),
        cmocka_unit_test(test_the_head_of_a_table_is_read_by_itself),
        cmocka_unit_test(test_a_long_list_and_a_pipe_have_no_head),
        cmocka_unit_test(test_damaged_compression_names_the_file),
        cmocka_unit_test(test_types_can_be_asked_for_in_json),
        cmocka_unit_test(test_what_is_written_is_read_by_its_ending),
        cmocka_unit_test(test_arrow_and_parquet_are_known_by_their_first_bytes),
        cmocka_unit_test(
            test_what_compresses_by_itself_is_not_packed_as_a_whole),
        cmocka_unit_test(test_a_damaged_parquet_file_is_named),
    };

    (void)cmocka_run_group_tests(tests, enter, leave);
    return 0;
}
