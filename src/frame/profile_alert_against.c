/* Alerts on another table: rows in common, columns that are not there or of
 * another type, values that drift.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "frame/profile_part.h"

/* Shares of rows in common from which it is bad, and of columns that drift
 * from which the table does. */
static const double OVERLAP_BAD = 0.01, HALF = 0.5, UNSEEN = 0.05;

static void
judge_schema(struct judge *j)
{
    const struct profile_against *a = j->p->against;

    for (size_t i = 0; i < a->n_pairs; i++) {
        const struct profile_pair *o = &a->pair[i];
        char name[BRIEF];

        judge_brief(o->name, name);
        if (!o->there)
            judge_raise(j, ALERT_SCHEMA, ALERT_WARN, (long)i,
                        "the other table has no such column");
        else if (!o->here)
            judge_raise(j, ALERT_SCHEMA, ALERT_WARN, -1,
                        "only the other table has %s", name);
        else if (o->type[0] != o->type[1])
            judge_raise(j, ALERT_SCHEMA, ALERT_WARN, (long)i,
                        "%s here, %s in the other table",
                        column_type_word(o->type[0]),
                        column_type_word(o->type[1]));
    }
}

static const char *
measure_words(enum drift_test t)
{
    switch (t) {
    case DRIFT_KS:
        return "Kolmogorov-Smirnov p";
    case DRIFT_CHI2:
        return "chi-square p";
    case DRIFT_WASSERSTEIN:
        return "Wasserstein";
    case DRIFT_UNSEEN:
        return "new beyond chance";
    default:
        return "Jensen-Shannon";
    }
}

static void
judge_drift(struct judge *j, size_t i)
{
    const struct profile_pair *o = &j->p->against->pair[i];
    bool target = j->p->target && strcmp(j->p->target, o->name) == 0;

    if (o->drifts)
        judge_raise(j, target ? ALERT_TARGET_SHIFT : ALERT_DRIFT,
                    target ? ALERT_BAD : ALERT_WARN, (long)i,
                    "other values in the other table (%s %.3g)",
                    measure_words(o->test), o->score);
    /* Of very many texts some are new by chance. */
    if (o->unseen >= UNSEEN &&
        (o->test == DRIFT_CHI2 || o->test == DRIFT_JS || o->drifts))
        judge_raise(j, ALERT_DRIFT, ALERT_NOTE, (long)i,
                    "%.1f %% of its texts in the other table are never here",
                    100 * o->unseen);
}

static void
judge_overlap(struct judge *j)
{
    const struct profile_against *a = j->p->against;
    double part = judge_share(a->n_overlap, a->n_rows);
    char text[96];

    /* A table that repeats its own rows will meet them again. */
    if (a->n_overlap == 0)
        return;
    judge_raise(j, ALERT_TRAIN_TEST_OVERLAP,
                part < OVERLAP_BAD ||
                        part < judge_share(j->p->n_duplicates, j->p->n_rows)
                    ? ALERT_WARN
                    : ALERT_BAD,
                -1, "%s rows of the other table are in this one",
                judge_part(a->n_overlap, a->n_rows, text));
}

void
judge_against(struct judge *j)
{
    const struct profile_against *a = j->p->against;

    if (!a)
        return;
    judge_overlap(j);
    judge_schema(j);
    for (size_t i = 0; i < a->n_pairs; i++)
        judge_drift(j, i);
    if (a->n_tested && judge_share(a->n_drifting, a->n_tested) >= HALF)
        judge_raise(j, ALERT_DRIFT, ALERT_BAD, -1,
                    "%zu of %zu columns have other values in the other table",
                    a->n_drifting, a->n_tested);
}
