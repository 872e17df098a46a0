/* session/explanation.h -- an answer to "why?", to be read, drawn or written:
 * what `lathe explain` and model:explain{} share.
 *
 * Made on a pool job, then immutable.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_EXPLANATION_H
#define LATHE_SESSION_EXPLANATION_H

#include "engine/explain.h"
#include "session/plot.h"

enum explanation_kind {
    EXPLANATION_GAIN,    /* importance as the model knows it */
    EXPLANATION_SHARES,  /* of all rows */
    EXPLANATION_ROW,     /* of one */
    EXPLANATION_PAIRS,   /* features together */
    EXPLANATION_RANKING, /* importance by shares */
    EXPLANATION_SHUFFLE, /* importance by shuffling */
    EXPLANATION_EFFECT,  /* partial dependence */
    EXPLANATION_CURVES   /* ICE */
};

struct explanation_request {
    enum explanation_kind kind;
    const struct frame *data; /* but for the gain */
    size_t row;               /* EXPLANATION_ROW, and PAIRS of one: from 1 */
    const char *column;       /* of the effect */
    const char *class;        /* of several; NULL: all */
    const char *metric;       /* to shuffle by; NULL: the task's usual */
    size_t repeats, points, rows; /* 0: as explain.h says */
    bool chart; /* nobody asks for each row: of shares, too, as many as rank */
    struct explain_options shares;
};

struct explanation {
    enum explanation_kind kind;
    struct model *model;
    struct frame *frame; /* the answer as a table */
    long output;         /* the class asked about; -1: all there are */
    /* of shares, pairs and rows */
    struct shares shares;
    struct frame *ranking; /* the mean of |share| by feature */
    struct frame *rows;    /* the rows explained, or shuffled */
    size_t row;            /* their first, from 1 */
    struct frame *answer;  /* of one row: what the model says of it, as
                              model_predict_frame(); else NULL */
    /* of effects and curves */
    struct effect effect;
    /* of shuffling: the metric and what it is on the rows as they are */
    char metric[METRIC_NAME];
    double whole;
    char note[640]; /* what it is and how it was found, for people */
};

bool
explanation_make(const struct model *m, const struct explanation_request *r,
                 const struct train *ctx, struct explanation *out,
                 struct error *err) MUST_USE;
void explanation_fini(struct explanation *e);
/* "auto", "path", "background", "kernel". */
bool explanation_way(const char *word, enum explain_way *out,
                     struct error *err) MUST_USE;

/* For people: bars, strips and curves in `width` cells. */
void explanation_text(const struct explanation *e, size_t width, bool plain,
                      struct buf *out);
/* {"kind": ..., "note": ..., "rows": [...], ...} */
void explanation_json(const struct explanation *e, struct json_writer *w);
const char *explanation_word(enum explanation_kind k); /* "shares" */

/* ---- parts of it, for a screen that places them itself ---- */

/* The one axis of the strips of an output: the shares from low to high, zero
 * among them. */
struct explanation_axis {
    double low, high;
    size_t cells; /* at most EXPLANATION_CELLS */
};
enum { EXPLANATION_CELLS = 200, EXPLANATION_LEVELS = 8, EXPLANATION_LINES = 7 };
struct explanation_axis
explanation_axis(const struct explanation *e, size_t output, size_t cells);
size_t explanation_cell(const struct explanation_axis *a, double share);
/* How many rows have which share, a level for each cell: 0 none, the fullest
 * EXPLANATION_LEVELS. */
void
explanation_strip(const struct explanation *e, size_t output, size_t feature,
                  const struct explanation_axis *a, uint8_t *level);
/* Do rows with larger values have larger shares?  1, -1, or 0: neither, or the
 * feature is no number. */
int
explanation_trend(const struct explanation *e, size_t feature, size_t output);
/* The feature of this name; SIZE_MAX: none. */
size_t explanation_feature(const struct explanation *e, struct str name);
/* An effect as a line; of several classes that of `output`, or one line each
 * that ends in its class (output < 0), at most EXPLANATION_LINES.  Only where
 * explanation_has_line(). */
bool explanation_chart(const struct explanation *e, long output, int width,
                       int height, enum plot_glyphs glyphs,
                       struct plot_image *out, struct error *err) MUST_USE;
bool explanation_svg(const struct explanation *e, struct buf *out,
                     struct error *err) MUST_USE; /* the same for pages */
/* Not of an input of texts, or of one value. */
bool explanation_has_line(const struct explanation *e);
#endif
