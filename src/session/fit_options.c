/* session/fit_options.c -- what a fit was asked for besides its parameters.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/fit.h"

static void
put_text(struct json_writer *w, const char *name, const char *text)
{
    if (text) {
        json_name(w, name);
        json_put_string(w, text);
    }
}

static void
put_texts(struct json_writer *w, const char *name, const char *const *list)
{
    if (!list || !*list)
        return;
    json_name(w, name);
    json_open(w, '[');
    for (; *list; list++)
        json_put_string(w, *list);
    json_close(w, ']');
}

static void
put_number(struct json_writer *w, const char *name, double x, double usual)
{
    if (x != usual) {
        json_name(w, name);
        json_put_double(w, x);
    }
}

static void
put_flag(struct json_writer *w, const char *name, bool on)
{
    if (on) {
        json_name(w, name);
        json_put_bool(w, true);
    }
}

static void
put_finish(struct json_writer *w, const struct finish_options *o)
{
    put_text(w, "calibrate", o->calibrate);
    put_text(w, "threshold", o->threshold);
    put_texts(w, "profit", o->profit);
    put_number(w, "interval", o->interval, 0);
    put_flag(w, "local_interval", o->local);
}

void
fit_options_json(const struct fit_request *r, struct json_writer *w)
{
    const struct model_options *o = &r->options;

    json_open(w, '{');
    put_text(w, "problem",
             o->problem == TARGET_CLASSES       ? "classes"
             : o->problem == PROBLEM_REGRESSION ? "regression"
                                                : NULL);
    put_text(w, "positive", o->positive);
    put_text(w, "valid", o->valid ? "a table" : NULL);
    put_number(w, "valid", o->valid_share < 0 ? 0 : o->valid_share,
               o->valid_share < 0 ? -1 : 0);
    put_texts(w, "metric", o->metrics);
    put_text(w, "stop", o->stop);
    put_number(w, "patience", o->patience, -1);
    put_flag(w, "refit", o->refit);
    put_number(w, "cv", r->cv ? r->cv->k : 0, 0);
    put_text(w, "cv_group", o->split_group);
    put_text(w, "cv_time", o->split_time);
    put_number(w, "cv_gap", (double)o->split_gap, 0);
    put_texts(w, "drop", o->drop);
    put_texts(w, "derive", o->derive);
    put_texts(w, "prepare", o->prepare);
    put_text(w, "weight", o->weight);
    put_text(w, "group", o->group);
    put_text(w, "offset", o->offset);
    put_texts(w, "class_weight", o->class_weight);
    put_finish(w, &o->finish);
    json_close(w, '}');
}
