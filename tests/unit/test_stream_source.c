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
#include "frame/arrow.h"
#include "frame/builder.h"
#include "frame/codec.h"
#include "frame/parquet.h"
#include "frame/sink.h"
#include "frame/stream_source.h"
#include "frame/stream_verbs.h"
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
        "a,b\n\"1\n2\",x\ny,\xe9\n\xe9 alone\nz,\"\xc3\n\xa9\"\n",
        "na\xefve,b\nü,€\n\xe2\x82,3\n",
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
        "a",     "b",    "1",         "2.5",     "true",  "2026-01-02",
        "NA",    "\"",   "\"\"",      "\n",      "\n",    "\n",
        "\n",    "\r\n", "\r",        ",",       ",",     ",",
        ",",     ";",    "\t",        " ",       "x",     "\"q\"",
        ",\"",   "\",",  "\"\n",      "7",       "name",  "\xc3\xa4",
        "|",     "\n\"", "1\n",       ",1\n",    "1,1\n", "2,",
        "3,4\n", "\xe9", "13/2/2024", "1/2/2024"};
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
types_of_no_column_are_passed_over_when_told_so(void **state)
{
    static const char *const types[] = {"n=int", "none=date", NULL};
    static const char *const names[] = {"loose.csv", "loose.jsonl"};
    static const char *const texts[] = {"n,t\n1,a\nx,b\n3,c\n",
                                        "{\"n\":\"1\"}\n{\"n\":\"2\"}\n"};

    (void)state;
    for (size_t i = 0; i < 2 * N_GRAINS; i++) {
        struct source_options o = {.csv = {.header = -1,
                                           .types = types,
                                           .types_loose = i % 4 < 2,
                                           .grain = grains[i / 2]}};
        char *path = put(names[i % 2], str_of(texts[i % 2]));

        assert_streams(path, &o, texts[i % 2]);
        free(path);
    }
}

/* ---- days and months ---- */

static void
all_of_the_text_decides_the_order_of_day_and_month(void **state)
{
    static const char *const texts[] = {
        "d\n1/2/2024\n3/4/2024\n13/2/2024\n",
        "d\n1/2/2024\n3/4/2024\n2/13/2024\n",
        "d\n1/2/2024\n3/4/2024\n",
        "1/2/2024\n3/4/2024\n14/4/2024\n",
        "d\n13/2/2024\n2/13/2024\n1/1/2024\n",
        "d,n\n1.2.2024,1\n,2\n3/4/2024 10:00,3\n",
        "d\n1/2/2024 1:05 PM\nNA\n12/31/2024\n1/1/2024\n",
        "d\n13/2/2024\n1/2/2024\n2024-02-13\n",
        "d\n13/2/2024\n1/2/2024\nno\n1/3/2024\n",
        "d\n\n\"13/2/2024\"\n\n\n 1/2/2024 \n"};
    static const char *const told[] = {"d=mdy", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (int header = -1; header < 2; header++)
            assert_text_streams("daymonth.csv", str_of(texts[i]), header);
        for (size_t k = 0; k < N_GRAINS; k++) {
            struct source_options o = {.csv = {.header = -1,
                                               .types = told,
                                               .types_loose = true,
                                               .grain = grains[k]}};
            char *path = put("daymonth.csv", str_of(texts[i]));

            assert_streams(path, &o, texts[i]);
            free(path);
        }
    }
}

static void
random_dates_stream_as_they_are_read_whole(void **state)
{
    static const char *const words[] = {
        "1/2/2024",       "3/4/2024",   "13/2/2024", "2/13/2024", "NA",
        "1/2/2024 10:00", "5/5/2025",   "6.7.2024",  "7-8-2024",  "",
        "12/12/2024",     "2024-01-02", "text",      "9/9/1999"};
    struct buf b;

    (void)state;
    buf_init(&b);
    for (uint64_t seed = 0; seed < 1500; seed++) {
        /* Mostly words that agree. */
        size_t n_words = 3 + (size_t)(rng_at(5, seed, 0) % 12);
        struct source_options o = {
            .csv = {.header = -1,
                    .grain = 1 + (size_t)(rng_at(5, seed, 1) % 40)}};
        char *path;

        buf_clear(&b);
        if (seed % 2)
            buf_puts(&b, "d,e\n");
        for (size_t i = 0; i < 2 + seed % 17; i++)
            buf_printf(&b, "%s,%s\n", words[rng_at(6, seed, i) % n_words],
                       words[rng_at(7, seed, i) % 3]);
        path = put("dates.csv", (struct str){b.data, b.len});
        assert_streams(path, &o, b.data);
        free(path);
    }
    buf_fini(&b);
}

/* ---- what is no text ---- */

static void
rows_with_zero_bytes_are_set_aside_in_their_order(void **state)
{
    static const char odd[] = "3,\0\0\0\n4,5\n\0\n\"\0\n\",7\n8,x\n\"never\0";
    static const char foreign[] = "6,\0\xe9\n7,\xe9\n", late[] = "\0d\n1,2\n";
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "a,b\n");
    while (b.len < 5000)
        buf_puts(&b, "1,2\n");
    buf_add(&b, odd, sizeof odd - 1);
    assert_text_streams("zeros.csv", (struct str){b.data, b.len}, -1);
    for (int i = 0; i < 500; i++)
        buf_add(&b, foreign, sizeof foreign - 1);
    assert_text_streams("zeros.csv", (struct str){b.data, b.len}, -1);
    memcpy(b.data, "PAR1", 4);
    assert_text_streams("zeros.csv", (struct str){b.data, b.len}, 1);
    /* A first row that goes on for long. */
    buf_clear(&b);
    buf_puts(&b, "a,b\"");
    buf_fill(&b, 'c', 6000);
    buf_add(&b, late, sizeof late - 1);
    assert_text_streams("zeros.csv", (struct str){b.data, b.len}, 1);
    buf_fini(&b);
}

static void
a_field_beyond_the_limit_is_the_same_error(void **state)
{
    static const size_t pieces[] = {0, 1 << 20};
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "a,b\n1,\xe9\n2,\"");
    buf_fill(&b, 'x', CSV_FIELD_MAX + 1);
    buf_puts(&b, "\"\n3,4\n");
    for (size_t i = 0; i < 2; i++) {
        struct source_options o = {.csv = {.header = -1, .grain = pieces[i]}};
        char *path = put("long.csv", (struct str){b.data, b.len});

        assert_streams(path, &o, NULL);
        free(path);
    }
    buf_fini(&b);
}

static void
too_many_columns_or_fields_are_the_same_error(void **state)
{
    static const char *const heads[] = {"", "a,b\n1,2\n", "a;b\n1;2\n"};
    static const size_t fields[] = {CSV_COLS_MAX, CSV_CELLS_MAX, 1 << 18};
    struct buf b;

    (void)state;
    buf_init(&b);
    for (size_t i = 0; i < 3; i++) {
        struct source_options o = {.csv = {.header = -1, .grain = 1 << 16}};
        char *path;

        buf_clear(&b);
        buf_puts(&b, heads[i]);
        buf_fill(&b, ',', fields[i]);
        buf_puts(&b, "\n3,4\n5,6\n");
        path = put("wide.csv", (struct str){b.data, b.len});
        assert_streams(path, &o, NULL);
        free(path);
    }
    buf_fini(&b);
}

/* What was read of a file that has become shorter is not believed. */
static void
a_file_that_becomes_shorter_ends_its_stream(void **state)
{
    static const char *const names[] = {"short.csv", "short.jsonl"};
    static const char *const rows[] = {"1,2\n", "{\"a\":1,\"b\":2}\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct source_options o = {.csv = {.header = -1, .grain = 1 << 16}};
        struct stream *s;
        struct frame *f;
        struct error err;
        struct buf b;
        char *path;

        buf_init(&b);
        buf_puts(&b, i == 0 ? "a,b\n" : "");
        while (b.len < 1 << 20)
            buf_puts(&b, rows[i]);
        path = put(names[i], (struct str){b.data, b.len});
        s = stream_open(path, &o, pool, NULL, &err);
        assert_non_null(s);
        assert_true(stream_next(s, &f, &err));
        frame_unref(f);
        assert_int_equal(truncate(path, 1000), 0);
        assert_false(stream_next(s, &f, &err));
        assert_int_equal(err.code, ERR_IO);
        assert_non_null(strstr(err.message, "it became shorter while"));
        stream_close(s);
        free(path);
        buf_fini(&b);
    }
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
        "\n\n\n\n[1]\n{\"a\":1}\n",
        "\n[\n\n\n1\n{\"a\":1}\n",
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

/* ---- encodings ---- */

static void
assert_decodes(const char *name, struct str text, enum encoding e)
{
    static const enum codec codecs[] = {CODEC_NONE, CODEC_GZIP};
    struct buf packed;
    struct error err;

    buf_init(&packed);
    for (size_t k = 0; k < 2 * N_GRAINS; k++) {
        struct source_options o = {
            .encoding = e, .csv = {.header = -1, .grain = grains[k / 2]}};
        char *path;

        buf_clear(&packed);
        if (codecs[k % 2])
            assert_true(codec_compress(codecs[k % 2], 0, text, &packed, &err));
        path = put(name, codecs[k % 2] ? (struct str){packed.data, packed.len}
                                       : text);
        assert_streams(path, &o, name);
        free(path);
    }
    buf_fini(&packed);
}

/* The bytes of UTF-16 of a text whose 'P' is a pair and 'H' half of one. */
static void
widen(const char *text, bool mark, bool big, struct buf *out)
{
    static const char *const pieces[] = {"\x3d\xd8\x00\xde", "\x3d\xd8",
                                         "\xff\xfe"};

    buf_clear(out);
    if (mark)
        buf_add(out, "\xff\xfe", 2);
    for (; *text; text++) {
        const char *at = strchr("PHM", *text);
        char plain[2] = {*text, 0};

        if (at)
            buf_add(out, pieces[at - "PHM"], *at == 'P' ? 4 : 2);
        else
            buf_add(out, plain, 2);
    }
    for (size_t i = 0; big && i + 1 < out->len; i += 2) {
        char c = out->data[i];

        out->data[i] = out->data[i + 1];
        out->data[i + 1] = c;
    }
}

static void
text_of_other_encodings_streams_as_it_is_read_whole(void **state)
{
    static const char bytes[] =
        "n\xe4me;\x80\nJos\xe9;1\n\x9f\xff;\"2\n\xe9\"\n\xc3\xa9;x;y\nz;4";
    static const enum encoding narrow[] = {
        ENCODING_FIND, ENCODING_UTF8, ENCODING_LATIN1, ENCODING_WINDOWS_1252};
    static const char *const wide[] = {"a,b\nP,1\nPP,2\nxPPP,3\n",
                                       "a,b\nM,1\nMM,2\nPM,3\nHH,4\nHP,5\nH",
                                       "",
                                       "P",
                                       "a\n1\n2\n",
                                       "H\nP\n"};
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++) {
        assert_decodes("narrow.csv", STR(bytes), narrow[i]);
        assert_decodes("blank.csv", STR("\n\r\n\n\na,b\n1,2\n\n3,4\n"),
                       narrow[i]);
        assert_decodes("bom.csv", STR("\xef\xbb\xbf\na,b\n1,2\n\n3,4\n"),
                       narrow[i]);
        assert_decodes("ascii.csv", STR("a,b\n1,2\n3,4\n"), narrow[i]);
        assert_decodes("narrow.jsonl",
                       STR("{\"a\":\"\xe9\"}\nno\xe9\n{\"a\":\"x\xe9\"}\n"),
                       narrow[i]);
    }
    buf_init(&b);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        for (int k = 0; k < 8; k++) {
            widen(wide[i], k & 1, k & 2, &b);
            if (k & 4)
                buf_putc(&b, 'o');
            assert_decodes("wide.csv", (struct str){b.data, b.len},
                           ENCODING_UTF16);
            assert_decodes("wide.csv", (struct str){b.data, b.len},
                           ENCODING_FIND);
        }
    widen("{\"a\":\"P\"}\n{\"a\":\"MP\"}\n", true, false, &b);
    assert_decodes("wide", (struct str){b.data, b.len}, ENCODING_FIND);
    assert_decodes("wide.jsonl", (struct str){b.data, b.len}, ENCODING_UTF16);
    buf_fini(&b);
}

/* Larger than what is decoded at a time, pairs across every cut. */
static void
long_text_of_another_encoding_streams_too(void **state)
{
    struct buf text, b;

    (void)state;
    buf_init(&text);
    buf_init(&b);
    buf_puts(&text, "a,b\nx");
    for (int i = 0; i < 60000; i++)
        buf_printf(&text, "P%d,PPPPPPP\n", i);
    widen(text.data, true, true, &b);
    for (size_t i = 0; i < 2; i++) {
        struct source_options o = {.encoding =
                                       i ? ENCODING_LATIN1 : ENCODING_FIND,
                                   .csv = {.header = 1, .delimiter = ','}};
        char *path;

        if (i)
            for (size_t k = 0; k < b.len; k++)
                b.data[k] = b.data[k] ? b.data[k] : 'u';
        path = put("long.csv", (struct str){b.data, b.len});
        assert_streams(path, &o, NULL);
        free(path);
    }
    buf_fini(&text);
    buf_fini(&b);
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

static char *
data_path(const char *name)
{
    char *relative = file_join("tests/data", name), *path;
    struct error err;

    if (!(path = file_data_path(relative, &err)))
        fail_msg("%s", err.message);
    free(relative);
    return path;
}

static void
files_of_other_programs_stream_as_they_are_read_whole(void **state)
{
    static const char *const names[] = {"arrow/types.arrow",
                                        "arrow/types.arrows",
                                        "arrow/replaced.arrows",
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
        char *path = data_path(names[i]);

        assert_streams(path, &o, NULL);
        free(path);
    }
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

/* Looking, reading and sorting are one way of three times the file's bytes. */
static void
progress_knows_of_the_passes_to_come(void **state)
{
    struct error err = {0};
    struct progress p;
    struct stream *s;
    struct frame *f;
    uint64_t done, total, before = 0, len;
    struct buf b;
    char *path;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "a,b\n");
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "%d,x%d\n", i * 7919 % 5003, i % 40);
    len = b.len;
    path = put("passes.csv", (struct str){b.data, b.len});
    progress_init(&p);
    assert_non_null(s = stream_open(path, NULL, NULL, &p, &err));
    progress_whole(&p, &done, &total);
    assert_string_equal(atomic_load(&p.stage), "looking");
    assert_int_equal(done, len);
    assert_int_equal(total, 2 * len);
    s = stream_sort(s, (const char *const[]){"a", NULL}, &err);
    assert_non_null(s);
    progress_whole(&p, &done, &total);
    assert_int_equal(total, 3 * len);
    while (stream_next(s, &f, &err) && f) {
        progress_whole(&p, &done, &total);
        assert_string_equal(atomic_load(&p.stage), "sorting");
        assert_true(done > before && done > 2 * len);
        before = done;
        assert_int_equal(total, 3 * len);
        frame_unref(f);
    }
    assert_int_equal(done, total);
    stream_close(s);
    /* What was not expected stands for itself. */
    progress_begin(&p, "other", 10);
    progress_whole(&p, &done, &total);
    assert_int_equal(done, 0);
    assert_int_equal(total, 10);
    buf_fini(&b);
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
        o.encoding = i % 2 ? ENCODING_LATIN1 : ENCODING_FIND;
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

/* One batch of ints, where floats are said to come. */
struct mixed {
    struct stream stream;
    struct frame *ints; /* borrowed; NULL once given */
};

static bool
mixed_next(struct stream *s, struct frame **out, struct error *err)
{
    struct mixed *m = (struct mixed *)s;

    (void)err;
    if (m->ints)
        *out = frame_ref(m->ints);
    m->ints = NULL;
    return true;
}

static void
mixed_close(struct stream *s)
{
    (void)s;
}

static struct frame *
number(enum col_type type, double x)
{
    static const char *const name[] = {"n"};
    struct error err;
    struct builder *b = builder_new(1, name, &type, &err);

    assert_non_null(b);
    assert_true(type == COL_INT64 ? builder_i64(b, 0, (int64_t)x, &err)
                                  : builder_f64(b, 0, x, &err));
    assert_true(builder_end_row(b, &err));
    return builder_finish(b, &err);
}

static void
a_batch_that_cannot_be_cast_is_an_error(void **state)
{
    static const struct stream_class class = {.next = mixed_next,
                                              .close = mixed_close};
    struct frame *ints = number(COL_INT64, 7), *head = number(COL_FLOAT64, 0);
    struct frame *got = NULL;
    const struct source_options o = {.csv = {.header = -1}};
    const struct stream_source from = {.path = "numbers", .o = &o};

    (void)state;
    for (unsigned long n = 1; !got; n++) {
        struct mixed m = {.ints = ints};
        struct error err;
        struct stream *s;

        stream_init(&m.stream, &class, frame_ref(head), NULL);
        s = stream_shape(&m.stream, &from, 0, &err);
        assert_non_null(s);
        mem_fault_arm(n, false);
        if (!stream_next(s, &got, &err))
            assert_int_equal(err.code, ERR_NOMEM);
        mem_fault_arm(0, false);
        if (got)
            assert_true(column_float64s(frame_column(got, 0))[0] == 7);
        stream_close(s);
    }
    frame_unref(got);
    frame_unref(ints);
    frame_unref(head);
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
        /* First: cmocka takes signals back before each test. */
        cmocka_unit_test(a_file_that_becomes_shorter_ends_its_stream),
        cmocka_unit_test(nasty_texts_stream_as_they_are_read_whole),
        cmocka_unit_test(random_texts_stream_as_they_are_read_whole),
        cmocka_unit_test(the_delimiter_is_that_of_the_whole_text),
        cmocka_unit_test(types_that_are_asked_for_set_rows_aside),
        cmocka_unit_test(types_of_no_column_are_passed_over_when_told_so),
        cmocka_unit_test(all_of_the_text_decides_the_order_of_day_and_month),
        cmocka_unit_test(random_dates_stream_as_they_are_read_whole),
        cmocka_unit_test(rows_with_zero_bytes_are_set_aside_in_their_order),
        cmocka_unit_test(a_field_beyond_the_limit_is_the_same_error),
        cmocka_unit_test(too_many_columns_or_fields_are_the_same_error),
        cmocka_unit_test(zero_bytes_are_found_wherever_they_are),
        cmocka_unit_test(lines_stream_as_they_are_read_whole),
        cmocka_unit_test(random_lines_stream_as_they_are_read_whole),
        cmocka_unit_test(a_list_of_objects_is_read_only_whole),
        cmocka_unit_test(text_of_other_encodings_streams_as_it_is_read_whole),
        cmocka_unit_test(long_text_of_another_encoding_streams_too),
        cmocka_unit_test(packed_text_streams_too),
        cmocka_unit_test(columnar_files_stream_as_they_are_read_whole),
        cmocka_unit_test(files_of_other_programs_stream_as_they_are_read_whole),
        cmocka_unit_test(a_file_is_streamed_when_it_is_large_for_the_budget),
        cmocka_unit_test(progress_knows_of_the_passes_to_come),
        cmocka_unit_test(whatever_fails_is_reported),
        cmocka_unit_test(a_batch_that_cannot_be_cast_is_an_error),
        cmocka_unit_test(a_stream_that_is_stopped_ends),
    };

    cmocka_run_group_tests(tests, make_folder, remove_folder);
    return 0;
}
