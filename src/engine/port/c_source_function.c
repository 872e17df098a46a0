/* engine/port/c_source_function.c -- the functions that written C begins with.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/c_source_state.h"

static bool
uses(const struct writing *w, enum graph_op op)
{
    for (size_t i = 0; i < w->g->n; i++)
        if (w->live[i] && w->g->node[i].op == op)
            return true;
    return false;
}

static bool
has_lines(const struct graph *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->node[i].trees && g->node[i].trees->line_start)
            return true;
    return false;
}

static const char line_text[] =
    "/* A leaf that is the line of terms i .. end - 1, or else plain: without\n"
    " * terms, and where the line is not finite, as where it misses one. */\n"
    "static double\n"
    "line_at(const double *x, unsigned i, unsigned end, const unsigned *column,\n"
    "        const double *term, double begin, double plain)\n"
    "{\n"
    "    if (i == end)\n"
    "        return plain;\n"
    "    for (; i < end; i++)\n"
    "        begin += term[i] * x[column[i]];\n"
    "    return isfinite(begin) ? begin : plain;\n"
    "}\n\n";
static const char walk_text[] =
    "/* The leaf that x comes to: kinds 1 <, 2 <=, 3 ==, 4 in a set; 8: the\n"
    " * missing say yes; 16: so do zeros. */\n"
    "static unsigned\n"
    "walk(unsigned i, const double *x, const unsigned char *kind,\n"
    "     const unsigned *feature, const double *threshold,\n"
    "     const unsigned *yes, const unsigned *no, const unsigned *set,\n"
    "     const unsigned long long *word)\n"
    "{\n"
    "    while (kind[i] & 7) {\n"
    "        double v = x[feature[i]], t = threshold[i];\n"
    "        int is = 0;\n"
    "\n"
    "        if (isnan(v) || (kind[i] & 16 && fabs(v) <= 1e-35)) {\n"
    "            is = kind[i] & 8;\n"
    "        } else if ((kind[i] & 7) == 4) {\n"
    "            unsigned first = set[(unsigned)t];\n"
    "            unsigned n = set[(unsigned)t + 1] - first;\n"
    "\n"
    "            if (v >= 0 && v < n * 64.0)\n"
    "                is = (int)(word[first + (unsigned)v / 64] >>\n"
    "                           (unsigned)v % 64 & 1);\n"
    "        } else {\n"
    "            is = (kind[i] & 7) == 1   ? v < t\n"
    "                 : (kind[i] & 7) == 2 ? v <= t\n"
    "                                      : v == t;\n"
    "        }\n"
    "        i = is ? yes[i] : no[i];\n"
    "    }\n"
    "    return i;\n"
    "}\n\n";

#define WINDOW_TEXT                                                            \
    "/* i: channels, height, width, window's height and width, stride, edges " \
    "above\n * and left, places down and across. */\n"
static const char conv_text[] = WINDOW_TEXT
    "static void\n"
    "conv(const double *x, const unsigned *i, const double *a,\n"
    "     const double *b, unsigned n, double *out)\n"
    "{\n"
    "    for (unsigned o = 0; o < n; o++)\n"
    "        for (unsigned y = 0; y < i[8]; y++)\n"
    "            for (unsigned k = 0; k < i[9]; k++) {\n"
    "                const double *f = a + o * i[0] * i[3] * i[4];\n"
    "                double sum = b[o];\n"
    "\n"
    "                for (unsigned c = 0; c < i[0]; c++)\n"
    "                    for (unsigned v = 0; v < i[3]; v++)\n"
    "                        for (unsigned u = 0; u < i[4]; u++, f++) {\n"
    "                            unsigned r = y * i[5] + v - i[6];\n"
    "                            unsigned s = k * i[5] + u - i[7];\n"
    "\n"
    "                            if (r < i[1] && s < i[2])\n"
    "                                sum += *f * x[(c * i[1] + r) * i[2] + "
    "s];\n"
    "                        }\n"
    "                *out++ = sum;\n"
    "            }\n"
    "}\n\n";
static const char pool_text[] = WINDOW_TEXT
    "static void\n"
    "pool(const double *x, const unsigned *i, int max, double *out)\n"
    "{\n"
    "    for (unsigned c = 0; c < i[0]; c++)\n"
    "        for (unsigned y = 0; y < i[8]; y++)\n"
    "            for (unsigned k = 0; k < i[9]; k++) {\n"
    "                double top = -INFINITY, sum = 0;\n"
    "\n"
    "                for (unsigned v = 0; v < i[3]; v++)\n"
    "                    for (unsigned u = 0; u < i[4]; u++) {\n"
    "                        unsigned r = y * i[5] + v - i[6];\n"
    "                        unsigned s = k * i[5] + u - i[7];\n"
    "                        double z;\n"
    "\n"
    "                        if (r >= i[1] || s >= i[2])\n"
    "                            continue;\n"
    "                        z = x[(c * i[1] + r) * i[2] + s];\n"
    "                        sum += z;\n"
    "                        top = z > top || isnan(z) ? z : top;\n"
    "                    }\n"
    "                *out++ = max ? top : sum / (i[3] * i[4]);\n"
    "            }\n"
    "}\n\n";

static const char distance_text[] =
    "/* Squared distances to n rows of p numbers. */\n"
    "static void\n"
    "distance(const double *x, const double *row, unsigned n, unsigned p,\n"
    "         double *out)\n"
    "{\n"
    "    for (unsigned i = 0; i < n; i++, row += p) {\n"
    "        out[i] = 0;\n"
    "        for (unsigned j = 0; j < p; j++)\n"
    "            out[i] += (x[j] - row[j]) * (x[j] - row[j]);\n"
    "    }\n"
    "}\n\n";
static const char nearest_text[] =
    "/* The places, from 1, of the k smallest of n numbers, then these. */\n"
    "static void\n"
    "nearest(const double *x, unsigned n, unsigned k, double *out)\n"
    "{\n"
    "    unsigned have = 0;\n"
    "\n"
    "    for (unsigned i = 0; i < n; i++) {\n"
    "        unsigned at = have;\n"
    "\n"
    "        if (have == k && !(x[i] < out[2 * k - 1]))\n"
    "            continue;\n"
    "        have += have < k;\n"
    "        at -= at == k;\n"
    "        for (; at > 0 && x[i] < out[k + at - 1]; at--) {\n"
    "            out[k + at] = out[k + at - 1];\n"
    "            out[at] = out[at - 1];\n"
    "        }\n"
    "        out[k + at] = x[i];\n"
    "        out[at] = i + 1;\n"
    "    }\n"
    "}\n\n";

void
c_source_functions(struct writing *w)
{
    bool texts = false;

    for (size_t c = 0; c < w->g->n_cols; c++)
        texts |= w->p->input[c].n_levels > 0 && !w->p->input[c].open;
    if (texts)
        buf_puts(w->out,
                 "/* The number of a level; `other` for none of them; NAN "
                 "where there is none. */\n"
                 "static double\n"
                 "level_of(const char *s, const char *const *level, unsigned "
                 "n, double other)\n"
                 "{\n"
                 "    for (unsigned i = 0; s && i < n; i++)\n"
                 "        if (strcmp(s, level[i]) == 0)\n"
                 "            return i;\n"
                 "    return s ? other : NAN;\n"
                 "}\n\n");
    if (uses(w, GRAPH_ONEHOT) || uses(w, GRAPH_MAP))
        buf_puts(w->out, "/* The place of a key, or n. */\n"
                         "static unsigned\n"
                         "place_of(double v, const double *key, unsigned n)\n"
                         "{\n"
                         "    unsigned i = 0;\n"
                         "\n"
                         "    while (i < n && key[i] != v)\n"
                         "        i++;\n"
                         "    return i;\n"
                         "}\n\n");
    if (uses(w, GRAPH_SIGMOID))
        buf_puts(w->out, "static double\n"
                         "sigmoid(double x)\n"
                         "{\n"
                         "    double e = exp(-fabs(x));\n"
                         "\n"
                         "    return x < 0 ? e / (1 + e) : 1 / (1 + e);\n"
                         "}\n\n");
    if (uses(w, GRAPH_TREES))
        buf_puts(w->out, walk_text);
    if (has_lines(w->g))
        buf_puts(w->out, line_text);
    if (uses(w, GRAPH_CONV))
        buf_puts(w->out, conv_text);
    if (uses(w, GRAPH_MAXPOOL) || uses(w, GRAPH_MEANPOOL))
        buf_puts(w->out, pool_text);
    if (uses(w, GRAPH_DISTANCE))
        buf_puts(w->out, distance_text);
    if (uses(w, GRAPH_NEAREST))
        buf_puts(w->out, nearest_text);
    c_source_grams(w);
}
