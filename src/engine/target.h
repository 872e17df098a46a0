/* engine/target.h -- what is learnt: a class or a number for every row, how
 * much each row counts, and which rows are of one query.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TARGET_H
#define LATHE_ENGINE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "frame/frame.h"
#include "frame/split.h"

enum { TARGET_MAX_CLASSES = 256 };
enum problem {
    PROBLEM_BINARY,
    PROBLEM_MULTICLASS,
    PROBLEM_REGRESSION,
    PROBLEM_NONE /* no target: clusters, components, scores of rows */
};
enum { N_PROBLEMS = PROBLEM_NONE + 1 };
/* "binary", "multiclass", "regression", "none" */
const char *problem_word(enum problem p);
bool problem_has_classes(enum problem p);

/* The target of every row: class index or number. */
struct target {
    enum problem problem;
    size_t n;
    double *y;        /* owned */
    size_t n_classes; /* 0 for regression, and where there is no target */
    char **classes;   /* owned texts, in bytewise order (numbers in
                            numeric order): for two classes y = 1 is
                            classes[1], the "positive" one, which
                            target_set_positive() chooses */
    double *weight;   /* n, owned: finite and not negative; NULL: all 1 */
    uint32_t *group;  /* n, owned: query of each row, numbered by first
                            appearance; NULL: none */
};

/* What is asked of a target besides one of enum problem: what its values look
 * like, or classes, be they numbers or not. */
enum { TARGET_INTS = 20 };
enum { TARGET_AUTO = -1, TARGET_CLASSES = -2 };
#define TARGET_CHOICES "regression|classes"
/* "regression" or "classes"; anything else: TARGET_AUTO. */
int target_asked(const char *word);

/* How a target is learnt: bool or two distinct values -> binary; text or at
 * most TARGET_INTS distinct ints -> multiclass; else regression.  TARGET_AUTO
 * decides by that rule. Missing targets are ERR_RANGE with their count, as are
 * one class only, over TARGET_MAX_CLASSES of them, and no rows; a date, or a
 * regression on text, is ERR_TYPE. */
bool target_fit(const struct frame *f, const char *name, int problem,
                struct target *out, struct error *err) MUST_USE;
/* Where the class of that name is, else n: by its text, else as the same number
 * or, of true and false, in any case; of two that are so none is meant. */
size_t
target_class_named(const char *const *classes, size_t n, struct str name);
/* Make the class of that name the positive one, classes[1], whichever comes
 * second by the order above.  NULL: that one.  ERR_RANGE where the target is
 * not binary, or has no such class: the error lists its two. */
bool target_set_positive(struct target *t, const char *name,
                         const char *positive, struct error *err) MUST_USE;
/* n rows without a target: y is zeros. */
bool target_none(size_t n, struct target *out, struct error *err) MUST_USE;
/* The same classes for other rows; an unknown class is ERR_RANGE. */
bool
target_apply(const struct target *like, const struct frame *f, const char *name,
             struct target *out, struct error *err) MUST_USE;
/* Rows of a target, same classes. */
bool target_take(const struct target *t, const uint32_t *rows, size_t n,
                 struct target *out, struct error *err) MUST_USE;
/* Weights from a column of numbers or bools, multiplied into those that are
 * there.  ERR_RANGE with the row where one is missing, negative or not finite;
 * ERR_TYPE for texts and dates. */
bool target_weigh(struct target *t, const struct frame *f, const char *name,
                  struct error *err) MUST_USE;
/* Numbers of a column that scores begin with; caller frees.  The errors of
 * target_weigh(), but that they may be negative. */
double *offset_column(const struct frame *f, const char *name,
                      struct error *err) MUST_USE;
/* Queries from a column of any type but floats; ERR_RANGE where it is missing.
 */
bool target_group(struct target *t, const struct frame *f, const char *name,
                  struct error *err) MUST_USE;
size_t target_groups(const struct target *t); /* how many; 0: none */
/* Hold out a share of the queries, drawn by the seed, with all their rows; one
 * at least, not all.  ERR_RANGE with a single query. */
bool target_split(const struct target *t, double share, uint64_t seed,
                  struct split *out, struct error *err) MUST_USE;
/* How much each class is to count: factor has n_classes values.
 *   spec   NULL-ended: "balanced" alone (rows / (classes x rows of the class),
 *          rows being weighted), or "CLASS=FACTOR", classes left out counting 1
 * ERR_RANGE for a regression, a class that is not there, a factor that is
 * negative or not finite, or no class that counts. */
bool target_class_factors(const struct target *t, const char *const *spec,
                          double *factor, struct error *err) MUST_USE;
/* Multiply the weight of every row by the factor of its class. */
bool target_weigh_classes(struct target *t, const double *factor,
                          struct error *err) MUST_USE;
/* The sum of all weights. */
double target_total(const struct target *t);
/* False with ERR_RANGE when there are rows and all weigh 0. */
bool target_counts(const struct target *t, struct error *err) MUST_USE;
/* Class indices as a frame of one int column "y", to stratify by. */
struct frame *target_frame(const struct target *t, struct error *err) MUST_USE;
void target_fini(struct target *t);
#endif
