/* engine/finish.c -- what is done to a model's answers.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/finish.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool
finish_wanted(const struct finish_options *o)
{
    return o->calibrate || o->threshold || o->profit || o->interval != 0;
}

static bool
local_check(const struct finish_options *o, const struct target *t,
            struct error *err)
{
    if (o->local && o->interval == 0)
        return error_set(err, ERR_USAGE,
                         "local ranges want a level: --interval 0.9 (in Lua "
                         "interval)");
    return !o->local || t->problem == PROBLEM_REGRESSION ||
           error_set(err, ERR_RANGE,
                     "local ranges are of numbers; sets of classes are as "
                     "large as the model is unsure");
}

bool
finish_check(const struct finish_options *o, const struct target *t,
             struct error *err)
{
    enum calibrate_kind kind;

    return (!o->calibrate || (calibrate_kind_of(o->calibrate, &kind, err) &&
                              calibration_check(t->problem, err))) &&
           ((!o->threshold && !o->profit) ||
            decision_check(o->threshold, o->profit, t->classes, t->n_classes,
                           err)) &&
           (o->interval == 0 || conformal_check(o->interval, SIZE_MAX, err)) &&
           local_check(o, t, err);
}

void
finish_fini(struct finish *f)
{
    calibration_fini(&f->calibration);
    decision_fini(&f->decision);
    *f = (struct finish){0};
}

static bool
steps_fit(const struct finish_options *o, struct metric_rows *rows, double *p,
          char *const *classes, struct finish *f, struct error *err)
{
    enum calibrate_kind kind;

    if (o->calibrate) {
        if (!calibrate_kind_of(o->calibrate, &kind, err) ||
            !calibration_fit(kind, rows, &f->calibration, err))
            return false;
        f->calibrated = true;
        if (!calibration_apply(&f->calibration, p, rows->n, rows->pool, err))
            return false;
    }
    if (o->threshold || o->profit) {
        if (!decision_fit(o->threshold, o->profit, rows, classes, &f->decision,
                          err))
            return false;
        f->decided = true;
    }
    if (o->interval != 0)
        f->ranged = (o->local ? conformal_fit_local : conformal_fit)(
            o->interval, rows, &f->conformal, err);
    return o->interval == 0 || f->ranged;
}

bool
finish_fit(const struct finish_options *o, const struct metric_rows *rows,
           char *const *classes, struct finish *out, struct error *err)
{
    struct metric_rows mine = *rows;
    size_t cells = rows->n * rows->k;
    double *p = mem_try_array(cells, sizeof *p, err);
    struct finish f = {.n = rows->n};
    bool ok = p != NULL;

    if (ok && rows->n == 0)
        ok = error_set(err, ERR_RANGE, "no rows were kept to learn from");
    if (ok) {
        memcpy(p, rows->p, cells * sizeof *p);
        mine.p = p;
        ok = steps_fit(o, &mine, p, classes, &f, err);
    }
    free(p);
    if (ok)
        *out = f;
    else
        finish_fini(&f);
    return ok;
}

void
finish_save(const struct finish *f, struct st_writer *st, struct json_writer *w)
{
    json_name(w, "rows");
    json_put_i64(w, (int64_t)f->n);
    if (f->calibrated) {
        json_name(w, "calibrate");
        json_open(w, '{');
        calibration_save(&f->calibration, st, w);
        json_close(w, '}');
    }
    if (f->decided) {
        json_name(w, "decide");
        json_open(w, '{');
        decision_save(&f->decision, w);
        json_close(w, '}');
    }
    if (f->ranged) {
        json_name(w, "range");
        json_open(w, '{');
        conformal_save(&f->conformal, w);
        json_close(w, '}');
    }
}

static bool
step_find(const struct json *o, const char *key, const struct json **out,
          bool *there, struct error *err)
{
    *there = json_find(o, key) != NULL;
    return !*there || json_get_object(o, key, out, err);
}

bool
finish_load(const struct json *o, const struct st_file *st, size_t k,
            size_t n_classes, struct finish *out, struct error *err)
{
    const struct json *calibrate, *decide, *range;
    bool calibrated, decided, ranged, ok;
    struct finish f = {0};
    int64_t n;

    if (!json_get_i64(o, "rows", &n, err) ||
        !step_find(o, "calibrate", &calibrate, &calibrated, err) ||
        !step_find(o, "decide", &decide, &decided, err) ||
        !step_find(o, "range", &range, &ranged, err))
        return false;
    if (n < 1 || n > UINT32_MAX || (calibrated && n_classes == 0))
        return error_set(err, ERR_CORRUPT, "a bad finish");
    f.n = (size_t)n;
    ok = !calibrated || (f.calibrated = calibration_load(calibrate, st, k,
                                                         &f.calibration, err));
    ok = ok && (!decided || (f.decided = decision_load(decide, n_classes,
                                                       &f.decision, err)));
    ok = ok &&
         (!ranged || (f.ranged = conformal_load(range, &f.conformal, err)));
    if (ok)
        *out = f;
    else
        finish_fini(&f);
    return ok;
}

enum { DIGITS = 5 };

static void
decision_print(const struct decision *d, struct buf *out)
{
    char reached[STR_F64_MAX];

    str_from_number(d->reached, DIGITS, reached);
    if (d->profit && d->k > 2)
        buf_printf(out, "%-12sby profit, %s a row\n", "classes", reached);
    else if (isnan(d->reached))
        buf_printf(out, "%-12s%.4g, as given\n", "threshold", d->threshold);
    else
        buf_printf(out, "%-12s%.4g by %s, %s%s\n", "threshold", d->threshold,
                   d->how, reached, d->profit ? " a row" : "");
}

/* "within 310.2 to 2904.1 of the prediction, by where it lies" */
static void
local_print(const struct conformal *c, struct buf *out)
{
    double least = c->at[0], most = c->at[0];
    char from[STR_F64_MAX], to[STR_F64_MAX];

    for (size_t i = 1; i <= c->n_cuts; i++) {
        least = fmin(least, c->at[i]);
        most = fmax(most, c->at[i]);
    }
    str_from_number(least, DIGITS, from);
    str_from_number(most, DIGITS, to);
    buf_printf(out, "within %s to %s of the prediction, by where it lies\n",
               from, to);
}

static void
range_print(const struct conformal *c, const char *const *quantile,
            struct buf *out)
{
    char width[STR_F64_MAX];

    str_from_number(quantile ? fabs(c->width) : c->width, DIGITS, width);
    buf_printf(out, "%-12s%g %% ", "ranges", 100 * c->level);
    if (c->n_cuts)
        local_print(c, out);
    else if (!quantile)
        buf_printf(out, "within %s of the prediction\n", width);
    else
        buf_printf(out, "between the quantiles %s and %s, %s by %s\n",
                   quantile[0], quantile[1],
                   c->width < 0 ? "narrowed" : "widened", width);
}

void
finish_print(const struct finish *f, enum problem problem,
             const char *const *quantile, struct buf *out)
{
    char rows[STR_F64_MAX];

    str_from_count(f->n, rows);
    if (f->calibrated)
        buf_printf(out, "%-12sby %s, on %s rows not learnt from\n",
                   "calibrated", calibrate_word(f->calibration.kind), rows);
    if (f->calibrated && f->calibration.kind == CALIBRATE_ISOTONIC &&
        f->n < CALIBRATE_ISOTONIC_ROWS)
        buf_printf(out,
                   "%-12sfew for isotonic, which follows their chance below "
                   "1,000:\n%-12splatt or temperature need fewer\n",
                   "", "");
    if (f->decided)
        decision_print(&f->decision, out);
    if (f->ranged && problem == PROBLEM_REGRESSION)
        range_print(&f->conformal, quantile, out);
    else if (f->ranged)
        buf_printf(out,
                   "%-12s%g %% of the truth among classes of at least %.4g\n",
                   "sets", 100 * f->conformal.level, 1 - f->conformal.width);
}

void
finish_json(const struct finish *f, struct json_writer *w)
{
    if (f->calibrated) {
        json_name(w, "calibrated");
        json_put_string(w, calibrate_word(f->calibration.kind));
    }
    if (f->decided) {
        json_name(w, "decided_by");
        json_put_string(w, f->decision.how);
        json_name(w, "threshold");
        json_put_double(w, f->decision.threshold);
    }
    if (f->ranged) {
        json_name(w, "level");
        json_put_double(w, f->conformal.level);
        json_name(w, "width");
        json_put_double(w, f->conformal.width);
        if (f->conformal.n_cuts)
            conformal_json_local(&f->conformal, w);
    }
}
