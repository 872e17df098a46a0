/* engine/trees/tree.c -- a forest as arrays: grow it, save it, load it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/tree.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/tree_state.h"
#include "engine/trees/walk.h"

/* ---- growing ---- */

static bool
copy_levels(struct forest *f, const struct binned *b, struct error *err)
{
    size_t total = 0;
    unsigned n;

    for (size_t c = 0; c < b->n_cols; c++)
        if (binner_codes(b->binner[c], &n))
            total += n;
    f->level_start = mem_try_array(b->n_cols + 1, sizeof *f->level_start, err);
    f->level_code = mem_try_array(total, sizeof *f->level_code, err);
    if (!f->level_start || !f->level_code)
        return false;
    for (size_t c = 0; c < b->n_cols; c++) {
        const uint16_t *code = binner_codes(b->binner[c], &n);
        uint32_t at = f->level_start[c];

        if (code)
            memcpy(f->level_code + at, code, n * sizeof *code);
        f->level_start[c + 1] = at + (code ? n : 0);
    }
    return tree_count_blocks(f, err);
}

struct forest *
tree_forest_new(const struct binned *b, const double *base, size_t n_outputs,
                struct error *err)
{
    struct forest *f = mem_try_array(1, sizeof *f, err);

    if (!f)
        return NULL;
    f->n_cols = b->n_cols;
    f->n_outputs = n_outputs;
    f->gain = mem_try_array(b->n_cols, sizeof *f->gain, err);
    f->base = mem_try_array(n_outputs, sizeof *f->base, err);
    f->node_start = mem_try_array(1, sizeof *f->node_start, err);
    f->leaf_start = mem_try_array(1, sizeof *f->leaf_start, err);
    if (!f->gain || !f->base || !f->node_start || !f->leaf_start ||
        !copy_levels(f, b, err)) {
        tree_forest_free(f);
        return NULL;
    }
    memcpy(f->base, base, n_outputs * sizeof *base);
    return f;
}

static void *
copy_of(const void *p, size_t n, size_t size, struct error *err)
{
    void *copy = mem_try_array(n, size, err);

    if (copy && n > 0)
        memcpy(copy, p, n * size);
    return copy;
}

struct forest *
tree_forest_like(const struct forest *from, struct error *err)
{
    size_t cols = from->n_cols, levels = from->level_start[cols];
    struct forest *f = mem_try_array(1, sizeof *f, err);

    if (!f)
        return NULL;
    f->n_cols = cols;
    f->n_outputs = from->n_outputs;
    f->most_blocks = from->most_blocks;
    f->gain = copy_of(from->gain, cols, sizeof *f->gain, err);
    f->base = copy_of(from->base, f->n_outputs, sizeof *f->base, err);
    f->blocks = copy_of(from->blocks, cols, sizeof *f->blocks, err);
    f->level_start =
        copy_of(from->level_start, cols + 1, sizeof *f->level_start, err);
    f->level_code =
        copy_of(from->level_code, levels, sizeof *f->level_code, err);
    f->node_start = mem_try_array(1, sizeof *f->node_start, err);
    f->leaf_start = mem_try_array(1, sizeof *f->leaf_start, err);
    if (f->gain && f->base && f->blocks && f->level_start && f->level_code &&
        f->node_start && f->leaf_start)
        return f;
    tree_forest_free(f);
    return NULL;
}

void
tree_forest_free(struct forest *f)
{
    if (!f)
        return;
    tree_once_free(f->once);
    if (!f->borrowed) {
        free(f->node_start);
        free(f->leaf_start);
        free(f->feature);
        free(f->feature_high);
        free(f->threshold);
        free(f->left);
        free(f->right);
        free(f->flags);
        free(f->value);
        free(f->level_start);
        free(f->set_code);
        free(f->line_start);
        free(f->line_base);
        free(f->line_col);
        free(f->line_high);
        free(f->line);
        free(f->gain);
        free(f->base);
        free(f->cover_code);
    }
    if (!f->borrowed || f->set_code)
        free(f->set);
    free(f->level_code);
    free(f->blocks);
    free(f->cover);
    free(f->node_gain);
    walk_free(f->walk);
    free(f->used);
    free(f);
}

/* Grow *p to hold n elements; *p stays valid when there is no memory. */
static bool
resize(void *p, size_t n, size_t size, struct error *err)
{
    void *old, *grown;

    memcpy(&old, p, sizeof old);
    grown = mem_try_resize(old, n, size, err);
    if (!grown)
        return false;
    memcpy(p, &grown, sizeof grown);
    return true;
}

static size_t
larger(size_t cap, size_t need)
{
    size_t twice = cap * 2 > 64 ? cap * 2 : 64;

    return twice > need ? twice : need;
}

static bool
room_for_nodes(struct forest *f, size_t need, struct error *err)
{
    size_t cap = larger(f->cap_nodes, need);

    if (need <= f->cap_nodes)
        return true;
    if (!resize(&f->feature, cap, sizeof *f->feature, err) ||
        !resize(&f->threshold, cap, sizeof *f->threshold, err) ||
        !resize(&f->left, cap, sizeof *f->left, err) ||
        !resize(&f->right, cap, sizeof *f->right, err) ||
        !resize(&f->flags, cap, sizeof *f->flags, err) ||
        !resize(&f->node_gain, cap, sizeof *f->node_gain, err) ||
        (tree_is_wide(f) && !resize(&f->feature_high, cap, 1, err)))
        return false;
    f->cap_nodes = cap;
    return true;
}

static bool
room_for_trees(struct forest *f, size_t need, struct error *err)
{
    size_t cap = larger(f->cap_trees, need);

    if (need <= f->cap_trees)
        return true;
    if (!resize(&f->node_start, cap + 1, sizeof *f->node_start, err) ||
        !resize(&f->leaf_start, cap + 1, sizeof *f->leaf_start, err))
        return false;
    f->cap_trees = cap;
    return true;
}

bool
tree_begin(struct forest *f, size_t n_leaves, struct error *err)
{
    size_t leaves = f->n_leaves + n_leaves;
    size_t sets = f->n_sets + n_leaves * f->most_blocks;

    assert(n_leaves >= 1 && n_leaves <= TREE_MAX_LEAVES);
    if (leaves > UINT32_MAX)
        return error_set(err, ERR_LIMIT, "more than 2^32 leaves");
    if (!room_for_trees(f, f->n_trees + 1, err) ||
        !room_for_nodes(f, f->n_nodes + n_leaves, err))
        return false;
    if (leaves > f->cap_leaves) {
        size_t cap = larger(f->cap_leaves, leaves);

        if (!resize(&f->value, cap, sizeof *f->value, err) ||
            !resize(&f->cover, cap, sizeof *f->cover, err))
            return false;
        f->cap_leaves = cap;
    }
    if (sets > f->cap_sets) {
        size_t cap = larger(f->cap_sets, sets);

        if (!resize(&f->set, cap, TREE_SET_WORDS * sizeof *f->set, err))
            return false;
        f->cap_sets = cap;
    }
    f->open_nodes = 0;
    return true;
}

int16_t
tree_add_node(struct forest *f, const struct binned *b,
              const struct tree_split *s, const uint64_t *long_set,
              int16_t left, int16_t right)
{
    const struct binned_slot *slot = &b->slot[s->slot];
    size_t i = f->n_nodes + f->open_nodes;

    f->feature[i] = (uint16_t)slot->col;
    if (f->feature_high)
        f->feature_high[i] = (uint8_t)(slot->col >> 16);
    f->left[i] = left;
    f->right[i] = right;
    f->flags[i] = s->missing_left ? TREE_MISSING_LEFT : 0;
    if (slot->category) {
        f->flags[i] |= TREE_CATEGORY;
        size_t blocks = f->blocks[slot->col];

        f->threshold[i] = (double)f->n_sets;
        memcpy(f->set + f->n_sets * TREE_SET_WORDS,
               long_set ? long_set : s->set, blocks * sizeof s->set);
        f->n_sets += blocks;
    } else if (s->code == 0) {
        f->threshold[i] = -INFINITY; /* only the missing go left */
    } else if (s->code >= slot->n_bins) {
        f->threshold[i] = INFINITY; /* all but the missing */
    } else {
        f->threshold[i] = binner_cut(b->binner[slot->col], s->code);
    }
    f->node_gain[i] = (float)fmin(s->gain, FLT_MAX);
    return (int16_t)f->open_nodes++;
}

void
tree_link(struct forest *f, int16_t parent, bool left, int16_t child)
{
    (left ? f->left : f->right)[f->n_nodes + (size_t)parent] = child;
}

void
tree_end(struct forest *f, const float *value, size_t n_leaves)
{
    assert(n_leaves == f->open_nodes + 1);
    memcpy(f->value + f->n_leaves, value, n_leaves * sizeof *value);
    memset(f->cover + f->n_leaves, 0, n_leaves * sizeof *f->cover);
    f->n_nodes += f->open_nodes;
    f->n_leaves += n_leaves;
    f->n_trees++;
    f->node_start[f->n_trees] = (uint32_t)f->n_nodes;
    f->leaf_start[f->n_trees] = (uint32_t)f->n_leaves;
    f->open_nodes = 0;
}

uint32_t *
tree_cover(struct forest *f)
{
    return f->cover + f->leaf_start[f->n_trees - 1];
}

void
tree_cut(struct forest *f, size_t n_trees)
{
    assert(n_trees <= f->n_trees && !f->walk);
    f->n_trees = n_trees;
    f->n_nodes = f->node_start[n_trees];
    f->n_leaves = f->leaf_start[n_trees];
    if (f->line_start)
        f->n_terms = f->line_start[f->n_leaves];
    f->n_sets = 0;
    for (size_t i = 0; i < f->n_nodes; i++) {
        size_t blocks = tree_blocks_of(f, i);

        if (blocks > 0)
            f->n_sets = (size_t)f->threshold[i] + blocks;
    }
}

/* ---- sealing ---- */

/* A forest knows how training rows went when all of its trees do. */
static bool
has_covers(const struct forest *f)
{
    for (size_t t = 0; t < f->n_trees; t++) {
        uint64_t sum = 0;

        for (size_t i = f->leaf_start[t]; i < f->leaf_start[t + 1]; i++)
            sum += f->cover[i];
        if (sum == 0)
            return false;
    }
    return f->n_trees > 0;
}

static void
forget_covers(struct forest *f)
{
    if (!f->cover || has_covers(f))
        return;
    free(f->cover);
    f->cover = NULL;
}

static bool
code_covers(struct forest *f, struct error *err)
{
    size_t n = 0;

    if (!f->cover)
        return true;
    for (size_t i = 0; i < f->n_leaves; i++)
        for (uint32_t v = f->cover[i]; n++, v > 127;)
            v >>= 7;
    if (!(f->cover_code = mem_try_array(n, 1, err)))
        return false;
    for (size_t i = 0; i < f->n_leaves; i++) {
        uint32_t v = f->cover[i];

        for (; v > 127; v >>= 7)
            f->cover_code[f->n_cover_code++] = (uint8_t)(v | 128);
        f->cover_code[f->n_cover_code++] = (uint8_t)v;
    }
    return true;
}

bool
tree_code(struct forest *f, struct error *err)
{
    return code_covers(f, err) && tree_code_sets(f, err);
}

bool
tree_seal(struct forest *f, struct error *err)
{
    if (!walk_pack(f, err))
        return false;
    for (size_t i = 0; f->node_gain && i < f->n_nodes; i++)
        f->gain[tree_feature(f, i)] += (double)f->node_gain[i];
    if (f->borrowed)
        return true;
    forget_covers(f);
    return tree_keep_once(f, err) && (f->once || tree_code(f, err));
}

/* ---- saving ---- */

void
tree_save(const struct forest *forest, struct st_writer *w)
{
    const struct forest *f = forest->once ? forest->once->trees : forest;
    uint64_t set[2] = {f->n_sets, TREE_SET_WORDS};

    st_add1(w, "tree.node_start", ST_U32, f->n_trees + 1, f->node_start);
    st_add1(w, "tree.leaf_start", ST_U32, f->n_trees + 1, f->leaf_start);
    st_add1(w, "tree.feature", ST_U16, f->n_nodes, f->feature);
    if (tree_is_wide(f))
        st_add1(w, "tree.feature_high", ST_U8, f->n_nodes, f->feature_high);
    st_add1(w, "tree.threshold", ST_F64, f->n_nodes, f->threshold);
    st_add1(w, "tree.left", ST_I16, f->n_nodes, f->left);
    st_add1(w, "tree.right", ST_I16, f->n_nodes, f->right);
    st_add1(w, "tree.flags", ST_U8, f->n_nodes, f->flags);
    if (forest->once)
        tree_save_once(forest->once, f->n_outputs, w);
    else
        st_add1(w, "tree.value", ST_F32, f->n_leaves, f->value);
    if (f->cover)
        st_add1(w, "tree.cover", ST_U8, f->n_cover_code, f->cover_code);
    if (f->most_blocks > 1)
        st_add1(w, "tree.set_code", ST_U8, f->n_set_code, f->set_code);
    else
        st_add(w, "tree.set", ST_U64, set, 2, f->set);
    st_add1(w, "tree.level_start", ST_U32, f->n_cols + 1, f->level_start);
    st_add1(w, "tree.level_code", ST_U16, f->level_start[f->n_cols],
            f->level_code);
    tree_save_lines(f, w);
    st_add1(w, "tree.gain", ST_F64, f->n_cols, forest->gain);
    st_add1(w, "tree.base", ST_F64, f->n_outputs, f->base);
}

/* ---- loading: nothing in the file is believed ---- */

struct loader {
    const struct st_file *file;
    struct error *err;
    bool failed;
};

/* A borrowed tensor of n elements (n < 0: any number, told in *got).  The
 * arrays of a forest are not const, because a growing one writes them; those
 * of a loaded one are never written. */
static void *
need(struct loader *l, const char *name, enum st_type type, int64_t n,
     size_t *got)
{
    struct st_tensor t;
    void *data;

    if (l->failed || !st_need(l->file, name, type, n, &t, l->err)) {
        l->failed = true;
        return NULL;
    }
    if (got)
        *got = (size_t)t.n;
    memcpy(&data, &t.data, sizeof data);
    return data;
}

static bool
corrupt(struct error *err, const char *what, size_t where)
{
    return error_set(err, ERR_CORRUPT, "trees: %s %zu is out of range", what,
                     where);
}

static bool
starts_ascend(const uint32_t *start, size_t n, size_t total)
{
    if (start[0] != 0 || start[n] != total)
        return false;
    for (size_t i = 0; i < n; i++)
        if (start[i] > start[i + 1])
            return false;
    return true;
}

static bool
child_is_sound(int16_t child, size_t parent, size_t n_nodes)
{
    if (child >= 0)
        return (size_t)child > parent && (size_t)child < n_nodes;
    return (size_t)~child <= n_nodes; /* a tree has one leaf more than nodes */
}

static bool
node_is_sound(const struct forest *f, size_t i, size_t start, size_t n)
{
    double threshold = f->threshold[i];
    uint32_t col = tree_feature(f, i);

    if (col >= f->n_cols || f->flags[i] > (TREE_MISSING_LEFT | TREE_CATEGORY) ||
        !child_is_sound(f->left[i], i - start, n) ||
        !child_is_sound(f->right[i], i - start, n) || isnan(threshold))
        return false;
    if (!(f->flags[i] & TREE_CATEGORY))
        return true;
    /* A set is looked up by a code, which only a column with levels has. */
    return threshold >= 0 && threshold + f->blocks[col] <= (double)f->n_sets &&
           threshold == floor(threshold) &&
           f->level_start[col] < f->level_start[col + 1];
}

static bool
all_finite(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* Has the child no other parent?  Those of a tree are as many as its nodes and
 * leaves but for the root, so that then each has one. */
static bool
is_first_parent(int16_t child, size_t n_nodes, uint8_t *seen)
{
    size_t at = child >= 0 ? (size_t)child : n_nodes + (size_t)~child;

    return !seen[at]++;
}

static bool
check_nodes(const struct forest *f, size_t t, uint8_t *seen, struct error *err)
{
    size_t start = f->node_start[t], n = f->node_start[t + 1] - start;

    if (n >= TREE_MAX_LEAVES ||
        f->leaf_start[t + 1] - f->leaf_start[t] != n + 1)
        return corrupt(err, "tree", t);
    memset(seen, 0, 2 * n + 1);
    for (size_t i = start; i < start + n; i++)
        if (!node_is_sound(f, i, start, n) ||
            !is_first_parent(f->left[i], n, seen) ||
            !is_first_parent(f->right[i], n, seen))
            return corrupt(err, "node", i);
    return true;
}

static bool
check_trees(const struct forest *f, struct error *err)
{
    uint8_t *seen = mem_try_array(2 * TREE_MAX_LEAVES, 1, err);
    bool ok = seen != NULL;

    for (size_t t = 0; ok && t < f->n_trees; t++)
        ok = check_nodes(f, t, seen, err);
    free(seen);
    if (!ok)
        return false;
    for (size_t i = 0; f->value && i < f->n_leaves; i++)
        if (!isfinite(f->value[i]))
            return corrupt(err, "leaf", i);
    return true;
}

/* once: every tree stands there once, and values come later. */
static bool
check_forest(const struct forest *f, bool once, struct error *err)
{
    if (f->n_cols > TREE_MAX_COLS || (!once && f->n_trees % f->n_outputs != 0))
        return error_set(err, ERR_CORRUPT, "trees: %zu trees for %zu outputs",
                         f->n_trees, f->n_outputs);
    if (!starts_ascend(f->node_start, f->n_trees, f->n_nodes) ||
        !starts_ascend(f->leaf_start, f->n_trees, f->n_leaves))
        return error_set(err, ERR_CORRUPT, "trees: starts do not ascend");
    if (!all_finite(f->base, f->n_outputs) || !all_finite(f->gain, f->n_cols))
        return error_set(err, ERR_CORRUPT, "trees: a number is not finite");
    for (size_t c = 0; c < f->n_cols; c++)
        if (f->gain[c] < 0)
            return error_set(err, ERR_CORRUPT, "trees: a gain is negative");
    return check_trees(f, err);
}

/* Files from before there were covers have none. */
static bool
load_covers(struct forest *f, struct error *err)
{
    size_t at = 0;

    if (!f->cover_code)
        return true;
    if (!(f->cover = mem_try_array(f->n_leaves, sizeof *f->cover, err)))
        return false;
    for (size_t i = 0; i < f->n_leaves; i++) {
        uint64_t v = 0;
        unsigned shift = 0;

        do {
            if (at == f->n_cover_code || shift > 28)
                return corrupt(err, "cover", i);
            v |= (uint64_t)(f->cover_code[at] & 127) << shift;
            shift += 7;
        } while (f->cover_code[at++] > 127);
        if (v > UINT32_MAX)
            return corrupt(err, "cover", i);
        f->cover[i] = (uint32_t)v;
    }
    return at == f->n_cover_code || corrupt(err, "cover", f->n_leaves);
}

/* A tensor that need not be there. */
static bool
has_tensor(const struct st_file *file, const char *name)
{
    struct st_tensor t;
    struct error ignored;

    return st_need(file, name, ST_U8, -1, &t, &ignored);
}

/* Codes of 8 bits are in files from before there were more. */
static bool
load_levels(struct forest *f, struct loader *l)
{
    bool narrow = has_tensor(l->file, "tree.level_code");
    size_t n = 0;
    const void *code =
        need(l, "tree.level_code", narrow ? ST_U8 : ST_U16, -1, &n);

    if (l->failed)
        return false;
    if (!starts_ascend(f->level_start, f->n_cols, n))
        return error_set(l->err, ERR_CORRUPT, "trees: starts do not ascend");
    f->level_code = mem_try_array(n, sizeof *f->level_code, l->err);
    for (size_t i = 0; f->level_code && i < n; i++)
        f->level_code[i] =
            narrow ? ((const uint8_t *)code)[i] : ((const uint16_t *)code)[i];
    return f->level_code && tree_count_blocks(f, l->err);
}

static bool
load_sets(struct forest *f, struct loader *l)
{
    size_t words = 0;

    if (has_tensor(l->file, "tree.set_code")) {
        f->set_code = need(l, "tree.set_code", ST_U8, -1, &f->n_set_code);
        return f->set_code && tree_decode_sets(f, l->err);
    }
    f->set = need(l, "tree.set", ST_U64, -1, &words);
    f->n_sets = words / TREE_SET_WORDS;
    return f->set != NULL;
}

/* Most forests have none. */
static bool
load_lines(struct forest *f, struct loader *l)
{
    struct st_tensor t;
    struct error ignored;

    if (!st_need(l->file, "tree.line_start", ST_U32, -1, &t, &ignored))
        return true;
    f->line_start =
        need(l, "tree.line_start", ST_U32, (int64_t)f->n_leaves + 1, NULL);
    f->line_base =
        need(l, "tree.line_base", ST_F64, (int64_t)f->n_leaves, NULL);
    f->line_col = need(l, "tree.line_col", ST_U16, -1, &f->n_terms);
    if (tree_is_wide(f))
        f->line_high =
            need(l, "tree.line_high", ST_U8, (int64_t)f->n_terms, NULL);
    f->line = need(l, "tree.line", ST_F64, (int64_t)f->n_terms, NULL);
    return !l->failed && tree_check_lines(f, l->err);
}

/* Forests with trees that stand for every output have no values here. */
static bool
load_leaves(struct forest *f, bool once, struct loader *l)
{
    size_t starts = f->n_trees + 1;

    f->leaf_start = need(l, "tree.leaf_start", ST_U32, (int64_t)starts, NULL);
    if (!once)
        f->value = need(l, "tree.value", ST_F32, -1, &f->n_leaves);
    else if (!l->failed)
        f->n_leaves = f->leaf_start[f->n_trees];
    return !l->failed;
}

static bool
load_nodes(struct forest *f, bool once, struct loader *l)
{
    size_t starts = 0, n;

    f->node_start = need(l, "tree.node_start", ST_U32, -1, &starts);
    if (!l->failed && starts == 0)
        return error_set(l->err, ERR_CORRUPT, "trees: no starts");
    f->n_trees = starts - 1;
    f->feature = need(l, "tree.feature", ST_U16, -1, &f->n_nodes);
    n = f->n_nodes;
    if (tree_is_wide(f))
        f->feature_high = need(l, "tree.feature_high", ST_U8, (int64_t)n, NULL);
    f->threshold = need(l, "tree.threshold", ST_F64, (int64_t)n, NULL);
    f->left = need(l, "tree.left", ST_I16, (int64_t)n, NULL);
    f->right = need(l, "tree.right", ST_I16, (int64_t)n, NULL);
    f->flags = need(l, "tree.flags", ST_U8, (int64_t)n, NULL);
    f->level_start =
        need(l, "tree.level_start", ST_U32, (int64_t)f->n_cols + 1, NULL);
    f->gain = need(l, "tree.gain", ST_F64, (int64_t)f->n_cols, NULL);
    f->base = need(l, "tree.base", ST_F64, (int64_t)f->n_outputs, NULL);
    if (has_tensor(l->file, "tree.cover"))
        f->cover_code = need(l, "tree.cover", ST_U8, -1, &f->n_cover_code);
    return load_leaves(f, once, l) && load_levels(f, l) && load_sets(f, l) &&
           check_forest(f, once, l->err) && load_lines(f, l) &&
           load_covers(f, l->err);
}

struct forest *
tree_load(const struct st_file *file, size_t n_cols, size_t n_outputs,
          struct error *err)
{
    bool once = has_tensor(file, "tree.value_code");
    struct forest *f = mem_try_array(1, sizeof *f, err), *all;
    struct loader l = {file, err, false};
    bool ok;

    if (!f)
        return NULL;
    f->borrowed = true;
    f->n_cols = n_cols;
    f->n_outputs = n_outputs;
    ok = load_nodes(f, once, &l);
    if (ok && once) {
        all = tree_expand(f, file, err);
        tree_forest_free(f);
        f = all;
        ok = f != NULL;
    }
    if (ok && tree_seal(f, err))
        return f;
    tree_forest_free(f);
    return NULL;
}
