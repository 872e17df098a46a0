/* base/json.h -- JSON: strict getters over cJSON.
 *
 * cJSON.h is included here and nowhere else.  Parsing is bounded in depth and
 * size; duplicate keys are refused.  Getters fail with ERR_PARSE or ERR_TYPE
 * and a message that names the key.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_JSON_H
#define LATHE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct json; /* a value inside a document: borrowed, immutable */
enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};
enum { JSON_MAX_DEPTH = 64 };

/* Parse the whole of text; the caller frees the root. */
struct json *json_parse(struct str text, struct error *err) MUST_USE;
void json_free(struct json *root);

enum json_type json_type(const struct json *v);
const char *json_type_word(const struct json *v); /* "a number", "an array" */
size_t json_len(const struct json *v);            /* items of array or object */
const struct json *json_first(const struct json *v); /* first item or NULL */
const struct json *json_next(const struct json *v);  /* its next sibling */
const char *json_key(const struct json *v);          /* name within an object */
const struct json *
json_find(const struct json *obj, const char *key); /* or NULL */
bool json_is_true(const struct json *v);
double json_number(const struct json *v);      /* must be JSON_NUMBER */
const char *json_string(const struct json *v); /* must be JSON_STRING */

/* Required members of an object. */
bool json_get_string(const struct json *o, const char *key, const char **out,
                     struct error *err) MUST_USE;
bool json_get_double(const struct json *o, const char *key, double *out,
                     struct error *err) MUST_USE;
bool json_get_i64(const struct json *o, const char *key, int64_t *out,
                  struct error *err) MUST_USE;
bool json_get_bool(const struct json *o, const char *key, bool *out,
                   struct error *err) MUST_USE;
bool json_get_array(const struct json *o, const char *key,
                    const struct json **out, struct error *err) MUST_USE;
bool json_get_object(const struct json *o, const char *key,
                     const struct json **out, struct error *err) MUST_USE;

/* Print a value compactly. */
void json_print(struct buf *b, const struct json *v);

/* Writing: a small emitter over buf that puts the commas.
 *   json_open(w, '{'); json_name(w, "auc"); json_put_double(w, .9);
 *   json_close(w, '}');  */
struct json_writer {
    struct buf *out;
    bool comma; /* the next item needs one before it */
};
void json_writer_init(struct json_writer *w, struct buf *out);
void json_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_name(struct json_writer *w, const char *name);
void json_put_string(struct json_writer *w, const char *s); /* NULL: null */
void json_put_str(struct json_writer *w, struct str s);
void json_put_double(struct json_writer *w, double x); /* not finite: null */
void json_put_i64(struct json_writer *w, int64_t x);
void json_put_bool(struct json_writer *w, bool x);
void json_put_null(struct json_writer *w);
void json_put_raw(struct json_writer *w, const char *text); /* JSON as it is */
#endif
