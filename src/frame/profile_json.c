/* The JSON of what columns have to do with each other.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "frame/profile_part.h"

static void
name_count(struct json_writer *w, const char *name, size_t n)
{
    json_name(w, name);
    json_put_i64(w, (int64_t)n);
}

/* Rows and columns in the order of the table; null where not defined. */
static void
put_matrix(const struct profile *p, const double *x, struct json_writer *w)
{
    size_t n = p->n_cols;

    json_open(w, '[');
    for (size_t a = 0; a < n; a++) {
        json_open(w, '[');
        for (size_t b = 0; b < n; b++)
            json_put_double(w, a == b  ? 1
                               : a < b ? x[a * n + b]
                                       : x[b * n + a]);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void
put_links(const struct profile *p, struct json_writer *w)
{
    json_name(w, "links");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_links; i++) {
        const struct profile_link *l = &p->link[i];

        json_open(w, '{');
        json_name(w, "a");
        json_put_string(w, p->column[l->a].name);
        json_name(w, "b");
        json_put_string(w, p->column[l->b].name);
        json_name(w, "measure");
        json_put_string(w, l->spearman ? "spearman" : "cramers_v");
        json_name(w, "score");
        json_put_double(w, l->score);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void
put_pattern(const struct profile *p, size_t k, struct json_writer *w)
{
    json_open(w, '{');
    name_count(w, "rows", p->pattern[k].rows);
    json_name(w, "columns");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_cols; i++)
        if (profile_pattern_has(p, k, i))
            json_put_string(w, p->column[i].name);
    json_close(w, ']');
    json_close(w, '}');
}

/* parts: of the rows, in order; missing values of each. */
static void
put_missing(const struct profile *p, struct json_writer *w)
{
    json_name(w, "missing");
    json_open(w, '{');
    name_count(w, "complete_rows", p->n_complete);
    json_name(w, "patterns");
    json_open(w, '[');
    for (size_t k = 0; k < p->n_patterns; k++)
        put_pattern(p, k, w);
    json_close(w, ']');
    if (p->band) {
        json_name(w, "parts");
        json_open(w, '[');
        for (size_t i = 0; i < p->n_cols; i++) {
            json_open(w, '[');
            for (size_t k = 0; k < p->n_bands; k++)
                json_put_i64(w, p->band[i * p->n_bands + k]);
            json_close(w, ']');
        }
        json_close(w, ']');
    }
    if (p->nullity) {
        json_name(w, "correlation");
        put_matrix(p, p->nullity, w);
    }
    json_close(w, '}');
}

void
profile_json_pairs(const struct profile *p, struct json_writer *w)
{
    put_links(p, w);
    json_name(w, "correlations");
    json_open(w, '{');
    for (enum relation r = 0; r < RELATION_N; r++) {
        if (!p->relation[r])
            continue;
        json_name(w, profile_relation_word(r));
        put_matrix(p, p->relation[r], w);
    }
    json_close(w, '}');
    put_missing(p, w);
}

static void
put_double(struct json_writer *w, const char *name, double x)
{
    json_name(w, name);
    json_put_double(w, x);
}

static void
put_pair(const struct profile_pair *o, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "name");
    json_put_string(w, o->name);
    json_name(w, "type_here");
    json_put_string(w, o->here ? column_type_word(o->type[0]) : NULL);
    json_name(w, "type_there");
    json_put_string(w, o->there ? column_type_word(o->type[1]) : NULL);
    name_count(w, "missing_here", o->n_missing[0]);
    name_count(w, "missing_there", o->n_missing[1]);
    put_double(w, "mean_here", o->mean[0]);
    put_double(w, "mean_there", o->mean[1]);
    put_double(w, "psi", o->psi);
    put_double(w, "kl", o->kl);
    put_double(w, "js", o->js);
    put_double(w, "hellinger", o->hellinger);
    put_double(w, "total_variation", o->total);
    put_double(w, "l_infinity", o->most);
    put_double(w, "ks", o->ks);
    put_double(w, "ks_p", o->ks_p);
    put_double(w, "wasserstein", o->wasserstein);
    put_double(w, "chi2", o->chi2);
    put_double(w, "chi2_p", o->chi2_p);
    put_double(w, "unseen", o->unseen);
    json_name(w, "test");
    json_put_string(w,
                    o->test == DRIFT_NONE ? NULL : profile_drift_word(o->test));
    put_double(w, "score", o->score);
    json_name(w, "drifts");
    json_put_bool(w, o->drifts);
    json_close(w, '}');
}

void
profile_json_against(const struct profile *p, struct json_writer *w)
{
    const struct profile_against *a = p->against;

    json_name(w, "against");
    json_open(w, '{');
    json_name(w, "name");
    json_put_string(w, a->name);
    name_count(w, "rows", a->n_rows);
    name_count(w, "common_columns", a->n_common);
    name_count(w, "rows_here_too", a->n_overlap);
    json_name(w, "rows_looked_at");
    json_open(w, '[');
    for (size_t i = 0; i < 2; i++)
        json_put_i64(w, (int64_t)a->n_looked[i]);
    json_close(w, ']');
    name_count(w, "tested", a->n_tested);
    name_count(w, "drifting", a->n_drifting);
    json_name(w, "column");
    json_open(w, '[');
    for (size_t i = 0; i < a->n_pairs; i++)
        put_pair(&a->pair[i], w);
    json_close(w, ']');
    json_close(w, '}');
}

void
profile_json_times(const struct profile *p, struct json_writer *w)
{
    const struct profile_times *t = p->times;

    json_name(w, "time");
    json_open(w, '{');
    json_name(w, "column");
    json_put_string(w, p->column[t->col].name);
    name_count(w, "rows", t->n);
    put_double(w, "step", t->step);
    put_double(w, "longest", t->longest);
    name_count(w, "gaps", t->n_gaps);
    name_count(w, "repeats", t->n_repeats);
    json_close(w, '}');
}

void
profile_json_series(const struct profile_series *s, struct json_writer *w)
{
    json_name(w, "series");
    json_open(w, '{');
    name_count(w, "rows", s->n);
    json_name(w, "autocorrelation");
    json_open(w, '{');
    for (size_t k = 0; k < PROFILE_LAGS; k++) {
        char lag[32];

        snprintf(lag, sizeof lag, "%zu", profile_lags[k]);
        put_double(w, lag, s->autocorrelation[k]);
    }
    json_close(w, '}');
    put_double(w, "adf", s->adf);
    put_double(w, "adf_p", s->adf_p);
    name_count(w, "adf_lags", s->adf_lags);
    name_count(w, "period", s->period);
    put_double(w, "season", s->season);
    json_close(w, '}');
}

void
profile_json_class(const struct profile *p, const struct profile_column *c,
                   size_t k, struct json_writer *w)
{
    const struct profile_class *k_th = &c->by_class[k];

    json_open(w, '{');
    json_name(w, "class");
    json_put_string(w, p->class_name[k]);
    name_count(w, "rows", p->class_rows[k]);
    name_count(w, "missing", k_th->n_missing);
    if (profile_is_category(c)) {
        json_name(w, "top");
        json_open(w, '[');
        for (size_t i = 0; i < c->n_top; i++)
            json_put_i64(w, (int64_t)k_th->top[i]);
        json_close(w, ']');
    } else {
        json_name(w, "mean");
        json_put_double(w, k_th->mean);
        json_name(w, "sd");
        json_put_double(w, k_th->sd);
        json_name(w, "median");
        json_put_double(w, k_th->median);
    }
    json_close(w, '}');
}
