/* frame/profile_html.h -- the parts of a profile's page; for profile_html*.c
 * alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PROFILE_HTML_H
#define LATHE_FRAME_PROFILE_HTML_H

#include "frame/profile_page.h"

void html_style(struct buf *out);
void html_script(struct buf *out);

/* s as text: escaped, without control characters, valid UTF-8. */
void html_text(struct buf *out, const char *s);
/* A number as the terminal shows it; "-" for NaN. */
void html_number(struct buf *out, double x, enum col_type type);
/* In a cell that sorts by its value, marked where it is an estimate. */
#define HTML_ABOUT "\xe2\x89\x88" /* almost equal to */
void html_about(struct buf *out, double x, enum col_type type, bool estimate);
/* The same of what is exact. */
void html_cell(struct buf *out, double x, enum col_type type);

/* profile_html_plot.c: pictures as SVG. */
void html_spark(struct buf *out, const struct profile_column *c);
void html_histogram(struct buf *out, const struct profile *p,
                    const struct profile_column *c);
void html_heatmap(struct buf *out, const struct profile *p);
void html_holes(struct buf *out, const struct profile *p);
void html_nullity(struct buf *out, const struct profile *p);
/* profile_html_column.c: what there is of one column. */
void html_column(struct buf *out, const struct profile *p, size_t col);
#endif
