/* Steps: what shows is what their Lua makes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/csv.h"
#include "frame/expr.h"
#include "frame/source.h"
#include "frame/stream_verbs.h"
#include "script/kernel.h"
#include "session/origin.h"
#include "session/steps.h"
#include "session/task.h"
#include "tests/lib/scratch.h"

static const char sales[] = "region,month,price,unit \"q\",end\n"
                            "north,jan,2.5,3,1\n"
                            "south,feb,4,1,2\n"
                            "north,feb,1,5,3\n"
                            "south,jan,8,,4\n"
                            "north,jan,3,2,5\n"
                            ",jan,7,1,6\n";

struct fixture {
    struct pool *pool;
    struct loop *loop;
    struct session *session;
    struct kernel *kernel;
    struct table *table;
    char dir[SCRATCH_PATH];
    char out[4096]; /* of the last chunk */
};

static void
keep_output(void *ctx, const struct output *o)
{
    struct fixture *f = ctx;

    snprintf(f->out, sizeof f->out, "%s", o->text);
}

static int
open_all(void **state)
{
    struct fixture *f = mem_new(sizeof *f);
    char *path;
    struct csv_table t;
    struct error err;

    if (!scratch_make(f->dir))
        return -1;
    f->pool = pool_new(2);
    f->loop = loop_new();
    f->session = session_new(f->pool, f->loop);
    f->kernel = kernel_new(f->session, &err);
    path = file_join(f->dir, "sales 2026.csv");
    if (!file_replace(path, sales, sizeof sales - 1, 0644, &err) ||
        !csv_parse((struct str){sales, sizeof sales - 1}, "sales", NULL, NULL,
                   NULL, &t, &err))
        return -1;
    f->table = session_add_table(f->session, "sales 2026.csv", path, t.frame);
    csv_table_fini(&t);
    free(path);
    *state = f;
    return 0;
}

static int
close_all(void **state)
{
    struct fixture *f = *state;

    kernel_free(f->kernel);
    session_free(f->session);
    loop_free(f->loop);
    pool_free(f->pool);
    scratch_remove(f->dir);
    free(f);
    return 0;
}

/* Apply to the table, as the view does. */
static bool
apply(struct fixture *f, struct steps *s, struct error *err)
{
    struct table *t = f->table;
    struct shown had = {t->all, t->frame, t->rows}, shown;

    if (!steps_apply(s, t->base, t->steps, &had, f->pool, NULL, &shown, err)) {
        steps_free(s);
        return false;
    }
    session_set_shown(f->session, t, s, &shown);
    return true;
}

static struct steps *
steps_of(struct fixture *f)
{
    return steps_copy(f->table->steps);
}

/* The Lua of the table, run by itself, gives what shows. */
static void
assert_lua_makes(struct fixture *f, const struct table *t)
{
    const struct kernel_events events = {keep_output, f};
    struct shown shown = {t->all, t->frame, t->rows};
    struct error err;
    struct frame *want = shown_gather(&shown, f->pool, &err);
    char hash[33];
    struct buf b;

    assert_non_null(want);
    assert_true(frame_fingerprint(want, hash, &err));
    frame_unref(want);
    buf_init(&b);
    table_lua(t, &b);
    buf_printf(&b, "return %s.fingerprint", t->variable);
    if (!kernel_run(f->kernel, str_of(b.data), "t", 1, &events, &err))
        fail_msg("%s\n%s", err.message, b.data);
    if (!strstr(f->out, hash))
        fail_msg("got %s, want %s, of\n%s", f->out, hash, b.data);
    buf_fini(&b);
}

/* The lines behind the first. */
static void
assert_steps(const struct table *t, const char *want)
{
    struct buf b;

    buf_init(&b);
    table_lua(t, &b);
    assert_string_equal(strchr(b.data, '\n') + 1, want);
    buf_fini(&b);
}

static void
test_a_file_is_read_under_a_name_of_lua(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(f->table->variable, "sales_2026");
    assert_steps(f->table, "");
    assert_lua_makes(f, f->table);
}

static void
test_names_are_unique_and_no_words_of_lua(void **state)
{
    static const char *const want[][2] = {{"end.csv", "end_2"},
                                          {"table.csv", "table_2"},
                                          {"2026.parquet", "t2026"},
                                          {"größe.csv", "gr_e"},
                                          {"a.b.csv.gz", "a"},
                                          {"sales_2026.csv", "sales_2026_2"},
                                          {"churn.csv:plan", "churn_plan"},
                                          {"東京", "t"},
                                          {"", "t"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char *got = origin_variable(f->session, want[i][0]);

        assert_string_equal(got, want[i][1]);
        free(got);
    }
}

static void
test_steps_apply_in_one_order_whatever_was_first(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct steps *s = steps_of(f);

    steps_sort(s, "price", true, false);
    steps_hide(s, "month");
    steps_filter(s, "region = 'north' or region is null");
    assert_true(apply(f, s, &err));
    s = steps_of(f);
    steps_with(s, "half", "price / 2");
    assert_true(apply(f, s, &err));
    assert_steps(
        f->table,
        "sales_2026 = sales_2026:with{ half = \"price / 2\" }\n"
        "sales_2026 = sales_2026:where(\"region = 'north' or region is null\")\n"
        "sales_2026 = sales_2026:sort{ \"-price\" }\n"
        "sales_2026 = sales_2026:drop{ \"month\" }\n");
    assert_lua_makes(f, f->table);
    assert_int_equal(rowset_n(f->table->rows), 4);
    assert_int_equal(rowset_ids(f->table->rows)[0], 5); /* price 7 */
    assert_int_equal(rowset_ids(f->table->rows)[3], 2); /* price 1 */
}

static void
test_a_new_name_changes_the_steps_behind_it(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct steps *s = steps_of(f);

    steps_filter(s, "price > 2 and `price` < 8 and region <> 'price'");
    steps_sort(s, "price", true, false);
    steps_sort(s, "month", false, true);
    steps_move(s, f->table->frame, "price", 0);
    assert_true(apply(f, s, &err));
    s = steps_of(f);
    steps_rename(s, "price", "a \"cost\"");
    assert_true(apply(f, s, &err));
    assert_string_equal(f->table->steps->filter,
                        "`a \"cost\"` > 2 and `a \"cost\"` < 8 and region <> "
                        "'price'");
    assert_string_equal(frame_name(f->table->frame, 0), "a \"cost\"");
    assert_int_equal(rowset_n(f->table->rows), 3);
    assert_lua_makes(f, f->table);
}

static void
test_a_key_of_any_length_follows_its_column(void **state)
{
    struct steps *s = steps_new();
    char name[2000];
    bool down = false;

    (void)state;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    steps_sort(s, "a", true, false);
    steps_rename(s, "a", name);
    assert_int_equal(steps_key(s, name, &down), 1);
    assert_true(down);
    steps_rename(s, name, "b");
    assert_int_equal(steps_key(s, "b", &down), 1);
    assert_true(down);
    steps_free(s);
}

static void
test_a_word_of_lua_may_be_a_column(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct steps *s = steps_of(f);

    steps_with(s, "end", "float(`end`)");
    steps_rename(s, "unit \"q\"", "then");
    assert_true(apply(f, s, &err));
    assert_lua_makes(f, f->table);
}

static void
test_keys_are_added_turned_and_replaced(void **state)
{
    struct steps *s = steps_new();
    bool down;

    (void)state;
    steps_sort(s, "a", false, false);
    steps_sort(s, "b", true, true);
    assert_int_equal(steps_key(s, "b", &down), 2);
    assert_true(down);
    steps_sort(s, "a", true, true);
    assert_int_equal(steps_key(s, "a", &down), 1);
    assert_true(down);
    steps_sort(s, "c", false, false);
    assert_int_equal(steps_key(s, "a", &down), 0);
    assert_int_equal(steps_key(s, "c", &down), 1);
    steps_free(s);
}

static void
test_hidden_columns_come_back_to_their_places(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct steps *s = steps_of(f);

    steps_hide(s, "month");
    steps_hide(s, "region");
    assert_true(apply(f, s, &err));
    assert_int_equal(frame_cols(f->table->frame), 3);
    s = steps_of(f);
    steps_move(s, f->table->frame, "end", 0);
    steps_unhide(s, f->table->all, NULL);
    assert_true(apply(f, s, &err));
    assert_string_equal(frame_name(f->table->frame, 0), "region");
    assert_string_equal(frame_name(f->table->frame, 1), "month");
    assert_string_equal(frame_name(f->table->frame, 2), "end");
    assert_string_equal(frame_name(f->table->frame, 3), "price");
    assert_lua_makes(f, f->table);
}

static void
test_what_cannot_be_done_leaves_what_shows(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct frame *before = f->table->frame;
    struct steps *s = steps_of(f);

    steps_filter(s, "prise > 2");
    assert_false(apply(f, s, &err));
    assert_non_null(strstr(err.message, "'prise' (did you mean 'price'?)"));
    s = steps_of(f);
    steps_rename(s, "price", "region");
    assert_false(apply(f, s, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    assert_ptr_equal(f->table->frame, before);
    assert_true(steps_empty(f->table->steps));
}

/* A filter alone must not compute columns again, nor hiding the rows. */
static void
test_what_is_there_is_not_done_again(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct steps *s = steps_of(f);
    struct frame *all;
    struct rowset *rows;

    steps_with(s, "half", "price / 2");
    steps_filter(s, "half > 1");
    assert_true(apply(f, s, &err));
    all = f->table->all;
    rows = f->table->rows;
    s = steps_of(f);
    steps_hide(s, "month");
    assert_true(apply(f, s, &err));
    assert_ptr_equal(f->table->all, all);
    assert_ptr_equal(f->table->rows, rows);
    s = steps_of(f);
    steps_filter(s, "");
    assert_true(apply(f, s, &err));
    assert_ptr_equal(f->table->all, all);
    assert_null(f->table->rows);
}

static void
test_a_table_made_from_another_has_its_lines(void **state)
{
    struct fixture *f = *state;
    struct error err;
    struct origin o;
    struct table *made;
    struct shown shown;
    struct frame *few, *counts;
    struct steps *s = steps_of(f);

    steps_filter(s, "price > 1");
    assert_true(apply(f, s, &err));
    origin_call(&o, f->table, "group({ \"region\" }, { \"n = count()\" })");
    shown = (struct shown){f->table->all, f->table->frame, f->table->rows};
    few = shown_gather(&shown, f->pool, &err);
    counts = verb_group(few, (const char *const[]){"region", NULL},
                        (const char *const[]){"n = count()", NULL}, f->pool,
                        NULL, &err);
    made = session_add_table(f->session, "sales 2026.csv:region", "", counts);
    session_set_origin(f->session, made, &o);
    frame_unref(few);
    frame_unref(counts);
    f->table = session_table(f->session, 0);
    s = steps_of(f); /* what it came from shows otherwise now */
    steps_filter(s, "price > 3");
    assert_true(apply(f, s, &err));
    assert_string_equal(made->variable, "sales_2026_region");
    assert_lua_makes(f, made);
    assert_lua_makes(f, f->table);

    origin_call_with(&o, f->table, made, "join(%s, { by = \"region\" })");
    assert_non_null(
        strstr(o.expression, "sales_2026:join(sales_2026_region, "));
    /* The group is made from its own filter, and the left side again. */
    assert_true(strstr(o.before, "price > 1") < strstr(o.before, "price > 3"));
    origin_fini(&o);
    origin_call_with(&o, made, f->table, "join(%s, { by = \"region\" })");
    assert_true(strstr(o.before, "price > 1") < strstr(o.before, "price > 3"));
    origin_fini(&o);
}

/* Whichever allocation fails, nothing is half done. */
static void
test_no_memory_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct steps *s = steps_of(f);
    struct shown shown;
    struct error err;
    bool ok = false;
    unsigned long n = 0;

    steps_with(s, "half", "price / 2");
    steps_filter(s, "half > 1");
    steps_sort(s, "region", false, false);
    steps_hide(s, "month");
    while (!ok) {
        mem_fault_arm(++n, false);
        ok = steps_apply(s, f->table->base, NULL, NULL, NULL, NULL, &shown,
                         &err);
        mem_fault_arm(0, false);
        if (!ok) {
            assert_int_equal(err.code, ERR_NOMEM);
            assert_null(shown.frame);
        }
    }
    assert_true(n > 10);
    assert_int_equal(shown_rows(&shown), 5);
    shown_fini(&shown);
    steps_free(s);
}

/* Names and values that would end a text of Lua, of an expression or of a
 * cell, as columns, in conditions, in orders, and as the name of the file. */
static void
test_hostile_names_and_values_make_the_same_table_in_lua(void **state)
{
    static const char text[] =
        "\"a`b\",\"c\"\"d]]\",e\\f,-g,\"two\nlines\",%s,\xe2\x80\xae txt,\x1b[31m\n"
        "\"it's `x`\",\"]]--[[\",\\n,1,\"\"\"\n# %%\n\",%s%n,\xff\xfe,\x1b]0;t\x07\n"
        "\"') or true --\",\"\"\"..os.exit()..\"\"\",\\,2,\"a\nb\",%d,\xe2\x80\xae,\x07\n"
        "x,y,z,3,w,v,u,t\n";
    struct fixture *f = *state, mine = *f;
    struct csv_table t;
    struct error err;
    struct buf b;
    char *path = file_join(f->dir, "a\"]] \\ '%s'\nos.exit().csv");

    buf_init(&b);
    assert_true(file_replace(path, text, sizeof text - 1, 0644, &err));
    if (!csv_parse((struct str){text, sizeof text - 1}, "t", NULL, NULL, NULL,
                   &t, &err))
        fail_msg("%s", err.message);
    assert_int_equal(frame_cols(t.frame), 8);
    for (size_t col = 0; col < frame_cols(t.frame); col++)
        for (size_t row = 0; row < frame_rows(t.frame); row++) {
            const char *name = frame_name(t.frame, col);
            struct steps *s;

            mine.table =
                session_add_table(f->session, file_base(path), path, t.frame);
            s = steps_of(&mine);
            buf_clear(&b);
            expr_put_name(name, &b);
            buf_puts(&b, " = ");
            expr_put_value(frame_column(t.frame, col), row, &b);
            steps_filter(s, b.data);
            steps_sort(s, name, row > 0, false);
            steps_rename(s, frame_name(t.frame, (col + 1) % 8),
                         frame_name(t.frame, col)[0] == 'x' ? "q" : "]] \"\\");
            if (!apply(&mine, s, &err))
                fail_msg("%s: %s", b.data, err.message);
            assert_int_equal(rowset_n(mine.table->rows), 1);
            assert_lua_makes(&mine, mine.table);
            session_close_table(f->session, session_tables(f->session) - 1);
        }
    csv_table_fini(&t);
    free(path);
    buf_fini(&b);
}

/* What tells how a file is read is part of its Lua: else it would make other
 * columns. */
static void
test_a_table_read_by_options_is_read_so_in_lua(void **state)
{
    static const char text[] = "id\tcity\n007\tM\xfcnchen\n008\t\"none\"\n";
    static const char *const types[] = {"id=text", NULL};
    static const char *const nulls[] = {"none", "\"\\", NULL};
    const struct source_options all = {
        .csv = {.delimiter = '\t',
                .header = 0,
                .types = (const char *const[]){"column_1=text", NULL},
                .nulls = nulls},
        .encoding = ENCODING_LATIN1};
    const struct source_options some = {.csv = {.header = -1, .types = types}};
    struct fixture *f = *state, mine = *f;
    const struct source_options *how[] = {&all, &some, NULL};
    static const char *const want[] = {
        ", { delimiter = \"\\x09\", encoding = \"latin1\", header = false, "
        "types = { \"column_1=text\" }, nulls = { \"none\", \"\\\"\\\\\" } })",
        ", { types = { \"id=text\" } })", "t.tsv\")"};
    char *path = file_join(f->dir, "t.tsv");
    struct csv_table t;
    struct error err;

    assert_true(file_replace(path, text, sizeof text - 1, 0644, &err));
    for (size_t i = 0; i < 3; i++) {
        if (!source_read(path, how[i], f->pool, NULL, &t, &err))
            fail_msg("%s", err.message);
        mine.table = session_add_table(f->session, "t.tsv", path, t.frame);
        if (how[i])
            session_set_reading(f->session, mine.table, how[i]);
        if (!strstr(mine.table->origin.expression, want[i]))
            fail_msg("got %s, want %s", mine.table->origin.expression, want[i]);
        assert_lua_makes(&mine, mine.table);
        csv_table_fini(&t);
    }
    free(path);
}

/* A hyphen in front means downwards, unless there is no such column. */
static void
test_a_column_whose_name_begins_with_a_hyphen_is_a_key(void **state)
{
    static const char text[] = "-g,h\n1,2\n3,4\n2,3\n";
    static const char *const orders[][2] = {
        {"-g", "1"}, {"--g", "3"}, {"-h", "3"}, {"h", "1"}};
    struct csv_table t;
    struct error err;

    (void)state;
    assert_true(csv_parse((struct str){text, sizeof text - 1}, "t", NULL, NULL,
                          NULL, &t, &err));
    for (size_t i = 0; i < 4; i++) {
        const char *const names[] = {orders[i][0], NULL};
        struct stream *s = stream_of_frame(t.frame, 1, NULL, NULL, &err);
        struct frame *got = verb_top(t.frame, names, 3, NULL, &err), *same;

        assert_non_null(got);
        assert_int_equal(column_int64s(frame_column(got, 0))[0],
                         orders[i][1][0] - '0');
        s = stream_sort(s, names, &err);
        assert_non_null(s);
        same = stream_collect(s, &err);
        assert_non_null(same);
        assert_int_equal(column_int64s(frame_column(same, 0))[0],
                         orders[i][1][0] - '0');
        stream_close(s);
        frame_unref(got);
        frame_unref(same);
    }
    csv_table_fini(&t);
}

/* A value written as an expression finds its own rows. */
static void
test_a_value_as_a_literal_is_equal_to_itself(void **state)
{
    static const char text[] = "i,f,t,d,b,s,n\n"
                               "-5,1.5e-07,it's,2024-02-29,true,"
                               "2024-02-29T12:30:00Z,inf\n"
                               "7,0.1,\"a\"\"b\",1969-12-31,false,"
                               "1969-12-31T23:59:59.5Z,-inf\n";
    struct csv_table t;
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    if (!csv_parse((struct str){text, sizeof text - 1}, "t", NULL, NULL, NULL,
                   &t, &err))
        fail_msg("%s", err.message);
    for (size_t col = 0; col < frame_cols(t.frame); col++)
        for (size_t row = 0; row < 2; row++) {
            struct frame *got;

            buf_clear(&b);
            expr_put_name(frame_name(t.frame, col), &b);
            buf_puts(&b, " = ");
            expr_put_value(frame_column(t.frame, col), row, &b);
            got = verb_where(t.frame, b.data, NULL, &err);
            if (!got)
                fail_msg("%s: %s", b.data, err.message);
            if (frame_rows(got) != 1)
                fail_msg("%s: %zu rows", b.data, frame_rows(got));
            frame_unref(got);
        }
    csv_table_fini(&t);
    buf_fini(&b);
}

static void
test_texts_survive_the_way_through_lua(void **state)
{
    static const char *const texts[] = {"a\"b\\c", "two\nlines\ttab", "東京 ü",
                                        "\x01\x7f\xff"
                                        "9",
                                        "]]--"};
    struct fixture *f = *state;
    const struct kernel_events events = {keep_output, f};
    struct error err;
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_clear(&b);
        buf_puts(&b, "local s = ");
        steps_put_text(texts[i], &b);
        buf_puts(&b, " local t = {} for i = 1, #s do t[i] = "
                     "string.format('%02x', s:byte(i)) end "
                     "return table.concat(t)");
        assert_true(
            kernel_run(f->kernel, str_of(b.data), "t", 1, &events, &err));
        buf_clear(&b);
        for (const char *p = texts[i]; *p; p++)
            buf_printf(&b, "%02x", (unsigned char)*p);
        if (!strstr(f->out, b.data))
            fail_msg("got %s, want %s", f->out, b.data);
    }
    buf_fini(&b);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_file_is_read_under_a_name_of_lua),
        CASE(test_names_are_unique_and_no_words_of_lua),
        CASE(test_steps_apply_in_one_order_whatever_was_first),
        CASE(test_a_new_name_changes_the_steps_behind_it),
        CASE(test_a_key_of_any_length_follows_its_column),
        CASE(test_a_word_of_lua_may_be_a_column),
        CASE(test_keys_are_added_turned_and_replaced),
        CASE(test_hidden_columns_come_back_to_their_places),
        CASE(test_what_cannot_be_done_leaves_what_shows),
        CASE(test_what_is_there_is_not_done_again),
        CASE(test_a_table_made_from_another_has_its_lines),
        CASE(test_no_memory_is_an_error),
        CASE(test_a_value_as_a_literal_is_equal_to_itself),
        CASE(test_a_table_read_by_options_is_read_so_in_lua),
        CASE(test_hostile_names_and_values_make_the_same_table_in_lua),
        CASE(test_a_column_whose_name_begins_with_a_hyphen_is_a_key),
        CASE(test_texts_survive_the_way_through_lua),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
