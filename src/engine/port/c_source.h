/* engine/port/c_source.h -- a model as one C file that needs nothing but libm.
 *
 *     struct PREFIX_row { double tenure; const char *contract; ... };
 *     void PREFIX_predict(const struct PREFIX_row *row, double *out);
 *
 * A number that is missing is NAN, a text NULL.  C99; no memory is taken.  An
 * input that is any text (portable_input.open) is counted by code of its own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_C_SOURCE_H
#define LATHE_ENGINE_PORT_C_SOURCE_H

#include "engine/port/probe.h"

/* prefix: an identifier. ERR_RANGE for another; ERR_LIMIT for a model whose
 * steps do not fit a stack. */
bool c_source_write(const struct portable *p, const char *prefix,
                    struct buf *out, struct error *err) MUST_USE;
/* The member of the row for input i: its name where that is an identifier, else
 * one like it with its number. */
void c_source_member(const struct portable *p, size_t i, struct buf *out);
/* Compile the source and let it answer the probe: *out has shape (n, width),
 * caller frees; NULL when there is no compiler.  ERR_CANCELLED. */
struct c_source_trial {
    const struct portable *of;
    const char *prefix;
    struct str source;
    const struct probe *probe;
    const struct progress *stop; /* or NULL */
};
bool c_source_run(const struct c_source_trial *t, double **out,
                  struct error *err) MUST_USE;
#endif
