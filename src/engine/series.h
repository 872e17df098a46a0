/* engine/series.h -- rows as a series in time.
 *
 * A time column puts the rows in order; they must be evenly spaced, by a step
 * of days, seconds or numbers, or by months (dates and timestamps of the same
 * day of the month, or of its end).  Without one the rows are in order.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_SERIES_H
#define LATHE_ENGINE_SERIES_H

#include "engine/model.h"

struct clock {
    bool timed;   /* else a step a row, and nothing below */
    bool months;  /* the step is so many months */
    bool seconds; /* months: the time is in seconds, not in days */
    double first, step;
    int64_t day; /* months: of the month; 31: its end */
    size_t n;    /* rows of the series */
};

/* A row in time; where there are several series, of which one. */
struct moment {
    double time;
    uint32_t row, series;
};
/* By series, then by time, then as they stand; rows without a time first. */
bool moments_sort(struct moment *m, size_t n, struct pool *pool,
                  struct error *err) MUST_USE;
/* The clock of the n > 0 moments of one series, in order; name: of the column
 * of times.  ERR_RANGE for a time that is missing, twice there, or not evenly
 * spaced. */
bool clock_read(const struct moment *m, size_t n, const char *name,
                struct clock *out, struct error *err) MUST_USE;
/* y, freed by the caller: the target in the order of time.  The errors of
 * clock_read(). */
double *
series_read(const struct fit_data *d, const char *time, struct pool *pool,
            struct clock *out, struct error *err) MUST_USE;
/* The step of a time, the first row being 0; or the time of a step. */
double clock_step(const struct clock *c, double time);
double clock_time(const struct clock *c, size_t step);
/* What seasons there are usually: 12 of months, 4 of quarters, 7 of days, 24
 * of hours; 1: none to expect. */
size_t clock_period(const struct clock *c);

void clock_save(const struct clock *c, struct json_writer *w);
bool clock_load(struct clock *c, const struct json *o, size_t n_cols,
                struct error *err) MUST_USE;

/* What comes behind a series, so many steps. */
struct series_path {
    const struct clock *clock;
    double key; /* which series: its number, or the code of its level */
    const double *mean, *low, *high;
};
struct series_frame_of {
    const struct input *series, *time; /* columns; NULL: none */
    size_t n;                          /* steps of each path */
};
/* As a frame: the series where there are several, step, the time in its type
 * where there is one, forecast, low, high. */
struct frame *
series_frame(const struct series_frame_of *o, const struct series_path *paths,
             size_t n_paths, struct error *err) MUST_USE;
/* The answer for each row: at a step of the series fitted[step], behind it
 * ahead(), before it NaN. */
struct series_answers {
    const struct clock *clock;
    const double *fitted; /* clock->n */
    /* out: forecasts for the n steps behind the series */
    void (*ahead)(const void *learner, size_t n, double *out);
    const void *learner;
};
bool series_score(const struct series_answers *a, const struct design *d,
                  double *out, struct error *err) MUST_USE;
/* What a share of n > 0 values, which it sorts, lies between: level 0.9 from
 * their 5 % to their 95 % quantile (linear, as R's type 7).  Those that are
 * missing count as high. */
void series_range(double *x, size_t n, double level, double *low, double *high);
/* x with P(X < x) = p for a standard normal X. */
double normal_quantile(double p);
#endif
