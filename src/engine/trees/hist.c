/* engine/trees/hist.c -- histograms of quantised gradients.
 *
 * The loop over rows is what training costs.  Measured on 20 columns of 255
 * bins, nanoseconds per bin update: 1.45 with codes loaded as bytes (a byte may
 * alias the histogram, so the compiler loads again after every store); 0.60
 * with codes loaded as words and a stride known to the compiler; 0.72 with the
 * place of each slot from a table.  Rows picked by index cost no more than
 * neighbours when they are fetched 16 rows ahead.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/hist.h"

#include "base/attr.h"

struct hist_scale
hist_scale(float max_g, float min_h, float max_h)
{
    struct hist_scale s = {0, 0, 0, 0, min_h == max_h};

    if (max_g > 0) {
        s.g_unit = (double)max_g / (HIST_MAX_G - 1);
        s.g_inverse = (HIST_MAX_G - 1) / (double)max_g;
    }
    if (max_h > 0) {
        s.h_unit = s.same_h ? (double)max_h : (double)max_h / (HIST_MAX_H - 1);
        s.h_inverse = s.same_h ? 0 : (HIST_MAX_H - 1) / (double)max_h;
    }
    return s;
}

/* 0 <= dither < 1: multiples of the golden ratio, modulo one. */
static double
dither(uint32_t row, uint32_t salt)
{
    return (double)(row * 2654435769u + salt) * 0x1p-32;
}

struct hist_row
hist_quantise(const struct hist_scale *s, struct gradient g, uint32_t row,
              uint32_t salt)
{
    double u = dither(row, salt), v = dither(row, ~salt * 2246822519u);
    /* The offset makes truncation round down. */
    double qg = (double)g.g * s->g_inverse + (u + 32768);
    double qh = (double)g.h * s->h_inverse + v;
    int32_t h = (int32_t)qh;

    /* At least 1, so that a hessian of 0 means "no row". */
    return (struct hist_row){row, (int16_t)((int32_t)qg - 32768),
                             (uint16_t)(h > 1 ? h : 1)};
}

static void
add_wide_word(int64_t *h, uint64_t codes, int64_t v)
{
    h[codes & 255] += v;
    h[256 + (codes >> 8 & 255)] += v;
    h[512 + (codes >> 16 & 255)] += v;
    h[768 + (codes >> 24 & 255)] += v;
    h[1024 + (codes >> 32 & 255)] += v;
    h[1280 + (codes >> 40 & 255)] += v;
    h[1536 + (codes >> 48 & 255)] += v;
    h[1792 + (codes >> 56)] += v;
}

static void
add_word(int64_t *h, const struct binned_slot *s, uint64_t codes, int64_t v)
{
    h[s[0].first + (codes & 255)] += v;
    h[s[1].first + (codes >> 8 & 255)] += v;
    h[s[2].first + (codes >> 16 & 255)] += v;
    h[s[3].first + (codes >> 24 & 255)] += v;
    h[s[4].first + (codes >> 32 & 255)] += v;
    h[s[5].first + (codes >> 40 & 255)] += v;
    h[s[6].first + (codes >> 48 & 255)] += v;
    h[s[7].first + (codes >> 56)] += v;
}

static void
add_part(int64_t *h, const struct binned_slot *s, size_t n, uint64_t codes,
         int64_t v)
{
    for (size_t k = 0; k < n; k++, codes >>= 8)
        h[s[k].first + (codes & 255)] += v;
}

void
hist_add(const struct binned *b, const struct hist_row *rows, size_t n,
         int64_t *narrow)
{
    const uint64_t *codes = b->row;
    size_t n_words = b->n_words, n_wide = b->n_wide;
    size_t full = b->n_slots / BINNED_WORD, rest = b->n_slots % BINNED_WORD;
    size_t lines = (n_words + 7) / 8;

    for (size_t i = 0; i < n; i++) {
        const uint64_t *at = codes + rows[i].row * n_words;
        const uint64_t *soon = codes + rows[i + HIST_AHEAD].row * n_words;
        const struct binned_slot *slot = b->slot + n_wide * BINNED_WORD;
        int64_t *h = narrow;
        int64_t v = hist_pack(rows[i]);
        size_t w = 0;

        for (size_t line = 0; line < lines; line++)
            PREFETCH(soon + line * 8);
        for (; w < n_wide; w++, h += BINNED_WORD * BINNED_WIDE)
            add_wide_word(h, at[w], v);
        for (; w < full; w++, slot += BINNED_WORD)
            add_word(narrow, slot, at[w], v);
        if (rest)
            add_part(narrow, slot, rest, at[w], v);
    }
}

void
hist_fold(int64_t *to, const int64_t *from, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        to[i] += from[i];
}

void
hist_fold_wide(int64_t *to, const int64_t *narrow, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        to[2 * i] += hist_g(narrow[i]);
        to[2 * i + 1] += hist_h(narrow[i]);
    }
}

void
hist_subtract(int64_t *parent, bool parent_wide, const int64_t *child,
              bool child_wide, size_t begin, size_t end)
{
    if (parent_wide && !child_wide) {
        for (size_t i = begin; i < end; i++) {
            parent[2 * i] -= hist_g(child[i]);
            parent[2 * i + 1] -= hist_h(child[i]);
        }
        return;
    }

    /* A narrow parent has no wide child. */
    size_t words = parent_wide ? 2 : 1;

    for (size_t i = begin * words; i < end * words; i++)
        parent[i] -= child[i];
}
