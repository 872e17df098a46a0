/* A table beside another one: where its columns differ, and which of its rows
 * the other has, too.  All on the rows that relations are measured on, but for
 * what is missing and the rows in common.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/distance.h"
#include "frame/order.h"
#include "frame/profile_part.h"

enum { BINS = 30, VALUES = 5, CHANCE_ROWS = 1000 };
static const double FAR = 0.1, CHANCE = 0.05, LEAST_SD = 0.001, MOST_ONCE = 0.5;

struct comparing {
    struct profile *p;
    const struct feature *feature; /* of the columns here */
    const struct frame *other;
    const struct progress *progress;
    struct error *error; /* one a pair */
};

/* One column of both tables. */
struct two {
    const struct frame *frame[2];
    size_t col[2];
    const struct feature *x[2];
    struct profile_pair *out;
    size_t n_here; /* rows of the table here */
    bool streamed; /* its frame is a sample */
    size_t n_distinct;
    double once; /* share of the rows here whose value occurs once */
};

const char *
profile_drift_word(enum drift_test t)
{
    static const char *const words[] = {"none",        "ks", "chi2",
                                        "wasserstein", "js", "unseen"};

    return words[t];
}

/* ---- verdict --------------------------------------------------------- */

static void
decide(struct profile_pair *o, enum drift_test test, double score)
{
    bool chance = test == DRIFT_KS || test == DRIFT_CHI2;

    if (isnan(score))
        return;
    o->test = test;
    o->score = score;
    o->drifts = chance ? score < CHANCE : score >= FAR;
}

/* Distances of the counts, and the verdict where they decide. */
static bool
compare_counts(struct two *t, const size_t *a, const size_t *b, size_t k,
               bool by_value, struct error *err)
{
    double *p = mem_try_array(k, 2 * sizeof *p, err), na = 0, nb = 0, floor;
    double *q = p + k;
    struct profile_pair *o = t->out;
    size_t kinds;

    for (size_t i = 0; p && i < k; i++) {
        na += (double)a[i];
        nb += (double)b[i];
    }
    for (size_t i = 0; p && i < k; i++) {
        p[i] = (double)a[i] / na;
        q[i] = (double)b[i] / nb;
    }
    if (p && na > 0 && nb > 0) {
        floor = distance_floor(p, q, k);
        o->psi = distance_psi(p, q, k, floor);
        o->kl = distance_kl(p, q, k, floor);
        o->js = distance_js(p, q, k);
        o->hellinger = distance_hellinger(p, q, k);
        o->total = distance_total(p, q, k);
        o->most = distance_most(p, q, k);
        if (by_value) {
            o->chi2 = distance_chi2(a, b, k, &kinds);
            o->chi2_p =
                kinds > 1 ? distance_chi2_tail(o->chi2, (double)kinds - 1) : 1;
            if (t->n_here <= CHANCE_ROWS)
                decide(o, DRIFT_CHI2, o->chi2_p);
            else
                decide(o, DRIFT_JS, o->js);
        }
    }
    free(p);
    return p;
}

/* ---- numbers --------------------------------------------------------- */

/* The finite values in ascending order. */
static double *
sorted_values(const struct feature *x, size_t *n, struct error *err)
{
    double *value = mem_try_array(x->n_here, sizeof *value, err);

    *n = 0;
    for (size_t i = 0; value && i < x->n_here; i++)
        if (isfinite(x->x[x->order[i]]))
            value[(*n)++] = x->x[x->order[i]];
    return value;
}

static double
mean_of(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n ? sum / (double)n : NAN;
}

/* Of the whole, not of a sample of it. */
static double
deviation(const double *x, size_t n)
{
    double mean = mean_of(x, n), sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (double)n);
}

/* Counts of each distinct value; returns how many there are, at most `most`
 * (then they are not counted). */
static size_t
count_values(double *const x[2], const size_t n[2], size_t (*count)[VALUES],
             size_t most)
{
    size_t i = 0, j = 0, k = 0;

    while (i < n[0] || j < n[1]) {
        double low =
            j >= n[1] || (i < n[0] && x[0][i] < x[1][j]) ? x[0][i] : x[1][j];
        if (k == most)
            return most + 1;
        for (; i < n[0] && x[0][i] <= low; i++)
            count[0][k]++;
        for (; j < n[1] && x[1][j] <= low; j++)
            count[1][k]++;
        k++;
    }
    return k;
}

static void
count_bins(const double *x, size_t n, double low, double high, size_t *count)
{
    for (size_t i = 0; i < n; i++) {
        double share = (x[i] / 2 - low / 2) / (high / 2 - low / 2);
        size_t bin = (size_t)(share * BINS);

        count[bin < BINS ? bin : BINS - 1]++;
    }
}

static bool
compare_sorted(struct two *t, double *const x[2], const size_t n[2],
               struct error *err)
{
    struct profile_pair *o = t->out;
    size_t few[2][VALUES] = {{0}}, bin[2][BINS] = {{0}};
    size_t values = count_values(x, n, few, VALUES);
    double sd = deviation(x[0], n[0]), low, high;

    o->mean[0] = mean_of(x[0], n[0]);
    o->mean[1] = mean_of(x[1], n[1]);
    o->ks = distance_ks(x[0], n[0], x[1], n[1]);
    o->ks_p = distance_ks_tail(o->ks, n[0], n[1], err);
    if (isnan(o->ks_p))
        return false;
    o->wasserstein = distance_wasserstein(x[0], n[0], x[1], n[1]) /
                     (sd > LEAST_SD ? sd : LEAST_SD);
    if (values <= VALUES)
        return compare_counts(t, few[0], few[1], values, true, err);
    if (t->n_here <= CHANCE_ROWS)
        decide(o, DRIFT_KS, o->ks_p);
    else
        decide(o, DRIFT_WASSERSTEIN, o->wasserstein);
    low = fmin(x[0][0], x[1][0]);
    high = fmax(x[0][n[0] - 1], x[1][n[1] - 1]);
    count_bins(x[0], n[0], low, high, bin[0]);
    count_bins(x[1], n[1], low, high, bin[1]);
    return compare_counts(t, bin[0], bin[1], BINS, false, err);
}

static bool
compare_numbers(struct two *t, struct error *err)
{
    size_t n[2] = {0};
    double *x[2] = {sorted_values(t->x[0], &n[0], err), NULL};
    bool ok = x[0] && (x[1] = sorted_values(t->x[1], &n[1], err));

    t->out->numeric = true;
    if (ok && n[0] > 0 && n[1] > 0)
        ok = compare_sorted(t, x, n, err);
    free(x[0]);
    free(x[1]);
    return ok;
}

/* ---- texts ----------------------------------------------------------- */

/* Adds the values of side s to `all`, counting them; ends early when there are
 * too many. */
static bool
add_values(struct two *t, size_t s, struct dict *all,
           size_t (*count)[PROFILE_MANY], struct error *err)
{
    const struct feature *x = t->x[s];
    const struct column *c = frame_column(t->frame[s], t->col[s]);
    uint32_t *code = mem_try_array(x->n_codes, sizeof *code, err);
    struct buf text;
    bool ok = code;

    buf_init(&text);
    for (size_t i = 0; ok && i < x->n; i++) {
        uint32_t *k = &code[x->code[i]];

        if (x->code[i] == 0)
            continue;
        if (*k == 0) {
            buf_clear(&text);
            column_print(c, profile_sample_row(t->frame[s], i, x->n), &text);
            ok = buf_check(&text, err) &&
                 dict_add(all, (struct str){text.data, text.len}, k, err);
            if (!ok || ++*k > PROFILE_MANY)
                break;
        }
        count[s][*k - 1]++;
    }
    buf_fini(&text);
    free(code);
    return ok;
}

/* Share of the values there that the column here has nowhere. */
static double
unseen(const struct two *t)
{
    const struct column *here = frame_column(t->frame[0], t->col[0]);
    const struct column *there = frame_column(t->frame[1], t->col[1]);
    size_t n = 0, missed = 0, rows = t->x[1]->n;

    if (column_type(here) != COL_TEXT || column_type(there) != COL_TEXT)
        return NAN;
    /* A sample does not tell which texts there are none of. */
    if (t->streamed && dict_count(column_dict(here)) < t->n_distinct)
        return NAN;
    for (size_t i = 0; i < rows; i++) {
        size_t row = profile_sample_row(t->frame[1], i, rows);

        if (!column_is_valid(there, row))
            continue;
        n++;
        missed +=
            dict_find(column_dict(here), column_text(there, row)) == DICT_NONE;
    }
    return n ? (double)missed / (double)n : NAN;
}

/* Of very many values: those that are new, but for as many as would be if both
 * tables were drawn from the same texts. */
static void
judge_unseen(struct two *t)
{
    struct profile_pair *o = t->out;

    if (t->once <= MOST_ONCE)
        decide(o, DRIFT_UNSEEN, fmax(0, (o->unseen - t->once) / (1 - t->once)));
}

static bool
compare_texts(struct two *t, struct error *err)
{
    size_t count[2][PROFILE_MANY] = {{0}};
    struct dict *all = dict_new(err);
    bool ok = all && add_values(t, 0, all, count, err) &&
              add_values(t, 1, all, count, err);

    if (ok && dict_count(all) <= PROFILE_MANY)
        ok = compare_counts(t, count[0], count[1], dict_count(all), true, err);
    t->out->unseen = unseen(t);
    if (ok && dict_count(all) > PROFILE_MANY && !isnan(t->out->unseen))
        judge_unseen(t);
    dict_unref(all);
    return ok;
}

/* ---- columns --------------------------------------------------------- */

static bool
is_number(enum col_type t)
{
    return t != COL_TEXT && t != COL_BOOL;
}

/* Whole and other numbers compare; else only a type with itself. */
bool
profile_compares(const enum col_type type[2])
{
    bool plain[2];

    for (size_t i = 0; i < 2; i++)
        plain[i] = type[i] == COL_INT64 || type[i] == COL_FLOAT64;
    return type[0] == type[1] || (plain[0] && plain[1]);
}

static double
share_once(const struct profile *p, size_t col)
{
    const struct profile_column *c = &p->column[col];

    return (double)c->n_unique / (double)(p->n_rows - c->n_missing);
}

static void
compare_column(void *ctx, size_t i, size_t begin, size_t end)
{
    struct comparing *c = ctx;
    struct profile_pair *o = &c->p->against->pair[i];
    struct error *err = &c->error[i];
    struct feature x = {0};
    struct two t = {.frame = {c->p->frame, c->other},
                    .col = {i},
                    .x = {&c->feature[i], &x},
                    .out = o,
                    .n_here = c->p->n_rows,
                    .streamed = c->p->streamed,
                    .n_distinct = c->p->column[i].n_distinct,
                    .once = share_once(c->p, i)};
    bool ok;

    (void)begin;
    (void)end;
    if (!o->here || !o->there || !profile_compares(o->type) ||
        !progress_check(c->progress, err))
        return;
    t.col[1] = (size_t)frame_find(c->other, o->name);
    ok = feature_of(&x, c->other, t.col[1], 0, 0, err) &&
         (is_number(o->type[0]) ? compare_numbers(&t, err)
                                : compare_texts(&t, err));
    assert(ok || err->code != ERR_NONE);
    feature_fini(&x);
}

size_t
profile_common(const struct frame *a, const struct frame *b, size_t *in_a,
               size_t *in_b)
{
    size_t n = 0;

    for (size_t i = 0; i < frame_cols(a); i++) {
        long k = frame_find(b, frame_name(a, i));
        enum col_type type[2] = {column_type(frame_column(a, i))};

        if (k < 0)
            continue;
        type[1] = column_type(frame_column(b, (size_t)k));
        if (!profile_compares(type))
            continue;
        in_a[n] = i;
        in_b[n++] = (size_t)k;
    }
    return n;
}

size_t
profile_count_missing(const struct column *c)
{
    size_t n = column_missing(c), rows = column_rows(c);

    if (column_type(c) != COL_FLOAT64)
        return n;
    for (size_t i = 0; i < rows; i++)
        n += column_is_valid(c, i) && isnan(column_float64s(c)[i]);
    return n;
}

static void
pair_init(struct profile_pair *o, const struct frame *here,
          const struct frame *there, const char *name)
{
    const struct frame *f[2] = {here, there};
    bool has[2];

    *o = (struct profile_pair){.name = name};
    for (size_t s = 0; s < 2; s++) {
        long col = frame_find(f[s], name);

        o->mean[s] = NAN;
        has[s] = col >= 0;
        if (!has[s])
            continue;
        o->type[s] = column_type(frame_column(f[s], (size_t)col));
        o->n_missing[s] =
            profile_count_missing(frame_column(f[s], (size_t)col));
    }
    o->here = has[0];
    o->there = has[1];
    o->psi = o->kl = o->js = o->hellinger = o->total = o->most = NAN;
    o->ks = o->ks_p = o->wasserstein = o->chi2 = o->chi2_p = NAN;
    o->unseen = o->score = NAN;
}

static bool
make_pairs(struct profile *p, const struct frame *other,
           const size_t *n_missing, struct error *err)
{
    struct profile_against *a = p->against;
    size_t most = p->n_cols + frame_cols(other);

    if (!(a->pair = mem_try_array(most, sizeof *a->pair, err)))
        return false;
    for (size_t i = 0; i < p->n_cols; i++)
        pair_init(&a->pair[a->n_pairs++], p->frame, other, p->column[i].name);
    for (size_t i = 0; i < p->n_cols; i++)
        a->pair[i].n_missing[0] = p->column[i].n_missing;
    for (size_t i = 0; i < frame_cols(other); i++)
        if (frame_find(p->frame, frame_name(other, i)) < 0)
            pair_init(&a->pair[a->n_pairs++], p->frame, other,
                      frame_name(other, i));
    for (size_t i = 0; n_missing && i < a->n_pairs; i++)
        if (a->pair[i].there)
            a->pair[i].n_missing[1] =
                n_missing[frame_find(other, a->pair[i].name)];
    return true;
}

/* ---- rows ------------------------------------------------------------ */

static size_t
count_common(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    size_t i = 0, count = 0;

    for (size_t j = 0; j < m; j++) {
        while (i < n && a[i] < b[j])
            i++;
        count += i < n && a[i] == b[j];
    }
    return count;
}

/* Rows there that are among those here, in the columns both have. */
static bool
count_overlap(struct profile *p, const struct frame *other, struct pool *pool,
              const struct progress *progress, struct error *err)
{
    struct profile_against *a = p->against;
    size_t *cols = mem_try_array(p->n_cols, 2 * sizeof *cols, err);
    struct rowhash h[2] = {{.frame = p->frame, .n = frame_rows(p->frame)},
                           {.frame = other, .n = frame_rows(other)}};
    uint64_t *scratch[2] = {NULL, NULL}, *sorted[2] = {NULL, NULL};
    bool ok = cols;

    if (ok)
        a->n_common = profile_common(p->frame, other, cols, cols + p->n_cols);
    for (size_t s = 0; ok && a->n_common && s < 2; s++) {
        h[s].cols = cols + s * p->n_cols;
        h[s].n_cols = a->n_common;
        ok = rowhash_fill(&h[s], pool, err) &&
             (scratch[s] = mem_try_array(h[s].n, sizeof **scratch, err));
        if (ok)
            sorted[s] =
                order_sort_wide(h[s].hash, scratch[s], h[s].n, pool, progress);
        ok = ok && progress_check(progress, err);
    }
    if (ok && a->n_common)
        a->n_overlap = count_common(sorted[0], h[0].n, sorted[1], h[1].n);
    for (size_t s = 0; s < 2; s++) {
        free(h[s].hash);
        free(scratch[s]);
    }
    free(cols);
    return ok;
}

/* ---- the whole ------------------------------------------------------- */

bool
profile_compare(struct profile *p, const struct feature *features,
                const struct profile_options *o,
                const struct profile_overlap *overlap, struct pool *pool,
                const struct progress *progress, struct error *err)
{
    struct profile_against *a = mem_try_array(1, sizeof *a, err);
    const struct frame *other = o->against;
    struct comparing c = {
        .p = p, .feature = features, .other = other, .progress = progress};
    const size_t *n_missing = overlap ? overlap->n_missing : NULL;
    bool ok;

    if (!(p->against = a))
        return false;
    a->frame = frame_ref(other);
    a->n_rows = n_missing ? overlap->n_rows : frame_rows(other);
    a->n_looked[0] = profile_sample_rows(p->frame);
    a->n_looked[1] = profile_sample_rows(other);
    ok = (a->name =
              mem_try_text(o->against_name, strlen(o->against_name), err)) &&
         make_pairs(p, other, n_missing, err) &&
         (c.error = mem_try_array(a->n_pairs, sizeof *c.error, err));
    if (ok)
        pool_for(pool, p->n_cols, 1, compare_column, &c);
    for (size_t i = 0; ok && i < p->n_cols; i++) {
        a->n_tested += a->pair[i].test != DRIFT_NONE;
        a->n_drifting += a->pair[i].drifts;
        if (c.error[i].code != ERR_NONE) {
            *err = c.error[i];
            ok = false;
        }
    }
    free(c.error);
    if (ok && overlap) {
        a->n_overlap = overlap->n;
        a->n_common = overlap->n_common;
        return true;
    }
    return ok && count_overlap(p, other, pool, progress, err);
}

void
profile_against_free(struct profile_against *a)
{
    if (!a)
        return;
    free(a->name);
    free(a->pair);
    frame_unref(a->frame);
    free(a);
}
