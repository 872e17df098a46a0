/* tests/lib/lesson.h -- what every model family is put through.
 *
 * A lesson is numbers for a family to learn from.  Its learner is seen the way
 * another program would see it: through its file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_TESTS_LESSON_H
#define LATHE_TESTS_LESSON_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/model.h"

struct lesson {
    const struct family *family;
    const char *const *set; /* parameters: "k=3", NULL-ended; or NULL */
    size_t n, p;
    double *x;      /* (p, n), owned */
    double *y;      /* n, owned */
    double *weight; /* n, borrowed; NULL: all 1 */
    enum problem problem;
    size_t n_classes;
    struct design_column *column; /* p, owned; numbers at first */
    struct design *d, *none;      /* none: no rows, to stop early by */
};

/* Room for n rows of p columns; the caller fills x and y. */
static inline struct lesson
lesson_new(const struct family *family, enum problem problem, size_t n,
           size_t p)
{
    struct lesson l = {.family = family, .problem = problem, .n = n, .p = p};
    struct error err;

    l.x = calloc(n * p + 1, sizeof *l.x);
    l.y = calloc(n + 1, sizeof *l.y);
    l.column = calloc(p + 1, sizeof *l.column);
    assert_true(l.x && l.y && l.column);
    for (size_t j = 0; j < p; j++)
        l.column[j] = (struct design_column){"x", 0};
    l.n_classes = problem == PROBLEM_BINARY ? 2 : 0;
    l.d = design_dense(l.x, n, p, l.column, &err);
    l.none = design_dense(l.x, 0, p, l.column, &err);
    assert_true(l.d && l.none);
    return l;
}

/* Numbers that any program can make: a plain formula of row and column. */
static inline double
lesson_number(size_t i, size_t j)
{
    return (double)((i * (7 + 3 * j) + 5 * j * j) % (23 + 6 * j)) / 7.0 - 1.5;
}

static inline void
lesson_free(struct lesson *l)
{
    design_free(l->d);
    design_free(l->none);
    free(l->column);
    free(l->x);
    free(l->y);
}

static inline void *
lesson_learn(const struct lesson *l, struct pool *pool,
             struct progress *progress, struct error *err)
{
    static char *names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct target t = {.problem = l->problem,
                       .n = l->n,
                       .y = l->y,
                       .weight = l->weight,
                       .classes = names,
                       .n_classes = l->n_classes};
    struct target none = {
        .problem = l->problem, .classes = names, .n_classes = l->n_classes};
    struct fit_data d = {
        .train = l->d, .y = &t, .valid = l->none, .y_valid = &none};
    struct train ctx = {.pool = pool, .progress = progress, .seed = 1};
    struct params *p = params_new(l->family->params);
    struct json_writer w;
    struct buf chosen;
    void *learner = NULL;
    bool ok = true;

    for (const char *const *s = l->set; s && *s; s++)
        assert_true(params_set_pair(p, *s, err));
    buf_init(&chosen);
    json_writer_init(&w, &chosen);
    json_open(&w, '{');
    learner = l->family->fit(&d, p, &ctx, &w, err);
    json_close(&w, '}');
    ok = learner && buf_check(&chosen, err);
    if (learner && !ok) {
        l->family->free(learner);
        learner = NULL;
    }
    buf_fini(&chosen);
    params_free(p);
    return learner;
}

static inline void *
lesson_must_learn(const struct lesson *l)
{
    struct error err;
    void *learner = lesson_learn(l, NULL, NULL, &err);

    if (!learner)
        fail_msg("%s: %s", l->family->name, err.message);
    return learner;
}

/* Tensors and manifest. */
static inline void
lesson_save(const struct lesson *l, const void *learner, struct buf *file)
{
    struct st_writer *w = st_writer_new();
    struct json_writer m;
    struct error err;
    struct buf manifest;

    buf_init(file);
    buf_init(&manifest);
    json_writer_init(&m, &manifest);
    json_open(&m, '{');
    l->family->save(learner, w, &m);
    json_close(&m, '}');
    st_manifest(w, manifest.data);
    assert_true(st_write(w, file, &err));
    st_writer_free(w);
    buf_fini(&manifest);
}

/* f outlives the learner. */
static inline void *
lesson_load(const struct lesson *l, const struct st_file *f, struct error *err)
{
    struct json *m = json_parse(str_of(st_get_manifest(f)), err);
    void *learner = NULL;

    if (m)
        learner = l->family->load(f, m, l->p, l->problem, l->n_classes, err);
    json_free(m);
    return learner;
}

static inline size_t
lesson_width(const struct lesson *l, const void *learner)
{
    return l->problem == PROBLEM_NONE         ? l->family->width(learner)
           : l->problem == PROBLEM_MULTICLASS ? l->n_classes
                                              : 1;
}

/* Answers for the rows learnt from; the caller frees. */
static inline double *
lesson_answers(const struct lesson *l, const void *learner)
{
    double *out = calloc(l->n * lesson_width(l, learner) + 1, sizeof *out);
    struct error err;

    assert_non_null(out);
    if (!l->family->score(learner, l->d, NULL, out, &err))
        fail_msg("%s: %s", l->family->name, err.message);
    return out;
}

/* One tensor of the file as doubles. */
static inline void
lesson_tensor(const struct lesson *l, const void *learner, const char *name,
              double *out, size_t n)
{
    struct buf file;
    struct st_file *f;
    struct st_tensor t;
    struct error err;

    lesson_save(l, learner, &file);
    f = st_parse((struct str){file.data, file.len}, &err);
    assert_non_null(f);
    if (!st_need(f, name, ST_F64, (int64_t)n, &t, &err))
        fail_msg("%s", err.message);
    memcpy(out, t.data, n * sizeof *out);
    st_free(f);
    buf_fini(&file);
}

static inline void
lesson_expect(const char *what, const double *got, const double *want, size_t n,
              double within)
{
    for (size_t i = 0; i < n; i++)
        if (!(got[i] - want[i] <= within && want[i] - got[i] <= within))
            fail_msg("%s %zu: got %.12g, want %.12g", what, i, got[i], want[i]);
}

/* ---- what holds for all ---- */

static inline void
lesson_same_for_any_threads(const struct lesson *l)
{
    static const unsigned threads[] = {1, 2, 3, 7};
    struct buf want = {0}, got;

    for (size_t i = 0; i < 4; i++) {
        struct pool *pool = pool_new(threads[i]);
        struct error err;
        void *learner = lesson_learn(l, pool, NULL, &err);

        assert_non_null(learner);
        lesson_save(l, learner, i ? &got : &want);
        if (i) {
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.data, want.data, want.len);
            buf_fini(&got);
        }
        l->family->free(learner);
        pool_free(pool);
    }
    buf_fini(&want);
}

/* The file gives the same answers back, to the bit, and a row alone the same as
 * among others. */
static inline void
lesson_same_from_file(const struct lesson *l)
{
    void *learner = lesson_must_learn(l), *back;
    double *want = lesson_answers(l, learner), *got;
    size_t k = lesson_width(l, learner);
    struct buf file;
    struct st_file *f;
    struct error err;

    lesson_save(l, learner, &file);
    f = st_parse((struct str){file.data, file.len}, &err);
    assert_non_null(f);
    back = lesson_load(l, f, &err);
    if (!back)
        fail_msg("%s: %s", l->family->name, err.message);
    got = lesson_answers(l, back);
    assert_memory_equal(got, want, l->n * k * sizeof *got);
    for (size_t i = 0; i < l->n; i += 1 + l->n / 7) {
        double *row = calloc(l->p + 1, sizeof *row);
        struct design *d;

        for (size_t j = 0; j < l->p; j++)
            row[j] = l->x[j * l->n + i];
        d = design_dense(row, 1, l->p, l->column, &err);
        assert_non_null(d);
        assert_true(l->family->score(back, d, NULL, got, &err));
        assert_memory_equal(got, want + i * k, k * sizeof *got);
        design_free(d);
        free(row);
    }
    l->family->free(learner);
    l->family->free(back);
    st_free(f);
    buf_fini(&file);
    free(want);
    free(got);
}

static inline void
lesson_no_memory_is_an_error(const struct lesson *l)
{
    struct error err;
    void *learner = NULL;
    unsigned long n;

    for (n = 1; n < 5000 && !learner; n++) {
        mem_fault_arm(n, false);
        learner = lesson_learn(l, NULL, NULL, &err);
        mem_fault_arm(0, false);
        if (!learner)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 3, 4999);
    for (n = 1;; n++) {
        double *out = calloc(l->n * lesson_width(l, learner) + 1, sizeof *out);
        bool ok;

        mem_fault_arm(n, false);
        ok = l->family->score(learner, l->d, NULL, out, &err);
        mem_fault_arm(0, false);
        free(out);
        if (ok)
            break;
        assert_int_equal(err.code, ERR_NOMEM);
    }
    l->family->free(learner);
}

static inline void
lesson_cancelled_is_an_error(const struct lesson *l)
{
    struct progress progress;
    struct error err;

    progress_init(&progress);
    progress_stop(&progress);
    assert_null(lesson_learn(l, NULL, &progress, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
}

/* Files with a byte or a number changed: refused, or a learner that answers
 * without harm (run it under a sanitizer). */
static inline void
lesson_damage_is_harmless(const struct lesson *l)
{
    static const double odd[] = {-1,           0,   1e300, -1e300,
                                 4294967296.0, 0.5, NAN,   INFINITY};
    void *learner = lesson_must_learn(l);
    struct buf file;
    char *copy;
    struct error err;

    lesson_save(l, learner, &file);
    l->family->free(learner);
    copy = aligned_alloc(64, (file.len + 63) / 64 * 64);
    assert_non_null(copy);
    for (uint64_t i = 0; i < 600; i++) {
        struct st_file *f;
        void *back;

        memcpy(copy, file.data, file.len);
        if (i % 2) {
            size_t at = rng_below(9, 1, i, file.len / 8) * 8;

            memcpy(copy + at, &odd[rng_below(9, 2, i, 8)], 8);
        } else {
            copy[rng_below(9, 3, i, file.len)] ^=
                (char)(1 << rng_below(9, 4, i, 8));
        }
        f = st_parse((struct str){copy, file.len}, &err);
        back = f && st_get_manifest(f) ? lesson_load(l, f, &err) : NULL;
        if (back &&
            (l->problem != PROBLEM_NONE || l->family->width(back) < 100000)) {
            double *out = calloc(l->n * lesson_width(l, back) + 1, sizeof *out);

            assert_non_null(out);
            (void)!l->family->score(back, l->d, NULL, out, &err);
            free(out);
        }
        if (back)
            l->family->free(back);
        st_free(f);
    }
    free(copy);
    buf_fini(&file);
}
#endif
