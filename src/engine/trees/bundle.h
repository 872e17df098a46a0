/* engine/trees/bundle.h -- columns that share one code.
 *
 * Of columns that are nearly always at one value, such as those made of the
 * levels of a text, many are never off it in the same row.  They are bundled:
 * one stored code says which of them is off, and where to.  Only columns of no
 * missing value that are never off together in any row are, so that what is
 * stored is what was there, and the trees are the same.
 *
 * Source: Ke et al., "LightGBM", NIPS 2017, section 4 (of no conflicts).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_BUNDLE_H
#define LATHE_ENGINE_TREES_BUNDLE_H

#include "engine/trees/binned.h"

struct bundle_plan {
    uint32_t *bundle; /* by narrow slot; BUNDLE_NONE: a place of its own */
    uint8_t *rest;    /* the code it is nearly always at */
    uint8_t *offset;  /* its other codes are stored from this + 1 on */
    uint16_t *codes;  /* by bundle: stored codes */
    size_t n;         /* bundles */
};
#define BUNDLE_NONE UINT32_MAX

/* Which of the slots first..n_narrow-1, whose binners are there, share a code.
 * ERR_NOMEM, ERR_CANCELLED. */
bool bundle_find(const struct design *d, const struct binned *b, size_t first,
                 struct pool *pool, struct progress *progress,
                 struct bundle_plan *out, struct error *err) MUST_USE;
void bundle_fini(struct bundle_plan *p);
#endif
