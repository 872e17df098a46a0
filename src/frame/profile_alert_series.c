/* Alerts on columns over time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>

#include "frame/profile_page.h"

static const double CHANCE = 0.05; /* of the Dickey-Fuller test */

static void
judge_gaps(struct judge *j, size_t col)
{
    const struct profile_times *t = j->p->times;
    struct buf step, longest;
    char count[STR_F64_MAX];

    if (t->col != col || t->n_gaps == 0)
        return;
    count[str_from_count(t->n_gaps, count)] = 0;
    buf_init(&step);
    buf_init(&longest);
    page_time(j->p, t->step, &step);
    page_time(j->p, t->longest, &longest);
    if (buf_check(&step, j->err) && buf_check(&longest, j->err))
        judge_raise(j, ALERT_GAPS, ALERT_WARN, (long)col,
                    "%s gap%s of up to %s, between steps of %s", count,
                    t->n_gaps == 1 ? "" : "s", longest.data, step.data);
    else
        j->failed = true;
    buf_fini(&step);
    buf_fini(&longest);
}

void
judge_series(struct judge *j, size_t col)
{
    const struct profile_series *s = j->p->column[col].series;

    if (j->p->times)
        judge_gaps(j, col);
    if (!s)
        return;
    if (s->adf_p > CHANCE)
        judge_raise(j, ALERT_NON_STATIONARY, ALERT_WARN, (long)col,
                    "it may drift without end (Dickey-Fuller p %.3f): try its "
                    "steps",
                    s->adf_p);
    if (s->period)
        judge_raise(j, ALERT_SEASONAL, ALERT_NOTE, (long)col,
                    "it comes back every %zu rows (autocorrelation %.2f)",
                    s->period, s->season);
}
