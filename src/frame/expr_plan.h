/* frame/expr_plan.h -- an expression bound to the columns of a frame; for
 * expr_*.c alone.
 *
 * Binding turns each node into a step: a typed kernel over vectors of up to
 * EXPR_BATCH values.  Four kinds of vector carry the six types: dates (days)
 * and timestamps (microseconds) travel as 64-bit integers.  Whatever depends
 * on one text column alone is computed once for each entry of its dictionary
 * and once for "missing", and becomes a look-up by code; whatever depends on
 * no column is computed once.
 *
 * Steps run as on a stack machine: the value of a step goes to the register
 * `base`, its arguments to base, base + 1, ...
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_EXPR_PLAN_H
#define LATHE_FRAME_EXPR_PLAN_H

#include "frame/expr_ast.h"

enum { EXPR_BATCH = 4096, EXPR_WORDS = EXPR_BATCH / 64 };

enum vec_kind { VEC_BOOL, VEC_INT, VEC_FLOAT, VEC_TEXT };

struct vec {
    const void *p; /* what is read: own, or the bytes of a column */
    void *own;     /* EXPR_BATCH values of the widest kind */
    uint64_t valid[EXPR_WORDS];
};

/* The typed arrays of a vector: v_* to read, o_* to write. */
static inline const uint8_t *
v_bool(const struct vec *v)
{
    return v->p;
}
static inline const int64_t *
v_int(const struct vec *v)
{
    return v->p;
}
static inline const double *
v_float(const struct vec *v)
{
    return v->p;
}
static inline const struct str *
v_text(const struct vec *v)
{
    return v->p;
}

struct step;
/* Compute n values of out from the arguments; out is none of them.  Texts it
 * makes live in mem. */
typedef bool
kernel_fn(const struct step *s, const struct vec *const *a, size_t n,
          struct vec *out, struct arena *mem, struct error *err);

enum step_op {
    STEP_LOAD,   /* a column */
    STEP_CONST,  /* one value for all rows */
    STEP_LOOKUP, /* table[code], computed beforehand */
    STEP_CALL,   /* fn(arg...) */
    STEP_FOLD,   /* fn(fn(arg0, arg1), arg2)... */
    STEP_IN      /* arg0 equals one of the others; fn is the equality */
};

enum step_reads { READS_NOTHING, READS_ONE_TEXT, READS_MORE };

struct step {
    enum step_op op;
    enum col_type type;
    bool untyped; /* the literal null before it meets a type */
    const struct node *node;
    kernel_fn *fn;
    struct step **arg;
    size_t n_args;
    const struct column *column; /* STEP_LOAD, STEP_LOOKUP, READS_ONE_TEXT */
    enum step_reads reads;
    const void *table; /* STEP_CONST: one value; STEP_LOOKUP: n_table */
    const uint64_t *table_valid;
    size_t n_table;
    const struct regex *regex;
    int64_t option; /* what the kernel makes of it */
};

struct made {
    struct column *column;
    struct made *next;
};

struct plan {
    struct arena mem;
    const struct expr *e;
    const struct frame *f;
    struct step *root;
    struct pool *pool; /* for functions of other rows */
    struct made *made; /* columns that binding made */
    bool check_only;   /* types are wanted, not values */
    struct error *err; /* while binding */
};

/* expr_bind.c: the caller calls plan_fini, also after a failure. */
bool plan_bind(struct plan *p, const struct expr *e, const struct frame *f,
               struct error *err) MUST_USE;
void plan_fini(struct plan *p);
struct step *bind_node(struct plan *p, const struct node *n);
struct step *step_call(struct plan *p, const struct node *n, enum col_type type,
                       kernel_fn *fn, struct step **arg, size_t n_args);
/* The values of a column, of which it takes the reference, also when it fails;
 * NULL when only types are wanted. */
struct step *step_column(struct plan *p, const struct node *n,
                         enum col_type type, struct column *c);
/* Replace s by a table where that pays. */
bool plan_settle(struct plan *p, struct step *s) MUST_USE;
/* s as a value of another type; only where nothing can be lost. */
struct step *step_widen(struct plan *p, struct step *s, enum col_type to);
/* Make all n steps one type; false with an error that names `where`. */
bool steps_unify(struct plan *p, const struct node *where, struct step **s,
                 size_t n);
bool bind_fail(struct plan *p, const struct node *at, enum error_code code,
               const char *fmt, ...) PRINTF_LIKE(4, 5);
/* "tenure (int)" for messages. */
const char *step_describe(struct plan *p, const struct step *s);
enum vec_kind vec_kind_of(enum col_type t);
size_t vec_width(enum vec_kind k);

/* expr_fn.c: the functions. */
const struct expr_fn *expr_fn_find(struct str name);
const char *expr_fn_nearest(struct str name);
bool expr_fn_arity(const struct expr_fn *fn, size_t n_args);
const char *expr_fn_usage(const struct expr_fn *fn);
const char *expr_fn_name(const struct expr_fn *fn);
bool expr_fn_wants_pattern(const struct expr_fn *fn);
struct step *expr_fn_bind(struct plan *p, const struct node *call);
/* Functions of other rows: may over (...) follow, must it, and what are they? */
enum expr_over { OVER_NEVER, OVER_MAY, OVER_MUST, OVER_TURNS };
enum expr_over expr_fn_over(const struct expr_fn *fn);
bool expr_fn_orders(const struct expr_fn *fn); /* may order by follow? */
bool expr_fn_aggregates(const struct expr_fn *fn);
int expr_fn_window(const struct expr_fn *fn); /* aggregate or window kind */
int64_t expr_fn_shift(const struct expr_fn *fn);

/* expr_window.c */
struct step *expr_window_bind(struct plan *p, const struct node *call);

/* expr_kernel.c: arithmetic, comparison, logic. */
kernel_fn *kernel_binary(enum node_op op, enum vec_kind k);
kernel_fn k_and, k_or, k_not, k_is_null, k_between;
kernel_fn *kernel_if(enum vec_kind k);
kernel_fn *kernel_coalesce(enum vec_kind k);
kernel_fn *kernel_extreme(enum vec_kind k, bool largest);
kernel_fn k_neg_int, k_neg_float, k_abs_int, k_abs_float, k_round, k_floor,
    k_ceil, k_sqrt, k_exp, k_log, k_log10;

/* expr_text.c: texts. */
kernel_fn k_matches, k_lower, k_upper, k_trim, k_length, k_contains,
    k_starts_with, k_ends_with, k_replace, k_extract, k_replace_matches,
    k_concat, k_substr, k_split_part, k_position, k_pad;

/* expr_cast.c: casts and parts of dates. */
kernel_fn *kernel_cast(enum col_type from, enum col_type to);
kernel_fn k_date_part;
enum date_part {
    PART_YEAR,
    PART_QUARTER,
    PART_MONTH,
    PART_WEEK,
    PART_DAY,
    PART_WEEKDAY,
    PART_YEARDAY,
    PART_HOUR,
    PART_MINUTE,
    PART_SECOND
};

/* expr_time.c: units, months, formats. */
kernel_fn k_date_trunc, k_add_months, k_months_between, k_strptime, k_strftime;
bool expr_unit_find(struct str word, int64_t *out) MUST_USE;
/* *bad: the byte of the directive that is none. */
bool expr_format_check(struct str format, size_t *bad) MUST_USE;

/* expr_eval.c: fill the table of a step that reads one dictionary or nothing. */
bool plan_tabulate(struct plan *p, struct step *s) MUST_USE;
/* The column that s gives, while binding. */
struct column *plan_values(struct plan *p, struct step *s) MUST_USE;
#endif
