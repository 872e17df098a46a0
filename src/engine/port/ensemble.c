/* engine/port/ensemble.c -- trees of any program: build, walk, save.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/ensemble.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/ensemble_line.h"

enum { MAX_MEMBER = 1 << 24 };

/* ---- life ---- */

struct ensemble *
ensemble_new(size_t n_cols, size_t n_outputs, struct error *err)
{
    struct ensemble *e;

    if (n_outputs == 0 || n_outputs > ENSEMBLE_MAX_OUTPUTS) {
        error_set(err, ERR_LIMIT, "trees with %zu outputs, at most %d",
                  n_outputs, ENSEMBLE_MAX_OUTPUTS);
        return NULL;
    }
    if (!(e = mem_try_array(1, sizeof *e, err)))
        return NULL;
    e->n_cols = n_cols;
    e->n_outputs = n_outputs;
    if ((e->base = mem_try_array(n_outputs, sizeof *e->base, err)) &&
        (e->gain = mem_try_array(n_cols, sizeof *e->gain, err)) &&
        (e->set_start = mem_try_array(1, sizeof *e->set_start, err)))
        return e;
    ensemble_free(e);
    return NULL;
}

void
ensemble_free(struct ensemble *e)
{
    if (!e)
        return;
    if (!e->borrowed) {
        free(e->root);
        free(e->kind);
        free(e->feature);
        free(e->yes);
        free(e->no);
        free(e->threshold);
        free(e->set_start);
        free(e->word);
        free(e->target);
        free(e->value);
        ensemble_lines_free(e);
        free(e->base);
        free(e->gain);
        free(e->cover);
    }
    free(e);
}

/* ---- building ---- */

/* Make *p hold n elements; *p stays valid when there is no memory. */
static bool
resize(void *p, size_t n, size_t size, struct error *err)
{
    void *old, *grown;

    memcpy(&old, p, sizeof old);
    if (!(grown = mem_try_resize(old, n, size, err)))
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
too_many(const char *what, struct error *err)
{
    return error_set(err, ERR_LIMIT, "more than 2^32 %s", what);
}

static bool
room_for_nodes(struct ensemble *e, size_t more, struct error *err)
{
    size_t need = e->n_nodes + more, cap = larger(e->cap_nodes, need);

    if (need >= UINT32_MAX)
        return too_many("nodes", err);
    if (need <= e->cap_nodes)
        return true;
    if (!resize(&e->kind, cap, sizeof *e->kind, err) ||
        !resize(&e->feature, cap, sizeof *e->feature, err) ||
        !resize(&e->yes, cap, sizeof *e->yes, err) ||
        !resize(&e->no, cap, sizeof *e->no, err) ||
        !resize(&e->threshold, cap, sizeof *e->threshold, err) ||
        !resize(&e->cover, cap, sizeof *e->cover, err))
        return false;
    e->cap_nodes = cap;
    return true;
}

static bool
room_for_tree(struct ensemble *e, struct error *err)
{
    size_t cap = larger(e->cap_trees, e->n_trees + 1);

    if (e->n_trees < e->cap_trees)
        return true;
    if (!resize(&e->root, cap, sizeof *e->root, err))
        return false;
    e->cap_trees = cap;
    return true;
}

bool
ensemble_add_value(struct ensemble *e, size_t output, double value,
                   struct error *err)
{
    if (output >= e->n_outputs)
        return error_set(err, ERR_PARSE, "a leaf for output %zu of %zu", output,
                         e->n_outputs);
    if (!isfinite(value))
        return error_set(err, ERR_PARSE, "a leaf is %g", value);
    if (e->n_values == e->cap_values) {
        size_t cap = larger(e->cap_values, e->n_values + 1);

        if (cap >= UINT32_MAX)
            return too_many("leaves", err);
        if (!resize(&e->target, cap, sizeof *e->target, err) ||
            !resize(&e->value, cap, sizeof *e->value, err) ||
            (e->line_start && !ensemble_room_for_lines(e, cap, err)))
            return false;
        e->cap_values = cap;
    }
    e->target[e->n_values] = (uint32_t)output;
    e->value[e->n_values++] = value;
    ensemble_end_line(e);
    return true;
}

static bool
set_width(const double *member, size_t n, size_t *words, struct error *err)
{
    double top = -1;

    for (size_t i = 0; i < n; i++) {
        if (!(member[i] >= 0 && member[i] < MAX_MEMBER) ||
            member[i] != floor(member[i]))
            return error_set(err, ERR_PARSE,
                             "category %g, expected a whole number below 2^24",
                             member[i]);
        top = member[i] > top ? member[i] : top;
    }
    *words = top < 0 ? 0 : (size_t)top / 64 + 1;
    return true;
}

bool
ensemble_add_set(struct ensemble *e, const double *member, size_t n,
                 uint32_t *number, struct error *err)
{
    size_t words = 0, at = e->set_start[e->n_sets];

    if (!set_width(member, n, &words, err))
        return false;
    if (at + words >= UINT32_MAX)
        return too_many("words of sets", err);
    if (at + words > e->cap_words) {
        size_t cap = larger(e->cap_words, at + words);

        if (!resize(&e->word, cap, sizeof *e->word, err))
            return false;
        e->cap_words = cap;
    }
    if (e->n_sets + 1 >= e->cap_sets) {
        size_t cap = larger(e->cap_sets, e->n_sets + 2);

        if (!resize(&e->set_start, cap, sizeof *e->set_start, err))
            return false;
        e->cap_sets = cap;
    }
    if (words)
        memset(e->word + at, 0, words * sizeof *e->word);
    for (size_t i = 0; i < n; i++)
        e->word[at + (size_t)member[i] / 64] |= UINT64_C(1)
                                                << (size_t)member[i] % 64;
    *number = (uint32_t)e->n_sets++;
    e->set_start[e->n_sets] = (uint32_t)(at + words);
    return true;
}

static bool
draft_check(const struct ensemble *e, const struct ensemble_node *d, size_t i,
            size_t n, struct error *err)
{
    unsigned kind = d->kind & ENSEMBLE_KIND;

    if (kind == ENSEMBLE_LEAF)
        return (d->feature <= d->yes && d->yes <= e->n_values) ||
               error_set(err, ERR_PARSE, "node %zu: a bad leaf", i);
    if (d->yes >= n || d->no >= n)
        return error_set(err, ERR_PARSE, "node %zu: child %u of %zu nodes", i,
                         (unsigned)(d->yes >= n ? d->yes : d->no), n);
    if (d->feature >= e->n_cols)
        return error_set(err, ERR_PARSE, "node %zu: column %u of %zu", i,
                         (unsigned)d->feature, e->n_cols);
    if (isnan(d->threshold))
        return error_set(err, ERR_PARSE, "node %zu: the threshold is NaN", i);
    if (kind > ENSEMBLE_SET ||
        (kind == ENSEMBLE_SET &&
         !(d->threshold >= 0 && d->threshold < (double)e->n_sets)))
        return error_set(err, ERR_PARSE, "node %zu: a bad split", i);
    return true;
}

/* A tree that is put in order: n nodes as they came. */
struct ordering {
    const struct ensemble *e;
    const struct ensemble_node *node;
    size_t n;
    uint32_t *order; /* n: parents before children, from `first` on */
    size_t first;
    uint8_t *state;  /* n */
    uint32_t *stack; /* n */
};

/* The nodes below root: a walk in depth, each node put down when all below it
 * are, from the end. */
static bool
order_nodes(struct ordering *o, size_t root, struct error *err)
{
    enum { UNSEEN, YES_NEXT, NO_NEXT, LAST, DONE };
    const struct ensemble_node *node = o->node;
    uint8_t *state = o->state;
    size_t depth = 0;

    o->first = o->n;
    o->stack[depth++] = (uint32_t)root;
    state[root] = YES_NEXT;
    if (!draft_check(o->e, &node[root], root, o->n, err))
        return false;
    while (depth > 0) {
        uint32_t i = o->stack[depth - 1], child;

        if ((node[i].kind & ENSEMBLE_KIND) == ENSEMBLE_LEAF ||
            state[i] == LAST) {
            state[i] = DONE;
            o->order[--o->first] = i;
            depth--;
            continue;
        }
        child = state[i] == YES_NEXT ? node[i].yes : node[i].no;
        state[i]++;
        if (state[child] == DONE)
            continue;
        if (state[child] != UNSEEN)
            return error_set(err, ERR_PARSE, "node %u is below itself",
                             (unsigned)child);
        if (!draft_check(o->e, &node[child], child, o->n, err))
            return false;
        state[child] = YES_NEXT;
        o->stack[depth++] = child;
    }
    return true;
}

static void
put_nodes(struct ensemble *e, const struct ensemble_node *node,
          const uint32_t *order, size_t first, size_t n, uint32_t *place)
{
    size_t base = e->n_nodes;

    for (size_t k = first; k < n; k++)
        place[order[k]] = (uint32_t)(base + k - first);
    for (size_t k = first; k < n; k++) {
        const struct ensemble_node *d = &node[order[k]];
        size_t i = base + k - first;
        bool leaf = (d->kind & ENSEMBLE_KIND) == ENSEMBLE_LEAF;

        e->kind[i] = d->kind;
        e->feature[i] = d->feature;
        e->yes[i] = leaf ? d->yes : place[d->yes];
        e->no[i] = leaf ? 0 : place[d->no];
        e->threshold[i] = leaf ? 0 : d->threshold;
        e->cover[i] = d->cover > 0 && isfinite(d->cover) ? d->cover : 0;
    }
    e->root[e->n_trees++] = (uint32_t)base;
    e->n_nodes += n - first;
}

bool
ensemble_add_tree(struct ensemble *e, const struct ensemble_node *node,
                  size_t n, size_t root, struct error *err)
{
    struct ordering o = {.e = e, .node = node, .n = n};
    bool ok = false;

    if (root >= n || n >= UINT32_MAX)
        return error_set(err, ERR_PARSE, "root %zu of %zu nodes", root, n);
    if ((o.order = mem_try_array(n, sizeof *o.order, err)) &&
        (o.stack = mem_try_array(n, sizeof *o.stack, err)) &&
        (o.state = mem_try_array(n, sizeof *o.state, err)) &&
        order_nodes(&o, root, err) && room_for_nodes(e, n - o.first, err) &&
        room_for_tree(e, err)) {
        put_nodes(e, node, o.order, o.first, n, o.stack);
        ok = true;
    }
    free(o.order);
    free(o.stack);
    free(o.state);
    return ok;
}

/* ---- walking ---- */

bool
ensemble_has(const struct ensemble *e, uint32_t set, double x)
{
    uint32_t at = e->set_start[set], words = e->set_start[set + 1] - at;
    size_t k;

    if (!(x >= 0 && x < (double)words * 64))
        return false;
    k = (size_t)x;
    return e->word[at + k / 64] >> k % 64 & 1;
}

bool
ensemble_yes(const struct ensemble *e, uint32_t i, double x)
{
    unsigned kind = e->kind[i];

    if (isnan(x) || (kind & ENSEMBLE_ZERO_MISSING && fabs(x) <= 1e-35))
        return kind & ENSEMBLE_MISSING_YES;
    switch (kind & ENSEMBLE_KIND) {
    case ENSEMBLE_LT:
        return x < e->threshold[i];
    case ENSEMBLE_LE:
        return x <= e->threshold[i];
    case ENSEMBLE_EQ:
        return x == e->threshold[i];
    default:
        return ensemble_has(e, (uint32_t)e->threshold[i], x);
    }
}

static uint32_t
walk(const struct ensemble *e, uint32_t i, const double *x)
{
    while ((e->kind[i] & ENSEMBLE_KIND) != ENSEMBLE_LEAF)
        i = ensemble_yes(e, i, x[e->feature[i]]) ? e->yes[i] : e->no[i];
    return i;
}

void
ensemble_score(const struct ensemble *e, const double *x, size_t n, double *out)
{
    for (size_t r = 0; r < n; r++)
        memcpy(out + r * e->n_outputs, e->base, e->n_outputs * sizeof *out);
    for (size_t t = 0; t < e->n_trees; t++)
        for (size_t r = 0; r < n; r++) {
            uint32_t leaf = walk(e, e->root[t], x + r * e->n_cols);

            for (uint32_t v = e->feature[leaf]; v < e->yes[leaf]; v++)
                out[r * e->n_outputs + e->target[v]] +=
                    ensemble_value(e, v, x + r * e->n_cols);
        }
}

/* ---- looking ---- */

size_t
ensemble_tree_end(const struct ensemble *e, size_t t)
{
    return t + 1 < e->n_trees ? e->root[t + 1] : e->n_nodes;
}

size_t
ensemble_output(const struct ensemble *e, size_t t)
{
    size_t out = SIZE_MAX;

    for (size_t i = e->root[t]; i < ensemble_tree_end(e, t); i++) {
        if ((e->kind[i] & ENSEMBLE_KIND) != ENSEMBLE_LEAF ||
            e->feature[i] == e->yes[i])
            continue;
        if (e->yes[i] - e->feature[i] > 1 ||
            (out < SIZE_MAX && out != e->target[e->feature[i]]))
            return e->n_outputs;
        out = e->target[e->feature[i]];
    }
    return out == SIZE_MAX ? 0 : out;
}

bool
ensemble_has_covers(const struct ensemble *e)
{
    size_t edges = 0, roots = 0;

    for (size_t t = 0; t < e->n_trees && e->cover; t++) {
        size_t first = e->root[t], end = ensemble_tree_end(e, t);

        for (size_t i = first; i < end; i++)
            if ((e->kind[i] & ENSEMBLE_KIND) != ENSEMBLE_LEAF) {
                bool inside = e->yes[i] < end && e->no[i] < end;

                if (!inside || !(e->cover[first] > 0))
                    return false;
                edges += 2;
            }
        roots++;
    }
    /* Of a tree, one edge leads to each node but the root. */
    return e->cover && e->n_nodes > roots && edges + roots == e->n_nodes;
}

double
ensemble_leaf(const struct ensemble *e, uint32_t node)
{
    return e->feature[node] < e->yes[node] ? e->value[e->feature[node]] : 0;
}

/* ---- thresholds in other numbers ---- */

/* The largest float that is not above t. */
static float
float_down(double t)
{
    float f = (float)t;

    return (double)f > t ? nextafterf(f, -INFINITY) : f;
}

/* The largest float that answers yes: "x <= it" is what is asked. */
static float
float_last(enum ensemble_kind kind, double t)
{
    float f = float_down(t);

    return kind == ENSEMBLE_LT && (double)f == t ? nextafterf(f, -INFINITY) : f;
}

/* The largest double that becomes f or less when it is rounded to 32 bits: the
 * middle between f and the next float, where a tie goes to the even one. */
static double
widened(float f)
{
    float next = nextafterf(f, INFINITY);
    double middle;
    uint32_t bits;

    if (isinf(f))
        return (double)f;
    middle = isinf(next) ? (double)FLT_MAX + ldexp(1, 103)
                         : ((double)f + (double)next) / 2;
    memcpy(&bits, &f, sizeof bits);
    return bits & 1 ? nextafter(middle, -INFINITY) : middle;
}

double
ensemble_cut(enum ensemble_kind kind, double t, bool rounded,
             enum ensemble_cut as)
{
    double last;

    if (kind != ENSEMBLE_LT && kind != ENSEMBLE_LE)
        return t;
    if (as == CUT_FLOAT_LE)
        return (double)float_last(kind, t);
    if (as == CUT_FLOAT_LT)
        return kind == ENSEMBLE_LT && t == -INFINITY
                   ? t
                   : (double)nextafterf(float_last(kind, t), INFINITY);
    if (rounded)
        last = widened(float_last(kind, t));
    else
        last = kind == ENSEMBLE_LT ? nextafter(t, -INFINITY) : t;
    if (as == CUT_DOUBLE_LE)
        return last;
    return kind == ENSEMBLE_LT && t == -INFINITY ? t
                                                 : nextafter(last, INFINITY);
}

/* ---- saving ---- */

static const char *
tensor_name(char out[48], unsigned number, const char *what)
{
    snprintf(out, 48, "imported.%u.%s", number, what);
    return out;
}

void
ensemble_save(const struct ensemble *e, unsigned number, struct st_writer *w)
{
    char n[48];

    st_add1(w, tensor_name(n, number, "root"), ST_U32, e->n_trees, e->root);
    st_add1(w, tensor_name(n, number, "kind"), ST_U8, e->n_nodes, e->kind);
    st_add1(w, tensor_name(n, number, "feature"), ST_U32, e->n_nodes,
            e->feature);
    st_add1(w, tensor_name(n, number, "yes"), ST_U32, e->n_nodes, e->yes);
    st_add1(w, tensor_name(n, number, "no"), ST_U32, e->n_nodes, e->no);
    st_add1(w, tensor_name(n, number, "threshold"), ST_F64, e->n_nodes,
            e->threshold);
    st_add1(w, tensor_name(n, number, "set_start"), ST_U32, e->n_sets + 1,
            e->set_start);
    st_add1(w, tensor_name(n, number, "word"), ST_U64, e->set_start[e->n_sets],
            e->word);
    st_add1(w, tensor_name(n, number, "target"), ST_U32, e->n_values,
            e->target);
    st_add1(w, tensor_name(n, number, "value"), ST_F64, e->n_values, e->value);
    if (e->line_start) {
        st_add1(w, tensor_name(n, number, "line_start"), ST_U32,
                e->n_values + 1, e->line_start);
        st_add1(w, tensor_name(n, number, "line_base"), ST_F64, e->n_values,
                e->line_base);
        st_add1(w, tensor_name(n, number, "line_col"), ST_U32, e->n_terms,
                e->line_col);
        st_add1(w, tensor_name(n, number, "line"), ST_F64, e->n_terms, e->line);
    }
    st_add1(w, tensor_name(n, number, "base"), ST_F64, e->n_outputs, e->base);
    st_add1(w, tensor_name(n, number, "gain"), ST_F64, e->n_cols, e->gain);
    if (ensemble_has_covers(e))
        st_add1(w, tensor_name(n, number, "cover"), ST_F64, e->n_nodes,
                e->cover);
}

/* ---- loading: nothing in the file is believed ---- */

struct loader {
    const struct st_file *file;
    unsigned number;
    struct error *err;
    bool failed;
};

/* A borrowed tensor of n elements (n < 0: any number, told in *got). */
static void *
need(struct loader *l, const char *what, enum st_type type, int64_t n,
     size_t *got)
{
    struct st_tensor t;
    char name[48];
    void *data;

    if (l->failed || !st_need(l->file, tensor_name(name, l->number, what), type,
                              n, &t, l->err)) {
        l->failed = true;
        return NULL;
    }
    if (got)
        *got = (size_t)t.n;
    memcpy(&data, &t.data, sizeof data);
    return data;
}

/* Lines, where there are any: files of before have none. */
static void
need_lines(struct loader *l, struct ensemble *e)
{
    struct error ignored;
    struct st_tensor t;
    char name[48];

    if (l->failed ||
        !st_need(l->file, tensor_name(name, l->number, "line_start"), ST_U32,
                 -1, &t, &ignored))
        return;
    e->line_start =
        need(l, "line_start", ST_U32, (int64_t)e->n_values + 1, NULL);
    e->line_base = need(l, "line_base", ST_F64, (int64_t)e->n_values, NULL);
    e->line = need(l, "line", ST_F64, -1, &e->n_terms);
    e->line_col = need(l, "line_col", ST_U32, (int64_t)e->n_terms, NULL);
}

/* Nor had they what training rows did. */
static void
need_covers(struct loader *l, struct ensemble *e)
{
    struct error ignored;
    struct st_tensor t;
    char name[48];

    if (!l->failed && st_need(l->file, tensor_name(name, l->number, "cover"),
                              ST_F64, -1, &t, &ignored))
        e->cover = need(l, "cover", ST_F64, (int64_t)e->n_nodes, NULL);
}

static bool
corrupt(struct error *err, const char *what, size_t where)
{
    return error_set(err, ERR_CORRUPT, "trees: %s %zu is out of range", what,
                     where);
}

static bool
node_is_sound(const struct ensemble *e, size_t i)
{
    unsigned kind = e->kind[i] & ENSEMBLE_KIND;

    if (e->kind[i] >= 32 || kind > ENSEMBLE_SET)
        return false;
    if (kind == ENSEMBLE_LEAF)
        return e->feature[i] <= e->yes[i] && e->yes[i] <= e->n_values;
    return e->feature[i] < e->n_cols && e->yes[i] > i && e->no[i] > i &&
           e->yes[i] < e->n_nodes && e->no[i] < e->n_nodes &&
           !isnan(e->threshold[i]) &&
           (kind != ENSEMBLE_SET ||
            (e->threshold[i] >= 0 && e->threshold[i] < (double)e->n_sets));
}

static bool
check_nodes(const struct ensemble *e, struct error *err)
{
    for (size_t t = 0; t < e->n_trees; t++)
        if (e->root[t] >= e->n_nodes || (t > 0 && e->root[t] <= e->root[t - 1]))
            return corrupt(err, "tree", t);
    for (size_t i = 0; i < e->n_nodes; i++)
        if (!node_is_sound(e, i))
            return corrupt(err, "node", i);
    for (size_t i = 0; i < e->n_nodes && e->cover; i++)
        if (!isfinite(e->cover[i]) || e->cover[i] < 0)
            return corrupt(err, "cover", i);
    return true;
}

static bool
check_all(const struct ensemble *e, size_t n_words, struct error *err)
{
    if (e->set_start[0] != 0 || e->set_start[e->n_sets] != n_words)
        return corrupt(err, "set", 0);
    for (size_t s = 0; s < e->n_sets; s++)
        if (e->set_start[s] > e->set_start[s + 1])
            return corrupt(err, "set", s);
    for (size_t v = 0; v < e->n_values; v++)
        if (e->target[v] >= e->n_outputs || !isfinite(e->value[v]))
            return corrupt(err, "value", v);
    if (!ensemble_lines_are_sound(e))
        return corrupt(err, "line", 0);
    for (size_t k = 0; k < e->n_outputs; k++)
        if (!isfinite(e->base[k]))
            return corrupt(err, "base", k);
    for (size_t c = 0; c < e->n_cols; c++)
        if (!isfinite(e->gain[c]) || e->gain[c] < 0)
            return corrupt(err, "gain", c);
    return check_nodes(e, err);
}

struct ensemble *
ensemble_load(const struct st_file *f, unsigned number, size_t n_cols,
              size_t n_outputs, struct error *err)
{
    struct ensemble *e = mem_try_array(1, sizeof *e, err);
    struct loader l = {f, number, err, false};
    size_t starts = 0, words = 0;
    int64_t n;

    if (!e)
        return NULL;
    e->borrowed = true;
    e->n_cols = n_cols;
    e->n_outputs = n_outputs;
    e->root = need(&l, "root", ST_U32, -1, &e->n_trees);
    e->kind = need(&l, "kind", ST_U8, -1, &e->n_nodes);
    n = (int64_t)e->n_nodes;
    e->feature = need(&l, "feature", ST_U32, n, NULL);
    e->yes = need(&l, "yes", ST_U32, n, NULL);
    e->no = need(&l, "no", ST_U32, n, NULL);
    e->threshold = need(&l, "threshold", ST_F64, n, NULL);
    e->set_start = need(&l, "set_start", ST_U32, -1, &starts);
    e->word = need(&l, "word", ST_U64, -1, &words);
    e->value = need(&l, "value", ST_F64, -1, &e->n_values);
    e->target = need(&l, "target", ST_U32, (int64_t)e->n_values, NULL);
    need_lines(&l, e);
    need_covers(&l, e);
    e->base = need(&l, "base", ST_F64, (int64_t)n_outputs, NULL);
    e->gain = need(&l, "gain", ST_F64, (int64_t)n_cols, NULL);
    if (!l.failed && starts == 0)
        l.failed = !corrupt(err, "set", 0);
    if (!l.failed) {
        e->n_sets = starts - 1;
        l.failed = !check_all(e, words, err);
    }
    if (!l.failed)
        return e;
    ensemble_free(e);
    return NULL;
}
