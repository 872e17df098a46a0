/* engine/prepare_impute.c -- fill in what is missing by a value of the column
 * itself, or round by round from the others (prepare_rounds.c).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"

static const char ways[] = " mean median mode iterative indicator ";

static bool
impute_check(const struct step *s, struct error *err)
{
    struct str constant = step_value(s, "constant");
    size_t n = s->words.n_words - step_has(s, "indicator");

    for (size_t i = 0; i < s->words.n_words; i++) {
        struct step one = *s;

        one.words.n_pairs = 0;
        if (!step_words_check(
                &one, &(struct step_rule){.words = ways, .pairs = ""}, err))
            return false;
    }
    if (s->words.n_pairs > (constant.n > 0))
        return error_set(err, ERR_PARSE,
                         "step 'impute': expected constant=VALUE");
    if (n + s->words.n_pairs > 1)
        return error_set(err, ERR_PARSE, "step 'impute' has more than one way");
    return true;
}

static bool
is_text(const struct frame *f, const char *name)
{
    size_t col = (size_t)frame_find(f, name);

    return column_type(frame_column(f, col)) == COL_TEXT;
}

/* ---- by the column itself ---- */

/* The most frequent of sorted values, the least of those. */
static double
mode_of(const double *x, size_t m)
{
    size_t best = 0, most = 0;

    for (size_t i = 0, end; i < m; i = end) {
        for (end = i; end < m && x[end] == x[i];)
            end++;
        if (end - i > most) {
            most = end - i;
            best = i;
        }
    }
    return x[best];
}

static bool
fill_of(const struct step *s, double *x, size_t m, double *out,
        struct pool *alone, struct error *err)
{
    double sum = 0;

    if (str_to_f64(step_value(s, "constant"), out))
        return true;
    if (step_has(s, "mean") || step_has(s, "iterative")) {
        for (size_t i = 0; i < m; i++)
            sum += x[i];
        *out = sum / (double)m;
        return true;
    }
    if (!order_numbers(x, m, alone, err))
        return false;
    *out = step_has(s, "mode") ? mode_of(x, m)
           : m % 2             ? x[m / 2]
                               : x[m / 2 - 1] / 2 + x[m / 2] / 2;
    return true;
}

/* What is found to fill a column with. */
struct filler {
    bool none;        /* nothing: it is left out later */
    double number[2]; /* the value, whether there were gaps */
    struct str text;
};

static bool
find_number(const struct step_fit *f, const char *name, struct filler *out,
            struct pool *alone, struct error *err)
{
    size_t n = frame_rows(f->in), m = 0;
    double *x = step_numbers(f->in, name, err), v;
    struct str constant = step_value(f->s, "constant");
    bool ok = x != NULL;

    for (size_t i = 0; i < n && ok; i++)
        if (!isnan(x[i]))
            x[m++] = x[i];
    if (ok && constant.n > 0 && !str_to_f64(constant, &v))
        ok = error_set(err, ERR_TYPE,
                       "column '%s' is a number, and the constant is '%.*s'",
                       name, (int)(constant.n < 32 ? constant.n : 32),
                       constant.p);
    out->none = m == 0;
    out->number[1] = m < n;
    if (ok && m > 0) {
        ok = fill_of(f->s, x, m, &out->number[0], alone, err);
        if (ok && !isfinite(out->number[0]))
            ok = error_set(err, ERR_RANGE, "column '%s' has no finite %s", name,
                           "value to fill in");
    }
    free(x);
    return ok;
}

static bool
find_text(const struct step_fit *f, const char *name, struct filler *out,
          struct pool *alone, struct error *err)
{
    const struct column *c = step_texts(f->in, name, err);
    struct step_level *level;
    size_t n, best = 0;

    if (!c || !(level = step_levels(c, &n, alone, err)))
        return false;
    for (size_t i = 1; i < n; i++)
        best = level[i].rows > level[best].rows ? i : best;
    out->text = step_value(f->s, "constant");
    if (out->text.n == 0 && n > 0)
        out->text = level[best].text;
    out->none = out->text.n == 0;
    out->number[0] = column_missing(c) > 0;
    free(level);
    return true;
}

struct finding {
    const struct step_fit *fit;
    struct filler *of;
};

static bool
find_filler(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    const struct finding *g = ctx;
    const char *name = g->fit->s->column[i].name;

    return is_text(g->fit->in, name)
               ? find_text(g->fit, name, &g->of[i], alone, err)
               : find_number(g->fit, name, &g->of[i], alone, err);
}

/* Of a number: number[0] the value, number[1] whether there were gaps.  Of a
 * text: text[0] the value, number[0] whether there were gaps. */
static bool
keep_filler(struct step_fit *f, struct learnt *l, const struct filler *found,
            struct error *err)
{
    bool text = is_text(f->in, l->name);

    if (found->none) {
        l->name = NULL;
        return true;
    }
    if (!step_room(f, l, text ? 1 : 2, text, err))
        return false;
    l->number[0] = found->number[0];
    if (!text)
        l->number[1] = found->number[1];
    else
        l->text[0] =
            arena_text(&f->p->arena, found->text.p, found->text.n, err);
    return !text || l->text[0];
}

static bool
numbers_only(const struct step *s)
{
    return step_has(s, "mean") || step_has(s, "median") ||
           step_has(s, "iterative");
}

/* Texts are none for ways of numbers: only those that are not named go. */
static bool
drop_texts(struct step_fit *f, struct error *err)
{
    struct step *s = f->s;
    size_t n = 0;

    if (!numbers_only(s))
        return true;
    for (size_t i = 0; i < s->n; i++)
        if (!is_text(f->in, s->column[i].name))
            s->column[n++] = s->column[i];
        else if (s->words.columns.n > 0)
            return error_set(err, ERR_TYPE,
                             "column '%s' is text: impute mode or "
                             "constant=TEXT",
                             s->column[i].name);
    s->n = n;
    return true;
}

static bool
impute_fit(struct step_fit *f, struct error *err)
{
    struct step *s = f->s;
    struct finding g = {.fit = f};
    size_t n = 0;
    bool ok = drop_texts(f, err) &&
              (g.of = mem_try_array(s->n, sizeof *g.of, err)) &&
              pool_each(f->pool, s->n, find_filler, &g, err);

    for (size_t i = 0; i < s->n && ok; i++) {
        struct learnt *l = &s->column[i];

        ok = keep_filler(f, l, &g.of[i], err);
        if (l->name)
            s->column[n++] = *l;
    }
    free(g.of);
    if (!ok)
        return false;
    s->n = n;
    return !step_has(s, "iterative") || step_rounds_fit(f, err);
}

static bool
impute_sound(const struct step *s)
{
    bool rounds = step_has(s, "iterative");

    for (size_t i = 0; i < s->n; i++) {
        const struct learnt *l = &s->column[i];

        if (rounds) {
            if (l->n_texts || l->n_numbers < 3 ||
                l->n_numbers != s->column[0].n_numbers ||
                (l->n_numbers - 3) % s->n || s->n > STEP_ROUNDS_COLUMNS ||
                (l->n_numbers - 3) / s->n > STEP_ROUNDS ||
                !(l->number[2] >= 0 && l->number[2] < (double)s->n))
                return false;
        } else if (l->n_texts ? l->n_texts != 1 || l->n_numbers != 1
                              : l->n_numbers != 2) {
            return false;
        }
    }
    return true;
}

static bool
fill_text(const struct learnt *l, const struct column *c, struct step_made *out,
          struct error *err)
{
    size_t n = column_rows(c);
    uint32_t *codes = step_is_text(c, l->name, err)
                          ? mem_try_aligned(n, sizeof *codes, err)
                          : NULL;
    struct dict *dict = codes ? dict_new(err) : NULL;
    uint32_t *map = NULL, fill;
    bool ok =
        dict &&
        (map = mem_try_array(dict_count(column_dict(c)), sizeof *map, err)) &&
        dict_add_all(dict, column_dict(c), map, err) &&
        dict_add(dict, str_of(l->text[0]), &fill, err);

    for (size_t i = 0; i < n && ok; i++)
        codes[i] = column_is_valid(c, i) ? map[column_codes(c)[i]] : fill;
    free(map);
    if (ok)
        return step_make_column(
            out, l->name, column_new(COL_TEXT, n, codes, NULL, dict, err), err);
    dict_unref(dict);
    free(codes);
    return false;
}

static bool
fill_column(void *ctx, const struct learnt *l, const struct step_from *from,
            struct step_made *out, struct error *err)
{
    size_t n = column_rows(from->column);
    double *x;

    (void)ctx;
    if (l->n_texts)
        return fill_text(l, from->column, out, err);
    if (!(x = step_column_numbers(from->column, l->name, err)))
        return false;
    for (size_t r = 0; r < n; r++)
        if (isnan(x[r]))
            x[r] = l->number[0];
    return step_make(out, l->name, x, n, err);
}

/* A 0/1 column beside one that had gaps. */
static bool
make_indicator(const struct learnt *l, const struct column *c,
               struct step_made *out, struct error *err)
{
    size_t n = column_rows(c);
    double *is = mem_try_array(n, sizeof *is, err);
    struct buf name;
    bool ok;

    buf_init(&name);
    for (size_t i = 0; i < n && is; i++)
        is[i] = !column_is_valid(c, i) ||
                (!l->n_texts && isnan(column_number(c, i)));
    step_name(&name, l->name, " ", "was missing");
    if ((ok = is && buf_check(&name, err)))
        ok = step_make(out, name.data, is, n, err);
    else
        free(is);
    buf_fini(&name);
    return ok;
}

/* They replace what has their names. */
static bool
put_indicators(const struct step *s, struct frame **f, struct pool *pool,
               struct error *err)
{
    bool *gone = mem_try_array(frame_cols(*f), sizeof *gone, err);
    struct step_made made = {0};
    bool ok = gone != NULL;
    size_t col;

    for (size_t i = 0; i < s->n && ok; i++) {
        const struct learnt *l = &s->column[i];
        long at;

        if (!(l->number[l->n_texts ? 0 : 1] > 0))
            continue;
        ok = pool_check(pool, err) && frame_need(*f, l->name, &col, err) &&
             make_indicator(l, frame_column(*f, col), &made, err);
        if (ok && (at = frame_find(*f, made.name[made.n - 1])) >= 0)
            gone[at] = true;
    }
    ok = ok && step_made_end(&made, f, gone, err);
    step_made_fini(&made);
    free(gone);
    return ok;
}

static bool
impute_apply(const struct step *s, struct frame **f, struct pool *pool,
             struct error *err)
{
    if (step_has(s, "indicator") && !put_indicators(s, f, pool, err))
        return false;
    return step_has(s, "iterative")
               ? step_rounds_apply(s, f, pool, err)
               : step_remake(s, f, pool, fill_column, NULL, err);
}

const struct step_kind step_impute = {.name = "impute",
                                      .suits = STEP_NUMBERS | STEP_TEXTS,
                                      .check = impute_check,
                                      .fit = impute_fit,
                                      .sound = impute_sound,
                                      .apply = impute_apply};
