/* engine/params.h -- hyper-parameter tables and the values set in them.
 *
 * A family has one const table; command line, Lua, completion, forms and man
 * page read it.  A value not set has the table's default, or is "auto": the
 * family's rule decides from rows and columns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PARAMS_H
#define LATHE_ENGINE_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

enum param_type {
    PARAM_INT,
    PARAM_FLOAT,
    PARAM_BOOL,
    PARAM_TEXT,
    PARAM_CHOICE
};

struct param {
    const char *name;
    enum param_type type;
    double min, max;      /* numbers: inclusive range */
    const char *fallback; /* default as text; NULL: auto or none */
    const char *choices;  /* PARAM_CHOICE: "auto|depth|leaf" */
    const char *help;     /* one line */
};

struct params; /* values over one table */

/* table ends with name NULL and must outlive the values. */
struct params *params_new(const struct param *table);
struct params *params_copy(const struct params *p);
void params_free(struct params *p);
/* Parse and check; errors name parameter, value, range and the nearest name. */
bool params_set(struct params *p, const char *name, const char *text,
                struct error *err) MUST_USE;
bool params_set_pair(struct params *p, const char *name_is_value,
                     struct error *err) MUST_USE; /* "trees=300" */
bool params_is_set(const struct params *p, const char *name);
bool params_has(const struct params *p, const char *name); /* is there one? */
/* Those that are not set as `json` has them, as params_json() or a family
 * writes it: defaults, and values of no name here, are left out. */
bool
params_inherit(struct params *p, const char *json, struct error *err) MUST_USE;
/* The value, or the default.  Asking for a name not in the table, or one that
 * is auto and unset, is a bug (assert). */
int64_t params_int(const struct params *p, const char *name);
double params_float(const struct params *p, const char *name);
bool params_bool(const struct params *p, const char *name);
const char *params_text(const struct params *p, const char *name);
/* What its values may be: "a whole number from 1 to 100", "true or false",
 * "leaf or depth", "a text". */
void param_values(const struct param *p, struct buf *out);
/* "leaves=31, bins=63": of list[which] those that not all n of the list, which
 * are over one table, have alike. */
void params_differing(struct params *const *list, size_t n, size_t which,
                      struct buf *out);
/* All values, defaults included, auto as "auto", in table order. */
void params_json(const struct params *p, struct json_writer *w);
/* Is this member of such JSON what its parameter has when nobody says?  False
 * of what the family's rule decided, and of a name that is not in the table.
 * table may be NULL. */
bool params_is_default(const struct param *table, const struct json *value);
#endif
