/* engine/trees/tree_once.c -- trees that ask the same for every output, kept
 * once.
 *
 * A forest of several classes has each of its trees as many times as there are
 * classes, alike but for what the leaves say; and most of its leaves are of one
 * class.  In the file each of them stands once, `once`, and of the values only
 * those that are not 0, leaf by leaf of all outputs:
 *
 *     tree.value_code  a bit for each output of each leaf, lowest first, whole
 *                      bytes a leaf: is there a value?
 *     tree.value       those values
 *
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/tree_state.h"

bool
tree_asks_the_same(const struct forest *f, size_t t)
{
    size_t from, n, before;

    if (t % f->n_outputs == 0)
        return false;
    from = f->node_start[t];
    before = f->node_start[t - 1];
    n = f->node_start[t + 1] - from;
    return n == from - before &&
           memcmp(f->threshold + from, f->threshold + before,
                  n * sizeof *f->threshold) == 0 &&
           memcmp(f->feature + from, f->feature + before,
                  n * sizeof *f->feature) == 0 &&
           (!f->feature_high ||
            memcmp(f->feature_high + from, f->feature_high + before, n) == 0) &&
           memcmp(f->flags + from, f->flags + before, n) == 0 &&
           memcmp(f->left + from, f->left + before, n * sizeof *f->left) == 0 &&
           memcmp(f->right + from, f->right + before, n * sizeof *f->right) ==
               0;
}

/* Did the same training rows arrive at the leaves of tree t and of the one
 * before? */
static bool
covers_the_same(const struct forest *f, size_t t)
{
    size_t from = f->leaf_start[t], before = f->leaf_start[t - 1];

    return !f->cover || memcmp(f->cover + from, f->cover + before,
                               (from - before) * sizeof *f->cover) == 0;
}

static bool
is_repeated(const struct forest *f)
{
    if (f->n_outputs < 2 || f->n_trees == 0 || f->line_start)
        return false;
    for (size_t t = 0; t < f->n_trees; t++)
        if (t % f->n_outputs > 0 &&
            (!tree_asks_the_same(f, t) || !covers_the_same(f, t)))
            return false;
    return true;
}

/* ---- writing ---- */

static size_t
bytes_of(size_t outputs)
{
    return (outputs + 7) / 8;
}

/* The values that are not 0, to `value` and `code`, or only how many they
 * are. */
static size_t
pick_values(const struct forest *f, float *value, uint8_t *code)
{
    size_t k = f->n_outputs, m = 0;

    for (size_t t = 0; t < f->n_trees; t += k) {
        size_t n = f->leaf_start[t + 1] - f->leaf_start[t];

        for (size_t l = 0; l < n; l++)
            for (size_t c = 0; c < k; c++) {
                size_t leaf = f->leaf_start[t] / k + l;
                float v = f->value[f->leaf_start[t + c] + l];

                if (v == 0)
                    continue;
                if (value) {
                    code[leaf * bytes_of(k) + c / 8] |=
                        (uint8_t)(1u << (c % 8));
                    value[m] = v;
                }
                m++;
            }
    }
    return m;
}

static bool
copy_first(struct forest *one, const struct forest *f, struct error *err)
{
    for (size_t t = 0; t < f->n_trees; t += f->n_outputs)
        if (!tree_append_one(one, f, t, f->value + f->leaf_start[t], err))
            return false;
    return true;
}

bool
tree_keep_once(struct forest *f, struct error *err)
{
    struct tree_once *o;

    if (f->once || !is_repeated(f))
        return true;
    f->once = o = mem_try_array(1, sizeof *o, err);
    if (!o || !(o->trees = tree_forest_like(f, err)) ||
        !copy_first(o->trees, f, err) || !tree_code(o->trees, err))
        return false;
    o->n_values = pick_values(f, NULL, NULL);
    o->value = mem_try_array(o->n_values, sizeof *o->value, err);
    o->code = mem_try_array(o->trees->n_leaves, bytes_of(f->n_outputs), err);
    if (!o->value || !o->code)
        return false;
    (void)pick_values(f, o->value, o->code);
    return true;
}

void
tree_save_once(const struct tree_once *o, size_t n_outputs, struct st_writer *w)
{
    st_add1(w, "tree.value", ST_F32, o->n_values, o->value);
    st_add1(w, "tree.value_code", ST_U8,
            o->trees->n_leaves * bytes_of(n_outputs), o->code);
}

void
tree_once_free(struct tree_once *o)
{
    if (!o)
        return;
    tree_forest_free(o->trees);
    free(o->value);
    free(o->code);
    free(o);
}

/* ---- reading: nothing in the file is believed ---- */

struct values {
    const float *at, *end;
    const uint8_t *code; /* of the next leaf */
};

/* Of the n leaves of a tree: to has shape (outputs, n). */
static bool
take_values(struct values *v, size_t n, size_t outputs, float *to)
{
    memset(to, 0, outputs * n * sizeof *to);
    for (size_t l = 0; l < n; l++, v->code += bytes_of(outputs))
        for (size_t c = 0; c < outputs; c++) {
            if (!(v->code[c / 8] >> (c % 8) & 1))
                continue;
            if (v->at == v->end || !isfinite(*v->at))
                return false;
            to[c * n + l] = *v->at++;
        }
    return true;
}

static bool
repeat_all(struct forest *f, const struct forest *one, struct values *v,
           float *scratch, struct error *err)
{
    for (size_t t = 0; t < one->n_trees; t++) {
        size_t n = one->leaf_start[t + 1] - one->leaf_start[t];

        if (!take_values(v, n, f->n_outputs, scratch))
            return error_set(err, ERR_CORRUPT,
                             "trees: values of tree %zu are damaged", t);
        if (!tree_append_one(f, one, t, scratch, err))
            return false;
        for (size_t c = 1; c < f->n_outputs; c++)
            if (!tree_repeat(f, scratch + c * n, err))
                return false;
    }
    return v->at == v->end ||
           error_set(err, ERR_CORRUPT, "trees: values of no leaf");
}

/* What stands in the file once has no lines, and a set for each node: nodes that
 * share one would make much of little. */
static bool
once_check(const struct forest *one, struct error *err)
{
    size_t n = 0;

    for (size_t i = 0; i < one->n_nodes; i++)
        n += tree_blocks_of(one, i);
    return (!one->line_start && n <= one->n_sets) ||
           error_set(err, ERR_CORRUPT, "trees: %s that no forest has",
                     one->line_start ? "lines" : "sets");
}

struct forest *
tree_expand(struct forest *one, const struct st_file *file, struct error *err)
{
    size_t k = one->n_outputs, most = 1;
    struct st_tensor value, code;
    struct forest *f = NULL;
    float *scratch = NULL;
    bool ok = false;

    for (size_t t = 0; t < one->n_trees; t++) {
        size_t n = one->leaf_start[t + 1] - one->leaf_start[t];

        most = n > most ? n : most;
    }
    if (once_check(one, err) &&
        st_need(file, "tree.value", ST_F32, -1, &value, err) &&
        st_need(file, "tree.value_code", ST_U8,
                (int64_t)(one->n_leaves * bytes_of(k)), &code, err) &&
        (scratch = mem_try_array(most, k * sizeof *scratch, err)) &&
        (f = tree_forest_like(one, err))) {
        const float *at = value.data;
        struct values v = {at, at + value.n, code.data};

        ok = repeat_all(f, one, &v, scratch, err);
    }
    free(scratch);
    if (ok)
        return f;
    tree_forest_free(f);
    return NULL;
}
