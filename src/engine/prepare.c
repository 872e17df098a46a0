/* engine/prepare.c -- from a frame to a design by frozen steps.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct prepare *
prepare_new(enum prepare_style style, struct error *err)
{
    struct prepare *p = mem_try_array(1, sizeof *p, err);

    if (!p || !(p->names = dict_new(err))) {
        free(p);
        return NULL;
    }
    arena_init(&p->arena);
    buf_init(&p->notes);
    p->style = style;
    return p;
}

void
prepare_free(struct prepare *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_derived; i++)
        expr_free(p->derived[i].expr);
    for (size_t i = 0; i < p->n_features; i++)
        dict_unref(p->feature[i].dict);
    dict_unref(p->names);
    dict_unref(p->scaled);
    frame_unref(p->trained);
    arena_fini(&p->arena);
    buf_fini(&p->notes);
    free(p);
}

size_t
prepare_derived_find(const struct prepare *p, const char *name, size_t n)
{
    size_t i = n;

    while (i > 0 && strcmp(p->derived[i - 1].name, name) != 0)
        i--;
    return i ? i - 1 : n;
}

bool
prepare_input_add(struct prepare *p, const char *name, enum col_type type,
                  struct error *err)
{
    struct input *in = &p->input[p->n_inputs];
    uint32_t code;

    in->name = arena_text(&p->arena, name, strlen(name), err);
    in->type = type;
    if (!in->name || !dict_add(p->names, str_of(name), &code, err))
        return false;
    p->n_inputs++;
    return true;
}

size_t
prepare_input_find(const struct prepare *p, const char *name)
{
    uint32_t code = dict_find(p->names, str_of(name));

    return code == DICT_NONE ? p->n_inputs : code;
}

bool
prepare_derived_init(struct prepare *p, size_t n, struct error *err)
{
    p->derived = arena_try(&p->arena, n, sizeof *p->derived, err);
    return p->derived != NULL;
}

bool
prepare_derived_add(struct prepare *p, const char *text, struct error *err)
{
    struct derived *d = &p->derived[p->n_derived];
    const char *eq = strchr(text, '=');
    struct str name;

    if (!eq)
        return error_set(err, ERR_PARSE,
                         "derived column '%s' is not 'name = expression'",
                         text);
    name = str_trim((struct str){text, (size_t)(eq - text)});
    if (name.n == 0)
        return error_set(err, ERR_PARSE, "derived column '%s' has no name",
                         text);
    if (!(d->name = arena_text(&p->arena, name.p, name.n, err)) ||
        !(d->text = arena_text(&p->arena, text, strlen(text), err)))
        return false;
    d->expr = expr_parse(str_trim(str_of(eq + 1)), err);
    if (!d->expr)
        return error_prefix(err, "derived column '%s': ", d->name);
    p->n_derived++;
    /* One row is all that an endpoint may be asked about. */
    return expr_is_rowwise(d->expr) ||
           error_set(err, ERR_TYPE,
                     "derived column '%s' looks at other rows, which are not "
                     "there when a model predicts: add it with frame:with{}",
                     d->name);
}

static const char *
joined(struct prepare *p, const char *a, const char *sep, const char *b,
       struct error *err)
{
    size_t n = strlen(a), m = strlen(sep), k = strlen(b);
    char *s = arena_try(&p->arena, n + m + k + 1, 1, err);

    if (s) {
        memcpy(s, a, n);
        memcpy(s + n, sep, m);
        memcpy(s + n + m, b, k);
    }
    return s;
}

static size_t
feature_width(const struct prepare *p, const struct feature *f)
{
    if (f->type == COL_TEXT)
        return prepare_one_hot(p->style) ? f->n_groups : 1;
    return f->missing ? 2 : 1;
}

static bool
columns_of_text(struct prepare *p, size_t ref, struct error *err)
{
    const struct feature *f = &p->feature[ref];

    if (p->style == PREPARE_PIXELS) {
        p->column[p->n_cols] = (struct design_column){f->name, 0};
        p->source[p->n_cols++] =
            (struct design_source){.kind = DESIGN_TEXT, .ref = ref};
        return true;
    }
    if (!prepare_one_hot(p->style)) {
        p->column[p->n_cols] =
            (struct design_column){f->name, (unsigned)f->n_levels};
        p->source[p->n_cols++] =
            (struct design_source){.kind = DESIGN_CODE, .ref = ref};
        return true;
    }
    for (uint32_t g = 0; g < f->n_groups; g++) {
        const char *level = "(rare)", *name;

        for (size_t i = 0; i < f->n_levels; i++)
            if (f->group[i] == g && !(f->rare && g + 1 == f->n_groups))
                level = f->level[i];
        if (!(name = joined(p, f->name, "=", level, err)))
            return false;
        p->column[p->n_cols] = (struct design_column){name, 0};
        p->source[p->n_cols++] = (struct design_source){
            .kind = DESIGN_LEVEL, .ref = ref, .group = g};
    }
    return true;
}

static bool
columns_of_number(struct prepare *p, size_t ref, struct error *err)
{
    const struct feature *f = &p->feature[ref];
    const char *name;

    p->column[p->n_cols] = (struct design_column){f->name, 0};
    p->source[p->n_cols++] = (struct design_source){
        .kind = DESIGN_NUMBER,
        .ref = ref,
        .fill = prepare_scales(p->style) ? f->fill : (double)NAN,
        .shift = prepare_scales(p->style) ? f->mean : 0,
        .scale = prepare_scales(p->style) ? 1 / f->sd : 1};
    if (!f->missing)
        return true;
    if (!(name = joined(p, f->name, " ", "is missing", err)))
        return false;
    p->column[p->n_cols] = (struct design_column){name, 0};
    p->source[p->n_cols++] =
        (struct design_source){.kind = DESIGN_MISSING, .ref = ref};
    return true;
}

static bool
feature_index(struct feature *f, struct error *err)
{
    uint32_t code;

    if (f->type != COL_TEXT)
        return true;
    if (!(f->dict = dict_new(err)))
        return false;
    for (size_t i = 0; i < f->n_levels; i++)
        if (!dict_add(f->dict, str_of(f->level[i]), &code, err))
            return false;
    if (dict_count(f->dict) != f->n_levels)
        return error_set(err, ERR_CORRUPT, "column '%s' has a level twice",
                         f->name);
    return true;
}

bool
prepare_finish(struct prepare *p, struct error *err)
{
    size_t n = 0, at;

    for (size_t i = 0; i < p->n_features; i++)
        n += feature_width(p, &p->feature[i]);
    p->column = arena_try(&p->arena, n, sizeof *p->column, err);
    p->source = arena_try(&p->arena, n, sizeof *p->source, err);
    if (!p->column || !p->source)
        return false;
    for (size_t i = 0; i < p->n_features; i++) {
        struct feature *f = &p->feature[i];
        bool ok = f->type == COL_TEXT ? columns_of_text(p, i, err)
                                      : columns_of_number(p, i, err);

        if (!ok || !feature_index(f, err))
            return false;
        at = f->input < SIZE_MAX ? f->input : prepare_input_find(p, f->name);
        if (at == p->n_inputs || f->type != COL_TEXT ||
            p->input[at].type != COL_TEXT)
            continue;
        p->input[at].is_image = p->style == PREPARE_PIXELS;
        p->input[at].n_levels = f->n_levels;
        p->input[at].levels = f->level;
    }
    return true;
}

bool
prepare_groups(struct prepare *p, struct feature *f, const bool *rare,
               struct error *err)
{
    uint32_t k = 0;

    if (!(f->group = arena_try(&p->arena, f->n_levels, sizeof *f->group, err)))
        return false;
    for (size_t i = 0; i < f->n_levels; i++) {
        f->rare = f->rare || rare[i];
        if (!rare[i])
            f->group[i] = k++;
    }
    for (size_t i = 0; i < f->n_levels; i++)
        if (rare[i])
            f->group[i] = k;
    f->n_groups = k + f->rare;
    return true;
}

struct frame *
prepare_derive(const struct prepare *p, const struct frame *f,
               struct pool *pool, struct error *err)
{
    struct frame *work = frame_ref(f);

    for (size_t i = 0; i < p->n_derived && work; i++) {
        const struct derived *d = &p->derived[i];
        struct column *c = expr_eval(d->expr, work, pool, err);
        struct frame *next = c ? frame_with(work, d->name, c, err) : NULL;

        if (!next)
            error_prefix(err, "derived column '%s': ", d->name);
        frame_unref(work);
        work = next;
    }
    return work;
}

/* ---- applying ---- */

static bool
is_number(enum col_type t)
{
    return t == COL_BOOL || t == COL_INT64 || t == COL_FLOAT64;
}

/* The first value of c that out could not hold, for an error. */
static bool
lost_refuse(const struct input *in, const struct column *c,
            const struct column *out, struct error *err)
{
    size_t i = 0;
    struct str t;

    while (column_is_valid(out, i) || !column_is_valid(c, i))
        i++;
    t = column_text(c, i);
    return error_set(err, ERR_TYPE,
                     "column '%s' is '%.*s' in row %zu, expected %s", in->name,
                     (int)(t.n < 64 ? t.n : 64), t.p, i + 1,
                     column_type_word(in->type));
}

/* Text that came where numbers or dates are expected, as CSV and JSON may
 * have it. */
static struct column *
text_convert(const struct input *in, const struct column *c, struct error *err)
{
    size_t lost = 0;
    struct column *out = column_cast(c, in->type, &lost, err);

    if (out && lost && is_number(in->type)) {
        column_unref(out);
        out = column_cast(c, COL_FLOAT64, &lost, err);
    }
    if (!out || !lost)
        return out;
    (void)lost_refuse(in, c, out, err);
    column_unref(out);
    return NULL;
}

/* A reference of c, or a copy in the type that was learnt.  Numbers of any
 * type are the same to a design; `exact` is for expressions, to which a bool
 * is not a number. */
static struct column *
input_convert(const struct input *in, const struct column *c, bool exact,
              struct error *err)
{
    enum col_type have = column_type(c);
    size_t lost;

    if (have == in->type)
        return column_ref(c);
    if (is_number(have) && is_number(in->type)) {
        if (exact && (have == COL_BOOL || in->type == COL_BOOL))
            return column_cast(c, in->type, &lost, err);
        return column_ref(c);
    }
    if (column_missing(c) == column_rows(c))
        return column_cast(c, in->type, &lost, err);
    if (have == COL_TEXT)
        return text_convert(in, c, err);
    error_set(err, ERR_TYPE,
              in->type == COL_TEXT
                  ? "column '%s' is %s, expected %s: read the table with "
                    "types %s=text"
                  : "column '%s' is %s, expected %s",
              in->name, column_type_word(have), column_type_word(in->type),
              in->name);
    return NULL;
}

static uint32_t *
level_map(const struct feature *f, const struct dict *d, struct error *err)
{
    size_t n = dict_count(d);
    uint32_t *map = mem_try_array(n, sizeof *map, err);

    for (size_t i = 0; i < n && map; i++) {
        struct str text = dict_text(d, (uint32_t)i);
        uint32_t level = dict_find(f->dict, text);

        /* What tells a missing text from others takes an empty one for it. */
        if (f->rest && text.n == 0)
            level = DICT_NONE;
        else if (level == DICT_NONE && f->rest)
            level = (uint32_t)f->rest - 1;
        map[i] = level == DICT_NONE ? DESIGN_UNSEEN
                 : f->group         ? f->group[level]
                                    : level;
    }
    return map;
}

/* Inputs in the learnt types; refs owned by the caller. */
static bool
inputs_take(const struct prepare *p, const struct frame *f, struct column **out,
            struct error *err)
{
    for (size_t i = 0; i < p->n_inputs; i++) {
        size_t col;

        if (!frame_need(f, p->input[i].name, &col, err) ||
            !(out[i] = input_convert(&p->input[i], frame_column(f, col),
                                     p->n_derived || p->n_steps, err)))
            return false;
    }
    return true;
}

/* The inputs as a frame with the derived columns. */
static struct frame *
work_make(const struct prepare *p, size_t n_rows, struct column **inputs,
          struct pool *pool, struct error *err)
{
    const char **names = mem_try_array(p->n_inputs, sizeof *names, err);
    struct frame *f, *work = NULL;

    if (!names)
        return NULL;
    for (size_t i = 0; i < p->n_inputs; i++) {
        names[i] = p->input[i].name;
        inputs[i] = column_ref(inputs[i]); /* frame_new() takes one */
    }
    f = frame_new(n_rows, p->n_inputs, names, inputs, err);
    if (f)
        work = prepare_derive(p, f, pool, err);
    frame_unref(f);
    free(names);
    if (work && !prepare_steps_apply(p, &work, pool, err)) {
        frame_unref(work);
        return NULL;
    }
    return work;
}

static bool
feature_bind(const struct prepare *p, size_t i, const struct frame *work,
             struct column *const *inputs, struct design *d, struct error *err)
{
    const struct feature *f = &p->feature[i];
    const struct column *c;
    uint32_t *map = NULL;
    size_t col;

    if (f->input < SIZE_MAX)
        c = inputs[f->input];
    else if (frame_need(work, f->name, &col, err))
        c = frame_column(work, col);
    else
        return false;
    if ((column_type(c) == COL_TEXT) != (f->type == COL_TEXT))
        return error_set(err, ERR_TYPE, "column '%s' is %s, expected %s",
                         f->name, column_type_word(column_type(c)),
                         column_type_word(f->type));
    if (f->type == COL_TEXT && !(map = level_map(f, column_dict(c), err)))
        return false;
    design_bind(d, i, c, map);
    return true;
}

/* A design over the inputs, or over what steps have made of them. */
static struct design *
design_bound(const struct prepare *p, size_t rows, const struct frame *work,
             struct column *const *inputs, struct error *err)
{
    struct design *d =
        design_new(rows, p->n_cols, p->column, p->source, p->n_features, err);

    for (size_t i = 0; d && i < p->n_features; i++)
        if (!feature_bind(p, i, work, inputs, d, err)) {
            design_free(d);
            return NULL;
        }
    return d;
}

struct design *
prepare_apply(const struct prepare *p, const struct frame *f, struct pool *pool,
              struct error *err)
{
    struct column **inputs = mem_try_array(p->n_inputs, sizeof *inputs, err);
    struct frame *work = NULL;
    struct design *d = NULL;

    if (inputs && inputs_take(p, f, inputs, err) &&
        ((!p->n_derived && !p->n_steps) ||
         (work = work_make(p, frame_rows(f), inputs, pool, err))))
        d = design_bound(p, frame_rows(f), work, inputs, err);
    for (size_t i = 0; inputs && i < p->n_inputs; i++)
        column_unref(inputs[i]);
    free(inputs);
    frame_unref(work);
    return d;
}

/* Which inputs steps change; caller frees. */
static bool *
mark_stepped(const struct prepare *p, struct error *err)
{
    bool *stepped = mem_try_array(p->n_inputs, sizeof *stepped, err);

    for (size_t i = 0; stepped && i < p->n_steps; i++)
        for (size_t j = 0; j < p->step[i].n; j++) {
            size_t at = prepare_input_find(p, p->step[i].column[j].name);

            if (at < p->n_inputs)
                stepped[at] = true;
        }
    return stepped;
}

static bool
count_unseen(const struct feature *f, const struct column *c, uint64_t *rows,
             struct error *err)
{
    const uint32_t *codes = column_codes(c);
    const uint64_t *valid = column_validity(c);
    uint32_t *map = level_map(f, column_dict(c), err);

    for (size_t i = 0; map && i < column_rows(c); i++)
        *rows +=
            column_bit(valid, i) && map[codes[i]] == DESIGN_UNSEEN && !f->rest;
    free(map);
    return map != NULL;
}

bool
prepare_unseen(const struct prepare *p, const struct frame *f, uint64_t *rows,
               struct error *err)
{
    bool *stepped = mark_stepped(p, err), ok = stepped != NULL;

    for (size_t i = 0; ok && i < p->n_features; i++) {
        const struct feature *of = &p->feature[i];
        long col = of->dict ? frame_find(f, of->name) : -1;
        size_t at = col >= 0 ? prepare_input_find(p, of->name) : p->n_inputs;
        const struct column *c;

        if (at == p->n_inputs || stepped[at])
            continue;
        c = frame_column(f, (size_t)col);
        ok = column_type(c) != COL_TEXT || count_unseen(of, c, &rows[at], err);
    }
    free(stepped);
    return ok;
}

struct design *
prepare_train(struct prepare *p, const struct frame *f, struct pool *pool,
              struct error *err)
{
    struct frame *work = p->trained;
    struct design *d;

    if (!work)
        return prepare_apply(p, f, pool, err);
    p->trained = NULL;
    d = design_bound(p, frame_rows(work), work, NULL, err);
    frame_unref(work);
    return d;
}

bool
prepare_by_target(const struct prepare *p)
{
    for (size_t i = 0; i < p->n_steps; i++)
        if (p->step[i].kind->by_target)
            return true;
    return false;
}

struct frame *
prepare_frame(const struct prepare *p, const struct frame *f, struct pool *pool,
              struct error *err)
{
    struct design *d = prepare_apply(p, f, pool, err);
    struct step_made made = {0};
    struct frame *out = d ? frame_new(frame_rows(f), 0, NULL, NULL, err) : NULL;
    bool ok = out != NULL;

    for (size_t i = 0; ok && i < p->n_cols; i++) {
        double *x = mem_try_array(frame_rows(f), sizeof *x, err);

        if ((ok = x != NULL)) {
            design_pull(d, i, 0, frame_rows(f), x);
            ok = step_make(&made, p->column[i].name, x, frame_rows(f), err);
        }
    }
    ok = ok && step_made_end(&made, &out, NULL, err);
    step_made_fini(&made);
    design_free(d);
    if (ok)
        return out;
    frame_unref(out);
    return NULL;
}

const struct input *
prepare_inputs(const struct prepare *p, size_t *n)
{
    *n = p->n_inputs;
    return p->input;
}

const char *
prepare_feature(const struct prepare *p, size_t col)
{
    return p->feature[p->source[col].ref].name;
}

void
prepare_column(const struct prepare *p, size_t col, struct prepared *out)
{
    const struct design_source *s = &p->source[col];
    bool scaled = s->kind == DESIGN_NUMBER;

    *out = (struct prepared){p->column[col].name, scaled ? s->shift : 0,
                             scaled ? s->scale : 1};
}

const struct design_source *
prepare_source(const struct prepare *p, size_t col)
{
    return &p->source[col];
}

size_t
prepare_features(const struct prepare *p)
{
    return p->n_features;
}

void
prepare_feature_get(const struct prepare *p, size_t ref,
                    struct prepare_feature *out)
{
    const struct feature *f = &p->feature[ref];

    *out = (struct prepare_feature){
        .as = {f->name, f->type, f->n_levels, f->level},
        .derived = f->input == SIZE_MAX,
        .group = f->group,
        .n_groups = f->n_groups,
        .rest = f->rest};
}

size_t
prepare_cols(const struct prepare *p)
{
    return p->n_cols;
}

const char *
prepare_notes(const struct prepare *p)
{
    return p->notes.data;
}
