/* engine/port/lightgbm_in.c -- read the text of LightGBM.
 *
 * Lines "key=value", a block for the head and one for each tree, each behind a
 * line "Tree=N".  tree_sizes is not believed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/lightgbm.h"

enum { MAX_KEYS = 64 };

/* The lines of one block. */
struct block {
    struct str key[MAX_KEYS], value[MAX_KEYS];
    size_t n;
};

struct reading {
    struct str rest;
    struct block b;
    struct arena arena; /* lists of a tree */
    size_t n_cols, n_outputs;
    enum graph_op link;
    double sigma;
    bool average;
    struct portable *p;
    struct error *err;
};

/* ---- lines ---- */

static bool
next_line(struct str *rest, struct str *line)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->n;

    if (rest->n == 0)
        return false;
    *line = (struct str){rest->p, n};
    if (n && line->p[n - 1] == '\r')
        line->n--;
    n += end != NULL;
    *rest = (struct str){rest->p + n, rest->n - n};
    return true;
}

/* Lines up to the next "Tree=" or "end of trees", which is left. */
static bool
read_block(struct reading *r)
{
    struct str line, before = r->rest;

    r->b.n = 0;
    while (next_line(&r->rest, &line)) {
        const char *eq = line.n ? memchr(line.p, '=', line.n) : NULL;
        size_t n = eq ? (size_t)(eq - line.p) : line.n;

        if (str_starts(line, "Tree=") || str_is(line, "end of trees")) {
            r->rest = before;
            return true;
        }
        before = r->rest;
        if (line.n == 0)
            continue;
        if (r->b.n == MAX_KEYS)
            return error_set(r->err, ERR_PARSE, "more than %d lines in a block",
                             MAX_KEYS);
        r->b.key[r->b.n] = (struct str){line.p, n};
        r->b.value[r->b.n++] =
            eq ? (struct str){eq + 1, line.n - n - 1} : (struct str){"", 0};
    }
    return error_set(r->err, ERR_PARSE, "cut off: no 'end of trees'");
}

static struct str
find(const struct block *b, const char *key, bool *there)
{
    *there = false;
    for (size_t i = 0; i < b->n; i++)
        if (str_is(b->key[i], key)) {
            *there = true;
            return b->value[i];
        }
    return (struct str){"", 0};
}

static bool
count_of(struct reading *r, const char *key, size_t max, size_t fallback,
         size_t *out)
{
    bool there;
    struct str t = find(&r->b, key, &there);
    int64_t v = (int64_t)fallback;

    if (there && (!str_to_i64(str_trim(t), &v) || v < 0 || v > (int64_t)max))
        return error_set(r->err, ERR_PARSE, "%s is '%.*s', expected 0..%zu",
                         key, (int)(t.n < 32 ? t.n : 32), t.p, max);
    *out = (size_t)v;
    return true;
}

/* The next word of a list. */
static bool
next_word(struct str *rest, struct str *word)
{
    size_t n = 0;

    while (rest->n && *rest->p == ' ')
        *rest = (struct str){rest->p + 1, rest->n - 1};
    while (n < rest->n && rest->p[n] != ' ')
        n++;
    *word = (struct str){rest->p, n};
    *rest = (struct str){rest->p + n, rest->n - n};
    return n > 0;
}

/* A list of n numbers; NULL on failure. */
static const double *
list_of(struct reading *r, const char *key, size_t n)
{
    bool there;
    struct str rest = find(&r->b, key, &there), word;
    size_t k = 0;
    double *x;

    /* A number takes two bytes of the file at least. */
    if (!there || n > rest.n + 1) {
        error_set(r->err, ERR_PARSE, "%s has not %zu numbers", key, n);
        return NULL;
    }
    if (!(x = arena_try(&r->arena, n, sizeof *x, r->err)))
        return NULL;
    while (k < n && next_word(&rest, &word))
        if (!str_to_f64(word, &x[k++])) {
            error_set(r->err, ERR_PARSE, "%s holds '%.*s'", key,
                      (int)(word.n < 32 ? word.n : 32), word.p);
            return NULL;
        }
    if (k == n && str_trim(rest).n == 0)
        return x;
    error_set(r->err, ERR_PARSE, "%s has not %zu numbers", key, n);
    return NULL;
}

/* ---- head ---- */

static const struct objective {
    const char *name;
    enum graph_op link;
    bool classes, sigma;
} objectives[] = {
    {"binary", GRAPH_SIGMOID, true, true},
    {"cross_entropy", GRAPH_SIGMOID, false, false},
    {"cross_entropy_lambda", GRAPH_SOFTPLUS, false, false},
    {"custom", GRAPH_INPUT, false, false},
    {"fair", GRAPH_INPUT, false, false},
    {"gamma", GRAPH_EXP, false, false},
    {"huber", GRAPH_INPUT, false, false},
    {"lambdarank", GRAPH_INPUT, false, false},
    {"mape", GRAPH_INPUT, false, false},
    {"multiclass", GRAPH_SOFTMAX, true, false},
    {"multiclassova", GRAPH_SIGMOID, true, true},
    {"poisson", GRAPH_EXP, false, false},
    {"quantile", GRAPH_INPUT, false, false},
    {"rank_xendcg", GRAPH_INPUT, false, false},
    {"regression", GRAPH_INPUT, false, false},
    {"regression_l1", GRAPH_INPUT, false, false},
    {"tweedie", GRAPH_EXP, false, false},
    {"xentlambda", GRAPH_SOFTPLUS, false, false},
    {"xentropy", GRAPH_SIGMOID, false, false},
};
enum { N_OBJECTIVES = sizeof objectives / sizeof objectives[0] };

static bool
objective_read(struct reading *r, const struct objective **out)
{
    bool there;
    struct str rest = find(&r->b, "objective", &there), name, word;

    *out = NULL;
    if (!there || !next_word(&rest, &name))
        name = STR("custom");
    for (size_t i = 0; i < N_OBJECTIVES; i++)
        if (str_is(name, objectives[i].name))
            *out = &objectives[i];
    if (!*out)
        return error_set(r->err, ERR_TYPE,
                         "objective '%.*s' is not known: where its answers are "
                         "the sums of the trees, write objective=regression in "
                         "its place",
                         (int)(name.n < 32 ? name.n : 32), name.p);
    r->link = (*out)->link;
    r->sigma = 1;
    while (next_word(&rest, &word)) {
        if (str_is(word, "sqrt"))
            r->link = GRAPH_SQUARE;
        if ((*out)->sigma && str_starts(word, "sigmoid:") &&
            (!str_to_f64((struct str){word.p + 8, word.n - 8}, &r->sigma) ||
             !(r->sigma > 0) || !isfinite(r->sigma)))
            return error_set(r->err, ERR_PARSE, "objective: a bad sigmoid");
    }
    return true;
}

static bool
names_read(struct reading *r)
{
    bool there;
    struct str rest = find(&r->b, "feature_names", &there), word;

    for (size_t i = 0; i < r->n_cols && next_word(&rest, &word); i++)
        if (!portable_name(r->p, i, word, r->err))
            return false;
    return portable_name_rest(r->p, "Column_", r->err);
}

/* "0:1:2", a category's values; not "[min:max]" nor "none". */
static bool
is_category(struct str info)
{
    return info.n && info.p[0] != '[' && !str_is(info, "none");
}

/* Levels of columns that pandas had as categories: the last line of the file
 * has a list for each, in their order. */
static bool
pandas_read(struct reading *r, struct str infos, struct str lists)
{
    struct error why = {0};
    struct json *v = json_parse(lists, &why);
    const struct json *list =
        v && json_type(v) == JSON_ARRAY ? json_first(v) : NULL;
    struct str word;
    bool ok = why.code != ERR_NOMEM ||
              error_set(r->err, ERR_NOMEM, "%s", why.message);

    for (size_t i = 0; i < r->n_cols && next_word(&infos, &word) && list && ok;
         i++) {
        if (!is_category(word))
            continue;
        ok = portable_levels(r->p, i, list, r->err);
        list = json_next(list);
    }
    json_free(v);
    return ok;
}

static bool
version_check(struct reading *r, struct str version)
{
    if (str_is(version, "v2") || str_is(version, "v3") || str_is(version, "v4"))
        return true;
    return error_set(r->err, ERR_TYPE, "version '%.*s', expected v2, v3 or v4",
                     (int)(version.n < 16 ? version.n : 16), version.p);
}

static void
about(struct reading *r, const struct objective *o, struct str version)
{
    char text[64];

    snprintf(text, sizeof text, "LightGBM text %.*s", (int)version.n,
             version.p);
    portable_tell(r->p, "format", text);
    portable_tell(r->p, "objective", o->name);
}

static bool
head_read(struct reading *r)
{
    const struct objective *o = NULL;
    struct str version, schema;
    size_t last, classes;
    bool there, shares = false;

    if (!read_block(r) || !objective_read(r, &o) ||
        !count_of(r, "max_feature_idx", UINT32_MAX - 2, 0, &last) ||
        !count_of(r, "num_class", TARGET_MAX_CLASSES, 1, &classes) ||
        !count_of(r, "num_tree_per_iteration", TARGET_MAX_CLASSES, 1,
                  &r->n_outputs))
        return false;
    version = find(&r->b, "version", &there);
    if (!version_check(r, version))
        return false;
    (void)find(&r->b, "average_output", &r->average);
    r->n_cols = last + 1;
    schema = find(&r->b, "lathe", &there);
    if (there && !portable_schema_shares(schema, &shares, r->err))
        return false;
    if (shares && o->link == GRAPH_INPUT) {
        static const struct objective means = {"none", GRAPH_CLIP, true, false};

        o = &means;
        r->link = r->n_outputs > 1 ? GRAPH_NORMALIZE : GRAPH_CLIP;
    }
    if (r->n_outputs == 0 || (r->n_outputs > 1 && !o->classes) ||
        (r->n_outputs == 1 && o->link == GRAPH_SOFTMAX))
        return error_set(r->err, ERR_TYPE,
                         "%zu outputs with objective %s are not read",
                         r->n_outputs, o->name);
    if (!(r->p = portable_new(r->n_cols, r->err)) || !names_read(r))
        return false;
    about(r, o, version);
    if (o->classes &&
        !portable_classes(r->p, NULL, r->n_outputs > 1 ? r->n_outputs : 2,
                          r->err))
        return false;
    (void)find(&r->b, "lathe", &there);
    return !there || portable_schema_read(r->p, schema, true, r->err);
}

/* ---- trees ---- */

struct tree {
    size_t n, n_sets; /* inner nodes */
    const double *feature, *threshold, *kind, *left, *right, *value, *gain;
    const double *leaf_count, *count; /* training rows, or NULL */
    const double *bound, *word;       /* of sets */
    uint32_t first_set;
    /* Lines of leaves, or NULL: what they begin with, and their terms. */
    const double *line_base, *n_terms, *line_col, *line;
};

static bool
is_index(double x, size_t limit)
{
    return x >= 0 && x < (double)limit && x == floor(x);
}

/* The members of set k: bits of 32-bit words. */
static bool
set_take(struct reading *r, struct ensemble *e, const struct tree *t, size_t k,
         size_t n_words)
{
    double *member;
    size_t n = 0, first, end;
    uint32_t number;

    if (!is_index(t->bound[k], n_words + 1) ||
        !is_index(t->bound[k + 1], n_words + 1) ||
        t->bound[k] > t->bound[k + 1])
        return error_set(r->err, ERR_PARSE, "cat_boundaries do not ascend");
    first = (size_t)t->bound[k];
    end = (size_t)t->bound[k + 1];
    member = mem_try_array(end - first + 1, 32 * sizeof *member, r->err);
    if (!member)
        return false;
    for (size_t w = first; w < end; w++)
        for (size_t bit = 0;
             bit < 32 && is_index(t->word[w], (size_t)UINT32_MAX + 1); bit++)
            if ((uint64_t)t->word[w] >> bit & 1)
                member[n++] = (double)((w - first) * 32 + bit);
    first = ensemble_add_set(e, member, n, &number, r->err);
    free(member);
    return first;
}

static bool
sets_take(struct reading *r, struct ensemble *e, struct tree *t)
{
    size_t n_words;

    t->first_set = (uint32_t)e->n_sets;
    if (t->n_sets == 0)
        return true;
    if (!(t->bound = list_of(r, "cat_boundaries", t->n_sets + 1)))
        return false;
    if (!is_index(t->bound[t->n_sets], UINT32_MAX))
        return error_set(r->err, ERR_PARSE, "cat_boundaries do not ascend");
    n_words = (size_t)t->bound[t->n_sets];
    if (!(t->word = list_of(r, "cat_threshold", n_words)))
        return false;
    for (size_t k = 0; k < t->n_sets; k++)
        if (!set_take(r, e, t, k, n_words))
            return false;
    return true;
}

/* A child: an inner node, or ~leaf, which stands behind these. */
static bool
child_take(const struct tree *t, double child, uint32_t *out)
{
    if (child < 0 && is_index(-1 - child, t->n + 1))
        *out = (uint32_t)((double)t->n - 1 - child);
    else if (is_index(child, t->n))
        *out = (uint32_t)child;
    else
        return false;
    return true;
}

static bool
node_take(struct reading *r, const struct tree *t, size_t i,
          struct ensemble_node *to)
{
    unsigned bits, missing;
    bool category;

    if (!is_index(t->kind[i], 16) || !is_index(t->feature[i], r->n_cols) ||
        !child_take(t, t->left[i], &to->yes) ||
        !child_take(t, t->right[i], &to->no))
        return error_set(r->err, ERR_PARSE, "node %zu is out of range", i);
    bits = (unsigned)t->kind[i];
    category = bits & 1;
    missing = bits >> 2;
    to->feature = (uint32_t)t->feature[i];
    to->threshold = t->threshold[i];
    to->kind = category ? ENSEMBLE_SET : ENSEMBLE_LE;
    if (category) {
        if (!is_index(t->threshold[i], t->n_sets))
            return error_set(r->err, ERR_PARSE, "node %zu has no set", i);
        to->threshold += t->first_set;
        return true; /* what is missing goes right */
    }
    if (missing == 1)
        to->kind |= ENSEMBLE_ZERO_MISSING;
    /* Where nothing is missing NaN is 0. */
    if (missing == 0 ? 0 <= t->threshold[i] : bits >> 1 & 1)
        to->kind |= ENSEMBLE_MISSING_YES;
    return true;
}

/* Leaves that are lines: linear_tree=true. */
static bool
lines_open(struct reading *r, struct tree *t)
{
    size_t linear, all = 0;

    if (!count_of(r, "is_linear", 1, 0, &linear))
        return false;
    if (!linear)
        return true;
    if (!(t->line_base = list_of(r, "leaf_const", t->n + 1)) ||
        !(t->n_terms = list_of(r, "num_features", t->n + 1)))
        return false;
    for (size_t i = 0; i <= t->n; i++) {
        if (!is_index(t->n_terms[i], r->n_cols + 1))
            return error_set(r->err, ERR_PARSE,
                             "leaf %zu is a line of %g columns", i,
                             t->n_terms[i]);
        all += (size_t)t->n_terms[i];
    }
    return (t->line_col = list_of(r, "leaf_features", all)) &&
           (t->line = list_of(r, "leaf_coeff", all));
}

/* How training rows went, where it says so. */
static bool
counts_open(struct reading *r, struct tree *t)
{
    bool leaves, inner;

    (void)find(&r->b, "leaf_count", &leaves);
    (void)find(&r->b, "internal_count", &inner);
    if (!leaves || !inner)
        return true;
    return (t->leaf_count = list_of(r, "leaf_count", t->n + 1)) &&
           (t->count = list_of(r, "internal_count", t->n));
}

static bool
tree_open(struct reading *r, struct tree *t)
{
    size_t leaves;

    if (!count_of(r, "num_leaves", UINT32_MAX / 4, 0, &leaves) ||
        !count_of(r, "num_cat", UINT32_MAX / 4, 0, &t->n_sets))
        return false;
    if (leaves == 0)
        return error_set(r->err, ERR_PARSE, "no leaves");
    t->n = leaves - 1;
    if (!(t->value = list_of(r, "leaf_value", leaves)) || !lines_open(r, t))
        return false;
    return t->n == 0 ||
           ((t->feature = list_of(r, "split_feature", t->n)) &&
            (t->threshold = list_of(r, "threshold", t->n)) &&
            (t->kind = list_of(r, "decision_type", t->n)) &&
            (t->left = list_of(r, "left_child", t->n)) &&
            (t->right = list_of(r, "right_child", t->n)) &&
            (t->gain = list_of(r, "split_gain", t->n)) && counts_open(r, t));
}

/* Leaf i, whose terms are `at` and on.  One of no terms is its constant. */
static bool
line_take(struct reading *r, struct ensemble *e, const struct tree *t, size_t i,
          size_t at, size_t output)
{
    size_t n = (size_t)t->n_terms[i];
    uint32_t *col = arena_try(&r->arena, n, sizeof *col, r->err);
    double *term = arena_try(&r->arena, n, sizeof *term, r->err);
    double base = t->line_base[i] * r->sigma;

    if (!col || !term)
        return false;
    for (size_t k = 0; k < n; k++) {
        if (!is_index(t->line_col[at + k], r->n_cols))
            return error_set(r->err, ERR_PARSE,
                             "leaf %zu is a line over column %g of %zu", i,
                             t->line_col[at + k], r->n_cols);
        col[k] = (uint32_t)t->line_col[at + k];
        term[k] = t->line[at + k] * r->sigma;
    }
    return ensemble_add_value(e, output, n ? t->value[i] * r->sigma : base,
                              r->err) &&
           (n == 0 || ensemble_add_line(e, base, col, term, n, r->err));
}

static bool
tree_fill(struct reading *r, struct ensemble *e, const struct tree *t,
          size_t output, struct ensemble_node *node)
{
    size_t at = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (!node_take(r, t, i, &node[i]))
            return false;
        node[i].cover = t->count ? t->count[i] : 0;
        if (t->gain[i] > 0 && isfinite(t->gain[i]))
            e->gain[node[i].feature] += t->gain[i];
    }
    for (size_t i = 0; i <= t->n; i++) {
        node[t->n + i].feature = (uint32_t)e->n_values;
        node[t->n + i].yes = (uint32_t)e->n_values + 1;
        node[t->n + i].cover = t->leaf_count ? t->leaf_count[i] : 0;
        if (!(t->line_base ? line_take(r, e, t, i, at, output)
                           : ensemble_add_value(
                                 e, output, t->value[i] * r->sigma, r->err)))
            return false;
        at += t->line_base ? (size_t)t->n_terms[i] : 0;
    }
    return ensemble_add_tree(e, node, 2 * t->n + 1, 0, r->err);
}

static bool
tree_read(struct reading *r, struct ensemble *e, size_t output)
{
    struct tree t = {0};
    struct ensemble_node *node;
    bool ok;

    if (!read_block(r) || !tree_open(r, &t) || !sets_take(r, e, &t) ||
        !(node = mem_try_array(2 * t.n + 1, sizeof *node, r->err)))
        return false;
    ok = tree_fill(r, e, &t, output, node);
    free(node);
    return ok;
}

static bool
trees_read(struct reading *r, struct ensemble *e)
{
    size_t n = 0;
    struct str line;

    while (next_line(&r->rest, &line) && str_starts(line, "Tree=")) {
        if (!tree_read(r, e, n % r->n_outputs))
            return error_prefix(r->err, "tree %zu: ", n);
        arena_reset(&r->arena);
        n++;
    }
    if (r->average)
        ensemble_scale(e, 1, (double)(n / r->n_outputs + (n < r->n_outputs)));
    portable_tell_count(r->p, "trees", n);
    return true;
}

/* Behind the trees: what pandas had as categories. */
static bool
tail_read(struct reading *r, struct str infos)
{
    struct str line;

    while (next_line(&r->rest, &line))
        if (str_starts(line, "pandas_categorical:"))
            return pandas_read(r, infos,
                               (struct str){line.p + 19, line.n - 19});
    return true;
}

bool
lightgbm_is(struct str bytes)
{
    return str_starts(bytes, "tree\n") || str_starts(bytes, "tree\r\n");
}

struct portable *
lightgbm_read(struct str bytes, const struct progress *stop, struct error *err)
{
    struct reading r = {.rest = bytes, .err = err};
    struct ensemble *e = NULL;
    struct str infos;
    bool ok = false, there;

    arena_init(&r.arena);
    r.arena.stop = stop;
    if (head_read(&r)) {
        infos = find(&r.b, "feature_infos", &there);
        ok = (e = ensemble_new(r.n_cols, r.n_outputs, err)) &&
             trees_read(&r, e) && tail_read(&r, infos);
    }
    if (ok)
        ok =
            boosted_put(r.p, e, false, r.link, err) && portable_check(r.p, err);
    else
        ensemble_free(e);
    arena_fini(&r.arena);
    if (ok)
        return r.p;
    portable_free(r.p);
    return NULL;
}
