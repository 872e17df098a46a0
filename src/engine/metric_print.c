/* engine/metric_print.c -- an evaluation, for people and for programs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum {
    NAME_CELLS = 16,
    FEW = 6,
    MAX_PRINTED = 12,
    MAX_PAIRS = 10,
    UNIT_DIGITS = 5,
    SHARE_DECIMALS = 4,
    BY_ZERO = 1000000 /* a MAPE above it was divided by 0 */
};

/* Text in `cells` cells, cut with ".." when longer. */
static void
cell_text(struct buf *out, const char *text, size_t cells, bool right)
{
    struct buf plain;
    size_t used;

    buf_init(&plain);
    buf_plain(&plain, text, strlen(text), cells);
    used = str_width((struct str){plain.data, plain.len});
    if (right)
        buf_fill(out, ' ', cells - used);
    buf_add(out, plain.data, plain.len);
    if (!right)
        buf_fill(out, ' ', cells - used);
    buf_fini(&plain);
}

static void
class_text(struct buf *out, const char *before, const char *name)
{
    buf_puts(out, before);
    buf_plain(out, name, strlen(name), 2 * NAME_CELLS);
}

static void
score_text(double v, int decimals, char out[STR_F64_MAX])
{
    if (isnan(v))
        snprintf(out, STR_F64_MAX, "-");
    else
        str_from_decimals(v, decimals, out);
}

int
metric_decimals(const struct metric *m, double value)
{
    bool unit = m->kind == METRIC_RMSE || m->kind == METRIC_MAE ||
                m->kind == METRIC_MAPE || m->kind == METRIC_PINBALL;

    return unit ? str_decimals(value, UNIT_DIGITS) : SHARE_DECIMALS;
}

const char *
metric_label(const struct metric *m)
{
    return strpbrk(m->name, "@_") ? m->name : m->title;
}

static void
scores_print(const struct evaluation *e, struct buf *out)
{
    int wide = 12;

    for (size_t m = 0; m < e->n_scores; m++) {
        int n = (int)strlen(metric_label(e->score[m].metric));

        wide = n > wide ? n : wide;
    }
    for (size_t i = 0; i < e->outcomes.n; i++) {
        int n = (int)strlen(e->outcomes.at[i].name);

        wide = n > wide ? n : wide;
    }
    buf_printf(out, "%-*s %10s   %s\n", wide, "metric", "value",
               "95 % interval");
    for (size_t m = 0; m < e->n_scores; m++) {
        const struct scored *s = &e->score[m];
        int decimals = metric_decimals(s->metric, s->value);
        char v[STR_F64_MAX], low[STR_F64_MAX], high[STR_F64_MAX];

        if (s->metric->kind == METRIC_MAPE && s->value > BY_ZERO) {
            buf_printf(out, "%-*s %10s   a true value is 0\n", wide,
                       metric_label(s->metric), "-");
            continue;
        }
        score_text(s->value, decimals, v);
        score_text(s->low, decimals, low);
        score_text(s->high, decimals, high);
        buf_printf(out, "%-*s %10s   %s to %s\n", wide, metric_label(s->metric),
                   v, low, high);
    }
    for (size_t i = 0; i < e->outcomes.n; i++) {
        char v[STR_F64_MAX];

        str_from_number(e->outcomes.at[i].value, UNIT_DIGITS, v);
        buf_printf(out, "%-*s %10s\n", wide, e->outcomes.at[i].name, v);
    }
}

/* Where a calibration has made probabilities worse. */
static void
calibration_print(const struct evaluation *e, struct buf *out)
{
    const struct outcomes *o = &e->outcomes;

    for (size_t i = 0; i < o->n; i++)
        for (size_t m = 0; m < e->n_scores; m++)
            if (strcmp(o->at[i].name, OUTCOME_UNCALIBRATED) == 0 &&
                e->score[m].metric->kind == METRIC_LOGLOSS &&
                e->score[m].value > o->at[i].value)
                buf_puts(
                    out,
                    "log loss was less before the calibration: on few rows "
                    "platt or temperature\nare better than isotonic, and "
                    "none may be best\n");
}

static void
share_print(struct buf *out, uint64_t part, uint64_t all, size_t cells,
            int decimals)
{
    if (all)
        buf_printf(out, "%*.*f%%", (int)cells - 1, decimals,
                   100.0 * (double)part / (double)all);
    else
        buf_printf(out, "%*s", (int)cells, "-");
}

/* The table of truth by prediction; above FEW classes in narrow columns, so
 * that ten still fit 80 cells. */
static void
confusion_print(const struct evaluation *e, struct buf *out)
{
    size_t k = e->n_classes, first = 9, cells = k > FEW ? 6 : 9;
    int decimals = k > FEW ? 0 : 1;
    uint64_t n_right = 0;

    for (size_t c = 0; c < k; c++) {
        size_t w = str_width(str_of(e->classes[c]));

        w = w > NAME_CELLS ? NAME_CELLS : w;
        first = w > first ? w : first;
        cells = w + 2 > cells ? w + 2 : cells;
    }
    buf_fill(out, ' ', first);
    for (size_t c = 0; c < k; c++)
        cell_text(out, e->classes[c], cells, true);
    buf_printf(out, "%9s\n", "recall");
    for (size_t y = 0; y < k; y++) {
        uint64_t all = 0;

        cell_text(out, e->classes[y], first, false);
        for (size_t g = 0; g < k; g++) {
            char text[STR_F64_MAX];

            str_from_count(e->confusion[y * k + g], text);
            cell_text(out, text, cells, true);
            all += e->confusion[y * k + g];
        }
        share_print(out, e->confusion[y * k + y], all, 9, 1);
        buf_putc(out, '\n');
        n_right += e->confusion[y * k + y];
    }
    cell_text(out, "precision", first, false);
    for (size_t g = 0; g < k; g++) {
        uint64_t all = 0;

        for (size_t y = 0; y < k; y++)
            all += e->confusion[y * k + g];
        share_print(out, e->confusion[g * k + g], all, cells, decimals);
    }
    share_print(out, n_right, e->n, 9, 1);
    buf_putc(out, '\n');
}

/* Many classes: the pairs most often taken for each other. */
static void
pairs_print(const struct evaluation *e, struct buf *out)
{
    uint64_t last = UINT64_MAX;
    size_t k = e->n_classes, last_at = 0;

    buf_puts(out, "most often confused\n");
    for (unsigned i = 0; i < MAX_PAIRS; i++) {
        size_t best = SIZE_MAX;

        for (size_t j = 0; j < k * k; j++) {
            uint64_t v = e->confusion[j];
            bool after = v < last || (v == last && j > last_at);

            if (j / k != j % k && v && after &&
                (best == SIZE_MAX || v > e->confusion[best]))
                best = j;
        }
        if (best == SIZE_MAX)
            break;
        last = e->confusion[best];
        last_at = best;
        buf_printf(out, "%8llu", (unsigned long long)last);
        class_text(out, "  ", e->classes[best / k]);
        class_text(out, " taken for ", e->classes[best % k]);
        buf_putc(out, '\n');
    }
}

void
evaluation_print(const struct evaluation *e, struct buf *out)
{
    char rows[STR_F64_MAX];

    str_from_count(e->n, rows);
    buf_printf(out, "%s row%s, %s", rows, e->n == 1 ? "" : "s",
               problem_word(e->problem));
    if (e->problem == PROBLEM_BINARY)
        class_text(out, ", positive class ", e->classes[1]);
    if (e->problem == PROBLEM_BINARY && e->threshold != 0.5)
        buf_printf(out, " above %.4g", e->threshold);
    if (e->problem == PROBLEM_MULTICLASS)
        buf_printf(out, ", %zu classes", e->n_classes);
    buf_puts(out, "\n\n");
    scores_print(e, out);
    calibration_print(e, out);
    if (!e->n_classes)
        return;
    buf_puts(out, "\nrows are the truth, columns what was predicted\n");
    if (e->n_classes <= MAX_PRINTED)
        confusion_print(e, out);
    else
        pairs_print(e, out);
}

void
evaluation_json(const struct evaluation *e, struct json_writer *w)
{
    json_open(w, '{');
    evaluation_json_members(e, w);
    json_close(w, '}');
}

void
evaluation_json_members(const struct evaluation *e, struct json_writer *w)
{
    json_name(w, "problem");
    json_put_string(w, problem_word(e->problem));
    json_name(w, "rows");
    json_put_i64(w, (int64_t)e->n);
    json_name(w, "metrics");
    json_open(w, '{');
    for (size_t m = 0; m < e->n_scores; m++) {
        json_name(w, e->score[m].metric->name);
        json_open(w, '{');
        json_name(w, "value");
        json_put_double(w, e->score[m].value);
        json_name(w, "low");
        json_put_double(w, e->score[m].low);
        json_name(w, "high");
        json_put_double(w, e->score[m].high);
        json_close(w, '}');
    }
    for (size_t i = 0; i < e->outcomes.n; i++) {
        json_name(w, e->outcomes.at[i].name);
        json_open(w, '{');
        json_name(w, "value");
        json_put_double(w, e->outcomes.at[i].value);
        json_close(w, '}');
    }
    json_close(w, '}');
    if (e->n_classes) {
        json_name(w, "classes");
        json_open(w, '[');
        for (size_t c = 0; c < e->n_classes; c++)
            json_put_string(w, e->classes[c]);
        json_close(w, ']');
        json_name(w, "confusion");
        json_open(w, '[');
        for (size_t y = 0; y < e->n_classes; y++) {
            json_open(w, '[');
            for (size_t g = 0; g < e->n_classes; g++)
                json_put_i64(w, (int64_t)e->confusion[y * e->n_classes + g]);
            json_close(w, ']');
        }
        json_close(w, ']');
    }
}
