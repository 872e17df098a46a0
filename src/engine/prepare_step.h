/* engine/prepare_step.h -- steps that turn a table into another before its
 * columns are encoded.
 *
 * A step is written as a line of words: KIND, then words and NAME=VALUE, then
 * "on" and columns with commas between; without columns it is for all that suit
 * it.  Fitting learns from the training rows what applying wants: for each
 * column a list of numbers and one of texts, which is all that a model file
 * holds of it beside the line.  A step sees what those before it have made.
 *
 * Private to prepare*.c, and to port/portable_steps.c, which says steps in
 * other formats.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PREPARE_STEP_H
#define LATHE_ENGINE_PREPARE_STEP_H

#include "engine/prepare_state.h"

enum { STEP_WORDS = 8, STEP_COLUMNS = 1 << 14 };

/* The words of a line; views of its text. */
struct step_words {
    struct str word[STEP_WORDS];
    size_t n_words;
    struct {
        struct str name, value;
    } pair[STEP_WORDS];
    size_t n_pairs;
    struct str columns; /* behind "on"; n = 0: all that suit */
};

struct learnt {
    const char *name; /* column */
    double *number;
    size_t n_numbers;
    const char **text;
    size_t n_texts;
};

struct step {
    const struct step_kind *kind;
    const char *written; /* the line */
    struct step_words words;
    struct learnt *column;
    size_t n;
};

/* What fitting is given. */
struct step_fit {
    struct prepare *p;
    struct step *s;
    struct frame *in;        /* training rows, as the steps before left them */
    const struct target *y;  /* of those rows; NULL: none is given */
    const char *target;      /* its column, which no step touches; or NULL */
    const char *const *drop; /* nor these */
    uint64_t seed;
    struct pool *pool;
};

enum step_suits { STEP_NUMBERS = 1, STEP_TEXTS = 2, STEP_DATES = 4 };

struct step_kind {
    const char *name;
    unsigned suits;
    bool by_target; /* looks at the target */
    bool whole;     /* needs all rows at once: not for streams */
    bool as_is;     /* what it makes is scaled no more */
    /* Check the words; *s has no columns so far. */
    bool (*check)(const struct step *s, struct error *err);
    /* Fill in what is learnt of f->s->column[i], whose names are set.  May drop
     * columns by setting their names to NULL. */
    bool (*fit)(struct step_fit *f, struct error *err);
    /* Is what was loaded whole? */
    bool (*sound)(const struct step *s);
    /* *f, a reference, is replaced by what the step makes of it. */
    bool (*apply)(const struct step *s, struct frame **f, struct pool *pool,
                  struct error *err);
    /* As apply, for the rows that were learnt from, where that differs. */
    bool (*apply_train)(struct step_fit *f, struct frame **out,
                        struct error *err);
};

extern const struct step_kind step_impute, step_scale, step_polynomial;
extern const struct step_kind step_onehot, step_ordinal, step_rare, step_target;
extern const struct step_kind step_date, step_words, step_chars, step_select;

/* ---- words ---- */

bool step_has(const struct step *s, const char *word);
struct str step_value(const struct step *s, const char *name); /* or n = 0 */
/* The number of a pair, or the fallback; the line was checked. */
double step_number(const struct step *s, const char *name, double fallback);
/* Are all words among `words` and all pairs among `pairs` (lists with blanks
 * around each name; '#' stands for one number), with numbers in range? */
struct step_rule {
    const char *words, *pairs;
    double low, high; /* of all numbers */
    bool whole;       /* no fractions */
};
bool step_words_check(const struct step *s, const struct step_rule *rule,
                      struct error *err) MUST_USE;

/* ---- columns ---- */

/* Numbers of a column, NaN where missing; caller frees. */
double *step_numbers(const struct frame *f, const char *name,
                     struct error *err) MUST_USE;
/* Add or replace a column of *f; takes x, in which NaN is missing. */
bool step_put_numbers(struct frame **f, const char *name, double *x,
                      struct error *err) MUST_USE;
bool step_put(struct frame **f, const char *name, struct column *c,
              struct error *err) MUST_USE;
/* Many new columns at once: begin with {0}, add, then put them behind those of
 * *f, of which one may go; step_made_fini() also after a failure. */
struct step_made {
    char **name;
    struct column **column;
    size_t n, cap;
};
bool step_make(struct step_made *m, const char *name, double *x, size_t rows,
               struct error *err) MUST_USE;
bool step_made_end(struct step_made *m, struct frame **f, const char *drop,
                   struct error *err) MUST_USE;
void step_made_fini(struct step_made *m);
/* A text column; ERR_TYPE with its name when it is none. */
const struct column *
step_texts(const struct frame *f, const char *name, struct error *err) MUST_USE;
/* Name of a made column: "a" "=" "b". */
const char *
step_name(struct buf *room, const char *a, const char *sep, const char *b);
bool step_room(struct step_fit *f, struct learnt *l, size_t n_numbers,
               size_t n_texts, struct error *err) MUST_USE;
/* Levels that occur among the rows, in bytewise order, with their counts; both
 * in *out, caller frees; the texts are the dict's. */
struct step_level {
    struct str text;
    size_t rows;
    uint32_t code;
};
struct step_level *
step_levels(const struct column *c, size_t *n, struct error *err) MUST_USE;
/* map[code of c] = place in l->text, UINT32_MAX where it is not among them;
 * caller frees. */
uint32_t *step_map(const struct learnt *l, const struct column *c,
                   struct error *err) MUST_USE;

/* The products that a step 'polynomial' makes of its columns, in order: each
 * of d places in s->column, with its name.  False where put() was. */
typedef bool
step_product_fn(void *ctx, const size_t *at, size_t d, const char *name);
bool step_each_product(const struct step *s, step_product_fn *put, void *ctx,
                       struct error *err) MUST_USE;

/* ---- the pipeline ---- */

bool
prepare_steps_init(struct prepare *p, size_t n, struct error *err) MUST_USE;
/* Parse a line as the next step. */
bool prepare_steps_add(struct prepare *p, const char *line,
                       struct error *err) MUST_USE;
/* Learn all on *f, which becomes the training rows as the last left them. */
bool prepare_steps_fit(struct step_fit *how, struct frame **f,
                       struct error *err) MUST_USE;
/* The same for other rows. */
bool prepare_steps_apply(const struct prepare *p, struct frame **f,
                         struct pool *pool, struct error *err) MUST_USE;
void prepare_steps_json(const struct prepare *p, struct json_writer *w);
bool prepare_steps_read(struct prepare *p, const struct json *o,
                        struct error *err) MUST_USE;
#endif
