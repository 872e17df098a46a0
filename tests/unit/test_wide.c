/* Trees of more columns than 16 bits tell apart.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/forest.h"
#include "engine/trees/gbdt.h"
#include "tests/lib/close.h"

enum { ROWS = 48, COLS = 70000 };

struct table {
    double *x, y[ROWS];
    struct design_column *column;
    struct design *d;
    struct target t;
};

/* Two values of noise in every column; the last one is the target. */
static void
make(struct table *s, unsigned values)
{
    struct error err;

    memset(s, 0, sizeof *s);
    s->x = calloc((size_t)ROWS * COLS, sizeof *s->x);
    s->column = calloc(COLS, sizeof *s->column);
    assert_true(s->x && s->column);
    for (size_t i = 0; i < ROWS; i++)
        s->y[i] = 100 * rng_normal(7, 1, i);
    for (size_t c = 0; c < COLS; c++) {
        s->column[c].name = "x";
        for (size_t i = 0; i < ROWS; i++)
            s->x[c * ROWS + i] = (double)rng_below(8, c, i, values);
    }
    memcpy(s->x + (size_t)(COLS - 1) * ROWS, s->y, sizeof s->y);
    s->d = design_dense(s->x, ROWS, COLS, s->column, &err);
    assert_ok(s->d, err);
    s->t = (struct target){.problem = PROBLEM_REGRESSION, .n = ROWS, .y = s->y};
}

static void
drop(struct table *s)
{
    design_free(s->d);
    free(s->column);
    free(s->x);
}

static void *
fit(const struct family *f, const struct table *s, const char *const *set)
{
    const struct train ctx = {.seed = 3};
    const struct metric *metric = metric_default(PROBLEM_REGRESSION);
    struct target no_rows = {.problem = PROBLEM_REGRESSION};
    struct fit_data d = {.train = s->d,
                         .y = &s->t,
                         .y_valid = &no_rows,
                         .metrics = &metric,
                         .n_metrics = 1};
    struct params *p = params_new(f->params);
    struct error err;
    struct design *none = design_dense(s->x, 0, COLS, s->column, &err);
    void *m;

    for (; *set; set++)
        assert_ok(params_set_pair(p, *set, &err), err);
    d.valid = none;
    m = f->fit(&d, p, &ctx, NULL, &err);
    assert_ok(m, err);
    design_free(none);
    params_free(p);
    return m;
}

/* Through its file and back; m is freed. */
static void *
reload(const struct family *f, void *m, struct buf *file, struct st_file **held)
{
    struct st_writer *w = st_writer_new();
    struct buf text;
    struct json_writer j;
    struct error err;
    struct json *manifest;
    void *again;

    buf_init(file);
    buf_init(&text);
    json_writer_init(&j, &text);
    json_open(&j, '{');
    f->save(m, w, &j);
    json_close(&j, '}');
    assert_ok(st_write(w, file, &err), err);
    st_writer_free(w);
    *held = st_parse((struct str){file->data, file->len}, &err);
    assert_ok(*held, err);
    manifest = json_parse((struct str){text.data, text.len}, &err);
    assert_ok(manifest, err);
    again = f->load(*held, manifest, COLS, PROBLEM_REGRESSION, 0, &err);
    assert_ok(again, err);
    json_free(manifest);
    buf_fini(&text);
    f->free(m);
    return again;
}

/* How far the answers are from the target at most. */
static double
error_of(const struct family *f, const void *m, const struct table *s)
{
    double out[ROWS], most = 0;
    struct error err;

    assert_ok(f->score(m, s->d, NULL, out, &err), err);
    for (size_t i = 0; i < ROWS; i++)
        most = fmax(most, fabs(out[i] - s->y[i]));
    return most;
}

static void
must_repeat(const struct family *f, const struct table *s,
            const char *const *set, double within)
{
    void *m = fit(f, s, set);
    double fresh = error_of(f, m, s);
    struct st_file *held;
    struct buf file;

    if (!(fresh <= within))
        fail_msg("%s misses by %g", f->name, fresh);
    m = reload(f, m, &file, &held);
    assert_true(error_of(f, m, s) == fresh);
    f->free(m);
    st_free(held);
    buf_fini(&file);
}

static void
test_the_last_of_many_columns_is_found_and_saved(void **state)
{
    static const char *const boost[] = {"trees=3",       "learning_rate=1",
                                        "min_rows=1",    "leaves=64",
                                        "row_share=1",   "col_share=1",
                                        "l2=0",          "max_delta=0",
                                        "min_hessian=0", NULL};
    static const char *const lines[] = {
        "trees=2",     "learning_rate=1", "min_rows=5",         "leaves=2",
        "row_share=1", "col_share=1",     "linear_leaves=true", "linear_l2=0",
        NULL};
    static const char *const drawn[] = {"trees=2", "bootstrap=false",
                                        "features=all", "min_rows=1", NULL};
    struct table s;

    (void)state;
    make(&s, 2);
    must_repeat(&gbdt_family, &s, boost, 1);
    must_repeat(&gbdt_family, &s, lines, 1);
    must_repeat(&forest_family, &s, drawn, 1e-3);
    must_repeat(&extra_trees_family, &s, drawn, 1e-3);
    drop(&s);
}

/* Every tree knows its rows by heart, by columns that it has drawn: more of them
 * in all than have a place in 16 bits. */
static void
test_nodes_that_look_at_very_many_columns_are_walked(void **state)
{
    static const char *const set[] = {"trees=2500", "bootstrap=false",
                                      "features=1", "min_rows=1", NULL};
    struct table s;

    (void)state;
    make(&s, 5);
    must_repeat(&forest_family, &s, set, 1e-2);
    drop(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_of_many_columns_is_found_and_saved),
        cmocka_unit_test(test_nodes_that_look_at_very_many_columns_are_walked),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
