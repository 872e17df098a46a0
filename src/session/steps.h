/* session/steps.h -- what has been done to a table since it came: columns
 * computed, cast and renamed, a filter, an order of rows, columns left out and
 * moved.
 *
 * They have one order in which they always apply, whatever was done first:
 *
 *     edits    columns computed or renamed, over all rows, as they were done
 *     filter   rows of which an expression is true
 *     sort     by keys; rows that are equal in them stay as they were
 *     hidden, order   the columns that show
 *
 * and each is a line of Lua, so that what shows can be made again.  A name that
 * changes, changes in the steps behind it.
 *
 * A plain value with one owner; may be read by any thread while it stands.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_STEPS_H
#define LATHE_SESSION_STEPS_H

#include "base/progress.h"
#include "frame/frame.h"
#include "frame/stream.h"
#include "frame/verbs.h"

enum { STEPS_MAX_KEYS = 16 }; /* of a sort */

struct step_edit {
    bool rename;
    char *name; /* made or replaced; renamed: its name before */
    char *text; /* the expression; renamed: the new name */
};
struct step_names {
    char **name;
    size_t n, cap;
};
struct steps {
    struct step_edit *edit;
    size_t n_edits, cap_edits;
    char *filter;             /* ""; none */
    struct step_names sort;   /* "-name" downwards */
    struct step_names hidden; /* names of columns that do not show */
    struct step_names order;  /* those that do, in order; none: as they are */
};

struct steps *steps_new(void);
struct steps *steps_copy(const struct steps *s);
void steps_free(struct steps *s);
bool steps_equal(const struct steps *a, const struct steps *b);
bool steps_empty(const struct steps *s);
/* Do they differ in hidden and moved columns alone?  steps_apply() from one to
 * the other then takes no time. */
bool steps_near(const struct steps *a, const struct steps *b);

void steps_filter(struct steps *s, const char *expression);
/* Compute or replace a column, which shows. */
void steps_with(struct steps *s, const char *name, const char *expression);
/* Nothing is checked: steps_apply() does. */
void steps_rename(struct steps *s, const char *from, const char *to);
/* Sort by this column alone or, with `more`, by it where the keys so far are
 * equal; a key that is there changes its direction. */
void steps_sort(struct steps *s, const char *name, bool descending, bool more);
void steps_unsort(struct steps *s);
/* 1 for the first key, 0 when it is none. */
size_t steps_key(const struct steps *s, const char *name, bool *descending);
void steps_hide(struct steps *s, const char *name);
/* Show it again, at its place in `all`; name NULL: every one. */
void steps_unhide(struct steps *s, const struct frame *all, const char *name);
/* The columns of `all` in its order. */
void steps_order(struct steps *s, const struct frame *all);
/* Move a column to place `to` of those that show, `shown` being their frame. */
void steps_move(struct steps *s, const struct frame *shown, const char *name,
                size_t to);

/* Row ids, shared by reference count. */
struct rowset;
struct rowset *rowset_new(uint32_t *id, size_t n); /* takes id */
struct rowset *rowset_ref(struct rowset *r);       /* NULL: NULL */
void rowset_unref(struct rowset *r);
size_t rowset_n(const struct rowset *r);
const uint32_t *rowset_ids(const struct rowset *r);

/* What shows. */
struct shown {
    struct frame *all;   /* base with the edits: all rows, all columns */
    struct frame *frame; /* all rows, the columns that show */
    struct rowset *rows; /* those that show, in order; NULL: all, as they are */
};
void shown_fini(struct shown *s);
size_t shown_rows(const struct shown *s);
/* A frame of its own: as the Lua of the steps would give it. */
struct frame *shown_gather(const struct shown *s, struct pool *pool,
                           struct error *err) MUST_USE;
/* Apply s to base.  had: what `so_far`, other steps, made of it; what they have
 * in common is not done again.  Both may be NULL.  On a pool job. */
bool steps_apply(const struct steps *s, const struct frame *base,
                 const struct steps *so_far, const struct shown *had,
                 struct pool *pool, struct progress *progress,
                 struct shown *out, struct error *err) MUST_USE;

/* The same over a stream, which is taken, also when it fails: of a sort only
 * the first `top` rows come, 0: all. */
struct stream *steps_stream(const struct steps *s, struct stream *in,
                            uint64_t top, struct error *err) MUST_USE;

/* Each step as Lua behind a frame: `:where("tenure < 12")`, in the order in
 * which they apply; say() is called for each. */
void steps_each(const struct steps *s, void (*say)(void *ctx, const char *call),
                void *ctx);
/* The step that a has and b has not, for people: the call, or what became of
 * it. */
void steps_difference(const struct steps *was, const struct steps *is,
                      struct buf *out);
/* Text as a literal of Lua, `names` as a list of them. */
void steps_put_text(const char *text, struct buf *out);
void steps_put_names(const char *const *names, size_t n, struct buf *out);
#endif
