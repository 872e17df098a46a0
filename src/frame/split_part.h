/* frame/split_part.h -- what splits of all kinds share.  Private to split*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SPLIT_PART_H
#define LATHE_FRAME_SPLIT_PART_H

#include "frame/split.h"

enum { STREAM_SPLIT = 0x73706c69 };

/* Levels of the stratifying column, numbered by first appearance; missing is
 * a level of its own.  One level when nothing is stratified. */
struct strata {
    uint32_t *of;   /* level of each row */
    size_t *n_rows; /* rows of each level */
    size_t n;
};

bool strata_init(struct strata *s, const struct frame *f, const char *stratify,
                 struct error *err) MUST_USE;
void strata_fini(struct strata *s);
#endif
