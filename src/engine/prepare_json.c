/* engine/prepare_json.c -- the steps as JSON, and back with every check.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* By enum prepare_style. */
static const char *const style_words[] = {"trees", "dense", "codes", "pixels"};
enum { N_STYLES = sizeof style_words / sizeof *style_words };

static void
feature_json(const struct prepare *p, const struct feature *f,
             struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "name");
    json_put_string(w, f->name);
    json_name(w, "type");
    json_put_string(w, column_type_word(f->type));
    if (f->type == COL_TEXT && p->style != PREPARE_PIXELS) {
        json_name(w, "levels");
        json_open(w, '[');
        for (size_t i = 0; i < f->n_levels; i++)
            json_put_string(w, f->level[i]);
        json_close(w, ']');
    }
    if (f->rest) {
        json_name(w, "rest");
        json_put_i64(w, (int64_t)f->rest - 1);
    }
    if (f->rare) {
        json_name(w, "rare");
        json_open(w, '[');
        for (size_t i = 0; i < f->n_levels; i++)
            if (f->group[i] + 1 == f->n_groups)
                json_put_i64(w, (int64_t)i);
        json_close(w, ']');
    }
    if (f->type != COL_TEXT && prepare_scales(p->style)) {
        json_name(w, "fill");
        json_put_double(w, f->fill);
        json_name(w, "mean");
        json_put_double(w, f->mean);
        json_name(w, "sd");
        json_put_double(w, f->sd);
        json_name(w, "missing");
        json_put_bool(w, f->missing);
    }
    json_close(w, '}');
}

void
prepare_json(const struct prepare *p, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "style");
    json_put_string(w, style_words[p->style]);
    json_name(w, "inputs");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_inputs; i++) {
        json_open(w, '{');
        json_name(w, "name");
        json_put_string(w, p->input[i].name);
        json_name(w, "type");
        json_put_string(w, column_type_word(p->input[i].type));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_name(w, "derive");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_derived; i++)
        json_put_string(w, p->derived[i].text);
    json_close(w, ']');
    if (p->n_steps)
        prepare_steps_json(p, w);
    json_name(w, "features");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_features; i++)
        feature_json(p, &p->feature[i], w);
    json_close(w, ']');
    json_name(w, "notes");
    json_put_string(w, p->notes.data);
    json_close(w, '}');
}

/* Name and type of an input or a feature. */
static bool
named_read(struct prepare *p, const struct json *v, const char **name,
           enum col_type *type, struct error *err)
{
    const char *word, *text;

    if (json_type(v) != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "a column is %s, expected an object",
                         json_type_word(v));
    if (!json_get_string(v, "name", &text, err) ||
        !json_get_string(v, "type", &word, err))
        return false;
    if (!column_type_parse(word, type))
        return error_set(err, ERR_CORRUPT, "column '%s' has type '%.16s'", text,
                         word);
    *name = arena_text(&p->arena, text, strlen(text), err);
    return *name != NULL;
}

static bool
inputs_read(struct prepare *p, const struct json *v, struct error *err)
{
    const struct json *a;

    if (!json_get_array(v, "inputs", &a, err) ||
        !(p->input = arena_try(&p->arena, json_len(a), sizeof *p->input, err)))
        return false;
    for (const struct json *x = json_first(a); x; x = json_next(x)) {
        enum col_type type;
        const char *name;

        if (!named_read(p, x, &name, &type, err))
            return false;
        if (prepare_input_find(p, name) < p->n_inputs)
            return error_set(err, ERR_CORRUPT, "input '%s' is there twice",
                             name);
        if (!prepare_input_add(p, name, type, err))
            return false;
    }
    return true;
}

static bool
derived_read(struct prepare *p, const struct json *v, struct error *err)
{
    const struct json *a;

    if (!json_get_array(v, "derive", &a, err) ||
        !prepare_derived_init(p, json_len(a), err))
        return false;
    for (const struct json *x = json_first(a); x; x = json_next(x)) {
        if (json_type(x) != JSON_STRING)
            return error_set(err, ERR_CORRUPT, "derive holds %s",
                             json_type_word(x));
        if (!prepare_derived_add(p, json_string(x), err))
            return false;
    }
    return true;
}

static bool
rare_read(struct prepare *p, const struct json *v, struct feature *f,
          struct error *err)
{
    const struct json *a = json_find(v, "rare");
    bool *rare = arena_try(&p->arena, f->n_levels, sizeof *rare, err);

    if (!rare || (a && !json_get_array(v, "rare", &a, err)))
        return false;
    for (const struct json *x = a ? json_first(a) : NULL; x; x = json_next(x)) {
        double at = json_type(x) == JSON_NUMBER ? json_number(x) : -1;

        if (!(at >= 0 && at < (double)f->n_levels) || at != (double)(size_t)at)
            return error_set(err, ERR_CORRUPT,
                             "column '%s' has a bad rare level", f->name);
        rare[(size_t)at] = true;
    }
    return prepare_groups(p, f, rare, err);
}

/* The level of all texts that are none of the others. */
static bool
rest_read(const struct json *v, struct feature *f, struct error *err)
{
    int64_t rest = -1;

    if (!json_find(v, "rest"))
        return true;
    if (!json_get_i64(v, "rest", &rest, err))
        return false;
    f->rest = (size_t)rest + 1;
    return (rest >= 0 && (uint64_t)rest < f->n_levels) ||
           error_set(err, ERR_CORRUPT,
                     "column '%s' has a bad level of the "
                     "rest",
                     f->name);
}

static bool
levels_read(struct prepare *p, const struct json *v, struct feature *f,
            struct error *err)
{
    const struct json *a;

    if (!json_get_array(v, "levels", &a, err) ||
        !(f->level = arena_try(&p->arena, json_len(a), sizeof *f->level, err)))
        return false;
    for (const struct json *x = json_first(a); x; x = json_next(x)) {
        if (json_type(x) != JSON_STRING)
            return error_set(err, ERR_CORRUPT, "column '%s' has %s as level",
                             f->name, json_type_word(x));
        if (!(f->level[f->n_levels++] = arena_text(
                  &p->arena, json_string(x), strlen(json_string(x)), err)))
            return false;
    }
    return rest_read(v, f, err) &&
           (!prepare_one_hot(p->style) || rare_read(p, v, f, err));
}

static bool
scale_read(const struct json *v, struct feature *f, struct error *err)
{
    if (!json_get_double(v, "fill", &f->fill, err) ||
        !json_get_double(v, "mean", &f->mean, err) ||
        !json_get_double(v, "sd", &f->sd, err) ||
        !json_get_bool(v, "missing", &f->missing, err))
        return false;
    if (!isfinite(f->fill) || !isfinite(f->mean) || !isfinite(f->sd) ||
        !(f->sd > 0) || !isfinite(1 / f->sd))
        return error_set(err, ERR_CORRUPT, "column '%s' has a bad scale",
                         f->name);
    return true;
}

static bool
feature_read(struct prepare *p, const struct json *v, struct error *err)
{
    struct feature *f = &p->feature[p->n_features++];

    f->input = SIZE_MAX;
    if (!named_read(p, v, &f->name, &f->type, err))
        return false;
    if (p->n_steps == 0 &&
        prepare_derived_find(p, f->name, p->n_derived) == p->n_derived) {
        f->input = prepare_input_find(p, f->name);
        if (f->input == p->n_inputs || p->input[f->input].type != f->type)
            return error_set(err, ERR_CORRUPT,
                             "column '%s' is not an input of that type",
                             f->name);
    }
    if (f->type == COL_TEXT && p->style != PREPARE_PIXELS)
        return levels_read(p, v, f, err);
    return !prepare_scales(p->style) || scale_read(v, f, err);
}

static bool
features_read(struct prepare *p, const struct json *v, struct error *err)
{
    const struct json *a;

    if (!json_get_array(v, "features", &a, err))
        return false;
    if (json_len(a) > PREPARE_MAX_FEATURES ||
        (json_len(a) == 0 && p->n_inputs > 0))
        return error_set(err, ERR_CORRUPT, "%zu features", json_len(a));
    if (!(p->feature =
              arena_try(&p->arena, json_len(a), sizeof *p->feature, err)))
        return false;
    for (const struct json *x = json_first(a); x; x = json_next(x))
        if (!feature_read(p, x, err))
            return false;
    return true;
}

static struct column *
column_empty(enum col_type type, struct error *err)
{
    void *data = mem_try_aligned(0, column_width(type), err);
    struct dict *dict = NULL;

    if (!data || (type == COL_TEXT && !(dict = dict_new(err)))) {
        free(data);
        return NULL;
    }
    return column_new(type, 0, data, NULL, dict, err);
}

static struct frame *
frame_with_empty(struct frame *f, const char *name, enum col_type type,
                 struct error *err)
{
    struct column *c = column_empty(type, err);
    struct frame *next = c ? frame_with(f, name, c, err) : NULL;

    frame_unref(f);
    return next;
}

/* The inputs without rows. */
static struct frame *
inputs_empty(const struct prepare *p, struct error *err)
{
    size_t n = p->n_inputs, have = 0;
    const char **names = mem_try_array(n, sizeof *names, err);
    struct column **columns =
        names ? mem_try_array(n, sizeof(struct column *), err) : NULL;
    struct frame *f = NULL;

    while (columns && have < n &&
           (columns[have] = column_empty(p->input[have].type, err))) {
        names[have] = p->input[have].name;
        have++;
    }
    if (columns && have == n)
        f = frame_new(0, n, names, columns, err);
    else
        while (have > 0)
            column_unref(columns[--have]);
    free(names);
    free(columns);
    return f;
}

/* Would every derived column still compute, to a type that its feature can
 * take?  Asked of a table without rows. */
static bool
derived_check(const struct prepare *p, struct error *err)
{
    struct frame *f = inputs_empty(p, err);
    enum col_type type;

    for (size_t i = 0; i < p->n_derived && f; i++) {
        const struct derived *d = &p->derived[i];

        if (!expr_check(d->expr, f, &type, err)) {
            error_prefix(err, "derived column '%s': ", d->name);
            frame_unref(f);
            return false;
        }
        f = frame_with_empty(f, d->name, type, err);
    }
    if (f && !prepare_steps_apply(p, &f, NULL, err)) {
        frame_unref(f);
        return false;
    }
    for (size_t i = 0; i < p->n_features && f; i++) {
        const struct feature *x = &p->feature[i];
        size_t col;

        if (!frame_need(f, x->name, &col, err) ||
            column_type(frame_column(f, col)) != x->type) {
            error_set(err, ERR_CORRUPT, "column '%s' is not of its type",
                      x->name);
            frame_unref(f);
            return false;
        }
    }
    frame_unref(f);
    return f != NULL;
}

struct prepare *
prepare_from_json(const struct json *v, struct error *err)
{
    const char *style, *notes;
    struct prepare *p;
    unsigned at = 0;

    if (json_type(v) != JSON_OBJECT) {
        error_set(err, ERR_CORRUPT, "prepare is %s, expected an object",
                  json_type_word(v));
        return NULL;
    }
    if (!json_get_string(v, "style", &style, err) ||
        !json_get_string(v, "notes", &notes, err))
        return NULL;
    while (at < N_STYLES && strcmp(style, style_words[at]) != 0)
        at++;
    if (at == N_STYLES) {
        error_set(err, ERR_CORRUPT, "style '%.16s' is not known", style);
        return NULL;
    }
    if (!(p = prepare_new((enum prepare_style)at, err)))
        return NULL;
    buf_puts(&p->notes, notes);
    if (buf_check(&p->notes, err) && inputs_read(p, v, err) &&
        derived_read(p, v, err) && prepare_steps_read(p, v, err) &&
        features_read(p, v, err) && derived_check(p, err) &&
        prepare_finish(p, err))
        return p;
    prepare_free(p);
    return NULL;
}
