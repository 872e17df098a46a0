/* engine/params.c -- hyper-parameter tables and the values set in them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/params.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "frame/synonym.h"

/* A parsed value; which field holds it follows from the type. */
struct value {
    bool set;   /* by the user */
    bool known; /* set, or the default: false means auto */
    int64_t i;  /* PARAM_INT, PARAM_BOOL */
    double f;   /* PARAM_FLOAT */
    char *text; /* PARAM_TEXT, PARAM_CHOICE; owned */
};

struct params {
    const struct param *table;
    size_t n;
    struct value *value;
};

static size_t
table_len(const struct param *table)
{
    size_t n = 0;

    while (table[n].name)
        n++;
    return n;
}

static bool
bool_parse(struct str s, int64_t *out)
{
    bool b;

    if (!str_to_bool(s, &b))
        return false;
    *out = b;
    return true;
}

/* Is s one of the words of "auto|depth|leaf"? */
static bool
choice_has(const char *choices, struct str s)
{
    while (*choices) {
        size_t n = strcspn(choices, "|");

        if (str_eq((struct str){choices, n}, s))
            return true;
        choices += n + (choices[n] == '|');
    }
    return false;
}

/* "from 1 to 100,000", "at least 0", or nothing. */
static void
range_text(const struct param *d, char *out, size_t cap)
{
    char low[STR_F64_MAX], high[STR_F64_MAX];
    struct buf b;

    buf_init(&b);
    str_from_f64(d->min, low);
    str_from_f64(d->max, high);
    if (isfinite(d->min) && isfinite(d->max))
        buf_printf(&b, " from %s to %s", low, high);
    else if (isfinite(d->min))
        buf_printf(&b, " of at least %s", low);
    else if (isfinite(d->max))
        buf_printf(&b, " of at most %s", high);
    strncpy(out, b.data, cap - 1);
    out[cap - 1] = '\0';
    buf_fini(&b);
}

/* "auto, depth or leaf" */
static void
put_choices(const char *choices, struct buf *out)
{
    while (*choices) {
        size_t n = strcspn(choices, "|");
        const char *rest = choices + n + (choices[n] == '|');

        buf_add(out, choices, n);
        if (*rest)
            buf_puts(out, strchr(rest, '|') ? ", " : " or ");
        choices = rest;
    }
}

void
param_values(const struct param *p, struct buf *out)
{
    char range[2 * STR_F64_MAX + 16];

    range_text(p, range, sizeof range);
    switch (p->type) {
    case PARAM_INT:
        buf_printf(out, "a whole number%s", range);
        break;
    case PARAM_FLOAT:
        buf_printf(out, "a number%s", range);
        break;
    case PARAM_BOOL:
        buf_puts(out, "true or false");
        break;
    case PARAM_CHOICE:
        put_choices(p->choices, out);
        break;
    case PARAM_TEXT:
        buf_puts(out, "a text");
        break;
    }
}

static bool
number_refuse(const struct param *d, struct str s, const char *what,
              struct error *err)
{
    char range[2 * STR_F64_MAX + 16];

    range_text(d, range, sizeof range);
    return error_set(err, ERR_RANGE, "%s is '%.*s', expected %s%s", d->name,
                     (int)(s.n < 64 ? s.n : 64), s.p, what, range);
}

/* Parse s as a value of d.  Text is copied only by the caller. */
static bool
value_parse(const struct param *d, struct str s, struct value *v,
            struct error *err)
{
    switch (d->type) {
    case PARAM_INT:
        if (!str_to_i64(s, &v->i) || (double)v->i < d->min ||
            (double)v->i > d->max)
            return number_refuse(d, s, "a whole number", err);
        return true;
    case PARAM_FLOAT:
        if (!str_to_f64(s, &v->f) || !isfinite(v->f) || v->f < d->min ||
            v->f > d->max)
            return number_refuse(d, s, "a number", err);
        return true;
    case PARAM_BOOL:
        if (!bool_parse(s, &v->i))
            return error_set(err, ERR_RANGE,
                             "%s is '%.*s', expected true or false", d->name,
                             (int)(s.n < 64 ? s.n : 64), s.p);
        return true;
    case PARAM_CHOICE:
        if (!choice_has(d->choices, s))
            return error_set(err, ERR_RANGE, "%s is '%.*s', expected %s",
                             d->name, (int)(s.n < 64 ? s.n : 64), s.p,
                             d->choices);
        return true;
    case PARAM_TEXT:
        return true;
    }
    return true;
}

/* Put the default back: a bad one in a table is our own bug. */
static void
value_reset(const struct param *d, struct value *v)
{
    struct error err;
    bool ok;

    free(v->text);
    memset(v, 0, sizeof *v);
    if (!d->fallback)
        return;
    ok = value_parse(d, str_of(d->fallback), v, &err);
    assert(ok);
    v->known = ok;
    if (d->type == PARAM_TEXT || d->type == PARAM_CHOICE)
        v->text = mem_text(d->fallback);
}

struct params *
params_new(const struct param *table)
{
    struct params *p = mem_new(sizeof *p);

    p->table = table;
    p->n = table_len(table);
    p->value = mem_new((p->n + 1) * sizeof *p->value);
    for (size_t i = 0; i < p->n; i++)
        value_reset(&table[i], &p->value[i]);
    return p;
}

struct params *
params_copy(const struct params *p)
{
    struct params *q = params_new(p->table);

    for (size_t i = 0; i < p->n; i++) {
        free(q->value[i].text);
        q->value[i] = p->value[i];
        q->value[i].text = mem_text(p->value[i].text);
    }
    return q;
}

void
params_free(struct params *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->value[i].text);
    free(p->value);
    free(p);
}

static bool
name_find(const struct params *p, struct str name, size_t *at,
          struct error *err)
{
    const char **names = mem_new((p->n + 1) * sizeof *names);
    const char *near, *option;

    for (size_t i = 0; i < p->n; i++) {
        names[i] = p->table[i].name;
        if (str_is(name, names[i])) {
            free(names);
            *at = i;
            return true;
        }
    }
    option = synonym_option(name);
    near = option ? option : synonym_nearest(name, names, p->n);
    free(names);
    error_set(err, ERR_NOTFOUND, "no parameter '%.*s'%s%s%s%s",
              (int)(name.n < 64 ? name.n : 64), name.p,
              near ? " (did you mean " : "",
              option ? "the option '"
              : near ? "'"
                     : "",
              near ? near : "", near ? "'?)" : "");
    return false;
}

static bool
set_at(struct params *p, size_t i, struct str s, struct error *err)
{
    const struct param *d = &p->table[i];
    struct value v = {0};

    if (!d->fallback && str_is(s, "auto") &&
        (d->type != PARAM_CHOICE || !choice_has(d->choices, s))) {
        value_reset(d, &p->value[i]);
        return true;
    }
    if (!value_parse(d, s, &v, err))
        return false;
    if (d->type == PARAM_TEXT || d->type == PARAM_CHOICE) {
        v.text = mem_new(s.n + 1);
        memcpy(v.text, s.p, s.n);
    }
    free(p->value[i].text);
    v.set = v.known = true;
    p->value[i] = v;
    return true;
}

bool
params_set(struct params *p, const char *name, const char *text,
           struct error *err)
{
    size_t i;

    return name_find(p, str_of(name), &i, err) &&
           set_at(p, i, str_of(text), err);
}

bool
params_set_pair(struct params *p, const char *name_is_value, struct error *err)
{
    const char *eq = strchr(name_is_value, '=');
    struct str name;
    size_t i;

    if (!eq)
        return error_set(err, ERR_USAGE, "'%s' is not NAME=VALUE",
                         name_is_value);
    name = str_trim((struct str){name_is_value, (size_t)(eq - name_is_value)});
    return name_find(p, name, &i, err) &&
           set_at(p, i, str_trim(str_of(eq + 1)), err);
}

/* Asking for what the table does not have is a bug in the caller. */
static const struct value *
value_get(const struct params *p, const char *name, enum param_type type)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->table[i].name, name) == 0) {
            assert(p->table[i].type == type ||
                   (type == PARAM_TEXT && p->table[i].type == PARAM_CHOICE));
            assert(p->value[i].known || type == PARAM_TEXT);
            return &p->value[i];
        }
    assert(!"no such parameter");
    return NULL;
}

bool
params_has(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->table[i].name, name) == 0)
            return true;
    return false;
}

bool
params_is_set(const struct params *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->table[i].name, name) == 0)
            return p->value[i].set;
    assert(!"no such parameter");
    return false;
}

int64_t
params_int(const struct params *p, const char *name)
{
    return value_get(p, name, PARAM_INT)->i;
}

double
params_float(const struct params *p, const char *name)
{
    return value_get(p, name, PARAM_FLOAT)->f;
}

bool
params_bool(const struct params *p, const char *name)
{
    return value_get(p, name, PARAM_BOOL)->i != 0;
}

const char *
params_text(const struct params *p, const char *name)
{
    return value_get(p, name, PARAM_TEXT)->text;
}

static void
value_json(const struct param *d, const struct value *v, struct json_writer *w)
{
    if (!v->known) {
        json_put_string(w, d->type == PARAM_TEXT ? NULL : "auto");
        return;
    }
    switch (d->type) {
    case PARAM_INT:
        json_put_i64(w, v->i);
        break;
    case PARAM_FLOAT:
        json_put_double(w, v->f);
        break;
    case PARAM_BOOL:
        json_put_bool(w, v->i != 0);
        break;
    case PARAM_TEXT:
    case PARAM_CHOICE:
        json_put_string(w, v->text);
        break;
    }
}

void
params_json(const struct params *p, struct json_writer *w)
{
    json_open(w, '{');
    for (size_t i = 0; i < p->n; i++) {
        json_name(w, p->table[i].name);
        value_json(&p->table[i], &p->value[i], w);
    }
    json_close(w, '}');
}

static bool
value_same(const struct value *a, const struct value *b)
{
    return a->known == b->known && a->i == b->i && a->f == b->f &&
           strcmp(a->text ? a->text : "", b->text ? b->text : "") == 0;
}

/* As params_set() reads it. */
static void
value_put(const struct param *d, const struct value *v, struct buf *out)
{
    struct json_writer w;

    if (v->known && v->text) {
        buf_puts(out, v->text);
    } else if (v->known) {
        json_writer_init(&w, out);
        value_json(d, v, &w);
    } else {
        buf_puts(out, "auto");
    }
}

void
params_differing(struct params *const *list, size_t n, size_t which,
                 struct buf *out)
{
    const struct params *p = list[which];
    const char *comma = "";

    for (size_t i = 0; i < p->n; i++) {
        bool same = true;

        for (size_t j = 0; j < n && same; j++)
            same = value_same(&list[j]->value[i], &p->value[i]);
        if (same)
            continue;
        buf_printf(out, "%s%s=", comma, p->table[i].name);
        value_put(&p->table[i], &p->value[i], out);
        comma = ", ";
    }
}

bool
params_is_default(const struct param *table, const struct json *value)
{
    const struct param *p = table;
    struct buf b;
    bool same;

    while (p && p->name && strcmp(p->name, json_key(value)) != 0)
        p++;
    if (!p || !p->name)
        return false;
    if (json_type(value) == JSON_NULL)
        return !p->fallback;
    if (!p->fallback)
        return json_type(value) == JSON_STRING &&
               strcmp(json_string(value), "auto") == 0;
    if (json_type(value) == JSON_NUMBER)
        return json_number(value) == strtod(p->fallback, NULL);
    if (json_type(value) == JSON_STRING)
        return strcmp(json_string(value), p->fallback) == 0;
    buf_init(&b);
    json_print(&b, value);
    same = b.data && strcmp(b.data, p->fallback) == 0;
    buf_fini(&b);
    return same;
}

static bool
inherit(struct params *p, const struct json *v, struct error *err)
{
    struct buf text;
    bool ok;

    if (!params_has(p, json_key(v)) || params_is_set(p, json_key(v)) ||
        params_is_default(p->table, v))
        return true;
    if (json_type(v) == JSON_STRING)
        return params_set(p, json_key(v), json_string(v), err);
    buf_init(&text);
    json_print(&text, v);
    ok = buf_check(&text, err) && params_set(p, json_key(v), text.data, err);
    buf_fini(&text);
    return ok;
}

bool
params_inherit(struct params *p, const char *json, struct error *err)
{
    struct json *root = json_parse(str_of(json), err);
    bool ok = root != NULL;

    for (const struct json *v = ok ? json_first(root) : NULL; v && ok;
         v = json_next(v))
        ok = inherit(p, v, err);
    json_free(root);
    return ok;
}
