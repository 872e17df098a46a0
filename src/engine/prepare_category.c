/* engine/prepare_category.c -- steps for categories: one-hot, ordinal, rare
 * levels together, and the target's mean by level.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { MAX_ONEHOT = 10000, FOLDS = 5, STREAM_FOLD = 0x74656e63 };
#define RARE_SHARE 0.01
#define SMOOTH 10
#define RARE "(rare)"

static bool
levels_learnt(struct step_fit *f, struct learnt *l, size_t numbers,
              const struct step_level *level, size_t n, struct error *err)
{
    if (!step_room(f, l, numbers, n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(l->text[i] = arena_text(&f->p->arena, level[i].text.p,
                                      level[i].text.n, err)))
            return false;
    return true;
}

/* Levels of a column; level: caller frees. */
struct found {
    struct step_level *level;
    size_t n;
};

struct finding {
    const struct step_fit *fit;
    struct found *of;
};

static bool
find_levels(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    struct finding *g = ctx;
    const char *name = g->fit->s->column[i].name;
    const struct column *c = step_texts(g->fit->in, name, err);

    return c && (g->of[i].level = step_levels(c, &g->of[i].n, alone, err));
}

/* Keep those of at least `least` rows. */
static bool
keep_levels(struct step_fit *f, size_t i, struct found *of, size_t most,
            double least, struct error *err)
{
    size_t k = 0;

    for (size_t j = 0; j < of->n; j++)
        if ((double)of->level[j].rows >= least)
            of->level[k++] = of->level[j];
    if (k <= most)
        return levels_learnt(f, &f->s->column[i], 0, of->level, k, err);
    return error_set(err, ERR_LIMIT,
                     "column '%s' has %zu levels, expected at most %zu: gather "
                     "rare ones first",
                     f->s->column[i].name, k, most);
}

/* All levels of each column, those with fewer rows than `least` left out. */
static bool
fit_levels(struct step_fit *f, size_t most, double least, struct error *err)
{
    size_t n = f->s->n;
    struct finding g = {.fit = f, .of = mem_try_array(n, sizeof *g.of, err)};
    bool ok = g.of && pool_each(f->pool, n, find_levels, &g, err);

    for (size_t i = 0; i < n && ok; i++)
        ok = keep_levels(f, i, &g.of[i], most, least, err);
    for (size_t i = 0; i < n && g.of; i++)
        free(g.of[i].level);
    free(g.of);
    return ok;
}

static bool
texts_only(const struct step *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->column[i].n_numbers)
            return false;
    return true;
}

/* ---- one-hot ---- */

static const struct step_rule no_words = {.words = "", .pairs = ""};

static bool
onehot_check(const struct step *s, struct error *err)
{
    return step_words_check(s, &no_words, err);
}

static bool
onehot_fit(struct step_fit *f, struct error *err)
{
    return fit_levels(f, MAX_ONEHOT, 0, err);
}

static bool
onehot_sound(const struct step *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += s->column[i].n_texts;
    return n <= STEP_COLUMNS && texts_only(s);
}

/* A 0/1 column a level; one that was not seen, or is missing, is none. */
static bool
onehot_column(void *ctx, const struct learnt *l, const struct step_from *from,
              struct step_made *out, struct error *err)
{
    const struct column *c = from->column;
    bool ok = step_is_text(c, l->name, err);
    uint32_t *map = ok ? step_map(l, c, err) : NULL;
    size_t n = column_rows(c);
    struct buf name;

    (void)ctx;
    ok = map != NULL;
    buf_init(&name);
    for (size_t j = 0; j < l->n_texts && ok; j++) {
        double *is = mem_try_array(n, sizeof *is, err);

        step_name(&name, l->name, "=", l->text[j]);
        if (!(ok = is && buf_check(&name, err) &&
                   pool_check(from->alone, err))) {
            free(is);
            break;
        }
        for (size_t i = 0; i < n; i++)
            is[i] = column_is_valid(c, i) && map[column_codes(c)[i]] == j;
        ok = step_make(out, name.data, is, n, err);
    }
    free(map);
    buf_fini(&name);
    return ok;
}

static bool
onehot_apply(const struct step *s, struct frame **f, struct pool *pool,
             struct error *err)
{
    return step_remake(s, f, pool, onehot_column, NULL, err);
}

const struct step_kind step_onehot = {.name = "onehot",
                                      .suits = STEP_TEXTS,
                                      .as_is = true,
                                      .check = onehot_check,
                                      .fit = onehot_fit,
                                      .sound = onehot_sound,
                                      .apply = onehot_apply};

/* ---- ordinal ---- */

/* The only word is the order of the levels, "S|M|L". */
static bool
ordinal_check(const struct step *s, struct error *err)
{
    if (s->words.n_pairs || s->words.n_words > 1 ||
        (s->words.n_words == 1 &&
         !memchr(s->words.word[0].p, '|', s->words.word[0].n)))
        return error_set(err, ERR_PARSE,
                         "step 'ordinal': expected the levels in order, "
                         "S|M|L, or nothing");
    return true;
}

static bool
ordinal_fit(struct step_fit *f, struct error *err)
{
    return f->s->words.n_words || fit_levels(f, UINT32_MAX, 0, err);
}

/* The place of a text in the order that is written, or NaN. */
static double
place_of(struct str order, struct str text)
{
    double at = 0;

    for (;; at++) {
        const char *bar = memchr(order.p, '|', order.n);
        size_t n = bar ? (size_t)(bar - order.p) : order.n;

        if (str_eq((struct str){order.p, n}, text))
            return at;
        if (!bar)
            return (double)NAN;
        order = (struct str){bar + 1, order.n - n - 1};
    }
}

/* What each code of the column becomes; caller frees. */
static double *
ordinal_values(const struct step *s, const struct learnt *l,
               const struct column *c, struct error *err)
{
    size_t codes = dict_count(column_dict(c));
    double *v = mem_try_array(codes, sizeof *v, err);
    uint32_t *map = v && !s->words.n_words ? step_map(l, c, err) : NULL;

    if (v && !s->words.n_words && !map) {
        free(v);
        return NULL;
    }
    for (uint32_t i = 0; v && i < codes; i++)
        v[i] = !map ? place_of(s->words.word[0], dict_text(column_dict(c), i))
               : map[i] == UINT32_MAX ? (double)NAN
                                      : (double)map[i];
    free(map);
    return v;
}

static bool
ordinal_column(void *ctx, const struct learnt *l, const struct step_from *from,
               struct step_made *out, struct error *err)
{
    const struct column *c = from->column;
    size_t n = column_rows(c);
    double *v = step_is_text(c, l->name, err)
                    ? ordinal_values(from->step, l, c, err)
                    : NULL;
    double *x = v ? mem_try_array(n, sizeof *x, err) : NULL;

    (void)ctx;
    for (size_t r = 0; x && r < n; r++)
        x[r] = column_is_valid(c, r) ? v[column_codes(c)[r]] : (double)NAN;
    free(v);
    return x && step_make(out, l->name, x, n, err);
}

static bool
ordinal_apply(const struct step *s, struct frame **f, struct pool *pool,
              struct error *err)
{
    return step_remake(s, f, pool, ordinal_column, NULL, err);
}

const struct step_kind step_ordinal = {.name = "ordinal",
                                       .suits = STEP_TEXTS,
                                       .check = ordinal_check,
                                       .fit = ordinal_fit,
                                       .sound = texts_only,
                                       .apply = ordinal_apply};

/* ---- rare ---- */

static const struct step_rule rare_rule = {
    .words = " # ", .pairs = "", .high = 1e9};

static bool
rare_check(const struct step *s, struct error *err)
{
    if (s->words.n_words > 1)
        return error_set(err, ERR_PARSE,
                         "step 'rare': expected one share, or number of rows");
    return step_words_check(s, &rare_rule, err);
}

/* Below one a share of the rows, else a number of them. */
static bool
rare_fit(struct step_fit *f, struct error *err)
{
    double least = RARE_SHARE;

    if (f->s->words.n_words && !str_to_f64(f->s->words.word[0], &least))
        return false;
    if (least < 1)
        least *= (double)frame_rows(f->in);
    return fit_levels(f, UINT32_MAX, least, err);
}

/* Levels that are not kept, also ones never seen, are one. */
static bool
rare_column(void *ctx, const struct learnt *l, const struct step_from *from,
            struct step_made *out, struct error *err)
{
    const struct column *c = from->column;
    bool text = step_is_text(c, l->name, err);
    size_t n = column_rows(c);
    uint32_t *map = text ? step_map(l, c, err) : NULL, rare = 0, code;
    uint32_t *codes = map ? mem_try_aligned(n, sizeof *codes, err) : NULL;
    uint64_t *valid =
        codes ? mem_try_array((n + 63) / 64, sizeof *valid, err) : NULL;
    struct dict *dict = valid ? dict_new(err) : NULL;
    bool ok = dict != NULL;

    (void)ctx;
    for (size_t j = 0; j < l->n_texts && ok; j++)
        ok = dict_add(dict, str_of(l->text[j]), &code, err);
    ok = ok && dict_add(dict, str_of(RARE), &rare, err);
    for (size_t i = 0; i < n && ok; i++)
        if (column_is_valid(c, i)) {
            uint32_t m = map[column_codes(c)[i]];

            codes[i] = m == UINT32_MAX ? rare : m;
            valid[i / 64] |= UINT64_C(1) << (i % 64);
        }
    free(map);
    if (ok)
        return step_make_column(
            out, l->name, column_new(COL_TEXT, n, codes, valid, dict, err),
            err);
    dict_unref(dict);
    free(codes);
    free(valid);
    return false;
}

static bool
rare_apply(const struct step *s, struct frame **f, struct pool *pool,
           struct error *err)
{
    return step_remake(s, f, pool, rare_column, NULL, err);
}

const struct step_kind step_rare = {.name = "rare",
                                    .suits = STEP_TEXTS,
                                    .check = rare_check,
                                    .fit = rare_fit,
                                    .sound = texts_only,
                                    .apply = rare_apply};

/* ---- the target's mean by level ---- */

static const struct step_rule target_rule = {
    .words = "", .pairs = " smooth ", .high = 1e9};

static bool
target_check(const struct step *s, struct error *err)
{
    return step_words_check(s, &target_rule, err);
}

/* Sums of the target by level; the last level is for missing values, and the
 * last but one of those not seen: the mean of all. */
struct sums {
    size_t n, k; /* levels with missing, values of the target */
    double *y;   /* (FOLDS + 1, n + 1, k): of each fold, then of all; the last
                    level is all rows */
    double *w;   /* (FOLDS + 1, n + 1) */
    struct pool *alone;
};

static size_t
values_of(const struct target *y)
{
    return y->problem == PROBLEM_MULTICLASS ? y->n_classes : 1;
}

static double
value_at(const struct target *y, size_t i, size_t v)
{
    return y->problem == PROBLEM_MULTICLASS ? y->y[i] == (double)v : y->y[i];
}

/* From the row's number alone, so that it is the same however rows come. */
static unsigned
fold_of(uint64_t seed, size_t row)
{
    return (unsigned)rng_below(seed, STREAM_FOLD, row, FOLDS);
}

static void
sums_fini(struct sums *t)
{
    free(t->y);
    free(t->w);
}

static void
sum_row(struct sums *t, const struct target *y, size_t i, unsigned fold,
        size_t level)
{
    const size_t to[] = {fold, FOLDS}, at[] = {level, t->n};
    double w = y->weight ? y->weight[i] : 1;

    for (size_t a = 0; a < 2; a++)
        for (size_t b = 0; b < 2; b++) {
            size_t cell = to[a] * (t->n + 1) + at[b];

            t->w[cell] += w;
            for (size_t v = 0; v < t->k; v++)
                t->y[cell * t->k + v] += w * value_at(y, i, v);
        }
}

static size_t
level_at(const struct column *c, const uint32_t *map, size_t n, size_t i)
{
    return column_is_valid(c, i) ? map[column_codes(c)[i]] : n - 1;
}

static bool
sums_make(struct sums *t, const struct step_fit *f, const struct learnt *l,
          const struct column *c, const uint32_t *map, struct error *err)
{
    size_t cells = (FOLDS + 1) * (l->n_texts + 2);

    t->n = l->n_texts + 1;
    t->k = values_of(f->y);
    if (!(t->y = mem_try_array(cells * t->k, sizeof *t->y, err)) ||
        !(t->w = mem_try_array(cells, sizeof *t->w, err)))
        return false;
    for (size_t i = 0; i < column_rows(c); i++) {
        if (i % STEP_LOOK == 0 && !pool_check(t->alone, err))
            return false;
        sum_row(t, f->y, i, fold_of(f->seed, i), level_at(c, map, t->n, i));
    }
    return true;
}

/* The mean of a level, drawn towards that of all by `smooth` rows; without the
 * rows of a fold (FOLDS: with all). */
static double
mean_of(const struct sums *t, size_t level, size_t v, unsigned without,
        double smooth)
{
    size_t width = t->n + 1, all = FOLDS * width;
    size_t out = without * width;
    double y = t->y[(all + level) * t->k + v], w = t->w[all + level];
    double sum = t->y[(all + t->n) * t->k + v], rows = t->w[all + t->n];

    if (without < FOLDS) {
        y -= t->y[(out + level) * t->k + v];
        w -= t->w[out + level];
        sum -= t->y[(out + t->n) * t->k + v];
        rows -= t->w[out + t->n];
    }
    sum = rows > 0 ? sum / rows : 0;
    return w + smooth > 0 ? (y + smooth * sum) / (w + smooth) : sum;
}

/* number: k a level, then k for missing, then k for those not seen. */
static bool
target_column(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    const struct step_fit *f = ctx;
    struct learnt *l = &f->s->column[i];
    double smooth = step_number(f->s, "smooth", SMOOTH);
    const struct column *c = step_texts(f->in, l->name, err);
    uint32_t *map = c ? step_map(l, c, err) : NULL;
    struct sums t = {.alone = alone};
    bool ok = map && sums_make(&t, f, l, c, map, err);

    for (size_t j = 0; ok && j <= t.n; j++)
        for (size_t v = 0; v < t.k; v++)
            l->number[j * t.k + v] = mean_of(&t, j, v, FOLDS, smooth);
    sums_fini(&t);
    free(map);
    return ok;
}

static bool
target_fit_step(struct step_fit *f, struct error *err)
{
    if (!fit_levels(f, UINT32_MAX, 0, err))
        return false;
    for (size_t i = 0; i < f->s->n; i++) {
        struct learnt *l = &f->s->column[i], levels = *l;

        if (!step_room(f, l, (l->n_texts + 2) * values_of(f->y), 0, err))
            return false;
        l->text = levels.text;
        l->n_texts = levels.n_texts;
    }
    return pool_each(f->pool, f->s->n, target_column, f, err);
}

static bool
target_sound(const struct step *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct learnt *l = &s->column[i];

        if (l->n_numbers < l->n_texts + 2 || l->n_numbers % (l->n_texts + 2) ||
            l->n_numbers / (l->n_texts + 2) > TARGET_MAX_CLASSES ||
            l->n_numbers / (l->n_texts + 2) !=
                s->column[0].n_numbers / (s->column[0].n_texts + 2))
            return false;
    }
    return true;
}

/* What a column's rows are told by. */
struct meaning {
    const struct step_fit *how; /* by the other folds; NULL: by all rows */
    double smooth;
    const uint32_t *map; /* code to level */
    struct sums sums;
};

/* The mean of value v of the target for each row; caller frees. */
static double *
means_of(const struct meaning *m, const struct learnt *l,
         const struct step_from *from, size_t v, struct error *err)
{
    const struct column *c = from->column;
    size_t n = column_rows(c), k = l->n_numbers / (l->n_texts + 2);
    double *x = mem_try_array(n, sizeof *x, err);

    for (size_t i = 0; i < n && x; i++) {
        size_t level = level_at(c, m->map, l->n_texts + 1, i);

        if (i % STEP_LOOK == 0 && !pool_check(from->alone, err)) {
            free(x);
            return NULL;
        }
        if (level == UINT32_MAX)
            level = l->n_texts + 1;
        x[i] = m->how ? mean_of(&m->sums, level, v, fold_of(m->how->seed, i),
                                m->smooth)
                      : l->number[level * k + v];
    }
    return x;
}

/* Columns of means: of all rows, or of the other folds. */
static bool
mean_columns(void *ctx, const struct learnt *l, const struct step_from *from,
             struct step_made *out, struct error *err)
{
    const struct column *c = from->column;
    struct meaning m = *(const struct meaning *)ctx;
    size_t n = column_rows(c), k = l->n_numbers / (l->n_texts + 2);
    bool text = step_is_text(c, l->name, err);
    uint32_t *map = text ? step_map(l, c, err) : NULL;
    bool ok;

    m.map = map;
    m.sums.alone = from->alone;
    ok = map && (!m.how || sums_make(&m.sums, m.how, l, c, map, err));
    for (size_t v = 0; v < k && ok; v++) {
        double *x = means_of(&m, l, from, v, err);
        struct buf name;

        buf_init(&name);
        buf_puts(&name, l->name);
        if (k > 1)
            buf_printf(&name, " of class %zu", v + 1);
        ok = x && buf_check(&name, err);
        if (ok)
            ok = step_make(out, name.data, x, n, err);
        else
            free(x);
        buf_fini(&name);
    }
    sums_fini(&m.sums);
    free(map);
    return ok;
}

static bool
target_apply_step(const struct step *s, struct frame **f, struct pool *pool,
                  struct error *err)
{
    struct meaning m = {0};

    return step_remake(s, f, pool, mean_columns, &m, err);
}

/* A row that told its level's mean would tell itself its own answer. */
static bool
target_apply_train(struct step_fit *f, struct frame **out, struct error *err)
{
    struct meaning m = {.how = f,
                        .smooth = step_number(f->s, "smooth", SMOOTH)};

    return step_remake(f->s, out, f->pool, mean_columns, &m, err);
}

const struct step_kind step_target = {.name = "target",
                                      .suits = STEP_TEXTS,
                                      .by_target = true,
                                      .whole = true,
                                      .check = target_check,
                                      .fit = target_fit_step,
                                      .sound = target_sound,
                                      .apply = target_apply_step,
                                      .apply_train = target_apply_train};
