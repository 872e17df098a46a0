/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    SHOWN = 40, /* bytes of a bad value in a message */
    INPUTS_LISTED = 5,
    SHARED = 32, /* levels of an input whose dictionary is shared: what reads
                    the frame looks at each of them */
};

struct rows_form {
    struct model *model;
    struct input *input; /* of the model; the offset is the last */
    size_t n_inputs;
    const char **name;
    struct dict **dict; /* of few levels; NULL: none to share */
};

/* A column; until the first missing value it has no validity bitmap. */
struct slot {
    void *data;
    uint64_t *valid;
    struct dict *dict; /* ours to release */
    bool own;          /* dict is of this request, and may grow */
    bool seen;         /* in the row at hand: put... */
    bool given;        /* ...and not missing */
};

struct rows {
    const struct rows_form *form;
    size_t row, cap; /* row: at hand, from 0 */
    size_t next;     /* the input asked for next, if they come in order */
    bool allow_missing, allow_extra, reserved;
    struct slot *slot;
};

/* ---- the form ---- */

static struct dict *
share_levels(const struct input *in, struct error *err)
{
    struct dict *d = dict_new(err);
    uint32_t code;

    for (size_t i = 0; d && i < in->n_levels; i++)
        if (!dict_add(d, str_of(in->levels[i]), &code, err)) {
            dict_unref(d);
            return NULL;
        }
    return d;
}

static bool
form_fill(struct rows_form *f, struct error *err)
{
    const char *offset = model_offset(f->model);
    const struct input *of = model_inputs(f->model, &f->n_inputs);

    if (!(f->input = mem_try_array(f->n_inputs + 1, sizeof *f->input, err)))
        return false;
    memcpy(f->input, of, f->n_inputs * sizeof *of);
    if (offset)
        f->input[f->n_inputs++] =
            (struct input){.name = offset, .type = COL_FLOAT64};
    if (!(f->name = mem_try_array(f->n_inputs, sizeof *f->name, err)) ||
        !(f->dict = mem_try_array(f->n_inputs, sizeof *f->dict, err)))
        return false;
    for (size_t i = 0; i < f->n_inputs; i++) {
        const struct input *in = &f->input[i];

        f->name[i] = in->name;
        if (in->type == COL_TEXT && in->n_levels <= SHARED &&
            !(f->dict[i] = share_levels(in, err)))
            return false;
    }
    return true;
}

struct rows_form *
rows_form_new(const struct model *m, struct error *err)
{
    struct rows_form *f = mem_new(sizeof *f);

    f->model = model_ref(m);
    if (form_fill(f, err))
        return f;
    rows_form_free(f);
    return NULL;
}

void
rows_form_free(struct rows_form *f)
{
    if (!f)
        return;
    for (size_t i = 0; f->dict && i < f->n_inputs; i++)
        dict_unref(f->dict[i]);
    free(f->dict);
    free(f->name);
    free(f->input);
    model_unref(f->model);
    free(f);
}

const struct model *
rows_form_model(const struct rows_form *f)
{
    return f->model;
}

/* ---- rows ---- */

/* The type a column is built with: every number that is not a truth value is
 * read as a double, for a client may send 3.0 where the training table had
 * whole numbers. */
static enum col_type
built_type(enum col_type t)
{
    return t == COL_INT64 ? COL_FLOAT64 : t;
}

struct rows *
rows_new(const struct rows_form *f, struct error *err)
{
    struct rows *r = mem_try_array(1, sizeof *r, err);

    if (!r)
        return NULL;
    r->form = f;
    if ((r->slot = mem_try_array(f->n_inputs, sizeof *r->slot, err)))
        return r;
    free(r);
    return NULL;
}

void
rows_free(struct rows *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->form->n_inputs; i++) {
        free(r->slot[i].data);
        free(r->slot[i].valid);
        dict_unref(r->slot[i].dict);
    }
    free(r->slot);
    free(r);
}

void
rows_allow_missing(struct rows *r, bool allow)
{
    r->allow_missing = allow;
}

bool
rows_allows_missing(const struct rows *r)
{
    return r->allow_missing;
}

void
rows_allow_extra(struct rows *r, bool allow)
{
    r->allow_extra = allow;
}

bool
rows_check_extra(const struct rows *r, const char *name, bool complete,
                 struct error *err)
{
    const struct rows_form *f = r->form;
    const char *near;
    struct buf b;

    if (r->allow_extra || (f->n_inputs && (complete || !r->allow_missing)))
        return true;
    if ((near = str_nearest(str_of(name), f->name, f->n_inputs)))
        return error_set(err, ERR_NOTFOUND,
                         "no input '%.64s' (did you mean '%s'?)", name, near);
    buf_init(&b);
    for (size_t i = 0; i < f->n_inputs && i < INPUTS_LISTED; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", f->name[i]);
    error_set(err, ERR_NOTFOUND, "no input '%.64s', there %s %s%s", name,
              f->n_inputs == 1 ? "is" : "are", f->n_inputs ? b.data : "none",
              f->n_inputs > INPUTS_LISTED ? ", ..." : "");
    buf_fini(&b);
    return false;
}

bool
rows_reserve(struct rows *r, size_t n, struct error *err)
{
    assert(!r->reserved);
    r->reserved = true;
    r->cap = n;
    for (size_t i = 0; i < r->form->n_inputs; i++) {
        struct slot *s = &r->slot[i];
        enum col_type type = built_type(r->form->input[i].type);

        if (!(s->data = mem_try_aligned(n, column_width(type), err)))
            return false;
        if (r->form->dict[i])
            s->dict = dict_ref(r->form->dict[i]);
        else if (type == COL_TEXT && !(s->dict = dict_new(err)))
            return false;
        s->own = !r->form->dict[i];
    }
    return true;
}

const struct input *
rows_inputs(const struct rows *r, size_t *n)
{
    *n = r->form->n_inputs;
    return r->form->input;
}

long
rows_find(struct rows *r, const char *name)
{
    const char *const *names = r->form->name;
    size_t n = r->form->n_inputs;

    for (size_t k = 0, i = r->next; k < n; k++, i++) {
        i = i < n ? i : 0;
        if (!strcmp(names[i], name)) {
            r->next = i + 1;
            return (long)i;
        }
    }
    return -1;
}

size_t
rows_number(const struct rows *r)
{
    return r->row + 1;
}

bool
rows_has(const struct rows *r, size_t input)
{
    return r->slot[input].seen;
}

/* ---- values ---- */

static const char *
expected(enum col_type t)
{
    switch (t) {
    case COL_BOOL:
        return "true or false";
    case COL_INT64:
    case COL_FLOAT64:
        return "a number";
    case COL_TEXT:
        return "a text";
    case COL_DATE:
        return "a date as \"2026-01-31\"";
    case COL_TIMESTAMP:
        break;
    }
    return "a time as \"2026-01-31 12:00:00\"";
}

static bool
refuse(const struct rows *r, size_t i, const struct cell *c, struct error *err)
{
    char number[STR_F64_MAX];
    struct str s = c->text;
    const char *quote = c->kind == CELL_TEXT ? "'" : "", *more = "";

    if (c->kind == CELL_TRUTH) {
        s = str_of(c->number != 0 ? "true" : "false");
    } else if (c->kind == CELL_NUMBER) {
        s.n = str_from_f64(c->number, number);
        s.p = number;
    } else if (s.n > SHOWN) {
        more = "...";
        for (s.n = SHOWN; s.n && ((unsigned char)s.p[s.n] & 0xc0) == 0x80;)
            s.n--;
    }
    return error_set(
        err, ERR_TYPE, "row %zu: field '%s' is %s%.*s%s%s, expected %s%s",
        r->row + 1, r->form->name[i], quote, (int)s.n, s.p, more, quote,
        expected(r->form->input[i].type),
        c->kind == CELL_TEXT && !c->text.n ? " (null where it is missing)"
                                           : "");
}

static bool
put_number(struct rows *r, size_t i, const struct cell *c, struct error *err)
{
    double x = c->number;

    if (c->kind == CELL_TEXT && !str_to_f64(str_trim(c->text), &x))
        return refuse(r, i, c, err);
    if (isnan(x)) /* "nan" is how some clients write a missing number */
        return true;
    ((double *)r->slot[i].data)[r->row] = x;
    r->slot[i].given = true;
    return true;
}

static bool
put_bool(struct rows *r, size_t i, const struct cell *c, struct error *err)
{
    double x = c->number;
    bool b;

    if (c->kind == CELL_TEXT) {
        if (!str_to_bool(str_trim(c->text), &b))
            return refuse(r, i, c, err);
        x = b;
    }
    if (x != 0 && x != 1)
        return refuse(r, i, c, err);
    ((uint8_t *)r->slot[i].data)[r->row] = x != 0;
    r->slot[i].given = true;
    return true;
}

/* A text that the shared dictionary does not know: go on with one of our own
 * that begins with what was used so far. */
static bool
leave_shared(struct slot *s, size_t n_rows, struct error *err)
{
    struct dict *own = dict_new(err);
    uint32_t *codes = s->data;

    if (!own)
        return false;
    for (size_t i = 0; i < n_rows; i++) {
        if (!column_bit(s->valid, i))
            continue;
        if (!dict_add(own, dict_text(s->dict, codes[i]), &codes[i], err)) {
            dict_unref(own);
            return false;
        }
    }
    dict_unref(s->dict);
    s->dict = own;
    s->own = true;
    return true;
}

static bool
put_text(struct rows *r, size_t i, struct str text, struct error *err)
{
    struct slot *s = &r->slot[i];
    uint32_t *code = (uint32_t *)s->data + r->row, known = DICT_NONE;

    if (!s->own)
        known = dict_find(s->dict, text);
    if (known != DICT_NONE)
        *code = known;
    else if ((!s->own && !leave_shared(s, r->row, err)) ||
             !dict_add(s->dict, text, code, err))
        return false;
    s->given = true;
    return true;
}

static bool
put_time(struct rows *r, size_t i, const struct cell *c, struct error *err)
{
    const int64_t day_us = INT64_C(86400000000);
    struct slot *s = &r->slot[i];
    bool date = r->form->input[i].type == COL_DATE, day;
    int64_t us = 0;
    int32_t days = 0;

    if (c->kind != CELL_TEXT)
        return refuse(r, i, c, err);
    day = str_to_date(c->text, &days);
    if (!day && (date || !str_to_timestamp(c->text, &us)))
        return refuse(r, i, c, err);
    if (date)
        ((int32_t *)s->data)[r->row] = days;
    else
        ((int64_t *)s->data)[r->row] = day ? days * day_us : us;
    s->given = true;
    return true;
}

bool
rows_put(struct rows *r, size_t i, const struct cell *c, struct error *err)
{
    assert(r->row < r->cap);
    r->slot[i].seen = true;
    r->slot[i].given = false;
    if (c->kind == CELL_MISSING)
        return true;
    switch (r->form->input[i].type) {
    case COL_BOOL:
        return put_bool(r, i, c, err);
    case COL_INT64:
    case COL_FLOAT64:
        return put_number(r, i, c, err);
    case COL_TEXT:
        if (c->kind != CELL_TEXT)
            return refuse(r, i, c, err);
        /* A path would let who asks read the files of this machine. */
        if (r->form->input[i].is_image && !str_starts(c->text, "data:"))
            return error_set(err, ERR_TYPE,
                             "row %zu: field '%s' is no picture, expected "
                             "\"data:image/png;base64,...\"",
                             r->row + 1, r->form->name[i]);
        return put_text(r, i, c->text, err);
    case COL_DATE:
    case COL_TIMESTAMP:
        break;
    }
    return put_time(r, i, c, err);
}

bool
rows_put_json(struct rows *r, size_t i, const struct json *v, struct error *err)
{
    struct cell c = {.kind = CELL_MISSING};

    switch (json_type(v)) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        c.kind = CELL_TRUTH;
        c.number = json_is_true(v);
        break;
    case JSON_NUMBER:
        c.kind = CELL_NUMBER;
        c.number = json_number(v);
        if (!isfinite(c.number))
            return error_set(err, ERR_RANGE,
                             "row %zu: field '%s': the number is too large",
                             r->row + 1, r->form->name[i]);
        break;
    case JSON_STRING:
        c.kind = CELL_TEXT;
        c.text = str_of(json_string(v));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return error_set(err, ERR_TYPE,
                         "row %zu: field '%s' is %s, expected %s", r->row + 1,
                         r->form->name[i], json_type_word(v),
                         expected(r->form->input[i].type));
    }
    return rows_put(r, i, &c, err);
}

/* ---- ends ---- */

/* A bitmap in which all rows before this one are present. */
static bool
begin_bitmap(const struct rows *r, struct slot *s, struct error *err)
{
    s->valid = mem_try_array(r->cap / 64 + 1, sizeof *s->valid, err);
    if (!s->valid)
        return false;
    for (size_t i = 0; i < r->row; i++)
        s->valid[i / 64] |= UINT64_C(1) << (i % 64);
    return true;
}

bool
rows_end(struct rows *r, struct error *err)
{
    size_t last = r->form->n_inputs - 1;

    assert(r->row < r->cap);
    /* Where it may be left out, scores begin at 0. */
    if (model_offset(r->form->model) && !r->slot[last].seen &&
        r->allow_missing) {
        ((double *)r->slot[last].data)[r->row] = 0;
        r->slot[last].seen = r->slot[last].given = true;
    }
    for (size_t i = 0; i < r->form->n_inputs; i++) {
        struct slot *s = &r->slot[i];

        if (!s->seen && !r->allow_missing)
            return error_set(err, ERR_NOTFOUND,
                             "row %zu: no field '%s' (null where it is "
                             "missing)",
                             r->row + 1, r->form->name[i]);
        if (!s->given && !s->valid && !begin_bitmap(r, s, err))
            return false;
        if (s->given && s->valid)
            s->valid[r->row / 64] |= UINT64_C(1) << (r->row % 64);
        s->seen = s->given = false;
    }
    r->row++;
    r->next = 0;
    return true;
}

/* The columns take what the slot holds, also when they fail. */
static struct column *
freeze(struct rows *r, size_t i, struct error *err)
{
    struct slot s = r->slot[i];

    memset(&r->slot[i], 0, sizeof s);
    return column_new(built_type(r->form->input[i].type), r->row, s.data,
                      s.valid, s.dict, err);
}

struct frame *
rows_finish(struct rows *r, struct error *err)
{
    size_t n = r->form->n_inputs, made = 0;
    struct column **columns = mem_try_array(n, sizeof(void *), err);
    struct frame *f = NULL;
    bool ok = columns && (r->reserved || rows_reserve(r, 0, err));

    for (; ok && made < n; made += ok)
        ok = (columns[made] = freeze(r, made, err)) != NULL;
    if (ok)
        f = frame_new(r->row, n, r->form->name, columns, err);
    else
        for (size_t i = 0; i < made; i++)
            column_unref(columns[i]);
    free(columns);
    rows_free(r);
    return f;
}
