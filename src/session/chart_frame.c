/* session/chart_frame.c -- where the values of a chart lie, and what its axes
 * say: the same for both producers.
 *
 *   0.60│      row h-1: the dot `y.to`
 *       │
 *   0.50┤
 *       │      row 2: the dot `y.from`, the least value that can be seen
 *       └┬───  row 1: the axis
 *        0     row 0: its numbers
 *
 * Where the y range is ours to choose, a step of the labels is made a whole
 * number of rows: the unit of a dot is step / (4 rows), so labels stand evenly
 * and each on the value it names.  Of the steps and rows that hold the values
 * the pair is taken that wastes least.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame/bins.h"
#include "session/chart.h"

enum {
    AXIS_ROWS = 2,    /* the axis, its numbers */
    MIN_PLOT = 6,     /* columns of curve that labels must leave */
    MAX_LABELS = 10,  /* about so many on the y axis of a tall chart */
    LABEL_DIGITS = 10 /* significant ones */
};

/* Beyond them a span would overflow or vanish. */
#define VALUE_MAX (DBL_MAX / 16)
#define VALUE_MIN 1e-290

double
chart_on_axis(double v, bool logarithmic)
{
    if (!isfinite(v) || (logarithmic && v < VALUE_MIN))
        return NAN;
    return logarithmic ? log10(v) : v;
}

int32_t
chart_axis_dot(const struct chart_axis *a, double v)
{
    double low = chart_on_axis(a->low, a->logarithmic);
    double high = chart_on_axis(a->high, a->logarithmic);
    double f = (chart_on_axis(v, a->logarithmic) - low) / (high - low);

    f = f < 0 ? 0 : f > 1 ? 1 : f;
    return a->from + (int32_t)lround(f * (a->to - a->from));
}

/* ---- ranges ---- */

struct extent {
    double low, high;
    bool whole; /* only whole numbers */
};

static void
extend(struct extent *e, double v)
{
    v = fmin(fmax(v, -VALUE_MAX), VALUE_MAX);
    if (!(v >= e->low))
        e->low = v;
    if (!(v <= e->high))
        e->high = v;
    e->whole = e->whole && v == floor(v) && fabs(v) < 1e15;
}

/* What the series hold inside the part of the x axis that is asked for. */
static bool
extents(const struct plot_spec *spec, struct extent *x, struct extent *y)
{
    *x = *y = (struct extent){NAN, NAN, true};
    for (size_t s = 0; s < spec->n_series; s++) {
        const struct plot_series *p = &spec->series[s];

        for (size_t i = 0; i < p->n; i++) {
            if (isnan(chart_on_axis(p->x[i], spec->log_x)) ||
                isnan(chart_on_axis(p->y[i], spec->log_y)) ||
                p->x[i] < spec->x_min || p->x[i] > spec->x_max)
                continue;
            extend(x, p->x[i]);
            extend(y, p->y[i]);
        }
    }
    return !isnan(x->low);
}

/* Too near each other to be told apart on a chart. */
static bool
flat(double low, double high)
{
    return high - low <= 1e-12 * fmax(fabs(low), fabs(high)) ||
           high - low < VALUE_MIN;
}

static double
flat_pad(double v)
{
    return fabs(v) > 1e-280 ? fabs(v) * 0.05 : 1;
}

static void
set_x_range(const struct plot_spec *spec, const struct extent *e,
            struct chart_axis *a)
{
    a->low = isfinite(spec->x_min) ? spec->x_min : e->low;
    a->high = isfinite(spec->x_max) ? spec->x_max : e->high;
    if (a->logarithmic && a->low < VALUE_MIN)
        a->low = e->low; /* the others are left out */
    if (flat(a->low, a->high) || a->high < a->low) {
        double pad = flat_pad(a->low);

        a->low = a->logarithmic ? a->low / 2 : a->low - pad;
        a->high = a->logarithmic ? a->low * 4 : a->low + 2 * pad;
    }
}

/* ---- ticks ---- */

/* f times ten to the power e, f one of 1, 2, 5. */
struct step {
    int f, e;
};

static double
step_times(struct step s, double m)
{
    /* A power of ten below one is not exact, its reciprocal is. */
    return s.e >= 0 ? m * s.f * pow(10, s.e) : m * s.f / pow(10, -s.e);
}

/* The least step that is not below v > 0. */
static struct step
step_above(double v)
{
    struct step s = {1, (int)floor(log10(v))};

    while (step_times(s, 1) < v * (1 - 1e-9))
        s = s.f == 1   ? (struct step){2, s.e}
            : s.f == 2 ? (struct step){5, s.e}
                       : (struct step){1, s.e + 1};
    return s;
}

static struct step
step_next(struct step s)
{
    return step_above(step_times(s, 1) * 1.01);
}

/* "1e+06" as "1e6". */
static void
shorten(char *text)
{
    char *e = strchr(text, 'e'), *from;
    bool minus;

    if (!e)
        return;
    minus = e[1] == '-';
    from = e + 2;
    while (*from == '0')
        from++;
    e += 1 + minus;
    memmove(e, from, strlen(from) + 1);
}

static void
add_tick(struct chart_ticks *t, double v, int exponent, double largest)
{
    char *text = t->text[t->n];
    int digits, w;

    if (t->n == CHART_MAX_TICKS)
        return;
    if (exponent >= -6 && largest < 1e6) {
        snprintf(text, CHART_TICK_TEXT, "%.*f", exponent < 0 ? -exponent : 0,
                 v);
    } else {
        digits = (int)floor(log10(largest)) - exponent + 1;
        digits = digits < 1 ? 1 : digits > LABEL_DIGITS ? LABEL_DIGITS : digits;
        snprintf(text, CHART_TICK_TEXT, "%.*g", digits, v);
        shorten(text);
    }
    if (t->n > 0 && strcmp(text, t->text[t->n - 1]) == 0)
        return; /* the digits do not tell them apart */
    t->at[t->n++] = v;
    w = (int)strlen(text);
    if (w > t->widest)
        t->widest = w;
}

static void
ticks_by_step(const struct chart_axis *a, struct step s, struct chart_ticks *t)
{
    double unit = step_times(s, 1), largest = fmax(fabs(a->low), fabs(a->high));
    double first = ceil(a->low / unit - 1e-9);

    *t = (struct chart_ticks){0};
    for (int i = 0; i < CHART_MAX_TICKS; i++) {
        double v = step_times(s, first + i);

        if (v > a->high + unit * 1e-9)
            return;
        add_tick(t, first + i == 0 ? 0 : v, s.e, largest);
    }
}

/* Every so many powers of ten; stride 0: 1, 2 and 5 of each. */
static void
ticks_logarithmic(const struct chart_axis *a, int stride, struct chart_ticks *t)
{
    static const int parts[] = {1, 2, 5};
    int low = (int)floor(log10(a->low)), high = (int)floor(log10(a->high));

    *t = (struct chart_ticks){0};
    for (int e = low; e <= high && t->n < CHART_MAX_TICKS; e++)
        for (int i = 0; i < (stride == 0 ? 3 : 1); i++) {
            double v = step_times((struct step){parts[i], e}, 1);

            if ((stride < 2 || e % stride == 0) && v >= a->low * (1 - 1e-9) &&
                v <= a->high * (1 + 1e-9))
                add_tick(t, v, e, v);
        }
}

/* ---- times ---- */

static void
put_tick(struct chart_ticks *t, double v, const char *text)
{
    int w = (int)strlen(text);

    if (t->n == CHART_MAX_TICKS || w >= CHART_TICK_TEXT)
        return;
    t->at[t->n] = v;
    memcpy(t->text[t->n++], text, (size_t)w + 1);
    if (w > t->widest)
        t->widest = w;
}

/* As much of the time as the step has: "2025", "2025-04", "2025-04-01",
 * "10:15", "10:15:30"; midnight is said by its day. */
static void
time_text(double v, double width, bool days, char out[STR_F64_MAX + 8])
{
    double day = days ? 1 : 86400;
    double rest = v - floor(v / day) * day;

    if (!days && width < 86400 && rest != 0) {
        /* 1970-01-01T10:15:30 */
        str_from_timestamp(llrint(rest * 1e6), out);
        memmove(out, out + 11, strlen(out + 11) + 1);
        out[width < 1 ? strlen(out) : width < 60 ? 8 : 5] = '\0';
        return;
    }
    str_from_date((int32_t)floor(v / day), out);
    if (v >= -719162 * day) /* years of four digits */
        out[width >= 365 * day ? 4 : width >= 30 * day ? 7 : 10] = '\0';
}

static void
ticks_by_time(const struct chart_axis *a, enum plot_unit unit, int wanted,
              struct chart_ticks *t)
{
    bool days = unit == PLOT_DAYS;
    char text[STR_F64_MAX + 8];
    struct error err;
    struct bins b;

    *t = (struct chart_ticks){0};
    if (bins_of_range(a->low, a->high, (size_t)wanted,
                      days ? COL_DATE : COL_TIMESTAMP, &b, &err))
        for (size_t i = 0; i < b.n + (b.n > 0); i++) {
            if (b.edge[i] < a->low || b.edge[i] > a->high)
                continue;
            time_text(b.edge[i], b.width, days, text);
            put_tick(t, b.edge[i], text);
        }
    bins_fini(&b);
}

/* ---- the y axis ---- */

/* Leave out ticks on rows that touch. */
static void
thin_rows(const struct chart_axis *a, struct chart_ticks *t)
{
    struct chart_ticks all = *t;
    int last = -2;

    *t = (struct chart_ticks){0};
    for (int i = 0; i < all.n; i++) {
        int row = chart_axis_dot(a, all.at[i]) / 4;

        if (row < last + 2)
            continue;
        last = row;
        t->at[t->n] = all.at[i];
        memcpy(t->text[t->n++], all.text[i], CHART_TICK_TEXT);
        if ((int)strlen(all.text[i]) > t->widest)
            t->widest = (int)strlen(all.text[i]);
    }
}

static void
log_y_axis(const struct plot_spec *spec, const struct extent *e,
           struct chart_axis *a)
{
    double low = log10(e->low), high = log10(e->high);
    double pad = flat(low, high) ? 0.5 : 0.05 * (high - low);

    a->low = spec->y_min > 0 ? spec->y_min : pow(10, low - pad);
    a->high = spec->y_max > a->low ? spec->y_max : pow(10, high + pad);
    if (!(a->low > 0))
        a->low = e->low / 10 > 0 ? e->low / 10 : e->low;
    if (a->low >= a->high)
        a->high = a->low * 10;
    ticks_logarithmic(a, 1, &a->tick);
    thin_rows(a, &a->tick);
    if (a->tick.n < 2) {
        ticks_logarithmic(a, 0, &a->tick);
        thin_rows(a, &a->tick);
    }
    if (a->tick.n < 2) {
        ticks_by_step(a, step_above((a->high - a->low) / 4), &a->tick);
        thin_rows(a, &a->tick);
    }
}

/* The values with a little room about them. */
static void
pad_y(const struct plot_spec *spec, const struct extent *e, double *low,
      double *high)
{
    bool from_low = isfinite(spec->y_min), to_high = isfinite(spec->y_max);
    double pad;

    *low = from_low ? spec->y_min : e->low;
    *high = to_high ? spec->y_max : e->high;
    if (from_low && !to_high) { /* from nought: a tenth above */
        if (*high <= *low)
            *high = *low + 1;
        else if (flat(e->low, e->high))
            *high += *high - *low; /* half way up */
        else
            *high += 0.1 * (*high - *low);
        return;
    }
    if (flat(*low, *high) || *high < *low) {
        pad = flat_pad(*low);
        *high = *low + pad;
        *low -= pad;
        return;
    }
    pad = 0.05 * (*high - *low);
    if (!from_low && (*low < 0 || *low >= pad))
        *low -= pad;
    else if (!from_low)
        *low = 0; /* what is never negative gets no axis below nought */
    if (!to_high)
        *high += pad;
}

/* A step of the labels and its rows. */
struct pace {
    struct step step;
    int rows;
    double unit; /* of a dot */
};

/* The pair that wastes least: a dot must be worth at least `least`. */
static struct pace
choose_pace(double least, int rows)
{
    int from = (rows + MAX_LABELS - 1) / MAX_LABELS;
    int to, like;
    double best = INFINITY;
    struct pace out = {{1, 0}, 1, 1};

    from = rows < 3 ? 1 : rows < 9 ? 2 : from < 3 ? 3 : from;
    to = from + 4 < rows / 2 ? from + 4 : rows / 2 > from ? rows / 2 : from;
    like = from < 3 ? 3 : from;
    for (int k = from; k <= to; k++) {
        struct step s = step_above(least * 4 * k);
        double unit = step_times(s, 1) / (4 * k);
        double cost = unit * (1 + 0.04 * abs(k - like));

        if (cost < best) {
            best = cost;
            out = (struct pace){s, k, unit};
        }
    }
    return out;
}

static void
linear_y_axis(const struct plot_spec *spec, const struct extent *e,
              struct chart_axis *a)
{
    int dots = a->to - a->from, spare;
    bool from_low = isfinite(spec->y_min), to_high = isfinite(spec->y_max);
    double low, high, first, last, at;
    struct pace p;

    pad_y(spec, e, &low, &high);
    if (spec->y_unit != PLOT_NUMBER) {
        a->low = low;
        a->high = high;
        ticks_by_time(a, spec->y_unit, dots / 12 + 1, &a->tick);
        thin_rows(a, &a->tick);
        return;
    }
    if (from_low && to_high) {
        a->low = low;
        a->high = high;
        ticks_by_step(a, step_above((high - low) * 8 / dots), &a->tick);
        thin_rows(a, &a->tick);
        return;
    }
    /* With four dots to spare a tick can be laid in the middle of a row. */
    spare = from_low || to_high || low == 0 ? 0 : dots > 24 ? 4 : 1;
    p = choose_pace((high - low) / (dots - spare), dots / 4 + 1);
    if (from_low || low == 0) {
        a->low = low;
    } else if (to_high) {
        a->low = high - dots * p.unit;
    } else {
        first = ceil(high / p.unit - dots - 1e-9);
        last = floor(low / p.unit + 1e-9);
        at = floor((first + last) / 2);
        for (int i = 0; i < 4; i++)
            if (fmod(fmod(at + i, 4) + 4, 4) == 2 && at + i <= last)
                at += i;
        if (at > last)
            at = last;
        a->low = low >= 0 && at < 0 ? 0 : at * p.unit;
    }
    a->high = a->low + dots * p.unit;
    ticks_by_step(a, p.step, &a->tick);
    thin_rows(a, &a->tick);
}

/* ---- the x axis ---- */

/* Cells [*from, *to) of a label under its tick, kept inside the chart. */
void
chart_label_cells(int columns, int dot, int w, int *from, int *to)
{
    int x = dot / 2 - w / 2;

    x = x > columns - w ? columns - w : x;
    *from = x < 0 ? 0 : x;
    *to = *from + w;
}

static bool
labels_fit(const struct chart_axis *a, const struct chart_ticks *t, int columns)
{
    int end = -2;

    for (int i = 0; i < t->n; i++) {
        int from, to;

        chart_label_cells(columns, chart_axis_dot(a, t->at[i]),
                          (int)strlen(t->text[i]), &from, &to);
        if (from < end + 2)
            return false;
        end = to;
    }
    return true;
}

static void
x_ticks(struct chart_axis *a, bool whole, enum plot_unit unit, int columns)
{
    double span = a->high - a->low;
    int most = (a->to - a->from) / 2 / 6 + 1;
    struct step s;

    for (int stride = 0; a->logarithmic && stride < 600; stride++) {
        ticks_logarithmic(a, stride, &a->tick);
        if (a->tick.n < 2)
            break;
        if (labels_fit(a, &a->tick, columns))
            return;
    }
    for (int n = most; !a->logarithmic && unit != PLOT_NUMBER && n > 0; n--) {
        ticks_by_time(a, unit, n, &a->tick);
        if (labels_fit(a, &a->tick, columns))
            return;
    }
    s = step_above(span / most);
    if (whole && s.e < 0)
        s = (struct step){1, 0};
    for (int i = 0; i < 24; i++, s = step_next(s)) {
        ticks_by_step(a, s, &a->tick);
        if (labels_fit(a, &a->tick, columns))
            return;
    }
    a->tick = (struct chart_ticks){0};
}

/* ---- the frame ---- */

int
chart_label_width(const struct plot_spec *spec)
{
    size_t widest = 0;

    for (size_t i = 0; i < spec->n_series; i++) {
        size_t w = str_width(str_of(spec->series[i].label));

        if (w > widest)
            widest = w;
    }
    if (widest > (size_t)spec->width / 3)
        widest = (size_t)spec->width / 3;
    return widest ? (int)widest + 2 : 1;
}

struct plot_spec
plot_spec_of(const struct plot_series *series, size_t n, int width, int height)
{
    return (struct plot_spec){.series = series,
                              .n_series = n,
                              .width = width,
                              .height = height,
                              .x_min = NAN,
                              .x_max = NAN,
                              .y_min = NAN,
                              .y_max = NAN};
}

double
chart_last_value(const struct plot_series *s)
{
    size_t n = s->n;

    while (n > 0 && !isfinite(s->y[n - 1]))
        n--;
    return n > 0 ? s->y[n - 1] : NAN;
}

size_t
chart_order_of_ends(const struct plot_spec *spec,
                    const struct plot_series **out)
{
    size_t n = 0;

    for (size_t i = 0; i < spec->n_series && n < CHART_MAX_SERIES; i++) {
        const struct plot_series *s = &spec->series[i];
        size_t k = n;

        if (str_of(s->label).n == 0 || isnan(chart_last_value(s)))
            continue;
        for (; k > 0 && chart_last_value(out[k - 1]) < chart_last_value(s); k--)
            out[k] = out[k - 1];
        out[k] = s;
        n++;
    }
    return n;
}

bool
chart_frame_of(const struct plot_spec *spec, struct chart_frame *f)
{
    struct extent x, y;

    *f = (struct chart_frame){.x.logarithmic = spec->log_x,
                              .y.logarithmic = spec->log_y};
    if (!extents(spec, &x, &y))
        return false;
    f->y.from = AXIS_ROWS * 4;
    f->y.to = spec->height * 4 - 1;
    if (spec->log_y)
        log_y_axis(spec, &y, &f->y);
    else
        linear_y_axis(spec, &y, &f->y);
    f->left = f->y.tick.widest;
    f->right = chart_label_width(spec);
    if (spec->width - f->left - 1 - f->right < MIN_PLOT)
        f->right = 0;
    if (spec->width - f->left - 1 - f->right < MIN_PLOT) {
        f->left = 0;
        f->y.tick = (struct chart_ticks){0};
    }
    f->x.from = 2 * (f->left + 1);
    f->x.to = 2 * (spec->width - f->right) - 1;
    set_x_range(spec, &x, &f->x);
    x_ticks(&f->x, x.whole, spec->x_unit, spec->width);
    return true;
}
