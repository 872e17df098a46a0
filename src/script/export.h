/* script/export.h -- the HTML of a notebook.  Private to export*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_EXPORT_H
#define LATHE_SCRIPT_EXPORT_H

#include "base/buf.h"
#include "script/notebook.h"

/* A whole page, which needs nothing beside it. */
void export_html(const struct notebook *n, struct buf *out);
/* Its first rows as a table. */
void export_html_table(struct buf *out, const struct frame *f);
#endif
