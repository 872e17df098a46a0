/* engine/model_print.c -- a model's card, for people and for programs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/model_state.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    TOP = 8,
    METRICS = 3,
    DIGITS = 5,
    NOTES = 12,
    BAR_CELLS = 24,
    NAME_CELLS = 40,
    NOTE_CELLS = 500,
    LINE_CELLS = 78,
    LABEL_CELLS = 12,
    TEXT_MAX = 128
};

static void
line(struct buf *out, const char *label)
{
    buf_printf(out, "%-12s", label);
}

static void
name(struct buf *out, const char *s)
{
    buf_plain(out, s, strlen(s), NAME_CELLS);
}

/* "Month-to-month, One year, Two year" up to a few. */
static void
classes_print(const struct model *m, struct buf *out)
{
    buf_puts(out, " (");
    for (size_t c = 0; c < m->like.n_classes; c++) {
        if (c == TOP) {
            buf_printf(out, ", and %zu more", m->like.n_classes - c);
            break;
        }
        buf_puts(out, c ? ", " : "");
        name(out, m->like.classes[c]);
    }
    buf_putc(out, ')');
}

static void
rows_print(const struct model *m, struct buf *out)
{
    char train[STR_F64_MAX], valid[STR_F64_MAX];
    size_t n;

    (void)model_inputs(m, &n);
    if (m->n_train == 0) {
        line(out, "learnt from");
        buf_printf(out, "elsewhere; %zu input%s, no baseline for drift\n", n,
                   n == 1 ? "" : "s");
        return;
    }
    str_from_count(m->n_train, train);
    str_from_count(m->n_valid, valid);
    line(out, "learnt from");
    buf_printf(out, "%s rows, %zu input%s; data %.12s, seed %" PRIu64 "\n",
               train, n, n == 1 ? "" : "s", m->fingerprint, m->seed);
    if (m->n_valid) {
        line(out, "validated");
        buf_printf(out, "on %s rows", valid);
    }
    if (m->n_valid && m->n_scored) {
        str_from_count(m->n_scored, train);
        buf_printf(out, " before the refit, learnt from %s", train);
    }
}

/* Behind what the last line holds, or on the next one. */
static void
put_wrapped(struct str s, struct buf *out)
{
    size_t from = out->len;

    while (from > 0 && out->data[from - 1] != '\n')
        from--;
    if (str_width((struct str){out->data + from, out->len - from}) + 1 +
            str_width(s) >=
        LINE_CELLS)
        buf_printf(out, "\n%-12s", "");
    else if (out->len - from > LABEL_CELLS)
        buf_putc(out, ' ');
    buf_add(out, s.p, s.n);
}

/* ", AUC 0.8460 (0.8241 to 0.8672)" of a member of the scores; false: it is
 * none, or has no value. */
static bool
metric_print(const struct model *m, const struct json *s, size_t n,
             struct buf *out)
{
    struct error err;
    struct metric metric;
    double value, low, high;
    char v[STR_F64_MAX], from[STR_F64_MAX], to[STR_F64_MAX], text[TEXT_MAX];
    int decimals;

    if (!metric_parse(json_key(s), m->like.problem, &metric, &err) ||
        json_type(s) != JSON_OBJECT ||
        !json_get_double(s, "value", &value, &err) ||
        !json_get_double(s, "low", &low, &err) ||
        !json_get_double(s, "high", &high, &err))
        return false;
    decimals = metric_decimals(&metric, value);
    str_from_decimals(value, decimals, v);
    str_from_decimals(low, decimals, from);
    str_from_decimals(high, decimals, to);
    snprintf(text, sizeof text, "%s %s (%s to %s)", metric_label(&metric), v,
             from, to);
    buf_putc(out, n ? ',' : ':');
    put_wrapped(str_of(text), out);
    return true;
}

static bool
is_among(const struct json *names, const char *wanted)
{
    for (const struct json *a = names ? json_first(names) : NULL; a;
         a = json_next(a))
        if (json_type(a) == JSON_STRING && strcmp(json_string(a), wanted) == 0)
            return true;
    return false;
}

/* The metrics that were asked for, and the first ones besides. */
static void
metrics_print(const struct model *m, struct buf *out)
{
    struct error err;
    struct json *v = m->metrics ? json_parse(str_of(m->metrics), &err) : NULL;
    const struct json *all = v ? json_find(v, "metrics") : NULL;
    const struct json *asked = v ? json_find(v, "asked") : NULL;
    size_t n = 0;

    for (const struct json *a = all && asked ? json_first(asked) : NULL; a;
         a = json_next(a)) {
        const struct json *s =
            json_type(a) == JSON_STRING ? json_find(all, json_string(a)) : NULL;

        n += s && metric_print(m, s, n, out);
    }
    for (const struct json *s = all ? json_first(all) : NULL; s && n < METRICS;
         s = json_next(s))
        n += !is_among(asked, json_key(s)) && metric_print(m, s, n, out);
    if (m->n_valid)
        buf_putc(out, '\n');
    json_free(v);
}

/* Those that somebody set or the family decided. */
static void
params_print(const struct model *m, struct buf *out)
{
    struct error err;
    struct json *v = json_parse(str_of(m->params), &err);
    struct buf text;
    size_t n = 0;

    buf_init(&text);
    line(out, "parameters");
    for (const struct json *p = v ? json_first(v) : NULL; p; p = json_next(p)) {
        if (params_is_default(m->family->params, p))
            continue;
        buf_clear(&text);
        buf_printf(&text, "%s ", json_key(p));
        if (json_type(p) == JSON_STRING)
            name(&text, json_string(p));
        else if (json_type(p) == JSON_NUMBER)
            buf_number(&text, json_number(p), 6);
        else
            json_print(&text, p);
        if (n++ > 0)
            buf_putc(out, ',');
        put_wrapped((struct str){text.data, text.len}, out);
    }
    buf_puts(out, n ? "\n" : "as by default\n");
    out->failed = out->failed || text.failed;
    buf_fini(&text);
    json_free(v);
}

static void
importance_print(const struct model *m, struct buf *out)
{
    struct error err;
    struct frame *f = model_importance(m, &err);
    size_t n = f ? frame_rows(f) : 0;
    double top = n ? column_number(frame_column(f, 1), 0) : 0;

    /* All alike is what nobody knows better. */
    if (n > 1 && column_number(frame_column(f, 1), n - 1) == top)
        n = 0;
    for (size_t i = 0; i < n && i < TOP; i++) {
        struct str column = column_text(frame_column(f, 0), i);
        double share = column_number(frame_column(f, 1), i);
        size_t from;

        line(out, i ? "" : "importance");
        from = out->len;
        buf_plain(out, column.p, column.n, 24);
        buf_fill(
            out, ' ',
            26 - str_width((struct str){out->data + from, out->len - from}));
        buf_printf(out, "%5.1f%%  ", 100 * share);
        if (top > 0)
            buf_fill(out, '#', (size_t)(share / top * BAR_CELLS + 0.5));
        buf_putc(out, '\n');
    }
    if (n > TOP) {
        line(out, "");
        buf_printf(out, "and %zu more\n", n - TOP);
    }
    frame_unref(f);
}

static void
put_words(struct str s, struct buf *out)
{
    while (s.n > 0) {
        const char *blank = memchr(s.p, ' ', s.n);
        size_t n = blank ? (size_t)(blank - s.p) : s.n;

        if (n > 0)
            put_wrapped((struct str){s.p, n}, out);
        n += blank != NULL;
        s.p += n;
        s.n -= n;
    }
}

static void
number_print(struct buf *out, double x)
{
    char text[STR_F64_MAX];

    if (x >= 0 && x <= UINT32_MAX && x == floor(x))
        str_from_count((uint64_t)x, text);
    else
        str_from_number(x, DIGITS, text);
    buf_puts(out, text);
}

/* "1: 1,526, 2: 2,724" */
static void
list_print(const struct json *list, struct buf *out)
{
    struct buf text;
    size_t n = 0;

    buf_init(&text);
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        buf_clear(&text);
        if (n == NOTES) {
            buf_printf(&text, "and %zu more", json_len(list) - n);
            put_words((struct str){text.data, text.len}, out);
            break;
        }
        buf_printf(&text, "%zu: ", ++n);
        number_print(&text, json_number(v));
        buf_puts(&text, json_next(v) ? "," : "");
        put_wrapped((struct str){text.data, text.len}, out);
    }
    out->failed = out->failed || text.failed;
    buf_fini(&text);
}

static void
put_facts(const struct model *m, struct json_writer *w)
{
    json_open(w, '{');
    if (m->family->facts)
        m->family->facts(m->learner, w);
    json_close(w, '}');
}

/* A line for each. */
static void
facts_print(const struct model *m, struct buf *out)
{
    struct json_writer w;
    struct error err;
    struct buf text;
    struct json *facts;

    buf_init(&text);
    json_writer_init(&w, &text);
    put_facts(m, &w);
    facts = text.failed ? NULL : json_parse(str_of(text.data), &err);
    for (const struct json *v = facts ? json_first(facts) : NULL; v;
         v = json_next(v)) {
        line(out, json_key(v));
        if (json_type(v) == JSON_ARRAY)
            list_print(v, out);
        else
            number_print(out, json_number(v));
        buf_putc(out, '\n');
    }
    json_free(facts);
    out->failed = out->failed || text.failed;
    buf_fini(&text);
}

/* Each line of the first notes under its label. */
static void
notes_print(const struct model *m, struct buf *out)
{
    const char *s = model_notes(m);
    size_t rest = 0;
    struct buf note;

    buf_init(&note);
    for (size_t i = 0; *s && i < NOTES; i++) {
        size_t n = strcspn(s, "\n");

        line(out, i ? "" : "notes");
        buf_clear(&note);
        buf_plain(&note, s, n, NOTE_CELLS);
        put_words((struct str){note.data, note.len}, out);
        buf_putc(out, '\n');
        s += n + (s[n] == '\n');
    }
    for (; *s; s++)
        rest += *s == '\n';
    if (rest) {
        line(out, "");
        buf_printf(out, "and %zu more (--json has them all)\n", rest);
    }
    out->failed = out->failed || note.failed;
    buf_fini(&note);
}

static void
finished_print(const struct model *m, struct buf *out)
{
    size_t middle, k = model_outputs(m, &middle);
    char low[32], high[32]; /* "q0.05" */
    const char *const quantile[] = {low + 1, high + 1};
    bool several = k > model_width(m);

    if (several) {
        m->family->output_name(m->learner, 0, low);
        m->family->output_name(m->learner, k - 1, high);
    }
    finish_print(&m->finish, m->like.problem, several ? quantile : NULL, out);
}

void
model_print(const struct model *m, struct buf *out)
{
    line(out, "model");
    buf_printf(out, "%s (%s)", m->family->title, m->family->name);
    if (m->target) {
        buf_puts(out, " of ");
        name(out, m->target);
        buf_printf(out, ", %s", problem_word(m->like.problem));
    }
    if (m->like.n_classes)
        classes_print(m, out);
    buf_putc(out, '\n');
    if (m->like.problem == PROBLEM_BINARY) {
        line(out, "positive");
        buf_puts(out, "class ");
        name(out, m->like.classes[1]);
        buf_putc(out, '\n');
    }
    rows_print(m, out);
    metrics_print(m, out);
    finished_print(m, out);
    params_print(m, out);
    facts_print(m, out);
    if (m->rounds_most) {
        line(out, "stopped");
        buf_printf(out, "by %s=%zu, not by patience: more may help\n",
                   m->family->rounds_param, m->rounds_most);
    }
    importance_print(m, out);
    notes_print(m, out);
}

static void
inputs_json(const struct model *m, struct json_writer *w)
{
    size_t n;
    const struct input *in = model_inputs(m, &n);

    json_name(w, "inputs");
    json_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(w, '{');
        json_name(w, "name");
        json_put_string(w, in[i].name);
        json_name(w, "type");
        json_put_string(w, column_type_word(in[i].type));
        if (in[i].type == COL_TEXT) {
            json_name(w, "levels");
            json_put_i64(w, (int64_t)in[i].n_levels);
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void
importance_json(const struct model *m, struct json_writer *w)
{
    struct error err;
    struct frame *f = model_importance(m, &err);

    json_name(w, "importance");
    json_open(w, '[');
    for (size_t i = 0; f && i < frame_rows(f); i++) {
        json_open(w, '{');
        json_name(w, "column");
        json_put_str(w, column_text(frame_column(f, 0), i));
        json_name(w, "importance");
        json_put_double(w, column_number(frame_column(f, 1), i));
        json_close(w, '}');
    }
    json_close(w, ']');
    frame_unref(f);
}

void
model_card_json(const struct model *m, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "kind");
    json_put_string(w, m->family->name);
    json_name(w, "title");
    json_put_string(w, m->family->title);
    json_name(w, "problem");
    json_put_string(w, problem_word(m->like.problem));
    json_name(w, "target");
    json_put_string(w, m->target);
    json_name(w, "classes");
    json_open(w, '[');
    for (size_t c = 0; c < m->like.n_classes; c++)
        json_put_string(w, m->like.classes[c]);
    json_close(w, ']');
    if (m->like.problem == PROBLEM_BINARY) {
        json_name(w, "positive");
        json_put_string(w, m->like.classes[1]);
    }
    inputs_json(m, w);
    model_put_lineage(m, w);
    finish_json(&m->finish, w);
    if (m->family->facts) {
        json_name(w, "facts");
        put_facts(m, w);
    }
    importance_json(m, w);
    json_name(w, "notes");
    json_put_string(w, model_notes(m));
    json_close(w, '}');
}
