/* engine/prepare_fit.c -- learn the steps from training rows.
 *
 * Each column is measured on its own, in parallel; then they are decided upon
 * in column order.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "base/str.h"
#include "frame/folder.h"
#include "frame/order.h"

enum {
    ID_MIN_LEVELS = 50,  /* fewer levels are no identifier */
    RARE_MIN_LEVELS = 50 /* up to here every level has a column */
};
#define RARE_SHARE 0.005

static size_t
list_len(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* Which columns of f the list names; caller frees. */
static bool *
mark_named(const struct frame *f, const char *const *list, struct error *err)
{
    bool *named = mem_try_array(frame_cols(f), sizeof *named, err);

    for (; named && list && *list; list++) {
        long at = frame_find(f, *list);

        if (at >= 0)
            named[at] = true;
    }
    return named;
}

static bool
is_target(const char *name, const char *target)
{
    return target && strcmp(name, target) == 0;
}

/* ---- measuring a column ---- */

struct level {
    struct str text;
    size_t count;
};

struct stats {
    const struct column *column;
    const char *name;
    size_t n_missing;
    size_t n_distinct;       /* of a number: 0, 1 or 2 for "more" */
    double median, mean, sd; /* of a number; the last two after imputation */
    struct level *level;     /* of a text, bytewise order; owned */
    struct pool *alone;      /* this thread, until it is stopped */
    bool ok;
    struct error err;
};

static int
by_text(const void *a, const void *b)
{
    return str_cmp(((const struct level *)a)->text,
                   ((const struct level *)b)->text);
}

static int
by_count(const void *a, const void *b)
{
    const struct level *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return by_text(a, b);
}

/* Mean and deviation once the missing values are the median, as scikit-learn's
 * SimpleImputer and StandardScaler in a row. x is sorted. */
static void
moments(struct stats *s, const double *x, size_t m)
{
    double sum = 0, squares = 0, n = (double)(m + s->n_missing), d;

    s->median = m % 2 ? x[m / 2] : x[m / 2 - 1] / 2 + x[m / 2] / 2;
    for (size_t i = 0; i < m; i++)
        sum += x[i];
    s->mean = (sum + (double)s->n_missing * s->median) / n;
    for (size_t i = 0; i < m; i++)
        squares += (x[i] - s->mean) * (x[i] - s->mean);
    d = s->median - s->mean;
    s->sd = sqrt((squares + (double)s->n_missing * d * d) / n);
}

static bool
measure_number(struct stats *s, enum prepare_style style)
{
    size_t n = column_rows(s->column), m = 0;
    double *x = mem_try_array(n, sizeof *x, &s->err);
    bool ok = true;

    if (!x)
        return false;
    column_numbers(s->column, 0, n, x);
    for (size_t i = 0; i < n; i++)
        if (prepare_scales(style) ? isfinite(x[i]) : !isnan(x[i])) {
            x[m++] = x[i];
            if (s->n_distinct == 0 || (s->n_distinct == 1 && x[m - 1] != x[0]))
                s->n_distinct++;
        }
    s->n_missing = n - m;
    if (prepare_scales(style) && m > 0 &&
        (ok = order_numbers(x, m, s->alone, &s->err)))
        moments(s, x, m);
    free(x);
    return ok;
}

static bool
utf8_check(const struct stats *s, struct str text, struct error *err)
{
    if (str_utf8_valid(text))
        return true;
    return error_set(err, ERR_PARSE, "column '%s' holds text that is not UTF-8",
                     s->name);
}

/* Only levels that occur in these rows: the dict may know more, from rows
 * that belong to a test. */
static bool
measure_text(struct stats *s)
{
    const struct dict *dict = column_dict(s->column);
    const uint32_t *codes = column_codes(s->column);
    const uint64_t *valid = column_validity(s->column);
    size_t n = column_rows(s->column), n_codes = dict_count(dict), k = 0;

    if (!(s->level = mem_try_array(n_codes, sizeof *s->level, &s->err)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (column_bit(valid, i))
            s->level[codes[i]].count++;
        else
            s->n_missing++;
    for (size_t c = 0; c < n_codes; c++) {
        if (s->level[c].count == 0)
            continue;
        s->level[k].count = s->level[c].count;
        s->level[k].text = dict_text(dict, (uint32_t)c);
        if (!utf8_check(s, s->level[k++].text, &s->err))
            return false;
    }
    s->n_distinct = k;
    return sort_items(s->level, k, sizeof *s->level, by_text,
                      pool_stop(s->alone), &s->err);
}

struct measuring {
    struct stats *stats;
    enum prepare_style style;
};

static void
measure_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct measuring *m = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        struct stats *s = &m->stats[i];

        /* Of pixels there is nothing to learn here. */
        s->ok = m->style == PREPARE_PIXELS ? true
                : column_type(s->column) == COL_TEXT
                    ? measure_text(s)
                    : measure_number(s, m->style);
    }
}

/* ---- deciding ---- */

/* A column left out would move all pixels behind it. */
static const char *
pixel_reason(const struct stats *s, const struct prepare *p)
{
    bool text = column_type(s->column) == COL_TEXT;

    if (p->images)
        return text && strcmp(s->name, PREPARE_IMAGE) == 0 ? NULL
                                                           : "there are images";
    return text ? "it is text, and pixels are numbers" : NULL;
}

/* Why a column is of no use, or NULL. */
static const char *
drop_reason(const struct stats *s, const struct prepare *p)
{
    size_t n = column_rows(s->column);

    if (p->style == PREPARE_PIXELS)
        return pixel_reason(s, p);
    if (s->n_distinct == 0)
        return "it has no values";
    if (p->keeps_all)
        return NULL;
    if (s->n_distinct == 1 && s->n_missing == 0)
        return "it is constant";
    if (column_type(s->column) == COL_TEXT)
        return s->n_distinct > ID_MIN_LEVELS && s->n_distinct > n / 2
                   ? "it looks like an identifier"
                   : NULL;
    if (prepare_scales(p->style) && s->n_distinct > 1 &&
        (!isfinite(s->mean) || !isfinite(s->sd) || !(s->sd > 0) ||
         !isfinite(1 / s->sd)))
        return "its values are too far apart to be scaled";
    return NULL;
}

static bool
feature_text(struct prepare *p, struct feature *f, struct stats *s,
             struct error *err)
{
    size_t n = column_rows(s->column);
    size_t most =
        p->style == PREPARE_TREES ? PREPARE_TREE_LEVELS : PREPARE_MAX_LEVELS;
    bool *rare;

    f->n_levels = s->n_distinct;
    if (f->n_levels > most && !p->keeps_all) {
        buf_printf(&p->notes,
                   "column '%s' keeps the %zu most frequent of %zu levels\n",
                   f->name, most, f->n_levels);
        f->n_levels = most;
        if (!sort_items(s->level, s->n_distinct, sizeof *s->level, by_count,
                        pool_stop(s->alone), err))
            return false;
        qsort(s->level, f->n_levels, sizeof *s->level, by_text);
    }
    f->level = arena_try(&p->arena, f->n_levels, sizeof *f->level, err);
    rare = arena_try(&p->arena, f->n_levels, sizeof *rare, err);
    if (!f->level || !rare)
        return false;
    for (size_t i = 0; i < f->n_levels; i++) {
        struct str t = s->level[i].text;

        if (!(f->level[i] = arena_text(&p->arena, t.p, t.n, err)))
            return false;
        rare[i] = f->n_levels > RARE_MIN_LEVELS &&
                  (double)s->level[i].count < RARE_SHARE * (double)n;
    }
    return !prepare_one_hot(p->style) || prepare_groups(p, f, rare, err);
}

/* Was it made by a step that has given it its scale? */
static bool
is_scaled(const struct prepare *p, const char *name)
{
    return p->scaled && dict_find(p->scaled, str_of(name)) != DICT_NONE;
}

static bool
feature_make(struct prepare *p, struct stats *s, struct error *err)
{
    bool as_is = is_scaled(p, s->name);
    const char *reason = drop_reason(s, p);
    struct feature *f;

    if (reason) {
        buf_printf(&p->notes, "column '%s' is left out: %s\n", s->name, reason);
        return true;
    }
    f = &p->feature[p->n_features++];
    f->name = arena_text(&p->arena, s->name, strlen(s->name), err);
    f->type = column_type(s->column);
    f->input = SIZE_MAX;
    if (!f->name)
        return false;
    if (f->type == COL_TEXT && p->style != PREPARE_PIXELS)
        return feature_text(p, f, s, err);
    f->fill = s->median;
    f->mean = as_is ? 0 : s->mean;
    /* One value and gaps: the 0/1 column tells all, this one stays 0. */
    f->sd = s->sd > 0 && !as_is ? s->sd : 1;
    f->missing = prepare_scales(p->style) && s->n_missing > 0;
    return true;
}

static bool
derived_fit(struct prepare *p, const char *const *derive, const char *target,
            struct error *err)
{
    size_t n = list_len(derive);

    if (!prepare_derived_init(p, n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!prepare_derived_add(p, derive[i], err))
            return false;
        if (is_target(p->derived[i].name, target))
            return error_set(err, ERR_RANGE,
                             "derived column '%s' has the name of the target",
                             target);
    }
    return true;
}

static bool
input_add(struct prepare *p, const char *name, const struct frame *f,
          size_t *at, struct error *err)
{
    size_t col;

    *at = prepare_input_find(p, name);
    return *at < p->n_inputs ||
           (frame_need(f, name, &col, err) &&
            prepare_input_add(p, name, column_type(frame_column(f, col)), err));
}

/* Columns that a derived one reads from the table itself. */
static bool
inputs_of_derived(struct prepare *p, size_t i, const struct frame *f,
                  const char *target, struct error *err)
{
    size_t n = expr_columns(p->derived[i].expr, NULL, 0), at;
    const char **names = mem_try_array(n, sizeof *names, err);
    bool ok = names != NULL;

    if (ok)
        (void)expr_columns(p->derived[i].expr, names, n);
    for (size_t k = 0; k < n && ok; k++) {
        if (prepare_derived_find(p, names[k], i) < i)
            continue;
        if (is_target(names[k], target))
            ok = error_set(err, ERR_RANGE,
                           "derived column '%s' reads the target '%s'",
                           p->derived[i].name, target);
        else
            ok = input_add(p, names[k], f, &at, err);
    }
    free(names);
    return ok;
}

/* Is it a column of the table itself?  What steps make is not. */
static bool
is_input(const struct prepare *p, const struct frame *f, const char *name)
{
    return prepare_derived_find(p, name, p->n_derived) == p->n_derived &&
           (p->n_steps == 0 || frame_find(f, name) >= 0);
}

static bool
inputs_fit(struct prepare *p, const struct frame *f, const char *target,
           struct error *err)
{
    size_t at;

    if (!(p->input =
              arena_try(&p->arena, frame_cols(f), sizeof *p->input, err)))
        return false;
    for (size_t i = 0; i < p->n_features; i++) {
        struct feature *x = &p->feature[i];

        if (is_input(p, f, x->name) &&
            !input_add(p, x->name, f, p->n_steps ? &at : &x->input, err))
            return false;
    }
    for (size_t i = 0; i < p->n_steps; i++)
        for (size_t j = 0; j < p->step[i].n; j++)
            if (p->step[i].kind != &step_select &&
                is_input(p, f, p->step[i].column[j].name) &&
                !input_add(p, p->step[i].column[j].name, f, &at, err))
                return false;
    for (size_t i = 0; i < p->n_derived; i++)
        if (!inputs_of_derived(p, i, f, target, err))
            return false;
    return true;
}

/* Measure the columns of `work` that may be learnt from, then decide. */
static bool
features_fit(struct prepare *p, const struct frame *work, const char *target,
             const char *const *drop, struct pool *pool, struct error *err)
{
    size_t n = frame_cols(work), k = 0;
    struct stats *s = mem_try_array(n, sizeof *s, err);
    struct measuring m = {s, p->style};
    struct pool *alone = pool_lend(NULL, pool_stop(pool));
    bool *dropped = s ? mark_named(work, drop, err) : NULL;
    bool ok = dropped != NULL;

    for (size_t i = 0; i < n && ok; i++) {
        const char *name = frame_name(work, i);

        if (is_target(name, target) || dropped[i])
            continue;
        p->images |= strcmp(name, PREPARE_IMAGE) == 0 &&
                     column_type(frame_column(work, i)) == COL_TEXT;
        s[k].alone = alone;
        s[k].column = frame_column(work, i);
        s[k++].name = name;
    }
    if (ok) {
        ok = pool_try(pool, k, 1, measure_chunk, &m, err) &&
             (p->feature = arena_try(&p->arena, k, sizeof *p->feature, err));
    }
    for (size_t i = 0; i < k && ok; i++)
        if (!s[i].ok) {
            *err = s[i].err;
            ok = false;
        } else {
            ok = feature_make(p, &s[i], err);
        }
    for (size_t i = 0; i < k; i++)
        free(s[i].level);
    pool_free(alone);
    free(dropped);
    free(s);
    if (ok && p->n_features == 0 && !p->keeps_all)
        ok = error_set(err, ERR_RANGE, "no column is left to learn from");
    if (ok && p->n_features > PREPARE_MAX_FEATURES)
        ok = error_set(err, ERR_LIMIT,
                       "%zu columns to learn from, the limit "
                       "is %d",
                       p->n_features, PREPARE_MAX_FEATURES);
    return ok && buf_check(&p->notes, err);
}

static bool
names_check(const struct frame *f, const char *target, const char *const *drop,
            struct error *err)
{
    size_t col;

    if (target && !frame_need(f, target, &col, err))
        return error_prefix(err, "target: ");
    for (; drop && *drop; drop++)
        if (!frame_need(f, *drop, &col, err))
            return error_prefix(err, "drop: ");
    return true;
}

static bool
is_listed(const char *name, const char *const *list)
{
    for (; list && *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

/* Does its first value say where a picture is? */
static bool
has_pictures(const struct column *c)
{
    size_t i = 0;

    if (column_type(c) != COL_TEXT)
        return false;
    while (i < column_rows(c) && !column_is_valid(c, i))
        i++;
    return i < column_rows(c) && (folder_is_picture(column_text(c, i)) ||
                                  str_starts(column_text(c, i), "data:"));
}

/* Without its pictures a table of such would pass for one of pixels. */
static bool
pictures_check(const struct frame *f, const char *target,
               const char *const *drop, struct error *err)
{
    long at = frame_find(f, PREPARE_IMAGE);

    if (at < 0 || !has_pictures(frame_column(f, (size_t)at)))
        return true;
    if (is_target(PREPARE_IMAGE, target))
        return error_set(err, ERR_USAGE,
                         "'" PREPARE_IMAGE "' has the pictures to learn from: "
                         "the target is another column, of a folder 'class'");
    if (is_listed(PREPARE_IMAGE, drop))
        return error_set(
            err, ERR_USAGE,
            "'" PREPARE_IMAGE "' has the pictures to learn from: it stays an "
            "input; models of other families, as gbdt, learn from the other "
            "columns alone");
    return true;
}

/* The names of pictures tell nothing of them: without another input there is
 * nothing that a family which does not look at them could learn. */
static bool
blind_check(const struct frame *f, const char *target,
            const struct prepare_options *o, struct error *err)
{
    long at = frame_find(f, PREPARE_IMAGE);

    if (at < 0 || o->derive || is_listed(PREPARE_IMAGE, o->drop) ||
        is_target(PREPARE_IMAGE, target) ||
        !has_pictures(frame_column(f, (size_t)at)))
        return true;
    for (size_t i = 0; i < frame_cols(f); i++)
        if (!folder_has_column(frame_name(f, i)) &&
            !is_target(frame_name(f, i), target) &&
            !is_listed(frame_name(f, i), o->drop))
            return true;
    return error_set(err, ERR_USAGE,
                     "the pictures of '" PREPARE_IMAGE "' are all there is to "
                     "learn from, and cnn alone looks into them; other models "
                     "learn from a table with a column for each pixel");
}

/* Everything learnt from `work`, the training rows with what is derived. */
static bool
steps_run(struct prepare *p, const char *target,
          const struct prepare_options *o, struct pool *pool,
          struct frame **work, struct error *err)
{
    struct step_fit how = {.p = p,
                           .y = o->y,
                           .target = target,
                           .drop = o->drop,
                           .seed = o->seed,
                           .pool = pool};
    size_t n = list_len(o->steps);

    if (n == 0)
        return true;
    if (p->style == PREPARE_PIXELS)
        return error_set(err, ERR_RANGE,
                         "a model of images takes no steps of preparation");
    if (!prepare_steps_init(p, n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!prepare_steps_add(p, o->steps[i], err))
            return false;
    return prepare_steps_fit(&how, work, err);
}

struct prepare *
prepare_fit_steps(const struct frame *f, const char *target,
                  enum prepare_style style, const struct prepare_options *o,
                  struct pool *pool, struct error *err)
{
    struct prepare *p = NULL;
    struct frame *work = NULL;
    bool ok = false;

    if (!names_check(f, target, o->drop, err) ||
        !(style == PREPARE_PIXELS ? pictures_check(f, target, o->drop, err)
                                  : blind_check(f, target, o, err)) ||
        !(p = prepare_new(style == PREPARE_IDS ? PREPARE_TREES : style, err)))
        goto out;
    p->keeps_all = style == PREPARE_IDS;
    if (!derived_fit(p, o->derive, target, err) ||
        !(work = prepare_derive(p, f, pool, err)))
        goto out;
    ok = steps_run(p, target, o, pool, &work, err) &&
         features_fit(p, work, target, o->drop, pool, err) &&
         inputs_fit(p, f, target, err) && prepare_finish(p, err);
    if (ok && p->n_steps) {
        p->trained = work;
        work = NULL;
    }
out:
    frame_unref(work);
    if (!ok) {
        prepare_free(p);
        p = NULL;
    }
    return p;
}

struct prepare *
prepare_fit(const struct frame *f, const char *target, enum prepare_style style,
            const char *const *drop, const char *const *derive,
            struct pool *pool, struct error *err)
{
    return prepare_fit_steps(
        f, target, style,
        &(struct prepare_options){.drop = drop, .derive = derive}, pool, err);
}
