/* engine/port/graph_state.h -- what graph*.c alone know of a graph.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_GRAPH_STATE_H
#define LATHE_ENGINE_PORT_GRAPH_STATE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "engine/port/graph.h"

enum { GRAPH_LANES = 8 };

struct graph_state {
    atomic_size_t refs;
    struct arena arena; /* arrays of the nodes */
    /* Once checked: a and b of all nodes, and index; in the arena, or borrowed
     * from a file. */
    double *number;
    uint32_t *index;
    size_t n_numbers, n_indices;
    /* Once checked: of each step CONV its kernels, GRAPH_LANES outputs side by
     * side, 0 where there are fewer: (outputs, places, lanes). */
    double **turned;
    size_t n_turned;
};

/* How wide input k of a node is. */
static inline size_t
graph_width_in(const struct graph *g, const struct graph_node *n, size_t k)
{
    return g->node[n->in[k]].width;
}
#endif
