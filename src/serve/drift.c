/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/drift.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "frame/distance.h"

enum { N_MARKS = 5, SLICE_ROWS = 2500, SLICE_MS = 15 * 60 * 1000 };

/* One input: its bins lie at `first` in the counters, the last of them for
 * missing values. */
struct feature {
    const struct baseline *base;
    struct dict *levels; /* category: code = bin; NULL for numbers */
    size_t first, n_bins;
};

/* Rows that are answered and not yet counted. */
struct drift_asked {
    struct frame *rows; /* NULL: counted */
    struct drift_asked *before, *after;
};

struct drift {
    struct model *model;
    struct feature *feature;
    size_t n_features, n_bins;
    atomic_uint_least64_t *count; /* since the start */
    atomic_uint_least64_t rows;
    /* Counts as they were when each slice was closed: entry i at i % N_MARKS.
     * The window begins at the oldest: it is four slices and what came since. */
    pthread_mutex_t lock; /* also of what waits */
    struct drift_asked *waiting;
    /* Held for reading by those who count: what is no longer among the waiting
     * is counted once it is held for writing. */
    pthread_rwlock_t counting;
    uint64_t *closed;
    uint64_t rows_closed;
    int64_t closed_ms;
    size_t n_closed;
};

static const double EMPTY = 0.0001; /* an empty share */
static const char *const words[] = {"few", "ok", "moderate", "major"};

const char *
drift_level_word(enum drift_level l)
{
    return words[l];
}

bool
drift_level_parse(const char *word, enum drift_level *out)
{
    for (int i = DRIFT_FEW; i <= DRIFT_MAJOR; i++)
        if (!strcmp(word, words[i])) {
            *out = (enum drift_level)i;
            return true;
        }
    return false;
}

static const struct input *
input_named(const struct model *m, const char *name)
{
    size_t n;
    const struct input *in = model_inputs(m, &n);

    for (size_t i = 0; i < n; i++)
        if (!strcmp(in[i].name, name))
            return &in[i];
    return NULL;
}

static bool
feature_init(struct feature *f, const struct model *m, const struct baseline *b,
             struct error *err)
{
    const struct input *in = input_named(m, b->name);
    uint32_t code;

    f->base = b;
    f->n_bins = b->n_bins + 1;
    if (!b->category)
        return true;
    if (!in || in->n_levels + 1 != b->n_bins)
        return error_set(err, ERR_CORRUPT,
                         "baseline of '%s': %zu bins do not fit its levels",
                         b->name, b->n_bins);
    if (!(f->levels = dict_new(err)))
        return false;
    for (size_t i = 0; i < in->n_levels; i++)
        if (!dict_add(f->levels, str_of(in->levels[i]), &code, err))
            return false;
    return true;
}

static bool
fill(struct drift *d, const struct model *m, struct error *err)
{
    const struct baseline *b = model_baselines(m, &d->n_features);

    if (!d->n_features)
        return error_set(err, ERR_NOTFOUND,
                         "the model has no baseline to compare with");
    d->feature = mem_try_array(d->n_features, sizeof *d->feature, err);
    if (!d->feature)
        return false;
    for (size_t i = 0; i < d->n_features; i++) {
        if (!feature_init(&d->feature[i], m, &b[i], err))
            return false;
        d->feature[i].first = d->n_bins;
        d->n_bins += d->feature[i].n_bins;
    }
    return (d->count = mem_try_array(d->n_bins, sizeof *d->count, err)) &&
           (d->closed =
                mem_try_array(N_MARKS * d->n_bins, sizeof *d->closed, err));
}

/* Those who ask for scores come before those who count, or busy servers would
 * never tell. */
static void
counting_init(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t how;

    pthread_rwlockattr_init(&how);
    pthread_rwlockattr_setkind_np(&how,
                                  PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &how);
    pthread_rwlockattr_destroy(&how);
}

struct drift *
drift_new(const struct model *m, struct error *err)
{
    struct drift *d = mem_new(sizeof *d);

    pthread_mutex_init(&d->lock, NULL);
    counting_init(&d->counting);
    d->model = model_ref(m);
    if (fill(d, m, err))
        return d;
    drift_free(d);
    return NULL;
}

void
drift_free(struct drift *d)
{
    if (!d)
        return;
    for (size_t i = 0; d->feature && i < d->n_features; i++)
        dict_unref(d->feature[i].levels);
    while (d->waiting) {
        struct drift_asked *a = d->waiting;

        d->waiting = a->after;
        frame_unref(a->rows);
        free(a);
    }
    pthread_rwlock_destroy(&d->counting);
    pthread_mutex_destroy(&d->lock);
    model_unref(d->model);
    free(d->feature);
    free(d->count);
    free(d->closed);
    free(d);
}

static size_t
level_bin(const struct feature *f, const struct column *c, size_t row,
          struct buf *text)
{
    struct str s;
    uint32_t code;

    if (column_type(c) == COL_TEXT) {
        s = column_text(c, row);
    } else {
        buf_clear(text);
        column_print(c, row, text);
        s = (struct str){text->data, text->len};
    }
    code = dict_find(f->levels, s);
    return code == DICT_NONE ? f->base->n_bins - 1 : code;
}

static void
count_column(struct drift *d, const struct feature *f, const struct column *c)
{
    atomic_uint_least64_t *count = d->count + f->first;
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < column_rows(c); i++) {
        size_t bin = f->base->n_bins;

        if (!column_is_valid(c, i))
            bin = f->base->n_bins;
        else if (f->levels)
            bin = level_bin(f, c, i, &text);
        else if (!isnan(column_number(c, i)))
            bin = sort_up_to(f->base->cuts, f->base->n_bins - 1,
                             column_number(c, i));
        atomic_fetch_add_explicit(&count[bin], 1, memory_order_relaxed);
    }
    buf_fini(&text);
}

void
drift_count(struct drift *d, const struct frame *asked)
{
    for (size_t i = 0; i < d->n_features; i++) {
        long col = frame_find(asked, d->feature[i].base->name);

        if (col >= 0)
            count_column(d, &d->feature[i], frame_column(asked, (size_t)col));
    }
    atomic_fetch_add_explicit(&d->rows, frame_rows(asked),
                              memory_order_relaxed);
}

/* ---- what waits ---- */

struct drift_asked *
drift_put(struct drift *d, const struct frame *asked)
{
    struct drift_asked *a = mem_new(sizeof *a);

    a->rows = frame_ref(asked);
    pthread_mutex_lock(&d->lock);
    a->after = d->waiting;
    if (a->after)
        a->after->before = a;
    d->waiting = a;
    pthread_mutex_unlock(&d->lock);
    return a;
}

/* Its rows, which count no longer as waiting; under the lock. */
static struct frame *
take(struct drift *d, struct drift_asked *a)
{
    struct frame *rows = a->rows;

    if (!rows)
        return NULL;
    if (a->before)
        a->before->after = a->after;
    else
        d->waiting = a->after;
    if (a->after)
        a->after->before = a->before;
    a->rows = NULL;
    return rows;
}

/* a: this one; NULL: all that wait. */
static void
count_waiting(struct drift *d, struct drift_asked *a)
{
    struct frame *rows;

    pthread_rwlock_rdlock(&d->counting);
    do {
        struct drift_asked *next;

        pthread_mutex_lock(&d->lock);
        next = a ? a : d->waiting;
        rows = next ? take(d, next) : NULL;
        pthread_mutex_unlock(&d->lock);
        if (rows)
            drift_count(d, rows);
        frame_unref(rows);
    } while (rows && !a);
    pthread_rwlock_unlock(&d->counting);
}

void
drift_settle(struct drift *d, struct drift_asked *a)
{
    if (a)
        count_waiting(d, a);
    free(a);
}

static uint64_t
count_at(const struct drift *d, size_t bin)
{
    return atomic_load_explicit(&d->count[bin], memory_order_relaxed);
}

void
drift_tick(struct drift *d, int64_t now_ms)
{
    uint64_t rows = atomic_load_explicit(&d->rows, memory_order_relaxed);
    uint64_t *now;

    pthread_mutex_lock(&d->lock);
    if (!d->closed_ms)
        d->closed_ms = now_ms;
    if (rows - d->rows_closed >= SLICE_ROWS &&
        now_ms - d->closed_ms >= SLICE_MS) {
        now = d->closed + d->n_closed % N_MARKS * d->n_bins;
        for (size_t i = 0; i < d->n_bins; i++)
            now[i] = count_at(d, i);
        d->n_closed++;
        d->rows_closed = rows;
        d->closed_ms = now_ms;
    }
    pthread_mutex_unlock(&d->lock);
}

double
drift_noise(size_t n_bins, uint64_t n, uint64_t n_train)
{
    double k = n_bins > 1 ? (double)(n_bins - 1) : 1;
    double c = 2 / (9 * k), z = 3.0902323061678132; /* normal, 0.999 */

    return k * pow(1 - c + z * sqrt(c), 3) *
           (1 / (double)n + 1 / (double)n_train);
}

static enum drift_level
judge(double psi, size_t n_bins, uint64_t n, uint64_t n_train)
{
    if (n < DRIFT_MIN_ROWS)
        return DRIFT_FEW;
    if (psi < 0.1 || psi < drift_noise(n_bins, n, n_train))
        return DRIFT_OK;
    return psi < 0.25 ? DRIFT_MODERATE : DRIFT_MAJOR;
}

static bool
score(const struct drift *d, const struct feature *f, const uint64_t *count,
      struct drift_score *out, struct error *err)
{
    double *p = mem_try_array(2 * f->n_bins, sizeof *p, err);
    double *q = p + f->n_bins, present = 1 - f->base->missing;
    size_t used = 0;
    uint64_t n = 0;

    if (!p)
        return false;
    for (size_t i = 0; i < f->n_bins; i++)
        n += count[i];
    for (size_t i = 0; i < f->n_bins; i++) {
        p[i] = i < f->base->n_bins ? f->base->share[i] * present
                                   : f->base->missing;
        q[i] = n ? (double)count[i] / (double)n : 0;
        used += p[i] > 0 || q[i] > 0;
    }
    out->name = f->base->name;
    out->n = n;
    out->psi = n ? distance_psi(p, q, f->n_bins, EMPTY) : NAN;
    out->level = judge(out->psi, used, n, model_train_rows(d->model));
    free(p);
    return true;
}

/* What was counted since the window's first slice was closed. */
static uint64_t *
window_counts(struct drift *d, struct error *err)
{
    uint64_t *count = mem_try_array(d->n_bins, sizeof *count, err);
    const uint64_t *from = NULL;

    if (!count)
        return NULL;
    count_waiting(d, NULL);
    pthread_rwlock_wrlock(&d->counting);
    pthread_mutex_lock(&d->lock);
    if (d->n_closed >= N_MARKS)
        from = d->closed + d->n_closed % N_MARKS * d->n_bins;
    for (size_t i = 0; i < d->n_bins; i++)
        count[i] = count_at(d, i) - (from ? from[i] : 0);
    pthread_mutex_unlock(&d->lock);
    pthread_rwlock_unlock(&d->counting);
    return count;
}

struct drift_score *
drift_scores(struct drift *d, size_t *n, struct error *err)
{
    struct drift_score *s = mem_try_array(d->n_features, sizeof *s, err);
    uint64_t *count = s ? window_counts(d, err) : NULL;
    bool ok = count != NULL;

    for (size_t i = 0; ok && i < d->n_features; i++)
        ok = score(d, &d->feature[i], count + d->feature[i].first, &s[i], err);
    free(count);
    if (!ok) {
        free(s);
        return NULL;
    }
    *n = d->n_features;
    return s;
}

struct drift_score *
drift_frame(const struct model *m, const struct frame *f, size_t *n,
            struct error *err)
{
    struct drift *d = drift_new(m, err);
    struct drift_score *s = NULL;

    if (d) {
        drift_count(d, f);
        s = drift_scores(d, n, err);
    }
    drift_free(d);
    return s;
}
