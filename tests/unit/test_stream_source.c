/* Files as streams: what source_read() gives of the whole, in batches.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/spill.h"
#include "frame/arrow.h"
#include "frame/codec.h"
#include "frame/parquet.h"
#include "frame/sink.h"
#include "tests/lib/same_stream.h"
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
put(const char *name, struct str bytes)
{
    char *path = file_join(dir, name);
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    fclose(f);
    return path;
}

static void
assert_streams(const char *path, const struct source_options *o,
               const char *text)
{
    struct csv_table want;
    struct error whole, parts;
    bool ok = source_read(path, o, NULL, NULL, &want, &whole);
    struct stream *s = stream_open(path, o, pool, NULL, &parts);
    const char *why = NULL;

    if (ok && s) {
        for (int again = 0; !why && again < 2; again++)
            if (!(why = same_stream(&want, s, &parts)) &&
                !stream_rewind(s, &parts))
                why = parts.message;
    } else if (ok) {
        why = parts.message;
    } else if (s) {
        why = "no error";
    } else if (strcmp(whole.message, parts.message) != 0) {
        fprintf(stderr, "want: %s\n got: %s\n", whole.message, parts.message);
        why = "another error";
    }
    if (why)
        fail_msg("%s: %s, grain %zu, of\n%s", path, why, o->csv.grain,
                 text ? text : "");
    stream_close(s);
    if (ok)
        csv_table_fini(&want);
}

static const size_t grains[] = {1, 2, 3, 7, 16, 61, 250, 4000};
enum { N_GRAINS = sizeof grains / sizeof *grains };

static void
assert_text_streams(const char *name, struct str text, int header)
{
    char *path = put(name, text);

    for (size_t i = 0; i < N_GRAINS; i++) {
        struct source_options o = {
            .csv = {.header = header, .grain = grains[i], .max_rejects = 3}};

        assert_streams(path, &o, text.p);
    }
    free(path);
}

/* ---- delimited text ---- */

static void
nasty_texts_stream_as_they_are_read_whole(void **state)
{
    static const char *const texts[] = {
        "",
        "\n\n",
        "a",
        "a\n",
        "a,b",
        "a,b\n1,2",
        "a,b\n1,2\n",
        "\xef\xbb\xbfi,n\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a,b\r1,2\r3,4\r",
        "\r\n\r\na,b\r\n\r\n1,2\r\n\r\n\r\n3,4\r\n\r\n",
        "x,t\n1,\"two\nlines\"\n2,\"a \"\"b\"\"\"\n3,\"\r\n\"\n4,last",
        "x,t\n1,\"never closed\n2,b\n3,c\n",
        "x,t\n1,a\n2\n3,c,d\n4,\"e\"f\n5,g\n6\n7\n8\n",
        "\"never closed,b\n1,2\n3,4\n",
        "n\n1\n2\n3.5\n4\n",
        "n\n1\n2\n3\nfour\n",
        "n\n\n\n1\n",
        "n\nNA\nNA\n",
        "d\n2026-01-01\n2026-01-02\n2026-01-03 04:05:06\n",
        "a;b,c\n1;2,3\n4;5,6\n7;8;9\n",
        "a;b;c\n1,5;2;3\n2,5;3;4\n",
        "a|b\n1|\"x|y\"\n2|\"x,y\"\n",
        "a\tb\n1\t2\n",
        "name,city\nann,bern\nbob,rome\n",
        "name,city\nann,bern\nname,rome\n",
        "ann,bern\nbob,rome\nann,rome\n",
        "1,2\n3,4\n5,x\n",
        "x,1\ny,2\nz,3\n",
        "a,a,,a\n1,2,3,4\n",
        "a,b\n1,2\n\n\n\n\n\n\n\n\n\n3,4\n",
        "a,b\n\"1\",\"\"\n\"NA\",NA\n?,-\n",
        "t\n\"\"\n\"\"\nNA\n",
        "\"a\nb\",c\n1,2\n3,4\n",
        "a,b\n1,\xff\n2,\xfe\n",
        "a,b\n1,2\n3,",
        "a\n,\n,\n,,\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int header = -1; header < 2; header++)
            assert_text_streams("nasty.csv", str_of(texts[i]), header);
}

/* Bytes that mean something, and words that change a type late. */
static void
random_texts_stream_as_they_are_read_whole(void **state)
{
    static const char *const words[] = {
        "a",    "b",    "1",     "2.5", "true", "2026-01-02", "NA", "\"",
        "\"\"", "\n",   "\n",    "\n",  "\n",   "\r\n",       "\r", ",",
        ",",    ",",    ",",     ";",   "\t",   " ",          "x",  "\"q\"",
        ",\"",  "\",",  "\"\n",  "7",   "name", "\xc3\xa4",   "|",  "\n\"",
        "1\n",  ",1\n", "1,1\n", "2,",  "3,4\n"};
    enum { N = sizeof words / sizeof *words };
    struct buf b;

    (void)state;
    buf_init(&b);
    for (uint64_t seed = 0; seed < 3000; seed++) {
        size_t n = (size_t)(rng_at(1, seed, 0) % 60);
        struct source_options o = {
            .csv = {.header = -1,
                    .grain = 1 + (size_t)(rng_at(1, seed, 1) % 20),
                    .max_rejects = 2}};
        char *path;

        buf_clear(&b);
        for (size_t i = 0; i < n; i++)
            buf_puts(&b, words[rng_at(2, seed, i) % N]);
        path = put("random.csv", (struct str){b.data, b.len});
        assert_streams(path, &o, b.data);
        free(path);
    }
    buf_fini(&b);
}

/* The first window speaks for commas, all of the text for semicolons. */
static void
the_delimiter_is_that_of_the_whole_text(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "a,b;c\n1,2;3\n4,5;6\n");
    for (int i = 0; i < 50; i++)
        buf_puts(&b, "1;2\n");
    assert_text_streams("delimiter.csv", (struct str){b.data, b.len}, -1);
    buf_puts(&b, "\"quoted;\n\";3\n");
    assert_text_streams("delimiter.csv", (struct str){b.data, b.len}, -1);
    buf_fini(&b);
}

static void
types_that_are_asked_for_set_rows_aside(void **state)
{
    static const char *const types[] = {"n=int", "d=date", NULL};
    char *path = put("types.csv", STR("n,d,t\n1,2026-01-01,a\nx,2026-01-02,b\n"
                                      "3,never,c\n4,2026-01-03,d\n5.5,,e\n"));

    (void)state;
    for (size_t i = 0; i < N_GRAINS; i++) {
        struct source_options o = {.csv = {.header = -1,
                                           .types = types,
                                           .grain = grains[i],
                                           .max_rejects = 2}};

        assert_streams(path, &o, "types");
    }
    free(path);
}

static void
zero_bytes_are_found_wherever_they_are(void **state)
{
    (void)state;
    assert_text_streams("zero.csv", STR("a,b\n1,2\n3,4\n5,\0\n"), -1);
    assert_text_streams("zero.csv", STR("PK\x03\x04,b\n1,2\n3,4\n5,\0\n"), -1);
}

/* ---- JSON lines ---- */

static void
lines_stream_as_they_are_read_whole(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "{}\n",
        "{\"a\":1}",
        "{\"a\":1}\n{\"a\":2.5}\n",
        "\xef\xbb\xbf{\"a\":1}\n{\"b\":\"x\"}\n{\"a\":null,\"c\":{\"d\":1}}\n",
        "{\"a\":1}\nnot\n{\"a\":\"x\"}\n{\"a\":\n[1]\n{\"b\":true}\n{\n}\n",
        "not\nnor this\n",
        "{\"a\":\"2026-01-01\"}\r\n{\"a\":\"2026-01-02T03:04:05\"}\r\n",
        "{\"a\":{\"b\":1},\"a.b\":2}\n\n\n{\"a\":[1,2],\"a.b\":\"x\"}\n",
        "{\"a\":1,\"a\":2}\n{\"a\":3,\"a\":null}\n",
        "{\"t\":\"\\u00e4\\n\"}\n{\"t\":true}\n{\"t\":1e400}\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_text_streams("nasty.jsonl", str_of(texts[i]), -1);
}

static void
random_lines_stream_as_they_are_read_whole(void **state)
{
    static const char *const words[] = {"{\"a\":1}\n",
                                        "{\"b\":2.5,\"a\":3}\n",
                                        "{\"c\":{\"d\":\"x\"}}\n",
                                        "\n",
                                        "{\"a\":null}\r\n",
                                        "{\"a\":\"y\"}\n",
                                        "{\"e\":\n",
                                        "rubbish\n",
                                        "{\"b\":[1,\"\\n\"]}\n",
                                        "{",
                                        "}\n",
                                        "{\"f\":true}\n"};
    enum { N = sizeof words / sizeof *words };
    struct buf b;

    (void)state;
    buf_init(&b);
    for (uint64_t seed = 0; seed < 1500; seed++) {
        size_t n = 1 + (size_t)(rng_at(3, seed, 0) % 30);
        struct source_options o = {
            .csv = {.grain = 1 + (size_t)(rng_at(3, seed, 1) % 40),
                    .max_rejects = 2}};
        char *path;

        buf_clear(&b);
        for (size_t i = 0; i < n; i++)
            buf_puts(&b, words[rng_at(4, seed, i) % N]);
        path = put("random.jsonl", (struct str){b.data, b.len});
        assert_streams(path, &o, b.data);
        free(path);
    }
    buf_fini(&b);
}

static void
a_list_of_objects_is_read_only_whole(void **state)
{
    char *path = put("list.json", STR("[{\"a\":1},{\"a\":2}]"));
    struct error err;

    (void)state;
    assert_null(stream_open(path, NULL, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    free(path);
}

/* ---- what is packed ---- */

static void
packed_text_streams_too(void **state)
{
    static const enum codec codecs[] = {CODEC_GZIP, CODEC_ZSTD,
                                        CODEC_LZ4_FRAME};
    struct buf text, packed;
    struct error err;

    (void)state;
    buf_init(&text);
    buf_init(&packed);
    buf_puts(&text, "id,word\n");
    for (int i = 0; i < 2000; i++)
        buf_printf(&text, "%d,\"word\n%d\"\n", i, i % 13);
    for (size_t i = 0; i < 3; i++) {
        buf_clear(&packed);
        assert_true(codec_compress(
            codecs[i], 0, (struct str){text.data, text.len}, &packed, &err));
        assert_text_streams("packed.csv", (struct str){packed.data, packed.len},
                            -1);
    }
    buf_fini(&text);
    buf_fini(&packed);
}

/* ---- columnar files ---- */

static struct frame *
table(void)
{
    struct csv_table t;
    struct error err;
    struct buf b;

    buf_init(&b);
    buf_puts(&b, "flag,whole,real,word,day,moment\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%s,%d,%.17g,%s%d,2026-01-%02d,2026-01-02 03:04:05\n",
                   i % 3 == 0 ? "" : "true", i, i / 7.0, i % 5 ? "w" : "",
                   i % 50, i % 28 + 1);
    assert_true(csv_parse((struct str){b.data, b.len}, "t", NULL, NULL, NULL,
                          &t, &err));
    frame_unref(t.rejects);
    buf_fini(&b);
    return t.frame;
}

static void
columnar_files_stream_as_they_are_read_whole(void **state)
{
    static const char *const types[] = {"whole=float", "word=text", NULL};
    struct source_options plain = {.csv = {.header = -1}};
    struct source_options typed = {.csv = {.header = -1, .types = types}};
    struct frame *f = table();
    char *path = file_join(dir, "t.columns");
    struct error err;

    (void)state;
    for (size_t step = 64; step < 2000; step *= 3) {
        for (int form = 0; form < 4; form++) {
            struct arrow_options o = {.stream = form & 1,
                                      .batch_rows = step,
                                      .codec =
                                          form & 2 ? CODEC_ZSTD : CODEC_NONE};

            assert_true(arrow_write(f, path, &o, &err));
            assert_streams(path, &plain, NULL);
            assert_streams(path, &typed, NULL);
        }
        assert_true(parquet_write(f, path,
                                  &(struct parquet_write_options){
                                      .codec = CODEC_ZSTD, .group_rows = step},
                                  NULL, NULL, &err));
        assert_streams(path, &plain, NULL);
        assert_streams(path, &typed, NULL);
    }
    frame_unref(f);
    free(path);
}

static void
files_of_other_programs_stream_as_they_are_read_whole(void **state)
{
    static const char *const names[] = {"arrow/types.arrow",
                                        "arrow/types.arrows",
                                        "arrow/replaced.arrows",
                                        "arrow/replaced.arrow",
                                        "arrow/lz4.arrow",
                                        "arrow/zstd.arrow",
                                        "parquet/rows_v1.parquet",
                                        "parquet/rows_v2.parquet",
                                        "parquet/polars.parquet",
                                        "parquet/hyparquet.parquet",
                                        "parquet/types_v1_gzip.parquet",
                                        "parquet/types_v2_zstd.parquet",
                                        NULL};
    const struct source_options o = {.csv = {.header = -1}};

    (void)state;
    for (size_t i = 0; names[i]; i++) {
        char *path = file_join("tests/data", names[i]);

        if (file_exists(path))
            assert_streams(path, &o, NULL);
        free(path);
    }
}

static void
a_spill_streams_its_batches(void **state)
{
    struct frame *f = table(), *part;
    struct csv_table want = {.frame = f};
    struct error err;
    int fd = spill_open(&err);
    struct sink *sink = sink_open_fd(fd, f, pool, NULL, &err);
    struct stream *s;
    const char *why;

    (void)state;
    for (size_t i = 0; i < 1000; i += 128) {
        part = frame_slice(f, i, i + 128 < 1000 ? i + 128 : 1000, &err);
        assert_true(sink_put(sink, part, &err));
        frame_unref(part);
    }
    assert_true(sink_commit(sink, &err));
    s = stream_open_spill(fd, pool, NULL, &err);
    close(fd);
    assert_non_null(s);
    for (int again = 0; again < 2; again++) {
        if ((why = same_stream(&want, s, &err)))
            fail_msg("%s", why);
        assert_true(stream_rewind(s, &err));
    }
    stream_close(s);
    frame_unref(f);
}

/* ---- whether, and what may fail ---- */

static void
a_file_is_streamed_when_it_is_large_for_the_budget(void **state)
{
    char *path = put("large.csv", STR("a\n1\n"));

    (void)state;
    setenv("LATHE_MEMORY", "64M", 1);
    assert_false(stream_wanted(path, NULL));
    assert_int_equal(truncate(path, (off_t)100 << 20), 0);
    assert_true(stream_wanted(path, NULL));
    setenv("LATHE_MEMORY", "1G", 1);
    assert_false(stream_wanted(path, NULL));
    unsetenv("LATHE_MEMORY");
    assert_false(stream_wanted("-", NULL));
    assert_false(stream_wanted(dir, NULL));
    assert_false(stream_wanted("/no/such/file", NULL));
    unlink(path);
    free(path);
}

/* Open, read all, rewind, read all. */
static bool
read_twice(const char *path, const struct source_options *o, size_t *n,
           struct error *err)
{
    struct stream *s = stream_open(path, o, NULL, NULL, err);
    struct frame *f;
    bool ok = s != NULL;

    *n = 0;
    for (int again = 0; ok && again < 2; again++) {
        while ((ok = stream_next(s, &f, err)) && f) {
            *n += frame_rows(f);
            frame_unref(f);
        }
        ok = ok && stream_rewind(s, err);
    }
    stream_close(s);
    return ok;
}

static void
whatever_fails_is_reported(void **state)
{
    struct frame *f = table();
    struct error err;
    struct source_options o = {.csv = {.header = -1, .grain = 3000}};
    static const char *const names[] = {"f.csv",   "f.csv.gz", "f.jsonl",
                                        "f.arrow", "f.arrows", "f.parquet"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = file_join(dir, names[i]);
        bool ok = false;
        size_t n;

        assert_true(source_write(f, path, &err));
        for (unsigned long k = 1; !ok; k++) {
            mem_fault_arm(k, false);
            ok = read_twice(path, &o, &n, &err);
            mem_fault_arm(0, false);
            if (!ok)
                assert_true(err.code == ERR_NOMEM || err.code == ERR_IO);
        }
        if (n != 2000)
            fail_msg("%s: %zu rows", path, n);
        free(path);
    }
    frame_unref(f);
}

static void
a_stream_that_is_stopped_ends(void **state)
{
    char *path = put("stop.csv", STR("a,b\n1,2\n3,4\n"));
    struct progress p;
    struct error err;

    (void)state;
    progress_init(&p);
    progress_stop(&p);
    assert_null(stream_open(path, NULL, pool, &p, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    free(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nasty_texts_stream_as_they_are_read_whole),
        cmocka_unit_test(random_texts_stream_as_they_are_read_whole),
        cmocka_unit_test(the_delimiter_is_that_of_the_whole_text),
        cmocka_unit_test(types_that_are_asked_for_set_rows_aside),
        cmocka_unit_test(zero_bytes_are_found_wherever_they_are),
        cmocka_unit_test(lines_stream_as_they_are_read_whole),
        cmocka_unit_test(random_lines_stream_as_they_are_read_whole),
        cmocka_unit_test(a_list_of_objects_is_read_only_whole),
        cmocka_unit_test(packed_text_streams_too),
        cmocka_unit_test(columnar_files_stream_as_they_are_read_whole),
        cmocka_unit_test(files_of_other_programs_stream_as_they_are_read_whole),
        cmocka_unit_test(a_spill_streams_its_batches),
        cmocka_unit_test(a_file_is_streamed_when_it_is_large_for_the_budget),
        cmocka_unit_test(whatever_fails_is_reported),
        cmocka_unit_test(a_stream_that_is_stopped_ends),
    };

    cmocka_run_group_tests(tests, make_folder, remove_folder);
    return 0;
}
