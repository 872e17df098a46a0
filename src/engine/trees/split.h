/* engine/trees/split.h -- the best split of one slot of a histogram.
 *
 * Gain of a split, with T(G) = max(|G| - l1, 0):
 *
 *     1/2 [ T(GL)^2/(HL + l2) + T(GR)^2/(HR + l2) - T(G)^2/(H + l2) ] - gamma
 *
 * Numbers try every cut with the missing values on either side.  Categories are
 * put in the order of G/H, where the best set is a prefix of the order.  The
 * sums stay integers until a gain is computed, and ties go to the first cut.
 *
 * An order that is taken from the gradients gains by noise alone, the more the
 * more levels there are.  With s the share of g^2 in h, levels whose means are
 * noise give a prefix of i of n about  s sqrt(i (n - i)) 2 / pi  on average
 * (the mean of the upper half of a normal distribution, and its tails a little
 * over), so that much times level_noise is what a set must gain.  Up to 32
 * levels it made no table better, and is not asked.
 * Source: Chen & Guestrin, "XGBoost", KDD 2016, eq. 7; Fisher, "On grouping for
 *         maximum homogeneity", 1958 (the order of categories).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_SPLIT_H
#define LATHE_ENGINE_TREES_SPLIT_H

#include "engine/trees/hist.h"
#include "engine/trees/tree.h"

struct split_rule {
    double l1, l2, gamma;
    double min_rows, min_hessian;
    /* Categories: a level with fewer rows joins the missing; this many rows
     * of no gradient are added for the order; and beyond four levels this is
     * added to l2. */
    double level_rows, level_smooth, level_l2;
    double level_noise;  /* times what noise gains; 0: nothing is asked */
    const int8_t *trend; /* by slot, as grow_options'; NULL: none has any */
    bool uneven;         /* hessians tell nothing of rows: only counts do */
};

/* The leaf that is split. */
struct split_leaf {
    const int64_t *hist; /* from bin `first` on; counts likewise */
    size_t first;
    bool wide;
    int64_t g, h; /* quantised sums over its rows */
    size_t n_rows;
    const uint32_t *counts; /* rows by bin, or NULL: estimated by hessian */
    double low, high;       /* bounds of its value, where there are trends */
    uint64_t *long_set; /* split_finish(): room for the codes that go left, of
                           a long slot; NULL: none is long */
};

/* A split and what goes left of it; gain <= 0 stands for none. */
struct split_found {
    struct tree_split split;
    int64_t left_g, left_h;
};

/* Candidates first..last (first <= last): left sums are g[i] + add_g, h[i] +
 * add_h.  The largest T(GL)^2/(HL + l2) + T(GR)^2/(HR + l2) and the first
 * place where it stands. */
struct split_scan {
    const double *g, *h;
    double add_g, add_h;
    double total_g, total_h;
    double l1, l2;
    size_t first, last;
};
struct split_peak {
    double value;
    size_t at;
};
struct split_kernels {
    struct split_peak (*scan)(const struct split_scan *s);
    /* g[k], h[k]: of the bins 0..k of a narrow histogram, in units of the
     * loss; k < n. */
    void (*sum)(const int64_t *hist, size_t n, const struct hist_scale *scale,
                double *g, double *h);
};

extern const struct split_kernels split_plain;
extern const struct split_kernels split_avx2;   /* where cpu_has_avx2() */
extern const struct split_kernels split_avx512; /* where cpu_has_avx512() */
const struct split_kernels *split_choose(void);

/* The value of a leaf: -T(g) / (h + l2), or the nearest within bounds. */
double split_value(const struct split_rule *r, double g, double h, double low,
                   double high);
/* A level of a category by the mean of its gradients. */
struct split_level {
    double key;
    uint32_t code; /* 0: the missing and the rare together */
};

/* What is the same for all slots of a leaf. */
struct split_search {
    const struct binned *b;
    const struct split_leaf *leaf;
    const struct hist_scale *scale;
    const struct split_rule *rule;
    const struct split_kernels *kernels;
    struct split_level *level; /* room to order the codes of a long category,
                                  n_bins + 1; NULL: none is long */
};
/* The best split of a slot, kept in *best when it is better than what is
 * there.  Sums and codes of the best of all slots come by split_finish(). */
void
split_slot(const struct split_search *s, size_t slot, struct split_found *best);
void split_finish(const struct split_search *s, struct split_found *best);
/* Is a better than b?  Ties go to the lower slot. */
bool split_better(const struct split_found *a, const struct split_found *than);
#endif
