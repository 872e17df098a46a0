/* engine/trees/grow_state.h -- what the files of the grower share: grow.c decides
 * which leaves are split, grow_rows.c moves their rows, grow_count.c keeps their
 * histograms.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_GROW_STATE_H
#define LATHE_ENGINE_TREES_GROW_STATE_H

#include "engine/trees/grow.h"

enum {
    GROW_MAX_WAVE = 256,     /* splits made together */
    GROW_PART_GRAIN = 16384, /* rows parted at a time */
    GROW_BUFFERS = 16,       /* histograms of chunks before they are folded */
    /* Below this work on rows is not shared: on a busy machine a thread that
     * was woken for it, then lost its turn, costs more than it brings. */
    GROW_INLINE_ROWS = 16384
};

struct grow_leaf {
    size_t begin, n; /* its stretch of rows */
    unsigned depth;
    int16_t parent; /* node, -1 for the root */
    bool is_left;
    int32_t hist; /* slot of memory, -1: none */
    bool wide;
    int64_t g, h; /* quantised sums */
    struct split_found best;
};

/* One split of a wave. */
struct grow_part {
    size_t leaf;         /* becomes the left child */
    size_t right;        /* the new leaf */
    size_t first_chunk;  /* of GROW_PART_GRAIN rows, in the list of chunks */
    size_t n_left;       /* rows */
    size_t small, large; /* leaves */
    bool stands;
    bool search;   /* children may be split again */
    bool subtract; /* the large one from its parent */
    int32_t hist;  /* of the parent before the split */
    bool hist_wide;
};

struct grow_chunk {
    size_t part;       /* of which split */
    size_t begin, end; /* rows */
    size_t left;       /* how many of them go left */
    size_t to_left, to_right;
};

/* A node of the tree just grown, for coded rows. */
struct grow_node {
    uint64_t set[TREE_SET_WORDS];
    uint32_t slot;
    int16_t left, right;
};

struct grower {
    const struct binned *b;
    struct grow_options o;
    struct pool *pool;
    struct progress *progress;
    split_scan_fn *scan;

    struct room lists[2]; /* what those two lie in */
    struct hist_row *rows, *scratch;
    struct grow_leaf *leaf;
    size_t n_leaves;
    uint32_t *heap; /* leaves that may be split, best first */
    size_t n_heap;
    struct grow_node *node;
    float *value;

    int64_t *hist; /* n_hist of hist_words each */
    size_t n_hist, hist_words;
    int32_t *free_hist;
    size_t n_free;
    int64_t *buffer;  /* GROW_BUFFERS narrow ones */
    uint32_t *counts; /* n_bins */

    struct grow_part *part;
    size_t n_parts, max_wave;
    struct grow_chunk *chunk;
    size_t n_chunks;
    struct split_found *found; /* (part, child, word) */

    /* of the tree under growth */
    const struct hist_scale *scale;
    const struct gradient *gradient;
    const bool *active;
    struct forest *forest;
};

/* Does leaf a come before leaf b in the queue? */
bool grow_goes_before(const struct grower *g, uint32_t a, uint32_t b);

/* Part the rows of every split of the wave; which of them stand? */
void grow_part_rows(struct grower *g);
/* The values of all leaves, from the gradients of their rows. */
void grow_set_values(struct grower *g, size_t n_rows);

/* The histogram in a slot of memory. */
int64_t *grow_hist_at(const struct grower *g, int32_t slot);
/* All slots are free. */
void grow_free_hists(struct grower *g);
void grow_release_hist(struct grower *g, int32_t slot);
/* A free slot, or that of the waiting leaf which gains least. */
int32_t grow_acquire_hist(struct grower *g);
/* Count the histograms of the leaves listed; their memory is there.  When the
 * user stops it, what is counted is not to be used. */
void grow_count_leaves(struct grower *g, const size_t *leaf, size_t n);
#endif
