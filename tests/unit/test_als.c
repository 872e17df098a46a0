/* tests/unit/test_als.c -- factors of users and items.
 *
 * What is solved is checked against dense normal equations, set up and
 * eliminated here; the loss against its definition, pair by pair.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/als.h"
#include "engine/family.h"
#include "frame/builder.h"
#include "tests/lib/lesson.h"

enum { USERS = 14, ITEMS = 9, F = 3, Q = F + 1 };

/* Every pair but those of every third diagonal is rated; user numbers are 100,
 * 107, ..., item numbers 0, 2, ... */
static struct lesson
ratings(const char *const *set, bool counts)
{
    struct lesson l =
        lesson_new(&als_family, PROBLEM_REGRESSION, USERS * ITEMS, 2);
    size_t n = 0;

    l.set = set;
    l.column[0].name = "user";
    l.column[1].name = "item";
    for (size_t u = 0; u < USERS; u++)
        for (size_t i = 0; i < ITEMS; i++) {
            if ((u + i) % 3 == 1)
                continue;
            l.x[n] = 100 + 7 * (double)u;
            l.x[l.n + n] = 2 * (double)i;
            l.y[n++] = counts ? (double)((u * i + u) % 4)
                              : 3 + sin((double)(u * 2 + 1) * (double)(i + 1)) +
                                    0.3 * (double)(u % 4);
        }
    /* The rows left are the first again, or missing. */
    for (size_t k = n; k < l.n; k++) {
        l.x[k] = NAN;
        l.x[l.n + k] = NAN;
    }
    return l;
}

struct factors {
    double user[USERS * Q], item[ITEMS * Q], mean;
};

static void
factors_of(const struct lesson *l, const void *learner, struct factors *out)
{
    double sum = 0, n = 0;

    lesson_tensor(l, learner, "als.user_factor", out->user, USERS * Q);
    lesson_tensor(l, learner, "als.item_factor", out->item, ITEMS * Q);
    for (size_t k = 0; k < l->n; k++)
        if (!isnan(l->x[k])) {
            sum += l->y[k];
            n += 1;
        }
    out->mean = sum / n;
}

static size_t
user_at(const struct lesson *l, size_t k)
{
    return (size_t)(l->x[k] - 100) / 7;
}

static size_t
item_at(const struct lesson *l, size_t k)
{
    return (size_t)l->x[l->n + k] / 2;
}

/* Gauss with pivots. */
static void
eliminate(double *a, double *b, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        size_t p = c;

        for (size_t r = c; r < n; r++)
            if (fabs(a[r * n + c]) > fabs(a[p * n + c]))
                p = r;
        for (size_t j = 0; j < n; j++) {
            double keep = a[c * n + j];

            a[c * n + j] = a[p * n + j];
            a[p * n + j] = keep;
        }
        double keep = b[c];

        b[c] = b[p];
        b[p] = keep;
        for (size_t r = 0; r < n; r++) {
            double by = a[r * n + c] / a[c * n + c];

            for (size_t j = c; j < n && r != c; j++)
                a[r * n + j] -= by * a[c * n + j];
            b[r] -= r != c ? by * b[c] : 0;
        }
    }
    for (size_t c = 0; c < n; c++)
        b[c] /= a[c * n + c];
}

/* Items were solved for last: each is the solution of its own dense least
 * squares problem. */
static void
test_items_are_dense_solutions(void **state)
{
    static const char *const set[] = {"factors=3", "lambda=0.07", "max_iter=4",
                                      NULL};
    struct lesson l = ratings(set, false);
    void *learner = lesson_must_learn(&l);
    struct factors f;

    (void)state;
    factors_of(&l, learner, &f);
    for (size_t i = 0; i < ITEMS; i++) {
        double a[Q * Q] = {0}, b[Q] = {0}, rows = 0;

        for (size_t k = 0; k < l.n; k++) {
            double z[Q];

            if (isnan(l.x[k]) || item_at(&l, k) != i)
                continue;
            memcpy(z, f.user + user_at(&l, k) * Q, sizeof z);
            for (size_t j = 0; j < Q; j++) {
                double zj = j == F ? 1 : z[j];

                b[j] += zj * (l.y[k] - f.mean - z[F]);
                for (size_t m = 0; m < Q; m++)
                    a[j * Q + m] += zj * (m == F ? 1 : z[m]);
            }
            rows += 1;
        }
        for (size_t j = 0; j < Q; j++)
            a[j * Q + j] += 0.07 * rows;
        eliminate(a, b, Q);
        lesson_expect("factor", f.item + i * Q, b, Q, 1e-9);
    }
    als_family.free(learner);
    lesson_free(&l);
}

static void
test_implicit_items_are_dense_solutions(void **state)
{
    static const char *const set[] = {"factors=3",     "lambda=0.4",
                                      "alpha=2.5",     "max_iter=4",
                                      "implicit=true", NULL};
    struct lesson l = ratings(set, true);
    void *learner = lesson_must_learn(&l);
    double count[USERS * ITEMS] = {0};
    struct factors f;

    (void)state;
    factors_of(&l, learner, &f);
    for (size_t k = 0; k < l.n; k++)
        if (!isnan(l.x[k]))
            count[user_at(&l, k) * ITEMS + item_at(&l, k)] += l.y[k];
    for (size_t i = 0; i < ITEMS; i++) {
        double a[F * F] = {0}, b[F] = {0};

        for (size_t u = 0; u < USERS; u++) {
            const double *x = f.user + u * Q;
            double r = count[u * ITEMS + i], c = 1 + 2.5 * r;

            for (size_t j = 0; j < F; j++) {
                b[j] += r > 0 ? c * x[j] : 0;
                for (size_t m = 0; m < F; m++)
                    a[j * F + m] += c * x[j] * x[m];
            }
        }
        for (size_t j = 0; j < F; j++)
            a[j * F + j] += 0.4;
        eliminate(a, b, F);
        lesson_expect("factor", f.item + i * Q, b, F, 1e-9);
    }
    als_family.free(learner);
    lesson_free(&l);
}

static double
loss_of(const struct lesson *l, const struct factors *f, double lambda)
{
    double sum = 0;

    for (size_t k = 0; k < l->n; k++) {
        const double *u, *v;
        double e;

        if (isnan(l->x[k]))
            continue;
        u = f->user + user_at(l, k) * Q;
        v = f->item + item_at(l, k) * Q;
        e = l->y[k] - f->mean - u[F] - v[F];
        for (size_t j = 0; j < F; j++)
            e -= u[j] * v[j];
        sum += e * e;
        for (size_t j = 0; j < Q; j++)
            sum += lambda * (u[j] * u[j] + v[j] * v[j]);
    }
    return sum;
}

static void
test_the_loss_never_rises(void **state)
{
    char turns[32];
    const char *const set[] = {"factors=3", "lambda=0.07", "tolerance=0", turns,
                               NULL};
    struct lesson l = ratings(set, false);
    double last = INFINITY;

    (void)state;
    for (int t = 1; t <= 25; t++) {
        struct factors f;
        void *learner;
        double loss;

        snprintf(turns, sizeof turns, "max_iter=%d", t);
        learner = lesson_must_learn(&l);
        factors_of(&l, learner, &f);
        loss = loss_of(&l, &f, 0.07);
        assert_true(loss <= last);
        last = loss;
        als_family.free(learner);
    }
    lesson_free(&l);
}

static void
test_who_was_not_seen_is_average(void **state)
{
    static const char *const set[] = {"factors=3", NULL};
    struct lesson l = ratings(set, false);
    void *learner = lesson_must_learn(&l);
    double *out, want[3];
    struct factors f;

    (void)state;
    factors_of(&l, learner, &f);
    l.x[0] = 5; /* no such user */
    l.x[l.n] = 4;
    l.x[1] = 107;
    l.x[l.n + 1] = 3; /* no such item */
    l.x[2] = NAN;
    l.x[l.n + 2] = 1e300;
    out = lesson_answers(&l, learner);
    want[0] = f.mean + f.item[2 * Q + F];
    want[1] = f.mean + f.user[1 * Q + F];
    want[2] = f.mean;
    lesson_expect("answer", out, want, 3, 1e-12);
    free(out);
    als_family.free(learner);
    lesson_free(&l);
}

/* A table of names and films, through a model and its file. */
static struct model *
films(struct buf *file)
{
    static const char *const names[] = {"who", "film", "stars", "note"};
    static const enum col_type types[] = {COL_TEXT, COL_TEXT, COL_FLOAT64,
                                          COL_TEXT};
    static const char *const who[] = {"ann", "bob", "cid", "dee"};
    static const char *const film[] = {"alien", "brazil", "casablanca", "dune",
                                       "eraserhead"};
    struct error err;
    struct builder *b = builder_new(4, names, types, &err);
    struct params *p = params_new(als_family.params);
    struct model_options o = {.problem = PROBLEM_REGRESSION, .patience = -1};
    struct train ctx = {.seed = 3};
    struct model *m, *back;
    struct frame *f;

    for (size_t u = 0; u < 4; u++)
        for (size_t i = 0; i < 5; i++)
            if (u != i)
                assert_true(builder_text(b, 0, str_of(who[u]), &err) &&
                            builder_text(b, 1, str_of(film[i]), &err) &&
                            builder_f64(b, 2, (u % 2 == i % 2 ? 5 : 1), &err) &&
                            builder_text(b, 3, STR("x"), &err) &&
                            builder_end_row(b, &err));
    f = builder_finish(b, &err);
    assert_true(params_set(p, "user", "who", &err) &&
                params_set(p, "item", "film", &err) &&
                params_set(p, "factors", "2", &err));
    m = model_fit(&als_family, p, f, "stars", &o, &ctx, &err);
    if (!m)
        fail_msg("%s", err.message);
    buf_init(file);
    assert_true(model_save(m, file, &err));
    back = model_parse((struct str){file->data, file->len}, family_find, &err);
    if (!back)
        fail_msg("%s", err.message);
    model_unref(m);
    params_free(p);
    frame_unref(f);
    return back;
}

static void
test_the_best_of_what_was_not_rated_is_offered(void **state)
{
    struct buf file;
    struct model *m = films(&file);
    struct error err;
    struct frame *f =
        model_recommend(m, &(struct recommend){"ann", 3, false}, &err);

    (void)state;
    assert_non_null(f);
    /* Ann has rated all but the first, and likes what she was offered. */
    assert_int_equal(frame_rows(f), 1);
    assert_string_equal(frame_name(f, 0), "film");
    assert_true(str_is(column_text(frame_column(f, 0), 0), "alien"));
    assert_true(column_number(frame_column(f, 1), 0) > 3);
    frame_unref(f);
    f = model_recommend(m, &(struct recommend){"ann", 3, true}, &err);
    assert_int_equal(frame_rows(f), 3);
    for (size_t i = 0; i < 3; i++)
        assert_false(str_is(column_text(frame_column(f, 0), i), "brazil"));
    frame_unref(f);
    assert_null(model_recommend(m, &(struct recommend){"eve", 3, true}, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_string_equal(err.message, "user 'eve' is not known");
    assert_null(model_forecast(
        m, &(struct forecast){.horizon = 3, .level = 0.95}, &err));
    assert_string_equal(err.message, "als does not forecast");
    model_unref(m);
    buf_fini(&file);
}

static void
test_negative_counts_are_refused(void **state)
{
    static const char *const set[] = {"implicit=true", NULL};
    struct lesson l = ratings(set, true);
    struct error err;

    (void)state;
    l.y[3] = -2;
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_string_equal(err.message,
                        "implicit learns from counts, and one is -2");
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const char *const set[] = {"factors=5", "max_iter=6", NULL};
    static const char *const implicit[] = {"factors=5", "implicit=true", NULL};
    struct lesson l = ratings(set, false);

    (void)state;
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    lesson_free(&l);
    l = ratings(implicit, true);
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_are_dense_solutions),
        cmocka_unit_test(test_implicit_items_are_dense_solutions),
        cmocka_unit_test(test_the_loss_never_rises),
        cmocka_unit_test(test_who_was_not_seen_is_average),
        cmocka_unit_test(test_the_best_of_what_was_not_rated_is_offered),
        cmocka_unit_test(test_negative_counts_are_refused),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
