/* engine/port/c_source_state.h -- what c_source*.c share while they write.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_C_SOURCE_STATE_H
#define LATHE_ENGINE_PORT_C_SOURCE_STATE_H

#include "engine/port/c_source.h"

struct writing {
    const struct portable *p;
    const struct graph *g;
    const char *prefix;
    struct buf *out;
    const bool *live; /* nodes that the answer depends on */
};

/* As a literal. */
void c_source_text(struct buf *out, const char *s);
/* Those that the steps of the graph call, before what calls them. */
void c_source_functions(struct writing *w);
/* ... of them, those that count n-grams. */
void c_source_grams(const struct writing *w);
#endif
