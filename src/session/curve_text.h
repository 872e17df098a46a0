/* session/curve_text.h -- a curve of an evaluation as a chart in text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_CURVE_TEXT_H
#define LATHE_SESSION_CURVE_TEXT_H

#include "engine/metric_curve.h"

/* f: of metric_curve().  Beside it the curve of guessing, where there is one;
 * classes beyond the first few are left out, which is said. */
bool curve_text(const struct frame *f, enum curve_kind kind, size_t width,
                bool plain, struct buf *out, struct error *err) MUST_USE;
/* The same for pages: plot_svg(). */
bool curve_svg(const struct frame *f, enum curve_kind kind, struct buf *out,
               struct error *err) MUST_USE;
#endif
