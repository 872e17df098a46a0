/* frame/profile_part.h -- the parts of a profile; for profile_*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PROFILE_PART_H
#define LATHE_FRAME_PROFILE_PART_H

#include "frame/profile.h"

enum {
    PROFILE_NEAR = 1 << 18,   /* rows near duplicates are looked for in */
    PROFILE_FEW = 5,          /* a number with fewer values is a category */
    PROFILE_MANY = 50,        /* a category with more: high cardinality */
    PROFILE_SAMPLE = 20000,   /* rows that relations are measured on */
    PROFILE_WIDE = 1 << 20,   /* rows from which columns may go one by one */
    PROFILE_BESIDE = 1 << 29, /* bytes for columns that are sorted at once */
    PROFILE_MAX_PAIRED = 300, /* columns beyond which no pairs are measured */
    PROFILE_MAX_CLASSES = 20, /* whole numbers that are classes of a target */
    PROFILE_LENGTHS = 1 << 16 /* longer texts count as that long */
};

static inline unsigned
profile_ones(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned)(x * 0x0101010101010101 >> 56);
}
/* profile.c: a profile of no rows yet, of a frame with its columns; and what
 * follows when the columns are measured: relations, target, other table,
 * alerts.  overlap: NULL to look for common rows in the frames. */
struct profile_overlap {
    size_t n, n_common; /* rows, columns */
    /* Where o->against is a sample: rows of the whole, and by column how many
     * are missing, borrowed; else NULL. */
    size_t n_rows;
    const size_t *n_missing;
};
struct profile *profile_alloc(const struct frame *f, const char *target,
                              struct error *err) MUST_USE;
bool profile_complete(struct profile *p, const struct profile_options *o,
                      const struct profile_overlap *overlap, struct pool *pool,
                      struct progress *progress, struct error *err) MUST_USE;
/* When every value occurs once, none is more frequent than another. */
void profile_drop_flat_top(struct profile_column *c);

/* profile_number.c: numbers, dates, timestamps.  pool: for one column alone;
 * NULL within a worker.  The result is the same. */
bool profile_number(const struct column *c, struct profile_column *out,
                    struct pool *pool, const struct progress *progress,
                    struct error *err) MUST_USE;
/* A key of frame/order.h as a number; as text, which returns its length. */
double profile_key_value(enum col_type type, uint64_t key);
size_t
profile_key_print(enum col_type type, uint64_t key, char out[STR_F64_MAX + 8]);
/* Skewness and kurtosis from sums of powers of the distance from the mean. */
void profile_shape(struct profile_column *out, double n, double m2, double m3,
                   double m4);
/* The bin of the histogram that x lies in; uniform from the histogram. */
size_t profile_bin(const struct profile_column *c, double x);
void profile_uniform(struct profile_column *out);
/* profile_text.c: texts and bools. */
bool
profile_category(const struct column *c, struct profile_column *out,
                 const struct progress *progress, struct error *err) MUST_USE;
size_t profile_code_points(struct str s);
/* Ends mean_length, which is their sum, and sets what comes from how many
 * texts there are of each length, PROFILE_LENGTHS of them. */
void profile_lengths(struct profile_column *out, const size_t *tally);
/* profile_words.c: what its texts are made of; nothing for other types. */
bool profile_look(const struct profile *p, struct profile_column *out,
                  const struct progress *progress, struct error *err) MUST_USE;
/* Texts that hold a date in one of the common forms. */
bool profile_reads_as_date(struct str s);
/* Keep text as one of the PROFILE_TOP most frequent; call in value order. */
bool profile_top_add(struct profile_column *c, size_t count, const char *text,
                     size_t len, struct error *err) MUST_USE;
/* Keep s as one of the PROFILE_TOP most frequent, ties in bytewise order. */
bool profile_top_insert(struct profile_top *top, size_t *n_top, size_t count,
                        struct str s, struct error *err) MUST_USE;
/* Would count be kept? */
bool profile_top_wants(const struct profile_column *c, size_t count);
/* Count one of the distinct values; entropy and uniform hold sums until all
 * are. */
void profile_distinct_add(struct profile_column *c, size_t count);
void profile_distinct_end(struct profile_column *c);
/* A category for people: text, bool, or a number with few values. */
bool profile_is_category(const struct profile_column *c);

/* A column on the sampled rows, 0..n-1. */
struct feature {
    bool number;     /* x, order and bin hold, else only code */
    size_t n;        /* rows of the sample */
    size_t n_here;   /* of them present */
    double *x;       /* NaN: missing */
    uint32_t *order; /* rows in order of x, n_here of them */
    uint32_t *code;  /* 0: missing; categories, or ten equal widths of x */
    size_t n_codes;  /* codes run from 0 to n_codes - 1 */
};

/* profile_sample.c: rows of the sample, and row i of n of them in f. */
size_t profile_sample_rows(const struct frame *f);
size_t profile_sample_row(const struct frame *f, size_t i, size_t n);
bool feature_init(struct feature *s, const struct profile *p, size_t col,
                  struct error *err) MUST_USE;
/* The same of any table's column; low, high: of its finite values, for the ten
 * widths. */
bool feature_of(struct feature *s, const struct frame *f, size_t col,
                double low, double high, struct error *err) MUST_USE;
void feature_fini(struct feature *s);
/* Ranks (from 1, ties averaged) of the rows of x where also `with` is present
 * (NULL: all), others 0; returns how many. */
size_t feature_ranks(const struct feature *x, const struct feature *with,
                     double *rank);

/* Codes from 1 of a category; of a number the tenth of the rows it lies in,
 * ties together.  Returns how many codes there may be, 0 included. */
size_t feature_tenths(const struct feature *x, uint32_t *code);
/* The same with a code for each distinct number. */
size_t feature_values(const struct feature *x, uint32_t *code);

/* profile_relate.c: pairs that go together. */
bool
profile_relate(struct profile *p, const struct feature *features, bool slow,
               struct pool *pool, const struct progress *progress,
               struct error *err) MUST_USE;
/* profile_json.c: members of the profile's object; an item of by_class. */
void profile_json_pairs(const struct profile *p, struct json_writer *w);
void profile_json_times(const struct profile *p, struct json_writer *w);
void profile_json_series(const struct profile_series *s, struct json_writer *w);
void profile_json_against(const struct profile *p, struct json_writer *w);
void profile_json_class(const struct profile *p, const struct profile_column *c,
                        size_t k, struct json_writer *w);
/* profile_kendall.c: tau-b of two numbers; NaN where it is not defined. */
bool profile_kendall(const struct feature *a, const struct feature *b,
                     double *out, struct error *err) MUST_USE;
/* profile_phik.c: phi-k of n rows in so many cells with that chi-square. */
double profile_phik(double chi2, double n, size_t rows, size_t cols);
/* profile_missing.c */
bool
profile_missing(struct profile *p, struct pool *pool,
                const struct progress *progress, struct error *err) MUST_USE;
/* profile_class.c: columns by class (n_classes = 0: a number, no classes) and
 * the information they share with the target. */
bool profile_classes(struct profile *p, const struct feature *features,
                     size_t target, const uint32_t *class, size_t n_classes,
                     struct pool *pool, struct error *err) MUST_USE;
/* profile_target.c: the score of each column against the target. */
bool profile_score(struct profile *p, const struct feature *features,
                   size_t target, struct pool *pool,
                   const struct progress *progress, struct error *err) MUST_USE;
/* profile_hash.c: a number for each of the first n rows, in some columns. */
struct rowhash {
    const struct frame *frame;
    const size_t *cols; /* NULL: the first n_cols */
    size_t n_cols, n;
    bool loose;     /* without case, outer blanks and the seventh digit */
    uint64_t *hash; /* the caller frees it */
};
bool
rowhash_fill(struct rowhash *r, struct pool *pool, struct error *err) MUST_USE;
/* profile_near.c: rows that repeat an earlier one but for case, blanks and
 * digits beyond the sixth; sets n_near. */
bool
profile_near(struct profile *p, struct pool *pool, struct error *err) MUST_USE;
/* The same of n rows by their numbers, as they are and loose; sorts them. */
bool profile_near_count(struct profile *p, uint64_t *as_is, uint64_t *loose,
                        size_t n, struct error *err) MUST_USE;
/* profile_unit.c: do the values of x jump by the ratio of two units from some
 * row of the sample on?  Then *factor and *row, of the frame. */
bool profile_unit(const struct profile *p, const struct feature *x,
                  double *factor, size_t *row, struct error *err) MUST_USE;
/* Jensen-Shannon distance (base 2) between the target's values, in codes or
 * ten equal shares, in the first half of the rows and in the second; NaN
 * without 100 rows each. */
bool profile_target_shift(const struct feature *y, double *shift,
                          struct error *err) MUST_USE;
/* profile_against.c: p's table beside another one; sets p->against. */
bool
profile_compare(struct profile *p, const struct feature *features,
                const struct profile_options *o,
                const struct profile_overlap *overlap, struct pool *pool,
                const struct progress *progress, struct error *err) MUST_USE;
/* Do columns of these two types compare? */
bool profile_compares(const enum col_type type[2]);
/* Columns of one name that do; returns how many. */
size_t profile_common(const struct frame *a, const struct frame *b,
                      size_t *in_a, size_t *in_b);
/* NaN counts. */
size_t profile_count_missing(const struct column *c);
/* profile_stream_other.c: reads s, which the table with the columns of head is
 * held against, to its end. */
struct profile_other;
struct profile_other *
profile_other_new(struct stream *s, const struct frame *head,
                  struct progress *progress, struct error *err) MUST_USE;
void profile_other_free(struct profile_other *o);
/* Some of its rows, evenly spaced; borrowed. */
const struct frame *profile_other_sample(const struct profile_other *o);
/* Rows of the table here: all, or the next ones. */
bool profile_other_meet(struct profile_other *o, const struct frame *f,
                        struct pool *pool, struct error *err) MUST_USE;
/* Behind all of them. */
bool
profile_other_end(const struct profile_other *o, struct profile_overlap *out,
                  struct pool *pool, const struct progress *progress,
                  struct error *err) MUST_USE;
void profile_against_free(struct profile_against *a);
/* profile_series.c: columns over that one. */
bool
profile_follow(struct profile *p, size_t time, struct pool *pool,
               const struct progress *progress, struct error *err) MUST_USE;
/* profile_adf.c: sets adf, adf_p, adf_lags of n finite values. */
bool profile_adf(const double *x, size_t n, struct profile_series *out,
                 struct error *err) MUST_USE;
/* profile_redact.c */
bool profile_redact(struct profile *p, struct error *err) MUST_USE;
/* profile_alert.c; features: of all columns. */
bool profile_judge(struct profile *p, const struct feature *features,
                   const struct profile_options *o, struct error *err) MUST_USE;

/* Raising alerts; for profile_alert*.c alone. */
struct judge {
    struct profile *p;
    const struct feature *feature;
    const struct profile_options *o;
    size_t cap;
    bool failed;
    struct error *err;
};
enum { BRIEF = 64 };
void judge_raise(struct judge *j, enum alert_kind kind, enum alert_level level,
                 long col, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* "12,345 of 67,890 (18.2 %)" */
const char *judge_part(size_t part, size_t whole, char out[96]);
/* Text for a message: short, on one line, valid UTF-8. */
const char *judge_brief(const char *s, char out[BRIEF]);
/* A value of the table as judge_brief; "one value" when values are left out. */
const char *judge_value(const struct judge *j, const char *s, char out[BRIEF]);
double judge_share(size_t part, size_t whole);
/* "about " before an estimated number of distinct values. */
const char *judge_about(const struct profile_column *c);
/* profile_alert_look.c: alerts on what values look like. */
void judge_looks(struct judge *j, size_t col);
void judge_rows(struct judge *j);
/* profile_alert_series.c: alerts on columns over time. */
void judge_series(struct judge *j, size_t col);
/* profile_alert_against.c: alerts on another table. */
void judge_against(struct judge *j);
#endif
