/* engine/prepare_step.h -- steps that turn a table into another before its
 * columns are encoded.
 *
 * A step is written as a line of words: KIND, then words and NAME=VALUE, then
 * "on" and columns with commas between; without columns it is for all that suit
 * it.  Fitting learns from the training rows what applying wants: for each
 * column a list of numbers and one of texts, which is all that a model file
 * holds of it beside the line.  A step sees what those before it have made.
 *
 * Private to prepare*.c, and to port/portable_steps*.c, which say steps in
 * other formats.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PREPARE_STEP_H
#define LATHE_ENGINE_PREPARE_STEP_H

#include "engine/prepare_state.h"

enum {
    STEP_WORDS = 8,
    STEP_COLUMNS = PREPARE_MAX_FEATURES, /* of a step, and of what it makes */
    STEP_LOOK = 1 << 16 /* rows between two looks whether to stop */
};

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
    bool names; /* its texts name what it makes; else they are looked up, and
                       in bytewise order */
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
double *step_column_numbers(const struct column *c, const char *name,
                            struct error *err) MUST_USE;
/* ERR_TYPE with its name when a column is text, or is none. */
bool step_is_number(const struct column *c, const char *name,
                    struct error *err) MUST_USE;
bool step_is_text(const struct column *c, const char *name,
                  struct error *err) MUST_USE;
const struct column *
step_texts(const struct frame *f, const char *name, struct error *err) MUST_USE;
/* New columns: begin with {0}, make, then put them into *f, of which those that
 * are gone[] leave (NULL: none): a new column that has the name of one stands
 * in its place, the others behind; step_made_fini() also after a failure. */
struct step_made {
    char **name;
    struct column **column;
    size_t n, cap;
};
/* Takes x, in which NaN is missing. */
bool step_make(struct step_made *m, const char *name, double *x, size_t rows,
               struct error *err) MUST_USE;
/* Takes c; NULL is a failure that was told. */
bool step_make_column(struct step_made *m, const char *name, struct column *c,
                      struct error *err) MUST_USE;
bool step_made_end(struct step_made *m, struct frame **f, const bool *gone,
                   struct error *err) MUST_USE;
void step_made_fini(struct step_made *m);
/* Make the columns of a step anew, side by side: what fn makes of each goes
 * into *f in its stead. */
struct step_from {
    const struct step *step;
    const struct column *column;
    struct pool *alone; /* as of pool_each() */
};
typedef bool
step_remake_fn(void *ctx, const struct learnt *l, const struct step_from *from,
               struct step_made *out, struct error *err);
bool step_remake(const struct step *s, struct frame **f, struct pool *pool,
                 step_remake_fn *fn, void *ctx, struct error *err) MUST_USE;
/* Name of a made column: "a" "=" "b". */
const char *
step_name(struct buf *room, const char *a, const char *sep, const char *b);
bool step_room(struct step_fit *f, struct learnt *l, size_t n_numbers,
               size_t n_texts, struct error *err) MUST_USE;
/* Levels that occur among the rows, in bytewise order, with their counts; both
 * in *out, caller frees; the texts are the dict's.  Stopped as the work is that
 * `alone` was lent for. */
struct step_level {
    struct str text;
    size_t rows;
    uint32_t code;
};
struct step_level *
step_levels(const struct column *c, size_t *n, const struct pool *alone,
            struct error *err) MUST_USE;
/* map[code of c] = place in l->text, UINT32_MAX where it is not among them;
 * caller frees. */
uint32_t *step_map(const struct learnt *l, const struct column *c,
                   struct error *err) MUST_USE;

/* 'impute iterative': the columns of f->s, of which number[0] is a value to
 * begin with and number[1] whether there were gaps. */
enum { STEP_ROUNDS = 10, STEP_ROUNDS_COLUMNS = 100 };
bool step_rounds_fit(struct step_fit *f, struct error *err) MUST_USE;
bool step_rounds_apply(const struct step *s, struct frame **f,
                       struct pool *pool, struct error *err) MUST_USE;

/* The parts that a step 'date' makes of a column, each a column of the name
 * "COLUMN PART". */
enum step_part {
    STEP_YEAR,
    STEP_MONTH,
    STEP_DAY,
    STEP_WEEKDAY, /* Monday is 1 */
    STEP_YEARDAY, /* 1..366 */
    STEP_HOUR
};
enum { STEP_N_PARTS = STEP_HOUR + 1 };
const char *step_part_word(enum step_part p);
/* Is it made?  l: what was learnt of the column, whose number[0] says whether
 * it is seconds, else days. */
bool
step_part_made(const struct step *s, const struct learnt *l, enum step_part p);

/* What a step 'words' or 'chars' counts, in `size` buckets; weighed where it
 * learnt numbers of a column, by these. */
struct step_grams {
    bool chars; /* of words; else words */
    size_t from, to, size;
};
struct step_grams step_grams_of(const struct step *s);
/* "review#17 great/lovely": the column of a bucket, with the n-grams of it that
 * are most frequent in some of the training rows. */
void step_bucket_name(const struct learnt *l, size_t bucket, struct buf *out);
/* What it makes of each of n texts: rows, of shape (n, size). */
bool step_grams_rows(const struct step *s, const struct learnt *l,
                     const char *const *text, size_t n, double *rows,
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
