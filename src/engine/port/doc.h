/* engine/port/doc.h -- documents as XGBoost writes them: JSON that holds bare
 * NaN, numbers in texts, long lists of numbers; or the same as UBJSON.
 *
 * Lists of numbers (booleans among them, as 0 and 1) are packed doubles; any
 * other list is of values.  Depth is bounded, and so is the memory: a constant
 * times the size of the text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_DOC_H
#define LATHE_ENGINE_PORT_DOC_H

#include "base/arena.h"
#include "base/str.h"

enum doc_type {
    DOC_NULL,
    DOC_NUMBER, /* and booleans */
    DOC_TEXT,
    DOC_NUMBERS, /* a list of numbers; also an empty list */
    DOC_LIST,
    DOC_OBJECT
};
enum { DOC_MAX_DEPTH = 64 };

struct doc {
    enum doc_type type;
    double number;
    struct str text; /* within the arena; terminated */
    size_t n;        /* of a list or an object */
    const double *numbers;
    const struct doc *item;
    const struct str *key; /* object: of each item */
};

/* Everything lies in the arena.  ERR_PARSE, ERR_LIMIT, ERR_NOMEM. */
bool doc_parse_json(struct str text, struct arena *arena, struct doc *out,
                    struct error *err) MUST_USE;
bool doc_parse_ubjson(struct str bytes, struct arena *arena, struct doc *out,
                      struct error *err) MUST_USE;

/* A member of an object, or NULL; d may be NULL or no object. */
const struct doc *doc_find(const struct doc *d, const char *key);
/* Members that must be there. */
bool doc_need(const struct doc *d, const char *key, enum doc_type type,
              const struct doc **out, struct error *err) MUST_USE;
/* A list of n numbers (n == SIZE_MAX: any). */
bool doc_numbers(const struct doc *d, const char *key, size_t n,
                 const double **out, size_t *got, struct error *err) MUST_USE;
/* A number, or a text that is one, "[5E-1]" among them; `fallback` where it is
 * not there. */
bool doc_number(const struct doc *d, const char *key, double fallback,
                double *out, struct error *err) MUST_USE;
/* The same as a whole number from 0 to max. */
bool doc_count(const struct doc *d, const char *key, size_t max, size_t *out,
               struct error *err) MUST_USE;
#endif
