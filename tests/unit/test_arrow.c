/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/arrow.h"
#include "frame/csv.h"
#include "tests/lib/scratch.h"

static char dir[SCRATCH_PATH], path[SCRATCH_PATH + 16];

static int
make_dir(void **state)
{
    (void)state;
    if (!scratch_make(dir))
        return -1;
    snprintf(path, sizeof path, "%s/t.arrow", dir);
    return 0;
}

static int
remove_dir(void **state)
{
    (void)state;
    scratch_remove(dir);
    return 0;
}

static struct frame *
table(const char *csv)
{
    struct csv_options o = {.header = 1};
    struct csv_table t;
    struct error err;

    if (!csv_parse(str_of(csv), "text", &o, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    frame_unref(t.rejects);
    return t.frame;
}

/* All types, values missing in each; 150 rows, more than two words of bits. */
static struct frame *
every_type(void)
{
    struct buf b;
    struct frame *f;

    buf_init(&b);
    buf_puts(&b, "b,i,x,t,d,s\n");
    for (int i = 0; i < 150; i++) {
        buf_printf(&b, "%s,", i % 7 == 0 ? "" : i % 3 ? "true" : "false");
        buf_printf(&b, i % 11 == 0 ? "," : "%d,", i * 1000003 - 7);
        buf_printf(&b, i % 13 == 0 ? "," : "%d.25,", i);
        buf_printf(&b, i % 17 == 0 ? "," : "\"text %d\",", i % 20);
        buf_printf(&b, i % 19 == 0 ? "," : "2024-%02d-01,", i % 12 + 1);
        buf_printf(&b, i % 23 == 0 ? "\n" : "2024-01-01 00:00:%02d.125\n",
                   i % 60);
    }
    f = table(b.data);
    buf_fini(&b);
    assert_int_equal(frame_cols(f), 6);
    assert_int_equal(column_type(frame_column(f, 5)), COL_TIMESTAMP);
    return f;
}

static void
assert_same(const struct frame *a, const struct frame *b)
{
    char x[33], y[33];
    struct error err;

    assert_true(frame_fingerprint(a, x, &err) && frame_fingerprint(b, y, &err));
    assert_string_equal(x, y);
}

static struct frame *
read_back(struct pool *pool)
{
    struct frame *f;
    struct error err;

    if (!arrow_read(path, pool, NULL, &f, &err))
        fail_msg("%s", err.message);
    return f;
}

static void
assert_comes_back(const struct frame *f, const struct arrow_options *o)
{
    struct error err;
    struct frame *g;

    if (!arrow_write(f, path, o, &err))
        fail_msg("%s", err.message);
    g = read_back(NULL);
    assert_same(f, g);
    frame_unref(g);
}

/* ---- what was written ---- */

static void
every_type_comes_back_in_every_form(void **state)
{
    static const enum codec codecs[] = {CODEC_NONE, CODEC_LZ4_FRAME,
                                        CODEC_ZSTD};
    struct frame *f = every_type();

    (void)state;
    for (size_t c = 0; c < 3; c++)
        for (size_t rows = 0; rows < 3; rows++) {
            struct arrow_options o = {.batch_rows = rows * 64,
                                      .codec = codecs[c]};

            assert_comes_back(f, &o);
            o.stream = true;
            assert_comes_back(f, &o);
        }
    frame_unref(f);
}

static void
tables_without_rows_columns_or_texts_come_back(void **state)
{
    struct error err;
    struct frame *none = frame_new(7, 0, NULL, NULL, &err);
    struct frame *f = every_type(), *empty = frame_slice(f, 0, 0, &err);
    struct frame *gone = table("a,b\n1,\n2,\n");

    (void)state;
    assert_comes_back(empty, NULL);
    assert_comes_back(empty, &(struct arrow_options){.stream = true});
    assert_comes_back(none, NULL);
    assert_comes_back(gone, NULL);
    assert_int_equal(frame_rows(none), 7);
    frame_unref(none);
    frame_unref(f);
    frame_unref(empty);
    frame_unref(gone);
}

static void
texts_that_are_not_utf8_come_back(void **state)
{
    struct frame *f = table("a\nb\377c\n\303\244\n\"\"\n");

    (void)state;
    assert_comes_back(f, NULL);
    frame_unref(f);
}

static void
one_plain_batch_is_mapped_not_copied(void **state)
{
    struct frame *f = every_type(), *g;
    struct error err;
    struct buf b;

    (void)state;
    assert_true(arrow_write(f, path, NULL, &err));
    g = read_back(NULL);
    for (size_t i = 1; i < 6; i++)
        assert_int_equal((uintptr_t)column_data(frame_column(g, i)) % 64, 0);
    /* What the file holds is seen through the mapping. */
    buf_init(&b);
    assert_true(file_read(path, 1 << 20, &b, &err));
    assert_non_null(memmem(b.data, b.len, column_data(frame_column(g, 2)),
                           150 * sizeof(double)));
    buf_fini(&b);
    assert_true(unlink(path) == 0);
    assert_same(f, g);
    frame_unref(f);
    frame_unref(g);
}

/* ---- what others wrote ---- */

static void
assert_reads(const char *name, const char *csv)
{
    struct frame *f;
    struct error err;
    char *golden = file_data_path(name, &err);
    struct buf b;

    if (!golden || !arrow_read(golden, NULL, NULL, &f, &err))
        fail_msg("%s", err.message);
    buf_init(&b);
    csv_write_rows(f, 0, frame_rows(f), true, ',', &b);
    assert_string_equal(b.data, csv);
    buf_fini(&b);
    frame_unref(f);
    free(golden);
}

/* The values are those given to the program that wrote them. */
static void
every_type_of_another_program_is_read(void **state)
{
    static const char csv[] =
        "i8,u8,i16,u32,i64,u64,f16,f32,f64,b,s,ls,bin,fsb,dd,dm,tss,tsm,tsn"
        ",tm,tus,dur,nul,dic,dic32,dnum,li,lss,fl,st.a,st.b.c,mp,dec\n"
        "1,1,1,1,1,1.0,1.5,1.5,1.5,true,a,a,AB,0102ff,2024-02-29,2024-02-29"
        ",2023-11-14 22:13:20,2023-11-14 22:13:20.123,2023-11-14 22:13:20.1"
        "23,01:02:03.5,01:02:03.500001,1.5,,x,x,2.5,\"[1, 2]\",\"[\"\"a\"\""
        ", \"\"b\\\"\"\"\"]\",\"[1, 2.5]\",1,q,\"{\"\"a\"\": 1, \"\"b\"\": "
        "2}\",123.45\n"
        "-2,255,-300,4294967295,-9007199254740993,1.8446744073709552e+19,-0"
        ".25,0.10000000149011612,0.1,false,\303\251\342\202\254,\303\251"
        "\342\202\254,\000\001,000102,1969-12-31,1969-12-31,1969-12-31 23:5"
        "9:59,1969-12-31 23:59:59.999,1969-12-31 23:59:59.999,00:00:00,00:0"
        "0:00,0.0,,y,y,3.5,[],[],\"[3, 4]\",2,,{},-0.01\n"
        ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"
        "4,4,4,4,4,4.0,4.0,4.0,nan,true,\"\",\"\",\"\",090909,1970-01-01,19"
        "70-01-01,1970-01-01 00:00:00,1970-01-01 00:00:00,1970-01-01 00:00:"
        "00,23:59:59.999,23:59:59.999999,-0.001,,x,x,2.5,\"[3, null]\",\"["
        "\"\"c\"\", null]\",\"[5, 6]\",,r,\"{\"\"z\"\": 3}\",1.844689666454"
        "9392e+17\n";

    (void)state;
    assert_reads("tests/data/arrow/types.arrow", csv);
    assert_reads("tests/data/arrow/types.arrows", csv);
}

static void
a_dictionary_replaced_between_batches_is_followed(void **state)
{
    (void)state;
    assert_reads("tests/data/arrow/replaced.arrows",
                 "i,d\n1,a\n2,b\n3,\n4,c\n,a\n");
}

static void
compressed_bodies_and_views_are_read(void **state)
{
    static const char csv[] =
        "i,f,s,b,l,cat,ts\n"
        "1.0,1.5,a,true,\"[1, 2]\",a,2024-01-02 03:04:05\n"
        "2.0,,,false,[3],,2024-01-02 03:04:05\n"
        ",2.5,longer than twelve bytes,,[],longer than twelve bytes,"
        "2024-01-02 03:04:05\n"
        "4.0,-0.0,\303\251,true,,\303\251,2024-01-02 03:04:05\n";

    (void)state;
    assert_reads("tests/data/arrow/lz4.arrow", csv);
    assert_reads("tests/data/arrow/zstd.arrow", csv);
}

/* ---- what is damaged ---- */

static void
a_file_cut_anywhere_is_refused(void **state)
{
    struct frame *f = every_type(), *g;
    struct error err;
    struct buf b;

    (void)state;
    assert_true(arrow_write(f, path, NULL, &err));
    buf_init(&b);
    assert_true(file_read(path, 1 << 20, &b, &err));
    for (size_t n = 0; n < b.len; n += n < 100 ? 1 : 97) {
        assert_false(
            arrow_parse((struct str){b.data, n}, "cut", NULL, NULL, &g, &err));
        assert_int_equal(err.code, ERR_PARSE);
    }
    buf_fini(&b);
    frame_unref(f);
}

static void
a_stream_cut_within_a_message_is_refused(void **state)
{
    struct arrow_options o = {.stream = true};
    struct frame *f = every_type(), *g;
    struct error err;
    struct buf b;

    (void)state;
    assert_true(arrow_write(f, path, &o, &err));
    buf_init(&b);
    assert_true(file_read(path, 1 << 20, &b, &err));
    assert_false(arrow_parse((struct str){b.data, b.len - 100}, "cut", NULL,
                             NULL, &g, &err));
    assert_non_null(strstr(err.message, "cut: it ends within a message"));
    buf_fini(&b);
    frame_unref(f);
}

/* One bit wrong anywhere: an error, or a frame that can be used. */
static void
a_damaged_file_is_refused_or_harmless(void **state)
{
    struct frame *f = table("a,t\n1,x\n2,yy\n,x\n"), *g;
    struct error err;
    struct buf b, print;

    (void)state;
    buf_init(&b);
    buf_init(&print);
    for (int stream = 0; stream < 2; stream++) {
        struct arrow_options o = {.stream = stream};

        assert_true(arrow_write(f, path, &o, &err));
        buf_clear(&b);
        assert_true(file_read(path, 1 << 20, &b, &err));
        for (size_t i = 0; i < b.len * 8; i++) {
            b.data[i / 8] = (char)(b.data[i / 8] ^ 1 << (i % 8));
            if (arrow_parse((struct str){b.data, b.len}, "bit", NULL, NULL, &g,
                            &err)) {
                buf_clear(&print);
                frame_print(g, 5, 80, &print);
                frame_unref(g);
            }
            b.data[i / 8] = (char)(b.data[i / 8] ^ 1 << (i % 8));
        }
    }
    buf_fini(&b);
    buf_fini(&print);
    frame_unref(f);
}

/* ---- failure ---- */

static void
reading_survives_every_failing_allocation(void **state)
{
    struct arrow_options o = {.batch_rows = 64, .codec = CODEC_ZSTD};
    struct frame *f = every_type(), *g = NULL;
    struct error err;

    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        assert_true(arrow_write(f, path, plain ? NULL : &o, &err));
        for (unsigned long n = 1; !g; n++) {
            mem_fault_arm(n, false);
            if (!arrow_read(path, NULL, NULL, &g, &err))
                assert_int_equal(err.code, ERR_NOMEM);
            mem_fault_arm(0, false);
        }
        assert_same(f, g);
        frame_unref(g);
        g = NULL;
    }
    frame_unref(f);
}

static void
writing_leaves_the_old_file_or_the_new_one(void **state)
{
    struct arrow_options o = {.batch_rows = 64, .codec = CODEC_LZ4_FRAME};
    struct frame *f = every_type(), *old = table("a\n1\n"), *g;
    struct error err;
    bool ok = false;

    (void)state;
    assert_true(arrow_write(old, path, NULL, &err));
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        ok = arrow_write(f, path, &o, &err);
        mem_fault_arm(0, false);
        g = read_back(NULL);
        assert_same(frame_cols(g) == 1 ? old : f, g);
        assert_true(!ok || frame_cols(g) == 6);
        frame_unref(g);
    }
    frame_unref(f);
    frame_unref(old);
}

static void
stopping_ends_the_reading_and_the_writing(void **state)
{
    struct frame *f = every_type(), *g;
    struct progress p;
    struct error err;

    (void)state;
    assert_true(arrow_write(f, path, NULL, &err));
    progress_init(&p);
    progress_stop(&p);
    assert_false(arrow_read(path, NULL, &p, &g, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_false(
        arrow_write(f, path, &(struct arrow_options){.progress = &p}, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    frame_unref(f);
}

/* ---- kept tables ---- */

static void
a_kept_frame_comes_back_with_its_note(void **state)
{
    struct frame *f = every_type(), *g;
    struct error err;
    char *note;

    (void)state;
    assert_true(arrow_keep(f, "a \"note\"", path, &err));
    assert_true(arrow_recall(path, NULL, &g, &note, &err));
    assert_string_equal(note, "a \"note\"");
    assert_same(f, g);
    assert_int_equal(dict_find(column_dict(frame_column(g, 3)), STR("text 7")),
                     dict_find(column_dict(frame_column(f, 3)), STR("text 7")));
    free(note);
    frame_unref(g);
    g = read_back(NULL);
    assert_same(f, g);
    frame_unref(g);
    frame_unref(f);
}

/* Of metadata every bit counts; of values those that could lead astray. */
static void
a_kept_frame_that_was_damaged_is_refused_or_harmless(void **state)
{
    struct frame *f = table("a,t\n1,x\n2,yy\n,x\n"), *g;
    struct error err;
    struct buf b;
    size_t n_refused = 0;

    (void)state;
    buf_init(&b);
    assert_true(arrow_keep(f, "", path, &err));
    assert_true(file_read(path, 1 << 20, &b, &err));
    for (size_t i = 0; i < b.len; i++) {
        char *note;

        b.data[i] ^= 0x11;
        assert_true(file_replace(path, b.data, b.len, 0600, &err));
        if (arrow_recall(path, NULL, &g, &note, &err)) {
            char hash[33];

            assert_true(frame_fingerprint(g, hash, &err));
            assert_string_equal(frame_name(g, 0), "a");
            frame_unref(g);
            free(note);
        } else {
            assert_int_equal(err.code, ERR_CORRUPT);
            n_refused++;
        }
        b.data[i] ^= 0x11;
    }
    assert_true(n_refused > 500);
    assert_true(file_replace(path, b.data, b.len - 1, 0600, &err));
    assert_false(arrow_recall(path, NULL, &g, &(char *){NULL}, &err));
    buf_fini(&b);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back_in_every_form),
        cmocka_unit_test(tables_without_rows_columns_or_texts_come_back),
        cmocka_unit_test(texts_that_are_not_utf8_come_back),
        cmocka_unit_test(one_plain_batch_is_mapped_not_copied),
        cmocka_unit_test(every_type_of_another_program_is_read),
        cmocka_unit_test(a_dictionary_replaced_between_batches_is_followed),
        cmocka_unit_test(compressed_bodies_and_views_are_read),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_stream_cut_within_a_message_is_refused),
        cmocka_unit_test(a_damaged_file_is_refused_or_harmless),
        cmocka_unit_test(reading_survives_every_failing_allocation),
        cmocka_unit_test(writing_leaves_the_old_file_or_the_new_one),
        cmocka_unit_test(stopping_ends_the_reading_and_the_writing),
        cmocka_unit_test(a_kept_frame_comes_back_with_its_note),
        cmocka_unit_test(a_kept_frame_that_was_damaged_is_refused_or_harmless),
    };

    (void)cmocka_run_group_tests(tests, make_dir, remove_dir);
    return 0;
}
