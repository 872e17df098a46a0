/* engine/port/portable_sources.c -- the columns that a graph begins with.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/portable_steps.h"

/* Mark what a column is made of, up to that. */
static bool
want_columns(const struct prepare *from, size_t i, bool *wanted,
             struct error *err)
{
    size_t n = expr_columns(from->derived[i].expr, NULL, 0);
    const char **name = mem_try_array(n, sizeof *name, err);

    if (!name)
        return false;
    (void)expr_columns(from->derived[i].expr, name, n);
    for (size_t k = 0; k < n; k++)
        wanted[portable_source_of(from, name[k], i)] = true;
    free(name);
    return true;
}

/* One more than there are columns: for what steps make. */
static bool
want_all(const struct prepare *from, const bool *said, bool *wanted,
         struct error *err)
{
    size_t all = from->n_derived;
    bool ok = true;

    for (size_t i = 0; i < from->n_features; i++)
        wanted[portable_source_of(from, from->feature[i].name, all)] = true;
    for (size_t k = 0; k < from->n_steps; k++)
        for (size_t c = 0; c < from->step[k].n; c++)
            wanted[portable_source_of(from, from->step[k].column[c].name,
                                      all)] = true;
    for (size_t i = all; i-- > 0 && ok;)
        if (said[i] && wanted[from->n_inputs + i])
            ok = want_columns(from, i, wanted, err);
    return ok;
}

/* Names of inputs are their own: where a derived column that is not said takes
 * the name of an input, nothing is said that looks at that one. */
static bool
part_names(const struct prepare *from, const bool *wanted, const bool *said,
           bool *hidden)
{
    bool any = false;

    for (size_t i = 0; i < from->n_derived; i++) {
        const char *name = from->derived[i].name;
        size_t in = prepare_input_find(from, name);

        if (said[i] || !wanted[from->n_inputs + i] || in == from->n_inputs ||
            !wanted[in])
            continue;
        for (size_t k = 0; k < from->n_derived; k++)
            if (said[k] && portable_source_of(from, name, k) == in &&
                steps_reads(from->derived[k].expr, name))
                any = hidden[k] = true;
    }
    return any;
}

/* What is said, and what is wanted for it. */
static bool
choose(const struct prepare *from, bool exprs, bool *said, bool *wanted,
       struct error *err)
{
    size_t n = from->n_derived;
    bool *hidden = mem_try_array(n, sizeof *hidden, err), any = true;
    bool ok = hidden != NULL;

    while (any && ok) {
        memset(wanted, 0, (from->n_inputs + n + 1) * sizeof *wanted);
        for (size_t i = 0; i < n && ok; i++) {
            said[i] = false;
            ok = !exprs || hidden[i] ||
                 portable_can_say(from, said, i, &said[i], err);
        }
        ok = ok && want_all(from, said, wanted, err);
        any = ok && part_names(from, wanted, said, hidden);
    }
    free(hidden);
    return ok;
}

bool
portable_sources_find(const struct prepare *from, bool exprs,
                      struct portable_sources *out, struct error *err)
{
    size_t n = from->n_inputs + from->n_derived;
    bool *wanted = mem_try_array(n + 1, sizeof *wanted, err);
    bool ok;

    *out = (struct portable_sources){
        .computed = from->n_steps > 0,
        .column = mem_try_array(n, sizeof *out->column, err),
        .said = mem_try_array(from->n_derived, sizeof *out->said, err)};
    ok = wanted && out->column && out->said &&
         choose(from, exprs, out->said, wanted, err);
    for (size_t i = 0; i < n && ok; i++) {
        bool said = i >= from->n_inputs && out->said[i - from->n_inputs];

        if (said) {
            out->said[i - from->n_inputs] = wanted[i];
            out->computed = out->computed || wanted[i];
        } else if (wanted[i]) {
            out->column[out->n++] = i;
        }
    }
    free(wanted);
    return ok;
}

void
portable_sources_fini(struct portable_sources *s)
{
    free(s->column);
    free(s->said);
}
