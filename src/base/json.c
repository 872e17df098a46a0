/* base/json.c -- JSON: strict getters over cJSON.
 *
 * `struct json` is cJSON's node under our name.  cJSON is lenient where we are
 * not: depth, bytes after the value, duplicate keys and invalid UTF-8 are
 * checked here.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"

static const cJSON *
in(const struct json *v)
{
    return (const cJSON *)v;
}

static const struct json *
out_of(const cJSON *c)
{
    return (const struct json *)c;
}

/* Brackets outside strings never nest deeper than JSON_MAX_DEPTH. */
static bool
check_depth(struct str text, struct error *err)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '\0')
            return error_set(err, ERR_PARSE, "byte %zu: a zero byte", i + 1);
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_MAX_DEPTH)
                return error_set(err, ERR_LIMIT,
                                 "byte %zu: nested deeper than %d", i + 1,
                                 JSON_MAX_DEPTH);
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorting beats comparing all pairs once objects are wide. */
static bool
check_keys_of(const cJSON *object, struct error *err)
{
    size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
    const char **keys;
    const char *twice = NULL;

    if (n < 2)
        return true;
    keys = mem_try_array(n, sizeof *keys, err);
    if (!keys)
        return false;
    for (const cJSON *c = object->child; c; c = c->next)
        keys[i++] = c->string;
    qsort(keys, n, sizeof *keys, by_text);
    for (i = 1; i < n && !twice; i++)
        if (strcmp(keys[i - 1], keys[i]) == 0)
            twice = keys[i];
    if (twice)
        error_set(err, ERR_PARSE, "key '%s' is there twice", twice);
    free(keys);
    return !twice;
}

static bool
check_keys(const cJSON *v, struct error *err)
{
    if (cJSON_IsObject(v) && !check_keys_of(v, err))
        return false;
    for (const cJSON *c = v->child; c; c = c->next)
        if (c->child && !check_keys(c, err))
            return false;
    return true;
}

struct json *
json_parse(struct str text, struct error *err)
{
    const char *end = NULL;
    cJSON *root;
    size_t at;

    if (!check_depth(text, err))
        return NULL;
    if (!str_utf8_valid(text)) {
        error_set(err, ERR_PARSE, "not valid UTF-8");
        return NULL;
    }
    root = cJSON_ParseWithLengthOpts(text.p, text.n, &end, false);
    at = end ? (size_t)(end - text.p) : 0;
    if (!root) {
        error_set(err, ERR_PARSE, "byte %zu: not JSON", at + 1);
        return NULL;
    }
    if (str_trim((struct str){text.p + at, text.n - at}).n > 0) {
        error_set(err, ERR_PARSE, "byte %zu: more text after the value",
                  at + 1);
        cJSON_Delete(root);
        return NULL;
    }
    if (!check_keys(root, err)) {
        cJSON_Delete(root);
        return NULL;
    }
    return (struct json *)root;
}

void
json_free(struct json *root)
{
    cJSON_Delete((cJSON *)root);
}

enum json_type
json_type(const struct json *v)
{
    const cJSON *c = in(v);

    if (cJSON_IsBool(c))
        return JSON_BOOL;
    if (cJSON_IsNumber(c))
        return JSON_NUMBER;
    if (cJSON_IsString(c))
        return JSON_STRING;
    if (cJSON_IsArray(c))
        return JSON_ARRAY;
    if (cJSON_IsObject(c))
        return JSON_OBJECT;
    return JSON_NULL;
}

static const char *const type_words[] = {
    "null", "true or false", "a number", "a text", "an array", "an object"};

const char *
json_type_word(const struct json *v)
{
    return type_words[json_type(v)];
}

size_t
json_len(const struct json *v)
{
    return (size_t)cJSON_GetArraySize(in(v));
}

const struct json *
json_first(const struct json *v)
{
    return out_of(in(v)->child);
}

const struct json *
json_next(const struct json *v)
{
    return out_of(in(v)->next);
}

const char *
json_key(const struct json *v)
{
    return in(v)->string;
}

const struct json *
json_find(const struct json *obj, const char *key)
{
    return out_of(cJSON_GetObjectItemCaseSensitive(in(obj), key));
}

bool
json_is_true(const struct json *v)
{
    return cJSON_IsTrue(in(v));
}

double
json_number(const struct json *v)
{
    assert(cJSON_IsNumber(in(v)));
    return in(v)->valuedouble;
}

const char *
json_string(const struct json *v)
{
    assert(cJSON_IsString(in(v)));
    return in(v)->valuestring;
}

static const struct json *
need(const struct json *o, const char *key, enum json_type type,
     struct error *err)
{
    const struct json *v;

    if (json_type(o) != JSON_OBJECT) {
        error_set(err, ERR_TYPE, "%s where an object with '%s' was expected",
                  json_type_word(o), key);
        return NULL;
    }
    v = json_find(o, key);
    if (!v) {
        error_set(err, ERR_PARSE, "'%s' is missing", key);
        return NULL;
    }
    if (json_type(v) != type) {
        error_set(err, ERR_TYPE, "'%s' is %s, expected %s", key,
                  json_type_word(v), type_words[type]);
        return NULL;
    }
    return v;
}

bool
json_get_string(const struct json *o, const char *key, const char **out,
                struct error *err)
{
    const struct json *v = need(o, key, JSON_STRING, err);

    if (v)
        *out = json_string(v);
    return v;
}

bool
json_get_double(const struct json *o, const char *key, double *out,
                struct error *err)
{
    const struct json *v = need(o, key, JSON_NUMBER, err);

    if (v)
        *out = json_number(v);
    return v;
}

bool
json_get_i64(const struct json *o, const char *key, int64_t *out,
             struct error *err)
{
    double x;

    if (!json_get_double(o, key, &x, err))
        return false;
    if (x != floor(x) || fabs(x) > 0x1p53)
        return error_set(err, ERR_TYPE, "'%s' is %g, expected a whole number",
                         key, x);
    *out = (int64_t)x;
    return true;
}

bool
json_get_bool(const struct json *o, const char *key, bool *out,
              struct error *err)
{
    const struct json *v = need(o, key, JSON_BOOL, err);

    if (v)
        *out = json_is_true(v);
    return v;
}

bool
json_get_array(const struct json *o, const char *key, const struct json **out,
               struct error *err)
{
    const struct json *v = need(o, key, JSON_ARRAY, err);

    if (v)
        *out = v;
    return v;
}

bool
json_get_object(const struct json *o, const char *key, const struct json **out,
                struct error *err)
{
    const struct json *v = need(o, key, JSON_OBJECT, err);

    if (v)
        *out = v;
    return v;
}

void
json_print(struct buf *b, const struct json *v)
{
    struct json_writer w;

    json_writer_init(&w, b);
    switch (json_type(v)) {
    case JSON_NULL:
        json_put_null(&w);
        break;
    case JSON_BOOL:
        json_put_bool(&w, json_is_true(v));
        break;
    case JSON_NUMBER:
        json_put_double(&w, json_number(v));
        break;
    case JSON_STRING:
        json_put_string(&w, json_string(v));
        break;
    case JSON_ARRAY:
    case JSON_OBJECT: {
        bool object = json_type(v) == JSON_OBJECT;

        buf_putc(b, object ? '{' : '[');
        for (const struct json *c = json_first(v); c; c = json_next(c)) {
            if (c != json_first(v))
                buf_putc(b, ',');
            if (object) {
                buf_json(b, json_key(c), strlen(json_key(c)));
                buf_putc(b, ':');
            }
            json_print(b, c);
        }
        buf_putc(b, object ? '}' : ']');
        break;
    }
    }
}

/* ---- writing ---- */

void
json_writer_init(struct json_writer *w, struct buf *out)
{
    w->out = out;
    w->comma = false;
}

static void
begin_item(struct json_writer *w)
{
    if (w->comma)
        buf_putc(w->out, ',');
    w->comma = true;
}

void
json_open(struct json_writer *w, char bracket)
{
    begin_item(w);
    buf_putc(w->out, bracket);
    w->comma = false;
}

void
json_close(struct json_writer *w, char bracket)
{
    buf_putc(w->out, bracket);
    w->comma = true;
}

void
json_name(struct json_writer *w, const char *name)
{
    begin_item(w);
    buf_json(w->out, name, strlen(name));
    buf_putc(w->out, ':');
    w->comma = false;
}

void
json_put_string(struct json_writer *w, const char *s)
{
    if (s)
        json_put_str(w, str_of(s));
    else
        json_put_null(w);
}

void
json_put_str(struct json_writer *w, struct str s)
{
    begin_item(w);
    buf_json(w->out, s.p, s.n);
}

void
json_put_double(struct json_writer *w, double x)
{
    begin_item(w);
    buf_json_double(w->out, x);
}

void
json_put_i64(struct json_writer *w, int64_t x)
{
    begin_item(w);
    buf_printf(w->out, "%lld", (long long)x);
}

void
json_put_bool(struct json_writer *w, bool x)
{
    begin_item(w);
    buf_puts(w->out, x ? "true" : "false");
}

void
json_put_null(struct json_writer *w)
{
    begin_item(w);
    buf_puts(w->out, "null");
}

void
json_put_raw(struct json_writer *w, const char *text)
{
    begin_item(w);
    buf_puts(w->out, text);
}
