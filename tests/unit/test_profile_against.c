/* A table held against another one.  Numbers marked (scipy) came from scipy
 * 1.10.1 and numpy 1.24.2 on the same tables.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "tests/lib/profile_table.h"

/* Rows begin..end of the table, x moved up by shift. */
static struct frame *
part(size_t begin, size_t end, double shift)
{
    struct error err = {0};
    struct frame *all = table(), *some = frame_slice(all, begin, end, &err);
    size_t n = end - begin;
    const struct column *x = frame_column(some, X);
    double *moved = mem_try_aligned(n, sizeof *moved, &err);
    struct frame *f;

    for (size_t i = 0; i < n; i++)
        moved[i] = column_number(x, i) + shift;
    f = frame_with(some, "x",
                   column_new(COL_FLOAT64, n, moved, NULL, NULL, &err), &err);
    assert_non_null(f);
    frame_unref(all);
    frame_unref(some);
    return f;
}

static struct profile *
compared(struct frame *here, struct frame *there, const char *target)
{
    struct error err = {0};
    struct profile *p = profile_new(
        here,
        &(struct profile_options){
            .target = target, .against = there, .against_name = "there.csv"},
        NULL, NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    frame_unref(here);
    frame_unref(there);
    return p;
}

static const struct alert *
find_alert(const struct profile *p, enum alert_kind kind, long col)
{
    for (size_t i = 0; i < p->n_alerts; i++)
        if (p->alert[i].kind == kind && p->alert[i].col == col)
            return &p->alert[i];
    return NULL;
}

/* 600 rows against 600 that begin 200 earlier: (scipy). */
static void
test_distances_agree_with_scipy(void **state)
{
    struct profile *p = compared(part(0, 600, 0), part(400, 1000, 10), NULL);
    const struct profile_pair *x = &p->against->pair[X];
    const struct profile_pair *word = &p->against->pair[WORD];

    (void)state;
    expect_near("mean here", x->mean[0], 30.33388888888889);
    expect_near("mean there", x->mean[1], 40.47944444444445);
    expect_near("ks", x->ks, 0.10555555555555556);
    expect_near("ks p", x->ks_p, 0.004848219571715402);
    expect_near("wasserstein", x->wasserstein, 0.3482394938981043);
    expect_near("js", x->js, 0.290924024180214);
    expect_near("psi", x->psi, 0.9283301295089421);
    assert_int_equal(x->test, DRIFT_KS);
    assert_true(x->drifts);
    expect_near("chi2", word->chi2, 0);
    expect_near("chi2 p", word->chi2_p, 1);
    expect_near("unseen", word->unseen, 0);
    assert_int_equal(word->test, DRIFT_CHI2);
    assert_false(word->drifts);
    assert_non_null(find_alert(p, ALERT_DRIFT, X));
    assert_null(find_alert(p, ALERT_DRIFT, WORD));
    profile_free(p);
}

/* Beyond 1,000 rows here chance is no longer asked for. */
static void
test_many_rows_are_judged_by_distance(void **state)
{
    static const char *const names[] = {"v", "c"};
    static const enum col_type types[] = {COL_FLOAT64, COL_TEXT};
    struct frame *f[2];
    struct error err = {0};
    struct profile *p;

    (void)state;
    for (size_t s = 0; s < 2; s++) {
        struct builder *b = builder_new(2, names, types, &err);

        for (int64_t i = 0; i < 1500; i++)
            assert_true(builder_f64(b, 0, (double)(i + (s ? 60 : 0)), &err) &&
                        builder_text(b, 1,
                                     str_of(i % 10 < (s ? 3 : 5) ? "a" : "b"),
                                     &err) &&
                        builder_end_row(b, &err));
        f[s] = builder_finish(b, &err);
    }
    p = compared(f[0], f[1], NULL);
    /* Moved by 60 of a deviation of 1500 / sqrt(12), so 0.1386. */
    assert_int_equal(p->against->pair[0].test, DRIFT_WASSERSTEIN);
    expect_near("moved", p->against->pair[0].score,
                60 / sqrt((1500.0 * 1500 - 1) / 12));
    assert_true(p->against->pair[0].drifts);
    assert_int_equal(p->against->pair[1].test, DRIFT_JS);
    /* (scipy) jensenshannon([.5, .5], [.3, .7], 2) */
    expect_near("js", p->against->pair[1].score, 0.17408372939284805);
    assert_non_null(find_alert(p, ALERT_DRIFT, -1));
    profile_free(p);
}

static void
test_rows_in_both_tables_are_counted(void **state)
{
    struct profile *p = compared(part(0, 600, 0), part(400, 1000, 0), NULL);

    (void)state;
    assert_int_equal(p->against->n_common, N_COLS);
    assert_int_equal(p->against->n_overlap, 200);
    assert_string_equal(find_alert(p, ALERT_TRAIN_TEST_OVERLAP, -1)->text,
                        "200 of 600 (33.3 %) rows of the other table are in "
                        "this one");
    assert_int_equal(find_alert(p, ALERT_TRAIN_TEST_OVERLAP, -1)->level,
                     ALERT_BAD);
    profile_free(p);
    /* x moved: only the rows that miss it are the same. */
    p = compared(part(0, 600, 0), part(400, 1000, 10), NULL);
    assert_int_equal(p->against->n_overlap, 20);
    profile_free(p);
    p = compared(part(0, 400, 0), part(400, 1000, 0), NULL);
    assert_null(find_alert(p, ALERT_TRAIN_TEST_OVERLAP, -1));
    profile_free(p);
}

/* A whole number may have become a float in the other file, and texts have
 * other codes there. */
static void
test_rows_are_the_same_whatever_holds_them(void **state)
{
    static const char *const names[] = {"k", "t"};
    static const enum col_type types[2][2] = {{COL_INT64, COL_TEXT},
                                              {COL_FLOAT64, COL_TEXT}};
    static const char *const texts[] = {"red", "green", "blue"};
    struct frame *f[2];
    struct error err = {0};
    struct profile *p;

    (void)state;
    for (size_t s = 0; s < 2; s++) {
        struct builder *b = builder_new(2, names, types[s], &err);

        for (int64_t i = 0; i < 30; i++) {
            int64_t v = s ? 29 - i : i;

            assert_true((s ? builder_f64(b, 0, (double)v, &err)
                           : builder_i64(b, 0, v, &err)) &&
                        builder_text(b, 1, str_of(texts[v % 3]), &err) &&
                        builder_end_row(b, &err));
        }
        f[s] = builder_finish(b, &err);
    }
    p = compared(f[0], f[1], NULL);
    assert_int_equal(p->against->n_overlap, 30);
    assert_string_equal(find_alert(p, ALERT_SCHEMA, 0)->text,
                        "int here, float in the other table");
    profile_free(p);
}

static void
test_columns_that_one_lacks_are_told(void **state)
{
    struct error err = {0};
    struct frame *all = part(0, 500, 0);
    size_t some[] = {X, K, WORD, FLAG, DAY, Z, V};
    size_t others[] = {K, WORD, FLAG, DAY, Z, V, Y};
    struct frame *here = frame_select(all, some, 7, &err);
    struct frame *there = frame_select(all, others, 7, &err);
    struct profile *p = compared(here, there, NULL);
    struct buf b;

    (void)state;
    frame_unref(all);
    assert_int_equal(p->against->n_pairs, 8);
    assert_string_equal(find_alert(p, ALERT_SCHEMA, 0)->text,
                        "the other table has no such column");
    assert_string_equal(find_alert(p, ALERT_SCHEMA, -1)->text,
                        "only the other table has y");
    expect_widths(p);
    buf_init(&b);
    profile_print(p, 140, false, &b);
    assert_non_null(strstr(b.data, "  only there\n"));
    profile_markdown(p, &b);
    assert_non_null(strstr(b.data, "## Against there.csv"));
    buf_fini(&b);
    profile_free(p);
}

static void
test_many_columns_that_only_the_other_has_are_named(void **state)
{
    const size_t two[] = {K, WORD};
    struct error err;
    struct frame *there = table(), *here = frame_select(there, two, 2, &err);
    struct profile *p = compared(here, there, NULL);
    char said[40];
    struct buf b;

    (void)state;
    buf_init(&b);
    profile_print(p, 140, false, &b);
    for (size_t i = 0; i < N_COLS; i++) {
        const char *name = p->against->pair[i].name;

        snprintf(said, sizeof said, "only the other table has %s\n", name);
        if (!p->against->pair[i].here && !strstr(b.data, said))
            fail_msg("no '%s' in\n%s", said, b.data);
    }
    assert_int_equal(p->against->n_pairs, N_COLS);
    buf_fini(&b);
    profile_free(p);
}

static void
test_a_target_that_drifts_is_worse_than_another_column(void **state)
{
    struct profile *p = compared(part(0, 600, 0), part(400, 1000, 40), "x");

    (void)state;
    assert_int_equal(find_alert(p, ALERT_TARGET_SHIFT, X)->level, ALERT_BAD);
    assert_null(find_alert(p, ALERT_DRIFT, X));
    profile_free(p);
}

/* Row i of table s of 3,000. */
typedef void put_text(int s, int i, char *out, size_t size);

static struct profile *
compare_made(put_text *put)
{
    static const char *const name[] = {"t"};
    static const enum col_type type[] = {COL_TEXT};
    struct frame *f[2];
    struct error err = {0};

    for (int s = 0; s < 2; s++) {
        struct builder *b = builder_new(1, name, type, &err);

        for (int i = 0; i < 3000; i++) {
            char text[32];

            put(s, i, text, sizeof text);
            assert_true(builder_text(b, 0, str_of(text), &err) &&
                        builder_end_row(b, &err));
        }
        f[s] = builder_finish(b, &err);
    }
    return compared(f[0], f[1], NULL);
}

static void
put_moved(int s, int i, char *out, size_t size)
{
    snprintf(out, size, "w%d", i / 10 + s * 75);
}

static void
test_texts_never_seen_are_told(void **state)
{
    struct profile *p = compare_made(put_moved);
    const struct profile_pair *t = &p->against->pair[0];

    (void)state;
    expect_near("unseen", t->unseen, 0.25);
    assert_true(isnan(t->psi));
    assert_int_equal(t->test, DRIFT_UNSEEN);
    expect_near("score", t->score, 0.25); /* none occurs once */
    assert_true(t->drifts);
    assert_int_equal(p->against->n_tested, 1);
    assert_string_equal(find_alert(p, ALERT_DRIFT, 0)->text,
                        "other values in the other table (new beyond chance "
                        "0.25)");
    profile_free(p);
}

/* Lists of few numbers, of which one is another one there. */
static void
put_list(int s, int i, char *out, size_t size)
{
    snprintf(out, size, "[%d,%d,%d]", i % 20, 2 + s, i / 20 % 20);
}

static void
test_lists_that_differ_by_a_digit_drift(void **state)
{
    struct profile *p = compare_made(put_list);
    const struct profile_pair *t = &p->against->pair[0];

    (void)state;
    assert_int_equal(t->test, DRIFT_UNSEEN);
    expect_near("score", t->score, 1);
    assert_true(t->drifts);
    profile_free(p);
}

/* 1,000 texts at random: exp(-3) = 5 % of them are in one table alone. */
static void
put_drawn(int s, int i, char *out, size_t size)
{
    uint64_t x = (uint64_t)(i + s * 3000) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
    snprintf(out, size, "id %u", (unsigned)((x ^ x >> 29) % 1000));
}

static void
test_texts_that_are_new_by_chance_are_no_drift(void **state)
{
    struct profile *p = compare_made(put_drawn);
    const struct profile_pair *t = &p->against->pair[0];

    (void)state;
    assert_true(t->unseen > 0.03 && t->unseen < 0.07);
    assert_int_equal(t->test, DRIFT_UNSEEN);
    assert_true(t->score < 0.02);
    assert_false(t->drifts);
    assert_null(find_alert(p, ALERT_DRIFT, 0));
    profile_free(p);
}

static void
put_name(int s, int i, char *out, size_t size)
{
    snprintf(out, size, "row %d", i + s * 3000);
}

static void
test_names_of_rows_are_not_judged(void **state)
{
    struct profile *p = compare_made(put_name);
    const struct profile_pair *t = &p->against->pair[0];

    (void)state;
    expect_near("unseen", t->unseen, 1);
    assert_int_equal(t->test, DRIFT_NONE);
    assert_int_equal(p->against->n_tested, 0);
    assert_null(find_alert(p, ALERT_DRIFT, 0));
    profile_free(p);
}

static void
test_no_memory_to_compare_is_an_error(void **state)
{
    struct frame *here = part(0, 40, 0), *there = part(20, 60, 1);
    struct error err = {0};

    (void)state;
    for (unsigned long n = 1;; n++) {
        struct profile *p;

        mem_fault_arm(n, false);
        p = profile_new(
            here,
            &(struct profile_options){.against = there, .against_name = "b"},
            NULL, NULL, &err);
        mem_fault_arm(0, false);
        if (p) {
            profile_free(p);
            break;
        }
        assert_int_equal(err.code, ERR_NOMEM);
        assert_true(n < 10000);
    }
    frame_unref(here);
    frame_unref(there);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances_agree_with_scipy),
        cmocka_unit_test(test_many_rows_are_judged_by_distance),
        cmocka_unit_test(test_rows_in_both_tables_are_counted),
        cmocka_unit_test(test_rows_are_the_same_whatever_holds_them),
        cmocka_unit_test(test_columns_that_one_lacks_are_told),
        cmocka_unit_test(test_many_columns_that_only_the_other_has_are_named),
        cmocka_unit_test(
            test_a_target_that_drifts_is_worse_than_another_column),
        cmocka_unit_test(test_texts_never_seen_are_told),
        cmocka_unit_test(test_lists_that_differ_by_a_digit_drift),
        cmocka_unit_test(test_texts_that_are_new_by_chance_are_no_drift),
        cmocka_unit_test(test_names_of_rows_are_not_judged),
        cmocka_unit_test(test_no_memory_to_compare_is_an_error),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
