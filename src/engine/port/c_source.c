/* engine/port/c_source.c -- write a graph as C.
 *
 * Numbers that are many are static arrays; each step becomes a loop over an
 * array of its own on the stack.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/c_source_state.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { MAX_WIDTHS = 1 << 16 }; /* half a megabyte of stack */

/* ---- words of C ---- */

static void
put_number(struct buf *out, double x)
{
    char text[STR_F64_MAX];

    if (isnan(x))
        buf_puts(out, "NAN");
    else if (isinf(x))
        buf_puts(out, x < 0 ? "-INFINITY" : "INFINITY");
    else {
        (void)str_from_f64(x, text);
        buf_puts(out, text);
    }
}

/* As a literal: what is not plain as octal escapes, which end after three
 * digits whatever follows. */
void
c_source_text(struct buf *out, const char *s)
{
    buf_putc(out, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c < 32 || c > 126 || strchr("\"\\?", c))
            buf_printf(out, "\\%03o", c);
        else
            buf_putc(out, *s);
    }
    buf_putc(out, '"');
}

/* In a comment: nothing that ends it, or that shows it in another order. */
static void
put_remark(struct buf *out, const char *s)
{
    struct buf line;

    buf_init(&line);
    buf_plain(&line, s, strlen(s), 0);
    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];

        buf_putc(out, c == '*' || c == '\\' ? ' ' : c);
    }
    out->failed = out->failed || line.failed;
    buf_fini(&line);
}

static bool
is_keyword(const char *s)
{
    static const char *const words[] = {
        "auto",     "break",    "case",     "char",   "const",    "continue",
        "default",  "do",       "double",   "else",   "enum",     "extern",
        "float",    "for",      "goto",     "if",     "inline",   "int",
        "long",     "register", "restrict", "return", "short",    "signed",
        "sizeof",   "static",   "struct",   "switch", "typedef",  "union",
        "unsigned", "void",     "volatile", "while",  "class",    "new",
        "bool",     "true",     "false",    "NAN",    "INFINITY", "this"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(s, words[i]) == 0)
            return true;
    return false;
}

static bool
is_identifier(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    for (const char *c = s; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return !is_keyword(s);
}

void
c_source_member(const struct portable *p, size_t i, struct buf *out)
{
    const char *s = p->input[i].name;

    if (is_identifier(s) && *s != '_') {
        buf_puts(out, s);
        return;
    }
    buf_putc(out, '_');
    for (; *s; s++)
        buf_putc(out, isalnum((unsigned char)*s) ? *s : '_');
    buf_printf(out, "_%zu", i);
}

/* Is number i of a list to be written?  Of what is stopped nothing is. */
static bool
goes_on(const struct writing *w, size_t i)
{
    return i % 4096 != 0 || !progress_stopped(w->p->arena.stop);
}

static void
put_numbers(struct writing *w, const char *name, size_t id, const double *x,
            size_t n)
{
    buf_printf(w->out, "static const double %s%zu[] = {", name, id);
    for (size_t i = 0; i < n && goes_on(w, i); i++) {
        buf_puts(w->out, i % 6 ? ", " : i ? ",\n    " : "\n    ");
        put_number(w->out, x[i]);
    }
    buf_puts(w->out, n ? "};\n" : "0};\n");
}

static void
put_indices(struct writing *w, const char *name, size_t id, const uint32_t *x,
            size_t n)
{
    buf_printf(w->out, "static const unsigned %s%zu[] = {", name, id);
    for (size_t i = 0; i < n && goes_on(w, i); i++)
        buf_printf(w->out, "%s%lu",
                   i % 12 ? ", "
                   : i    ? ",\n    "
                          : "\n    ",
                   (unsigned long)x[i]);
    buf_puts(w->out, n ? "};\n" : "0};\n");
}

/* ---- data ---- */

static void
put_tree_data(struct writing *w, size_t id, const struct ensemble *e)
{
    put_indices(w, "root", id, e->root, e->n_trees);
    buf_printf(w->out, "static const unsigned char kind%zu[] = {", id);
    for (size_t i = 0; i < e->n_nodes && goes_on(w, i); i++)
        buf_printf(w->out, "%s%u",
                   i % 24 ? ","
                   : i    ? ",\n    "
                          : "\n    ",
                   e->kind[i]);
    buf_puts(w->out, e->n_nodes ? "};\n" : "0};\n");
    put_indices(w, "feature", id, e->feature, e->n_nodes);
    put_indices(w, "yes", id, e->yes, e->n_nodes);
    put_indices(w, "no", id, e->no, e->n_nodes);
    put_numbers(w, "threshold", id, e->threshold, e->n_nodes);
    put_indices(w, "set", id, e->set_start, e->n_sets + 1);
    buf_printf(w->out, "static const unsigned long long word%zu[] = {", id);
    for (size_t i = 0; i < e->set_start[e->n_sets]; i++)
        buf_printf(w->out, "%s0x%llxu",
                   i % 4 ? ", "
                   : i   ? ",\n    "
                         : "\n    ",
                   (unsigned long long)e->word[i]);
    buf_puts(w->out, e->set_start[e->n_sets] ? "};\n" : "0};\n");
    put_indices(w, "target", id, e->target, e->n_values);
    put_numbers(w, "value", id, e->value, e->n_values);
    if (e->line_start) {
        put_indices(w, "line", id, e->line_start, e->n_values + 1);
        put_numbers(w, "begin", id, e->line_base, e->n_values);
        put_indices(w, "column", id, e->line_col, e->n_terms);
        put_numbers(w, "term", id, e->line, e->n_terms);
    }
    put_numbers(w, "base", id, e->base, e->n_outputs);
}

static void
put_data(struct writing *w)
{
    for (size_t c = 0; c < w->g->n_cols; c++) {
        const struct portable_input *in = &w->p->input[c];

        if (in->n_levels == 0 || in->open)
            continue;
        buf_printf(w->out, "/* ");
        put_remark(w->out, in->name);
        buf_printf(w->out, " */\nstatic const char *const level%zu[] = {", c);
        for (size_t k = 0; k < in->n_levels; k++) {
            buf_puts(w->out, k ? ",\n    " : "\n    ");
            c_source_text(w->out, in->levels[k]);
        }
        buf_puts(w->out, "};\n");
    }
    for (size_t i = 0; i < w->g->n; i++) {
        const struct graph_node *n = &w->g->node[i];
        const struct portable_grams *grams = portable_grams_at(w->p, i);

        if (!w->live[i])
            continue;
        if (grams && grams->weight)
            put_numbers(w, "weight", i, grams->weight, grams->size);
        if (n->n_a && !grams)
            put_numbers(w, "a", i, n->a, n->n_a);
        if (n->n_b)
            put_numbers(w, "b", i, n->b, n->n_b);
        if (n->n_index && n->op != GRAPH_INPUT)
            put_indices(w, "index", i, n->index, n->n_index);
        if (n->trees)
            put_tree_data(w, i, n->trees);
    }
}

/* ---- steps ---- */

/* An empty text is none. */
static void
put_filled(struct writing *w, size_t c)
{
    buf_puts(w->out, "row->");
    c_source_member(w->p, c, w->out);
    buf_puts(w->out, " && !*row->");
    c_source_member(w->p, c, w->out);
    buf_puts(w->out, " ? NULL : ");
}

static void
put_input(struct writing *w, size_t id, const struct graph_node *n)
{
    for (size_t j = 0; j < n->width; j++) {
        size_t c = n->index[j];
        bool open = w->p->input[c].open;
        size_t levels = open ? 0 : w->p->input[c].n_levels;

        buf_printf(w->out, "    v%zu[%zu] = ", id, j);
        if (levels)
            buf_puts(w->out, "level_of(");
        if (levels && w->p->input[c].blank)
            put_filled(w, c);
        buf_puts(w->out, "row->");
        c_source_member(w->p, c, w->out);
        if (levels)
            buf_printf(w->out, ", level%zu, %zu, ", c, levels);
        if (levels && w->p->input[c].rest)
            buf_printf(w->out, "%zu)", w->p->input[c].rest - 1);
        else if (levels)
            buf_puts(w->out, "NAN)");
        buf_puts(w->out, open ? " ? 0 : NAN;\n" : ";\n");
    }
}

static void
put_join(struct writing *w, size_t id, const struct graph_node *n)
{
    size_t at = 0;

    for (size_t k = 0; k < n->n_in; k++) {
        size_t width = w->g->node[n->in[k]].width;

        buf_printf(w->out,
                   "    memcpy(v%zu + %zu, v%lu, %zu * sizeof *v%zu);\n", id,
                   at, (unsigned long)n->in[k], width, id);
        at += width;
    }
}

static void
put_trees(struct writing *w, size_t id, const struct graph_node *n)
{
    buf_printf(w->out,
               "    memcpy(v%zu, base%zu, sizeof v%zu);\n"
               "    for (unsigned t = 0; t < %zu; t++) {\n"
               "        unsigned leaf = walk(root%zu[t], v%lu, kind%zu, "
               "feature%zu,\n"
               "                             threshold%zu, yes%zu, no%zu, "
               "set%zu, word%zu);\n"
               "\n"
               "        for (unsigned k = feature%zu[leaf]; k < "
               "yes%zu[leaf]; k++)\n"
               "            v%zu[target%zu[k]] += ",
               id, id, id, n->trees->n_trees, id, (unsigned long)n->in[0], id,
               id, id, id, id, id, id, id, id, id, id);
    if (n->trees->line_start)
        buf_printf(
            w->out,
            "\n                line_at(v%lu, line%zu[k], line%zu[k + 1], "
            "column%zu,\n                        term%zu, begin%zu[k], "
            "value%zu[k]);\n    }\n",
            (unsigned long)n->in[0], id, id, id, id, id, id);
    else
        buf_printf(w->out, "value%zu[k];\n    }\n", id);
}

static void
put_dense(struct writing *w, size_t id, const struct graph_node *n)
{
    if (n->n_b)
        buf_printf(w->out, "    memcpy(v%zu, b%zu, sizeof v%zu);\n", id, id,
                   id);
    else
        buf_printf(w->out, "    memset(v%zu, 0, sizeof v%zu);\n", id, id);
    buf_printf(w->out,
               "    for (unsigned i = 0; i < %zu; i++)\n"
               "        for (unsigned j = 0; j < %zu; j++)\n"
               "            v%zu[j] += a%zu[i * %zu + j] * v%lu[i];\n",
               n->n_a / n->width, n->width, id, id, n->width,
               (unsigned long)n->in[0]);
}

static void
put_embed(struct writing *w, size_t id, const struct graph_node *n)
{
    unsigned long in = n->in[0];
    size_t columns = w->g->node[in].width, width = n->width / columns;

    buf_printf(w->out,
               "    for (unsigned j = 0; j < %zu; j++) {\n"
               "        unsigned at = v%lu[j] >= 0 && v%lu[j] < %zu ? "
               "(unsigned)v%lu[j] : 0;\n\n"
               "        memcpy(v%zu + j * %zu, a%zu + at * %zu, %zu * sizeof "
               "*v%zu);\n    }\n",
               columns, in, in, n->n_a / width, in, id, width, id, width, width,
               id);
}

static void
put_near(struct writing *w, size_t id, const struct graph_node *n)
{
    unsigned long in = n->in[0];
    size_t width = w->g->node[in].width;

    if (n->op == GRAPH_DISTANCE)
        buf_printf(w->out, "    distance(v%lu, a%zu, %zu, %zu, v%zu);\n", in,
                   id, n->width, width, id);
    else
        buf_printf(w->out, "    nearest(v%lu, %zu, %zu, v%zu);\n", in, width,
                   n->width / 2, id);
}

static void
put_grams(struct writing *w, size_t id, const struct portable_grams *g)
{
    struct buf *out = w->out;

    buf_printf(out, "    count_%s(row->", g->chars ? "chars" : "words");
    c_source_member(w->p, g->input, out);
    if (g->fill) {
        buf_puts(out, " ? row->");
        c_source_member(w->p, g->input, out);
        buf_puts(out, " : ");
        c_source_text(out, g->fill);
    }
    buf_printf(out, ", %zu, %zu, %zu, v%zu);\n", g->from, g->to, g->size, id);
    if (g->weight)
        buf_printf(out, "    weigh(weight%zu, %zu, v%zu);\n", id, g->size, id);
}

static void
put_window(struct writing *w, size_t id, const struct graph_node *n)
{
    unsigned long in = n->in[0];

    if (n->op == GRAPH_CONV)
        buf_printf(w->out, "    conv(v%lu, index%zu, a%zu, b%zu, %zu, v%zu);\n",
                   in, id, id, id, n->n_b, id);
    else
        buf_printf(w->out, "    pool(v%lu, index%zu, %d, v%zu);\n", in, id,
                   n->op == GRAPH_MAXPOOL, id);
}

static void
put_keys(struct writing *w, size_t id, const struct graph_node *n)
{
    unsigned long in = n->in[0];

    buf_printf(w->out,
               "    {\n        unsigned i = place_of(v%lu[0], a%zu, "
               "%zu);\n\n",
               in, id, n->n_a);
    if (n->op == GRAPH_ONEHOT) {
        buf_printf(w->out,
                   "        memset(v%zu, 0, sizeof v%zu);\n"
                   "        if (i < %zu)\n"
                   "            v%zu[index%zu[i]] = 1;\n    }\n",
                   id, id, n->n_a, id, id);
        return;
    }
    buf_printf(w->out, "        v%zu[0] = i < %zu ? b%zu[i] : ", id, n->n_a,
               id);
    put_number(w->out, n->c);
    buf_puts(w->out, ";\n    }\n");
}

/* Of a row: softmax, or shares of the sum. */
static void
put_shares(struct writing *w, size_t id, const struct graph_node *n)
{
    unsigned long in = n->in[0];

    buf_printf(w->out, "    {\n        double top = v%lu[0], sum = 0;\n\n", in);
    if (n->op == GRAPH_SOFTMAX)
        buf_printf(w->out,
                   "        for (unsigned j = 1; j < %zu; j++)\n"
                   "            top = v%lu[j] > top ? v%lu[j] : top;\n",
                   n->width, in, in);
    buf_printf(w->out,
               "        for (unsigned j = 0; j < %zu; j++)\n"
               "            sum += v%zu[j] = %sv%lu[j]%s;\n"
               "        for (unsigned j = 0; j < %zu; j++)\n"
               "            v%zu[j] = sum != 0 ? v%zu[j] / sum : 1.0 / %zu;\n"
               "        (void)top;\n"
               "    }\n",
               n->width, id, n->op == GRAPH_SOFTMAX ? "exp(" : "", in,
               n->op == GRAPH_SOFTMAX ? " - top)" : "", n->width, id, id,
               n->width);
}

/* What becomes of x, a number of the input; y of the second. */
static void
put_formula(struct writing *w, size_t id, const struct graph_node *n)
{
    static const char *const texts[GRAPH_N_OPS] = {
        [GRAPH_ROUND] = "(double)(float)x",
        [GRAPH_ADD] = "x + y",
        [GRAPH_SUB] = "x - y",
        [GRAPH_MUL] = "x * y",
        [GRAPH_DIV] = "x / y",
        [GRAPH_OR] = "x != 0 || y != 0",
        [GRAPH_POW] = "pow(x, y)",
        [GRAPH_MOD] = "fmod(x, y)",
        [GRAPH_WHERE] = "x != 0 ? y : z",
        [GRAPH_RELU] = "x < 0 ? 0 : x",
        [GRAPH_ELU] = "x < 0 ? exp(x) - 1 : x",
        [GRAPH_SIGMOID] = "sigmoid(x)",
        [GRAPH_TANH] = "tanh(x)",
        [GRAPH_EXP] = "exp(x)",
        [GRAPH_LOG] = "log(x)",
        [GRAPH_SQRT] = "sqrt(x)",
        [GRAPH_FLOOR] = "floor(x)",
        [GRAPH_WHOLE] = "rint(x)",
        [GRAPH_SOFTPLUS] = "x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))",
        [GRAPH_SQUARE] = "x * fabs(x)"};

    switch (n->op) {
    case GRAPH_PICK:
        buf_printf(w->out, "v%lu[index%zu[j]]", (unsigned long)n->in[0], id);
        break;
    case GRAPH_FILL:
        buf_printf(w->out, "isnan(x)%s ? a%zu[j] : x",
                   n->c != 0 ? " || isinf(x)" : "", id);
        break;
    case GRAPH_SCALE:
        buf_printf(w->out, "(x - a%zu[j]) * b%zu[j]", id, id);
        break;
    case GRAPH_MISSING:
        buf_puts(w->out, n->c == 0   ? "isnan(x) != 0"
                         : n->c == 1 ? "isnan(x) || isinf(x)"
                                     : "isinf(x) != 0");
        break;
    case GRAPH_CLIP:
        buf_printf(w->out, "x < a%zu[0] ? a%zu[0] : x > b%zu[0] ? b%zu[0] : x",
                   id, id, id, id);
        break;
    case GRAPH_LEAKY:
    case GRAPH_STEP:
        buf_puts(w->out, n->op == GRAPH_STEP ? "x > " : "x < 0 ? x * ");
        put_number(w->out, n->c);
        buf_puts(w->out, n->op == GRAPH_STEP ? "" : " : x");
        break;
    default:
        buf_puts(w->out, texts[n->op]);
    }
}

static void
put_each(struct writing *w, size_t id, const struct graph_node *n)
{
    static const char letters[] = "xyz";

    buf_printf(w->out, "    for (unsigned j = 0; j < %zu; j++) {\n", n->width);
    for (size_t k = 0; k < n->n_in && n->op != GRAPH_PICK; k++) {
        size_t width = w->g->node[n->in[k]].width;

        buf_printf(w->out, "        double %c = v%lu[%s];\n", letters[k],
                   (unsigned long)n->in[k],
                   width == 1 && n->width > 1 ? "0" : "j");
    }
    buf_printf(w->out, "%s        v%zu[j] = ", n->op == GRAPH_PICK ? "" : "\n",
               id);
    put_formula(w, id, n);
    buf_puts(w->out, ";\n    }\n");
}

static void
put_step(struct writing *w, size_t id)
{
    const struct graph_node *n = &w->g->node[id];
    const struct portable_grams *grams = portable_grams_at(w->p, id);

    if (grams) {
        put_grams(w, id, grams);
        return;
    }
    switch (n->op) {
    case GRAPH_INPUT:
        put_input(w, id, n);
        break;
    case GRAPH_JOIN:
        put_join(w, id, n);
        break;
    case GRAPH_ONEHOT:
    case GRAPH_MAP:
        put_keys(w, id, n);
        break;
    case GRAPH_EMBED:
        put_embed(w, id, n);
        break;
    case GRAPH_DISTANCE:
    case GRAPH_NEAREST:
        put_near(w, id, n);
        break;
    case GRAPH_CONV:
    case GRAPH_MAXPOOL:
    case GRAPH_MEANPOOL:
        put_window(w, id, n);
        break;
    case GRAPH_DENSE:
        put_dense(w, id, n);
        break;
    case GRAPH_TREES:
        put_trees(w, id, n);
        break;
    case GRAPH_SOFTMAX:
    case GRAPH_NORMALIZE:
        put_shares(w, id, n);
        break;
    default:
        put_each(w, id, n);
    }
}

/* ---- the file ---- */

static void
put_head(struct writing *w)
{
    const struct portable *p = w->p;

    if (p->n_answers)
        buf_puts(w->out, "/* A model without a target");
    else {
        buf_puts(w->out, "/* A model of ");
        put_remark(w->out, p->target ? p->target : "a target");
        buf_printf(w->out, ", %s", problem_word(p->problem));
    }
    buf_printf(w->out,
               ", written by lathe " PACKAGE_VERSION ".\n"
               " *\n"
               " * %s_predict() puts %s into out.\n"
               " * A number that is missing is NAN, a text NULL.%s  C99, with "
               "-lm. */\n"
               "#include <math.h>\n#include <string.h>\n\n"
               "struct %s_row {\n",
               w->prefix,
               p->n_answers                       ? "its answers, named below,"
               : p->problem == PROBLEM_REGRESSION ? "the prediction"
               : p->problem == PROBLEM_BINARY
                   ? "the probability of the second class"
                   : "the probability of each class",
               p->grams ? "  Texts are UTF-8." : "", w->prefix);
    for (size_t c = 0; c < w->g->n_cols; c++) {
        buf_puts(w->out,
                 p->input[c].n_levels ? "    const char *" : "    double ");
        c_source_member(w->p, c, w->out);
        buf_puts(w->out, ";");
        if (!is_identifier(p->input[c].name)) {
            buf_puts(w->out, " /* ");
            put_remark(w->out, p->input[c].name);
            buf_puts(w->out, " */");
        }
        buf_putc(w->out, '\n');
    }
    buf_puts(w->out, "};\nenum {");
    for (size_t c = 0; c < p->n_answers; c++)
        buf_printf(w->out, " %s_%s,", w->prefix, p->answer[c].name);
    buf_printf(w->out, " %s_outputs = %zu };\n", w->prefix, portable_width(p));
    if (p->n_classes) {
        buf_printf(w->out,
                   "extern const char *const %s_classes[%zu];\n"
                   "const char *const %s_classes[%zu] = {",
                   w->prefix, p->n_classes, w->prefix, p->n_classes);
        for (size_t k = 0; k < p->n_classes; k++) {
            buf_puts(w->out, k ? ", " : "");
            c_source_text(w->out, p->classes[k]);
        }
        buf_puts(w->out, "};\n");
    }
    buf_printf(w->out,
               "void %s_predict(const struct %s_row *row, double *out);\n\n",
               w->prefix, w->prefix);
}

static void
put_predict(struct writing *w)
{
    buf_printf(w->out,
               "void\n%s_predict(const struct %s_row *row, double *out)\n{\n",
               w->prefix, w->prefix);
    for (size_t i = 0; i < w->g->n; i++)
        if (w->live[i])
            buf_printf(w->out, "    double v%zu[%zu];\n", i,
                       w->g->node[i].width);
    buf_putc(w->out, '\n');
    for (size_t i = 0; i < w->g->n; i++)
        if (w->live[i])
            put_step(w, i);
    buf_printf(w->out, "    memcpy(out, v%zu, sizeof v%zu);\n}\n", w->g->n - 1,
               w->g->n - 1);
}

/* As graph_live(), but n-grams are counted of a row's text. */
static bool *
live_nodes(const struct portable *p, struct error *err)
{
    const struct graph *g = p->graph;
    bool *live = mem_try_array(g->n, sizeof *live, err);

    if (live)
        live[g->n - 1] = true;
    for (size_t i = g->n; live && i-- > 0;)
        for (size_t k = 0; live[i] && k < g->node[i].n_in; k++)
            if (!portable_grams_at(p, i))
                live[g->node[i].in[k]] = true;
    return live;
}

bool
c_source_write(const struct portable *p, const char *prefix, struct buf *out,
               struct error *err)
{
    struct writing w = {p, p->graph, prefix, out, NULL};
    bool *live;

    if (!is_identifier(prefix))
        return error_set(err, ERR_RANGE,
                         "'%s' is no name in C: letters, digits and _", prefix);
    if (p->graph->widths > MAX_WIDTHS)
        return error_set(err, ERR_LIMIT,
                         "the steps of this model are %zu numbers wide, at "
                         "most %d fit a stack: write this model as --onnx",
                         p->graph->widths, MAX_WIDTHS);
    if (!(live = live_nodes(p, err)))
        return false;
    w.live = live;
    put_head(&w);
    put_data(&w);
    buf_putc(out, '\n');
    c_source_functions(&w);
    put_predict(&w);
    free(live);
    return progress_check(p->arena.stop, err) && buf_check(out, err);
}
