/* frame/profile.h -- what a table holds, and what to beware of.
 *
 * Statistics are exact (skewness and kurtosis bias-corrected as in pandas,
 * quantiles linearly interpolated as in numpy's default); mean, sd, shape,
 * min, max and quantiles are of the finite values, and NaN counts as missing.
 * Whole numbers that span fewer than PROFILE_BINS values get a bin each, other
 * histograms PROFILE_BINS bins of equal width.  Names and thresholds of the
 * alerts follow ydata-profiling where it has them.  Alerts on what texts are
 * made of, units and a shift of the target are judged on the rows that
 * relations are measured on; near duplicates among the first 262,144 rows.
 *
 * Relations between columns (pairs, target) are measured on at most 20,000
 * rows, evenly spaced; pairs only up to 300 columns, over the rows where both
 * are present, texts of over 50 values left out.  Of what is missing all rows
 * count.  Score of a column alone against the target, with category and bin
 * means learnt on one half of the rows and scored on the other, so that an
 * identifier scores nothing: AUC for two classes, its mean over classes by
 * their share for more (two distinct values are two classes; texts and at most
 * 20 whole numbers are classes), correlation for a number.
 *
 * Cost: a sort of each numeric column, in parallel over columns, or, for a
 * million rows and more where there are few columns or they would take over
 * 512 MiB at once, over chunks of one after the other; memory of 16 bytes a row
 * for each column at work, 20 bytes a row to find duplicates.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PROFILE_H
#define LATHE_FRAME_PROFILE_H

#include "base/json.h"
#include "base/pool.h"
#include "base/progress.h"
#include "frame/frame.h"

struct stream;

enum {
    PROFILE_BINS = 50,
    PROFILE_TOP = 10,
    PROFILE_QUANTILES = 9,
    PROFILE_BANDS = 40
};
/* 1, 5, 10, 25, 50, 75, 90, 95, 99 % */
extern const double profile_levels[PROFILE_QUANTILES];

struct profile_top {
    char *text; /* as column_print() */
    size_t count;
};

/* What texts are made of, on at most 20,000 rows, evenly spaced. */
enum profile_script {
    SCRIPT_LETTER, /* all that is none of the others, too */
    SCRIPT_DIGIT,
    SCRIPT_BLANK,
    SCRIPT_SIGN,    /* ASCII punctuation and symbols */
    SCRIPT_CONTROL, /* and bytes that are not UTF-8 */
    SCRIPT_N
};
struct profile_words {
    size_t n;                /* texts looked at */
    size_t n_number;         /* of them those that read as numbers, */
    size_t n_date;           /* ... as dates in the common forms, */
    size_t n_list;           /* ... [..] or {..}, */
    size_t n_blank;          /* ... blank or empty, */
    size_t n_invalid;        /* ... not UTF-8 */
    char *odd;               /* where most are numbers, one that is none */
    size_t script[SCRIPT_N]; /* characters by kind */
    size_t n_distinct_chars, n_distinct; /* of characters, words */
    struct profile_top top[PROFILE_TOP]; /* words in lower case */
    size_t n_top;
};

/* What of a column is not exact where the table was streamed, and by how much
 * it may be off. */
enum profile_estimate {
    ESTIMATE_DISTINCT = 1,  /* n_distinct, n_unique, entropy */
    ESTIMATE_TOP = 2,       /* counts of the most frequent values */
    ESTIMATE_QUANTILES = 4, /* and mad */
    ESTIMATE_HISTOGRAM = 8  /* and uniform */
};
struct profile_errors {
    double distinct; /* share of n_distinct; that part of it n_unique, too */
    size_t top;      /* a count may be so much less */
    double rank;     /* share of the values that a quantile's rank is off */
    size_t bin;      /* a bin of the histogram may be so much off */
};

struct profile_column {
    const char *name; /* borrowed from the profile's frame */
    enum col_type type;
    size_t n, n_missing, n_distinct;
    unsigned estimated; /* of profile_estimate; 0: all is exact */
    struct profile_errors error;
    bool numeric; /* the next fields hold; dates and timestamps as numbers */
    double mean, sd, min, max, skew, kurtosis, sum;
    double quantile[PROFILE_QUANTILES];
    size_t n_zero, n_negative, n_infinite;
    size_t histogram[PROFILE_BINS]; /* over [min, max] of finite values; of a
                                       text over its lengths */
    size_t n_bins;                  /* 0: none */
    struct profile_top top[PROFILE_TOP];
    size_t n_top;          /* 0 also when all of many values differ */
    size_t n_unique;       /* values that occur once */
    size_t bytes;          /* of memory */
    double entropy;        /* of the distinct values, in bits */
    double uniform;        /* p of chi-square against equal counts, of
                                      the histogram or the categories; NaN */
    double mad;            /* median of |x - median| */
    size_t n_rise, n_fall; /* steps up and down, from row to row */
    struct profile_top low[PROFILE_TOP];  /* smallest values, ascending */
    struct profile_top high[PROFILE_TOP]; /* largest values, descending */
    size_t n_low, n_high;
    size_t min_length, max_length; /* text, in code points */
    double mean_length, median_length;
    struct profile_words *words; /* text; else NULL */
    double target_score;         /* of this column alone: AUC (0.5 to 1) or
                            |correlation| (0 to 1); NaN when not measured */
    double mutual; /* information shared with the target, in nats, numbers in
                      tenths of the rows; NaN when not measured */
    struct profile_class *by_class; /* n_classes of the profile; or NULL */
    struct profile_series *series;  /* over time; or NULL */
};

/* Two columns that go together. */
struct profile_link {
    size_t a, b;  /* a < b */
    double score; /* -1..1 (Spearman) or 0..1 (Cramer's V) */
    bool spearman;
};

/* Between two columns.  auto: Spearman's of two numbers, else Cramer's V with
 * numbers cut into ten equal widths. */
enum relation {
    RELATION_AUTO,
    RELATION_PEARSON,  /* of two numbers, finite ones */
    RELATION_SPEARMAN, /* the same, of their ranks */
    RELATION_KENDALL,  /* tau-b */
    RELATION_CRAMER,   /* of two categories, without bias */
    RELATION_PHIK,     /* of any two, numbers cut as for auto */
    RELATION_N
};
const char *profile_relation_word(enum relation r); /* "cramers_v" */

/* Rows that miss the same columns. */
struct profile_pattern {
    size_t rows;
    uint64_t row; /* the first of them */
};

/* A column in the rows of one class of the target. */
struct profile_class {
    size_t n_missing;
    double mean, sd, median; /* of the finite values; not of a category */
    size_t top[PROFILE_TOP]; /* rows of each of the most frequent values */
};

/* A number over time, on the last 20,000 rows at most. */
enum { PROFILE_LAGS = 5 };
extern const size_t profile_lags[PROFILE_LAGS]; /* 1, 7, 12, 24, 30 rows */
struct profile_series {
    size_t n;                             /* finite values */
    double autocorrelation[PROFILE_LAGS]; /* as pandas; NaN: too short */
    double adf, adf_p; /* augmented Dickey-Fuller, constant, lags by AIC */
    size_t adf_lags;
    size_t period; /* rows from one season to the next; 0: none */
    double season; /* autocorrelation there, without the trend */
};

/* The column that orders the rows; dates in days, timestamps in seconds. */
struct profile_times {
    size_t col;
    size_t n;         /* rows that have a time */
    double step;      /* median of those that are not 0; NaN: none */
    double longest;   /* step */
    size_t n_gaps;    /* steps over 1.5 times the median */
    size_t n_repeats; /* steps of 0 */
};

/* How a column was judged to drift. */
enum drift_test {
    DRIFT_NONE,        /* it was not */
    DRIFT_KS,          /* p of Kolmogorov-Smirnov under 0.05 */
    DRIFT_CHI2,        /* p of chi-square under 0.05 */
    DRIFT_WASSERSTEIN, /* normed, 0.1 or more */
    DRIFT_JS,          /* Jensen-Shannon distance, 0.1 or more */
    DRIFT_UNSEEN       /* texts never here, 0.1 or more beyond chance */
};
const char *profile_drift_word(enum drift_test t); /* "ks", "wasserstein" */

/* A column of two tables: the profile's, and the one it is held against.  As
 * in Evidently: numbers of over 5 values are cut into 30 equal widths of both
 * tables together, others and texts of up to 50 values go by value; the test
 * is one on chance where the profile's table has up to 1,000 rows, else a
 * distance.  Texts of more values are judged by how many there are never here:
 * so many would be as the share of rows here whose value occurs once, were the
 * tables alike (Good 1953), and the score is what is beyond that; none where
 * most occur once.  NaN: not measured. */
struct profile_pair {
    const char *name; /* borrowed from one of the frames */
    bool here, there; /* which of the tables has it */
    enum col_type type[2];
    bool numeric; /* ks, wasserstein hold */
    size_t n_missing[2];
    double mean[2]; /* on the rows looked at; NaN: no numbers */
    double psi, kl, js, hellinger, total, most;
    double ks, ks_p, wasserstein; /* normed by the deviation here */
    double chi2, chi2_p;          /* where it goes by value */
    double unseen; /* share of the texts there that are never here */
    enum drift_test test;
    double score; /* what the test looks at */
    bool drifts;
};

struct profile_against {
    char *name;
    size_t n_rows;
    struct profile_pair
        *pair; /* columns here in order, then those only there */
    size_t n_pairs;
    size_t n_looked[2]; /* rows that the distances were measured on, evenly
                           spaced: here, there */
    size_t n_tested, n_drifting; /* columns */
    size_t n_overlap; /* rows there that are here, too, in n_common columns */
    size_t n_common;
    struct frame *frame; /* a reference; of a stream a sample of its rows */
};

enum alert_kind {
    ALERT_CONSTANT,
    ALERT_MISSING,
    ALERT_HIGH_CARDINALITY,
    ALERT_UNIQUE,
    ALERT_IMBALANCE,
    ALERT_SKEWED,
    ALERT_ZEROS,
    ALERT_INFINITE,
    ALERT_DUPLICATES,
    ALERT_HIGH_CORRELATION,
    ALERT_LEAKAGE,
    ALERT_EMPTY,
    ALERT_UNSUPPORTED,
    ALERT_NEAR_DUPLICATES,
    ALERT_TYPE_DATE,
    ALERT_DIRTY_CATEGORY,
    ALERT_CONSTANT_LENGTH,
    ALERT_REJECTED,
    ALERT_UNIFORM,
    ALERT_ID_LIKE,
    ALERT_MIXED_TYPES,
    ALERT_UNIT_CHANGE,
    ALERT_TARGET_SHIFT,
    ALERT_TRAIN_TEST_OVERLAP,
    ALERT_SCHEMA,
    ALERT_DRIFT,
    ALERT_NON_STATIONARY,
    ALERT_SEASONAL,
    ALERT_GAPS,
    ALERT_N_KINDS
};
enum alert_level { ALERT_NOTE, ALERT_WARN, ALERT_BAD };

struct alert {
    enum alert_kind kind;
    enum alert_level level;
    long col; /* -1: the table */
    char text[160];
};

struct profile {
    struct frame *frame; /* a reference; of a stream a sample of its rows */
    size_t n_rows;       /* of the table */
    size_t bytes;        /* that it takes in memory, or would */
    bool streamed;       /* frame is a sample; some numbers are estimates */
    uint64_t *sample;    /* the row that each row of frame is; NULL: itself */
    struct profile_column *column;
    size_t n_cols;
    size_t n_duplicates; /* rows that repeat an earlier one */
    size_t n_near;       /* ... but for case, blanks and the seventh digit, */
    size_t n_near_rows;  /* of the first so many rows */
    struct alert *alert; /* worst first */
    size_t n_alerts;
    char *target;              /* NULL when there is none */
    struct profile_link *link; /* |score| >= 0.5, strongest first */
    size_t n_links;
    bool target_classes; /* target_score is an AUC */
    bool redacted;       /* no values, extremes, quantiles */
    size_t n_classes;    /* that the columns are told by; 0: none */
    char **class_name;
    size_t *class_rows; /* rows of each of those that were looked at */
    /* n_cols x n_cols, a < b, NaN where not defined; NULL: not measured */
    double *relation[RELATION_N];
    double *nullity; /* the same: Pearson's r of what is missing */
    struct profile_pattern pattern[PROFILE_TOP]; /* most rows first */
    uint64_t *pattern_bits; /* a bit a column, whole words a pattern; NULL:
                               to be seen in the frame */
    size_t pattern_error;   /* rows that a pattern may have less */
    size_t n_patterns, n_complete; /* rows that miss nothing */
    uint32_t *band; /* missing values, n_bands parts of the rows a column;
                       NULL when nothing is missing */
    size_t n_bands;
    bool bands_estimated;            /* a segment of rows may lie across two */
    struct profile_against *against; /* NULL: no other table */
    struct profile_times *times;     /* NULL: not a series */
};

struct profile_options {
    const char *target; /* NULL: none */
    const char *time;   /* the rows are a series over this column */
    bool dirty;         /* look for categories that are spelt alike */
    bool slow;          /* Kendall's tau and phi-k, too */
    bool redact;        /* keep no value of the table, nor what one row shows */
    const struct frame *against; /* compare with this table; NULL: none */
    struct stream *against_rows; /* or with this one, which is beyond memory and
                                    is read to its end; NULL: none */
    const char *against_name;    /* for people */
};

/* ERR_NOTFOUND when there is no such column.  Stops with ERR_CANCELLED. */
struct profile *
profile_new(const struct frame *f, const struct profile_options *o,
            struct pool *pool, struct progress *progress,
            struct error *err) MUST_USE;
void profile_free(struct profile *p);
double profile_relation(const struct profile *p, enum relation r, size_t a,
                        size_t b); /* in either order; NaN: none */
/* The row of the table that a row of the profile's frame is. */
uint64_t profile_row(const struct profile *p, size_t row);
/* "estimates: distinct values within 2 %, ..."; nothing where all is exact. */
void profile_errors_text(const struct profile *p, struct buf *out);
/* "; drift is estimated on 20,000 rows of each"; nothing where all were looked
 * at, or there is no other table. */
void profile_looked_text(const struct profile *p, struct buf *out);
bool profile_pattern_has(const struct profile *p, size_t k, size_t col);
/* The part of the rows, 0..n_bands - 1, that a row lies in. */
size_t profile_band(const struct profile *p, size_t row);
const char *profile_alert_word(enum alert_kind k); /* "HIGH_CARDINALITY" */
/* Eight levels ▁..█ of a histogram in `cells` cells (ASCII when !utf8). */
void profile_sparkline(const struct profile_column *c, size_t cells, bool utf8,
                       struct buf *out);
void profile_print(const struct profile *p, size_t width, bool utf8,
                   struct buf *out);
void profile_json(const struct profile *p, struct json_writer *w);
void profile_markdown(const struct profile *p, struct buf *out);
/* One page of its own, that loads nothing; title: of the table. */
void profile_html(const struct profile *p, const char *title, struct buf *out);
#endif
