/* session/live.c
 *
 * A series as it grows, for a bucket of 4 events:
 *
 *   events   3 1 4 1 | 5 9 2 6 | 5 3
 *   points     1 4   |   9 2   |         kept in the order they came
 *   bucket                       5 3     min and max of what is not full yet
 *   last                           3
 *
 * The first halving turns 4 events into 2 points, each later one 2 buckets
 * into one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/live.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct point {
    int64_t step, time_ms;
    double value;
};

struct curve {
    char *name;
    struct point *points;
    size_t n, cap;
    size_t per_bucket; /* events; 1: each event is a point */
    size_t in_bucket;
    struct point low, high, last;
    bool high_is_later;
};

struct track {
    char run[RUN_ID_LEN + 1];
    struct curve *curves; /* by name */
    size_t n;
    uint64_t version;
    uint64_t ended; /* 0 while live; else when, in versions */
};

struct live {
    struct session *session;
    pthread_mutex_t lock;
    struct track **tracks;
    size_t n;
    uint64_t versions;
};

/* ---- one curve ---- */

/* NaN is neither low nor high, unless there is nothing else. */
static bool
is_below(double a, double b)
{
    return a < b || (isnan(b) && !isnan(a));
}

static bool
is_above(double a, double b)
{
    return a > b || (isnan(b) && !isnan(a));
}

static void
fill_bucket(struct curve *c, const struct point *p)
{
    if (c->in_bucket == 0) {
        c->low = c->high = *p;
    } else {
        if (is_below(p->value, c->low.value)) {
            c->low = *p;
            c->high_is_later = false;
        }
        if (is_above(p->value, c->high.value)) {
            c->high = *p;
            c->high_is_later = true;
        }
    }
    c->in_bucket++;
}

/* The bucket as two points, in the order they came; returns 2. */
static size_t
pour_bucket(const struct curve *c, struct point out[2])
{
    out[0] = c->high_is_later ? c->low : c->high;
    out[1] = c->high_is_later ? c->high : c->low;
    return 2;
}

/* Each 4 points become the 2 that bound them. */
static void
halve(struct curve *c)
{
    struct curve scratch = {.n = 0};
    size_t n = 0;

    for (size_t i = 0; i < c->n; i += 4) {
        scratch.in_bucket = 0;
        for (size_t k = i; k < i + 4; k++)
            fill_bucket(&scratch, &c->points[k]);
        n += pour_bucket(&scratch, c->points + n);
    }
    c->n = n;
    c->per_bucket = c->per_bucket == 1 ? 4 : 2 * c->per_bucket;
}

static bool
reserve(struct curve *c)
{
    struct error ignored;
    struct point *more =
        mem_try_grow(c->points, c->n + 1, &c->cap, sizeof *more, &ignored);

    if (more)
        c->points = more;
    return more;
}

static void
add_point(struct curve *c, const struct point *p)
{
    if (!reserve(c))
        return; /* the store has it */
    c->last = *p;
    if (c->per_bucket == 1) {
        c->points[c->n++] = *p;
    } else {
        fill_bucket(c, p);
        if (c->in_bucket == c->per_bucket) {
            c->n += pour_bucket(c, c->points + c->n);
            c->in_bucket = 0;
        }
    }
    if (c->n == LIVE_POINTS)
        halve(c);
}

static void
copy_point(struct series *s, const struct point *p)
{
    s->step[s->n] = p->step;
    s->time_ms[s->n] = p->time_ms;
    s->value[s->n] = p->value;
    s->n++;
}

static bool
same_point(const struct point *a, const struct point *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The points, the bucket that is being filled, the last event. */
static bool
copy_curve(const struct curve *c, struct series *s)
{
    size_t cap = c->n + 3, n = 0;
    struct error ignored;
    struct point open[3];

    if (c->in_bucket > 0) {
        n = pour_bucket(c, open);
        if (same_point(&open[0], &open[1]))
            n = 1;
    }
    if (c->per_bucket > 1 &&
        !same_point(&c->last, n > 0 ? &open[n - 1] : &c->points[c->n - 1]))
        open[n++] = c->last;
    *s = (struct series){.n = 0};
    if (!(s->name = mem_try_text(c->name, strlen(c->name), &ignored)) ||
        !(s->step = mem_try_array(cap, sizeof *s->step, &ignored)) ||
        !(s->time_ms = mem_try_array(cap, sizeof *s->time_ms, &ignored)) ||
        !(s->value = mem_try_array(cap, sizeof *s->value, &ignored)))
        return false;
    for (size_t i = 0; i < c->n; i++)
        copy_point(s, &c->points[i]);
    for (size_t i = 0; i < n; i++)
        copy_point(s, &open[i]);
    return true;
}

/* ---- one run ---- */

static void
track_free(struct track *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->curves[i].name);
        free(t->curves[i].points);
    }
    free(t->curves);
    free(t);
}

static struct curve *
find_curve(struct track *t, const char *name)
{
    struct error ignored;
    struct curve *c;
    size_t at = 0;
    int order = -1;

    while (at < t->n && (order = strcmp(t->curves[at].name, name)) < 0)
        at++;
    if (at < t->n && order == 0)
        return &t->curves[at];
    c = mem_try_resize(t->curves, t->n + 1, sizeof *c, &ignored);
    if (!c)
        return NULL;
    t->curves = c;
    c += at;
    memmove(c + 1, c, (t->n - at) * sizeof *c);
    *c = (struct curve){.name = mem_text(name), .per_bucket = 1};
    t->n++;
    return c;
}

static struct track *
find_track(struct live *l, const char *run)
{
    for (size_t i = l->n; i > 0; i--)
        if (strcmp(l->tracks[i - 1]->run, run) == 0)
            return l->tracks[i - 1];
    return NULL;
}

static void
drop_oldest(struct live *l)
{
    size_t ended = 0, oldest = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (!l->tracks[i]->ended)
            continue;
        if (ended++ == 0 || l->tracks[i]->ended < l->tracks[oldest]->ended)
            oldest = i;
    }
    if (ended <= LIVE_ENDED)
        return;
    track_free(l->tracks[oldest]);
    l->n--;
    memmove(l->tracks + oldest, l->tracks + oldest + 1,
            (l->n - oldest) * sizeof(struct track *));
}

/* ---- for all threads ---- */

struct live *
live_new(struct session *s)
{
    struct live *l = mem_new(sizeof *l);

    l->session = s;
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void
live_free(struct live *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        track_free(l->tracks[i]);
    free(l->tracks);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void
tell(struct live *l)
{
    if (l->session)
        session_notify(l->session, TOPIC_RUNS);
}

void
live_begin(struct live *l, const char *run)
{
    struct track *t;

    pthread_mutex_lock(&l->lock);
    t = find_track(l, run);
    if (!t) {
        struct track **more =
            realloc(l->tracks, (l->n + 1) * sizeof(struct track *));

        if (more) {
            l->tracks = more;
            t = l->tracks[l->n++] = mem_new(sizeof *t);
            strncpy(t->run, run, RUN_ID_LEN);
        }
    }
    if (t) {
        t->ended = 0;
        t->version = ++l->versions;
    }
    pthread_mutex_unlock(&l->lock);
    tell(l);
}

void
live_event(struct live *l, const char *run, const struct event *e)
{
    const struct point p = {
        .step = e->step, .time_ms = e->time_ms, .value = e->value};
    struct track *t;
    struct curve *c;

    pthread_mutex_lock(&l->lock);
    t = find_track(l, run);
    c = t ? find_curve(t, e->name) : NULL;
    if (c) {
        add_point(c, &p);
        t->version = ++l->versions;
    }
    pthread_mutex_unlock(&l->lock);
    if (c)
        tell(l);
}

void
live_end(struct live *l, const char *run)
{
    struct track *t;

    pthread_mutex_lock(&l->lock);
    t = find_track(l, run);
    if (t) {
        t->ended = t->version = ++l->versions;
        drop_oldest(l);
    }
    pthread_mutex_unlock(&l->lock);
    tell(l);
}

bool
live_series(struct live *l, const char *run, struct series_list *out)
{
    struct error ignored;
    struct track *t;
    bool ok = false;

    *out = (struct series_list){.n = 0};
    pthread_mutex_lock(&l->lock);
    t = find_track(l, run);
    if (t) {
        out->series = mem_try_array(t->n, sizeof *out->series, &ignored);
        ok = out->series != NULL;
        for (size_t i = 0; ok && i < t->n; i++)
            ok = copy_curve(&t->curves[i], &out->series[out->n++]);
    }
    pthread_mutex_unlock(&l->lock);
    if (!ok)
        series_list_fini(out);
    return ok;
}

uint64_t
live_version(struct live *l, const char *run)
{
    struct track *t;
    uint64_t version;

    pthread_mutex_lock(&l->lock);
    t = find_track(l, run);
    version = t ? t->version : 0;
    pthread_mutex_unlock(&l->lock);
    return version;
}
