/* engine/trees/lags_rows.c -- what a step of a series looks like to trees.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "base/str.h"
#include "engine/trees/lags_state.h"

#define DAY 86400.0

static const char *const part_names[LAGS_N_PARTS] = {"hour", "weekday", "day",
                                                     "month"};

static size_t
n_parts(const struct lags_rule *r)
{
    size_t n = 0;

    for (unsigned i = 0; i < LAGS_N_PARTS; i++)
        n += r->parts >> i & 1;
    return n;
}

static bool
has_phase(const struct lags_rule *r)
{
    return r->period > 1;
}

/* Where the features of each kind begin. */
struct layout {
    size_t means, ago, ahead, phase, parts, series, inputs, end;
};

static struct layout
layout_of(const struct lags_rule *r)
{
    struct layout l;

    l.means = r->n_lags;
    l.ago = l.means + r->n_means;
    l.ahead = l.ago + (r->ahead > 0 && has_phase(r));
    l.phase = l.ahead + (r->ahead > 1);
    l.parts = l.phase + has_phase(r);
    l.series = l.parts + n_parts(r);
    l.inputs = l.series + (r->series != LAGS_NO_COLUMN);
    l.end = l.inputs + r->n_inputs;
    return l;
}

size_t
lags_features(const struct lags_rule *r)
{
    return layout_of(r).end;
}

/* The column of input i. */
static size_t
input_column(const struct lags_rule *r, size_t i)
{
    for (size_t c = 0; c < r->n_cols; c++)
        if (c != r->time && c != r->series && i-- == 0)
            return c;
    return LAGS_NO_COLUMN;
}

size_t
lags_feature_column(const struct lags_rule *r, size_t feature)
{
    struct layout l = layout_of(r);

    if (feature >= l.inputs)
        return input_column(r, feature - l.inputs);
    if (feature >= l.series)
        return r->series;
    return feature >= l.phase ? r->time : LAGS_NO_COLUMN;
}

void
lags_feature_name(const struct lags_rule *r, size_t feature,
                  const struct prepare *prepare, char *out, size_t size)
{
    struct layout l = layout_of(r);
    size_t col = lags_feature_column(r, feature), left;

    if (feature < l.means) {
        snprintf(out, size, "lag %u", (unsigned)r->lag[feature]);
    } else if (feature < l.ago) {
        snprintf(out, size, "mean %u", (unsigned)r->mean[feature - l.means]);
    } else if (feature < l.ahead) {
        snprintf(out, size, "season ago");
    } else if (feature < l.phase) {
        snprintf(out, size, "ahead");
    } else if (feature < l.parts) {
        snprintf(out, size, "season");
    } else if (feature >= l.series) {
        snprintf(out, size, "%s",
                 prepare && col < prepare_cols(prepare)
                     ? prepare_feature(prepare, col)
                     : "input");
    } else {
        left = feature - l.parts;
        for (unsigned i = 0; i < LAGS_N_PARTS; i++)
            if (r->parts >> i & 1 && left-- == 0)
                snprintf(out, size, "%s", part_names[i]);
    }
}

size_t
lags_reach(const struct lags_rule *r)
{
    size_t most = 0;

    for (size_t i = 0; i < r->n_lags; i++)
        most = r->lag[i] > most ? r->lag[i] : most;
    for (size_t i = 0; i < r->n_means; i++)
        most = r->mean[i] > most ? r->mean[i] : most;
    most += r->gap;
    if (r->ahead > 0 && r->ahead + r->period + r->gap > most)
        most = r->ahead + r->period + r->gap;
    return most;
}

/* The last one of its kind that is known: steps of `by`, h at least. */
static size_t
known_before(size_t by, size_t h)
{
    return by * ((h + by - 1) / by);
}

size_t
lags_back(const struct lags_rule *r, size_t h)
{
    return r->gap ? known_before(r->gap, h) : 0;
}

/* The value of a step as it is seen; NaN before the first. */
static double
seen(const struct lags_rule *r, const struct lags_past *p, size_t t, size_t ago)
{
    if (t < ago + r->gap || t - ago - r->gap < p->first)
        return (double)NAN;
    t -= ago;
    return r->gap ? p->y[t - p->first] - p->y[t - r->gap - p->first]
                  : p->y[t - p->first];
}

/* Summed anew for each step: a sum that goes along would be rounded otherwise,
 * and differ from that of a path that begins elsewhere. */
static double
mean_before(const struct lags_rule *r, const struct lags_past *p, size_t t,
            size_t n)
{
    const double *y = p->y + (t - p->first);
    double sum = 0;

    if (isnan(seen(r, p, t, n)))
        return (double)NAN; /* it goes back beyond the first */
    if (r->gap)
        for (size_t ago = 1; ago <= n; ago++)
            sum += seen(r, p, t, ago);
    else
        for (size_t ago = 1; ago <= n; ago++)
            sum += *(y - ago);
    return sum / (double)n;
}

static double
calendar(enum lags_part part, double days, double seconds)
{
    int year, month, day;

    if (part == LAGS_HOUR)
        return floor(seconds / 3600);
    if (part == LAGS_WEEKDAY) /* Monday is 0; 1970 began on a Thursday */
        return fmod(fmod(days + 3, 7) + 7, 7);
    str_civil((int32_t)days, &year, &month, &day);
    return part == LAGS_DAY ? day : month;
}

/* The value of the last known step at the same place of the season, seen as the
 * step itself is. */
static double
season_ago(const struct lags_rule *r, const struct lags_past *p,
           struct lags_step s)
{
    size_t ago = known_before(r->period, s.h), back = lags_back(r, s.h);

    if (s.t < ago + back || s.t - ago - back < p->first)
        return (double)NAN;
    return p->y[s.t - ago - p->first] -
           (back ? p->y[s.t - ago - back - p->first] : 0);
}

static void
put_calendar(const struct lags_rule *r, const struct lags_past *p, size_t t,
             double *out, size_t stride)
{
    double time = clock_time(&p->series->clock, t), unit;
    double days, seconds;

    unit = r->in_seconds ? DAY : 1;
    days = floor(time / unit);
    seconds = time - days * unit;
    for (unsigned i = 0; i < LAGS_N_PARTS; i++) {
        if (!(r->parts >> i & 1))
            continue;
        *out = fabs(days) < 1e7 ? calendar(i, days, seconds) : (double)NAN;
        out += stride;
    }
}

void
lags_row(const struct lags_rule *r, const struct lags_past *p,
         struct lags_step step, const double *inputs, double *out,
         size_t stride)
{
    struct layout l = layout_of(r);
    size_t t = step.t, next = t + 1 - step.h;

    for (size_t i = 0; i < r->n_lags; i++)
        out[i * stride] = seen(r, p, next, r->lag[i]);
    for (size_t i = 0; i < r->n_means; i++)
        out[(l.means + i) * stride] = mean_before(r, p, next, r->mean[i]);
    if (l.ahead > l.ago)
        out[l.ago * stride] = season_ago(r, p, step);
    if (l.phase > l.ahead)
        out[l.ahead * stride] = (double)step.h;
    if (has_phase(r))
        out[l.phase * stride] = (double)(t % r->period);
    if (r->parts)
        put_calendar(r, p, t, out + l.parts * stride, stride);
    if (r->series != LAGS_NO_COLUMN)
        out[l.series * stride] = p->series->key;
    for (size_t i = 0; i < r->n_inputs; i++)
        out[(l.inputs + i) * stride] = inputs ? inputs[i] : (double)NAN;
}

void
lags_inputs(const struct lags_rule *r, const struct design *d, size_t row,
            double *out, size_t stride)
{
    for (size_t c = 0; c < r->n_cols; c++) {
        if (c == r->time || c == r->series)
            continue;
        design_pull(d, c, row, row + 1, out);
        out += stride;
    }
}

const struct lags_series *
lags_find(const struct lags *m, double key)
{
    size_t low = 0, high = m->n_series;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (m->series[mid].key < key)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->n_series && m->series[low].key == key ? &m->series[low]
                                                          : NULL;
}
