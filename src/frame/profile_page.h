/* frame/profile_page.h -- what a printed profile is put together from; for
 * profile_*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PROFILE_PAGE_H
#define LATHE_FRAME_PROFILE_PAGE_H

#include "frame/profile_part.h"

struct page {
    const struct profile *p;
    struct buf *out;
    size_t width; /* cells */
    bool utf8;
};

/* s without control characters; a view of scratch. */
struct str page_clean(const char *s, size_t n, struct buf *scratch);
/* s in exactly `cells` cells; ".." or an ellipsis where it is cut. */
void page_cell(struct page *t, struct str s, size_t cells, bool right);
/* As page_cell for text from the table: cleaned, to the left. */
void page_dirty(struct page *t, const char *s, size_t cells);
/* Ends a line without blanks before the end. */
void page_end_line(struct buf *out);
/* "1,234 rows" */
void page_plural(struct buf *out, size_t n, const char *one);
/* Five figures or more, with commas, in at most nine cells (dates ten); returns
 * the length. */
size_t page_number_text(double x, enum col_type type, char out[48]);
/* A number of distinct values, rounded where it is an estimate: "~12.3M", or
 * has over nine cells: "106M". */
size_t page_distinct_text(const struct profile_column *c, char out[48]);
/* page_number_text as a cell. */
void page_number(struct page *t, double x, enum col_type type, size_t cells);
/* Lower parts of the page; name_cells: of a column's name. */
/* A span of time, in the unit of the time column. */
void page_time(const struct profile *p, double x, struct buf *out);
void page_series(struct page *t, size_t name_cells);
void page_against(struct page *t, size_t name_cells);
void page_missing(struct page *t);
void page_links(struct page *t, size_t name_cells);
void page_scores(struct page *t, size_t name_cells);
/* "12.3%", "<0.1%" for fewer that are some; returns out. */
const char *page_share_text(size_t part, size_t whole, char out[32]);
/* As page_share_text, "-" for none. */
void page_share(struct page *t, size_t part, size_t whole, size_t cells);
/* A horizontal bar of at most `cells` cells. */
void page_meter(struct page *t, double share, size_t cells);
/* s over as many lines of `cells` cells as it takes, from the second on behind
 * `indent` blanks. */
void page_wrapped(struct page *t, struct str s, size_t cells, size_t indent);
const char *page_mark(enum alert_level level, bool utf8);

/* profile_page_alert.c: all alerts, many of one kind in one line. */
void page_alerts(struct page *t);
#endif
