/* engine/trees/grow_state.h -- what the files of the grower share: grow.c decides
 * which leaves are split, grow_rows.c parts their rows, grow_count.c counts their
 * histograms, grow_search.c finds their best splits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_GROW_STATE_H
#define LATHE_ENGINE_TREES_GROW_STATE_H

#include <stdatomic.h>

#include "engine/trees/grow.h"
#include "engine/trees/part.h"

enum {
    GROW_MAX_WAVE = 64,      /* leaves parted together */
    GROW_PART_GRAIN = 16384, /* rows parted at a time; whole words of bits */
    GROW_BITS = GROW_PART_GRAIN / 64,
    /* A leaf of at most so many rows is the work of one thread. */
    GROW_SMALL_ROWS = 32768,
    /* Below this work on rows is not shared: on a busy machine a thread that
     * was woken for it, then lost its turn, costs more than it brings. */
    GROW_INLINE_ROWS = 4096,
    GROW_SUM_CHUNKS = 16 /* of rows, for the values of leaves */
};

enum grow_stage {
    GROW_WAITS,  /* its rows are together */
    GROW_PARTED, /* its children are known */
    GROW_FAILED  /* parted, and a child was too small */
};

/* A leaf of the tree, or one that may become so: a child of a leaf that was
 * parted before its turn. */
struct grow_leaf {
    size_t begin, n; /* its stretch of rows */
    uint8_t list;    /* of which list */
    uint8_t stage;
    bool wide; /* its histogram */
    bool is_left;
    int16_t parent;  /* node, -1 for the root */
    uint16_t number; /* of the tree's leaf, when it is one */
    uint32_t child;  /* the left one; the right one follows */
    unsigned depth;
    int32_t hist;     /* slot of memory, -1: none */
    int64_t g, h;     /* quantised sums */
    double low, high; /* bounds of its value; used where there are trends */
    uint64_t way;     /* which turns lead to it, as a number for draws */
    struct split_found best;
};

/* A leaf that is parted in the wave at hand. */
struct grow_part {
    size_t leaf;
    size_t first_chunk;  /* in the list of chunks, of a large leaf */
    size_t n_left;       /* rows */
    size_t small, large; /* children */
    int32_t spare[2];    /* memory for histograms, -1: none */
    int32_t hist;        /* of the parent before the split */
    bool stands;
    bool more;   /* are there splits to come after it? */
    bool search; /* children may be split again */
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
    const uint64_t *long_set; /* of a long slot; else NULL */
    uint32_t slot;
    int16_t left, right;
};

/* Leaves in the order of their turns: the largest gain first. */
struct grow_queue {
    uint32_t *leaf;
    size_t n;
};

/* Slots of memory for histograms of one width. */
struct grow_store {
    int64_t *words;
    size_t n, size; /* slots; words of each */
    int32_t *free;
    size_t n_free;
};

struct grower {
    const struct binned *b;
    struct grow_options o;
    struct pool *pool;
    struct progress *progress;
    const struct split_kernels *split_fn;
    const struct part_kernels *part_fn;

    struct room room; /* what these lie in */
    uint32_t *rows[2];
    struct hist_quantum *q; /* by row */
    uint16_t *number;       /* by row: of its leaf in the tree just grown */
    struct grow_leaf *leaf;
    size_t n_known;            /* of them */
    uint32_t *at;              /* by number of a leaf: where it is */
    size_t n_leaves;           /* of the tree */
    struct grow_queue turns;   /* leaves of the tree that gain by a split */
    struct grow_queue waiting; /* those of them that wait */
    struct grow_node *node;
    float *value;     /* of the leaves, then 0 */
    double (*sum)[2]; /* g and h: (chunk, leaf) */

    bool thin; /* no leaf keeps a histogram, none is large, no slot is long */
    struct grow_store narrow, wide;
    int64_t *buffer;          /* n_buffers narrow histograms */
    size_t n_full, n_buffers; /* of a batch; with one for each thread */
    uint32_t *counts;         /* n_bins */

    struct grow_part *part;
    size_t n_parts, max_wave;
    size_t *large, *small; /* parts, by the rows of their leaves */
    size_t n_large, n_small;
    struct grow_chunk *chunk;
    size_t n_chunks;
    uint64_t *bits;            /* GROW_BITS for each chunk */
    struct split_found *found; /* (part, child, unit) */
    /* What is searched as one: a word of slots, or a long slot. */
    size_t n_units;
    size_t long_words;  /* of the largest set of a long slot; 0: none is */
    uint64_t *long_set; /* by leaf: of its best split, where that is long */
    /* Where levels of long categories are ordered: room for each thread, which
     * takes one that is not busy. */
    struct split_level *level;
    size_t level_room, n_rooms; /* 0: no category is long */
    atomic_bool *busy;

    bool chooses;    /* are slots chosen anew for each leaf? */
    bool *choice;    /* (part, child, slot): may it be split by that? */
    uint32_t *order; /* (part, child, slot), for drawing them */
    int8_t *trend;   /* by slot, or NULL */
    size_t set_words;
    uint64_t *group;   /* n_groups sets of slots */
    uint64_t *way;     /* by leaf: the slots on its way; NULL: no groups */
    uint64_t *allowed; /* (part, child): what may come after it */
    size_t n_tree;     /* number of the tree under growth */

    /* of the tree under growth */
    size_t n_rows;
    const struct hist_scale *scale;
    const struct gradient *gradient;
    const bool *active;
    struct forest *forest;
};

/* Does leaf a come before leaf b? */
bool grow_goes_before(const struct grower *g, uint32_t a, uint32_t b);
bool grow_may_split(const struct grower *g, const struct grow_leaf *l);

/* ---- rows ---- */

/* Where the set of a leaf's best split is. */
static inline uint64_t *
grow_long_set(const struct grower *g, const struct grow_leaf *l)
{
    return g->long_words ? g->long_set + (size_t)(l - g->leaf) * g->long_words
                         : NULL;
}

static inline uint32_t *
grow_rows_of(const struct grower *g, const struct grow_leaf *l)
{
    return g->rows[l->list] + l->begin;
}
/* Part the rows of the large leaves of the wave; which splits stand? */
void grow_part_large(struct grower *g);
/* The same for one leaf, by one thread. */
void grow_part_small(struct grower *g, struct grow_part *p);
/* The leaf of every row and the values of all leaves. */
void grow_set_values(struct grower *g);

/* ---- histograms ---- */

bool grow_make_stores(struct grower *g, struct error *err) MUST_USE;
void grow_free_stores(struct grower *g);
int64_t *grow_hist_of(const struct grower *g, const struct grow_leaf *l);
/* All slots are free. */
void grow_reset_stores(struct grower *g);
void grow_release_hist(struct grower *g, int32_t slot);
/* A free slot for a leaf of n rows, or that of the waiting leaf which gains
 * least. */
int32_t grow_acquire_hist(struct grower *g, size_t n);
/* Count the histogram of a leaf, whose memory is there, with all threads; when
 * the user stops it, what is counted is not to be used. */
void grow_count(struct grower *g, struct grow_leaf *l);
/* The same by one thread, for at most HIST_NARROW_ROWS rows. */
void grow_count_small(const struct grower *g, struct grow_leaf *l);
/* The bins of a word of slots of a leaf, where none are kept. */
struct grow_unit {
    size_t first; /* bin */
    /* read past the end, by eight */
    int64_t hist[BINNED_WORD * BINNED_WIDE + 8];
    uint32_t counts[BINNED_WORD * BINNED_WIDE]; /* rows, where asked for */
};
void grow_count_unit(const struct grower *g, const struct grow_leaf *l,
                     size_t unit, bool counted, struct grow_unit *out);

/* ---- choose ---- */

bool grow_make_choice(struct grower *g, struct error *err) MUST_USE;
void grow_free_choice(struct grower *g);
/* Which slots a leaf may be split by, as child `child` of part `part`: those of
 * the tree, of its way, and then what is drawn.  NULL: all. */
const bool *
grow_choose(struct grower *g, size_t leaf, size_t part, size_t child);
/* What was chosen. */
const bool *grow_chosen(const struct grower *g, size_t part, size_t child);
/* A child on the left or right of its parent: its way and its bounds. */
void grow_take_after(struct grower *g, size_t child, size_t parent, bool left);

/* ---- search ---- */

bool grow_make_levels(struct grower *g, struct error *err) MUST_USE;
void grow_free_levels(struct grower *g);
/* The best split of a leaf whose histogram is there; counted: g->counts has its
 * rows by bin. */
void grow_search(struct grower *g, size_t leaf, bool counted);
/* Subtract and search the children of some parts of the wave, with all
 * threads. */
void grow_search_parts(struct grower *g, const size_t *part, size_t n);
/* Of one part, by one thread. */
void grow_search_small(struct grower *g, struct grow_part *p);
#endif
