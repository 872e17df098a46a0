/* engine/neural/pixels.c -- rows that are images.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/pixels.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mem.h"
#include "base/rng.h"

enum {
    GRAIN = 16, /* images of a chunk */
    MEASURED = 1024,
    STREAM_CHANGE = 0x63686e67
};

void
pixels_fini(struct pixels *p)
{
    free(p->number);
    free(p->byte);
}

/* ---- images as they are ---- */

/* Rows first..first+n of columns of numbers. */
static void
pull_images(const struct pixels *p, size_t first, size_t n, float *out)
{
    size_t len = image_numbers(p->size);
    double v[GRAIN];

    for (size_t at = 0; at < n; at += GRAIN) {
        size_t m = n - at < GRAIN ? n - at : GRAIN;

        for (size_t j = 0; j < len; j++) {
            design_pull(p->d, j, first + at, first + at + m, v);
            for (size_t i = 0; i < m; i++)
                out[(at + i) * len + j] = (float)v[i];
        }
    }
}

/* Image `row`; scratch: room for its bytes. */
static bool
raw_image(const struct pixels *p, size_t row, uint8_t *scratch, float *out,
          struct error *err)
{
    size_t len = image_numbers(p->size);
    const uint8_t *byte = p->byte ? p->byte + row * len : scratch;

    if (p->number) {
        memcpy(out, p->number + row * len, len * sizeof *out);
        return true;
    }
    if (!p->files) {
        pull_images(p, row, 1, out);
        return true;
    }
    if (!p->byte &&
        !image_read(design_text(p->d, 0, row), p->size, scratch, err))
        return false;
    for (size_t i = 0; i < len; i++)
        out[i] = (float)byte[i];
    return true;
}

/* ---- in memory ---- */

struct keeping {
    struct pixels *p;
    struct progress *progress;
    atomic_bool failed;
    struct error err; /* of the first to fail */
};

static void
keep_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct keeping *k = ctx;
    struct pixels *p = k->p;
    size_t len = image_numbers(p->size);
    struct error err;

    (void)chunk;
    if (!p->files && !progress_stopped(k->progress))
        pull_images(p, begin, end - begin, p->number + begin * len);
    for (size_t i = begin; p->files && i < end; i++) {
        if (progress_stopped(k->progress) || atomic_load(&k->failed))
            return;
        if (!image_read(design_text(p->d, 0, i), p->size, p->byte + i * len,
                        &err) &&
            !atomic_exchange(&k->failed, true))
            k->err = err;
    }
    if (k->progress)
        progress_add(k->progress, end - begin);
}

bool
pixels_init(struct pixels *p, const struct design *d, struct image_size size,
            struct pool *pool, struct progress *progress, struct error *err)
{
    struct keeping k = {.p = p, .progress = progress};
    size_t n = design_rows(d), all;

    *p = (struct pixels){.d = d, .size = size, .files = design_is_text(d, 0)};
    if (!mem_mul(n, image_numbers(size), &all))
        return error_set(err, ERR_NOMEM, "%zu images are too many", n);
    if (p->files && all > budget_bytes() / 4)
        return true;
    if (p->files)
        p->byte = mem_try_unset(all, 1, err);
    else
        p->number = mem_try_unset(all, sizeof *p->number, err);
    if (!p->byte && !p->number)
        return false;
    if (progress)
        progress_begin(progress, "reading images", n);
    pool_for(pool, n, GRAIN, keep_chunk, &k);
    if (atomic_load(&k.failed))
        *err = k.err;
    return !atomic_load(&k.failed) && progress_check(progress, err);
}

/* ---- scale ---- */

struct measure {
    const struct pixels *p;
    const struct progress *stop;
    size_t n;    /* rows that are looked at */
    double *sum; /* of each chunk: sums, squares, counts by channel */
    atomic_bool failed;
    struct error err;
};

static bool
measure_some(struct measure *m, double *sum, size_t begin, size_t end,
             struct error *err)
{
    const struct pixels *p = m->p;
    size_t len = image_numbers(p->size), c = p->size.c;
    float *x = mem_try_array(len, sizeof *x, err);
    uint8_t *scratch = mem_try_array(len, 1, err);
    bool ok = x && scratch;

    for (size_t i = begin; ok && i < end && !progress_stopped(m->stop); i++) {
        ok = raw_image(p, design_rows(p->d) * i / m->n, scratch, x, err);
        for (size_t k = 0; ok && k < len; k++) {
            double v = (double)x[k];

            if (!isfinite(v))
                continue;
            sum[k % c] += v;
            sum[c + k % c] += v * v;
            sum[2 * c + k % c]++;
        }
    }
    free(x);
    free(scratch);
    return ok;
}

static void
measure_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct measure *m = ctx;
    struct error err;

    if (!measure_some(m, m->sum + chunk * 3 * m->p->size.c, begin, end, &err) &&
        !atomic_exchange(&m->failed, true))
        m->err = err;
}

bool
pixels_measure(const struct pixels *p, struct pool *pool,
               const struct progress *stop, float *mean, float *inverse,
               struct error *err)
{
    size_t n = design_rows(p->d), c = p->size.c;
    struct measure m = {.p = p, .stop = stop, .n = n < MEASURED ? n : MEASURED};
    size_t chunks = pool_chunks(m.n, GRAIN);

    if (!(m.sum = mem_try_array(chunks * 3 * c, sizeof *m.sum, err)))
        return false;
    pool_for(pool, m.n, GRAIN, measure_chunk, &m);
    for (size_t k = 0; k < c; k++) {
        double sum = 0, squares = 0, count = 0, var;

        for (size_t i = 0; i < chunks; i++) {
            sum += m.sum[i * 3 * c + k];
            squares += m.sum[i * 3 * c + c + k];
            count += m.sum[i * 3 * c + 2 * c + k];
        }
        sum /= count > 0 ? count : 1;
        var = squares / (count > 0 ? count : 1) - sum * sum;
        mean[k] = (float)sum;
        inverse[k] = (float)(var > 1e-12 ? 1 / sqrt(var) : 1);
        if (!isfinite(mean[k]) || !isfinite(inverse[k])) {
            mean[k] = 0;
            inverse[k] = 0; /* values too far apart say nothing */
        }
    }
    free(m.sum);
    if (atomic_load(&m.failed))
        *err = m.err;
    return !atomic_load(&m.failed) && progress_check(stop, err);
}

/* ---- changes ---- */

/* Where a row's variant comes from: by pixels, or by fractions of them. */
struct view {
    bool flip;
    double top, left; /* of the window */
    double scale;     /* of its side to the image's */
    float light;
};

static struct view
view_of(const struct pixels *p, size_t row, uint64_t draw)
{
    const struct pixels_change *c = &p->change;
    uint64_t stream = STREAM_CHANGE + (draw << 32);
    struct view v = {.scale = 1, .light = 1};

    if (draw == 0)
        return v;
    v.flip = c->flip && rng_below(c->seed, stream, row * 8, 2) == 1;
    v.top = (double)rng_below(c->seed, stream, row * 8 + 1,
                              2 * (uint64_t)c->shift + 1) -
            (double)c->shift;
    v.left = (double)rng_below(c->seed, stream, row * 8 + 2,
                               2 * (uint64_t)c->shift + 1) -
             (double)c->shift;
    if (c->crop > 0) {
        v.scale = 1 - c->crop * rng_unit(c->seed, stream, row * 8 + 3);
        v.top +=
            (1 - v.scale) * p->size.h * rng_unit(c->seed, stream, row * 8 + 4);
        v.left +=
            (1 - v.scale) * p->size.w * rng_unit(c->seed, stream, row * 8 + 5);
    }
    if (c->brightness > 0)
        v.light =
            (float)(1 + c->brightness *
                            (2 * rng_unit(c->seed, stream, row * 8 + 6) - 1));
    return v;
}

/* The number at a place, scaled; 0, which is the mean, beyond the edges. */
static float
scaled(const struct pixels *p, const float *x, long y, long w, size_t c,
       float light)
{
    float v;

    if (y < 0 || w < 0 || y >= (long)p->size.h || w >= (long)p->size.w)
        return 0;
    v = (x[((size_t)y * p->size.w + (size_t)w) * p->size.c + c] * light -
         p->mean[c]) *
        p->inverse[c];
    return isfinite(v) ? v : 0;
}

static void
plain_image(const struct pixels *p, const float *x, float *out)
{
    size_t n = (size_t)p->size.h * p->size.w, c = p->size.c;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c; k++, x++, out++) {
            float v = (*x - p->mean[k]) * p->inverse[k];

            *out = isfinite(v) ? v : 0;
        }
}

static void
moved_image(const struct pixels *p, const float *x, const struct view *v,
            float *out)
{
    for (long y = 0; y < (long)p->size.h; y++)
        for (long w = 0; w < (long)p->size.w; w++) {
            long from = v->flip ? (long)p->size.w - 1 - w : w;

            for (size_t c = 0; c < p->size.c; c++)
                *out++ = scaled(p, x, y + (long)v->top, from + (long)v->left, c,
                                v->light);
        }
}

/* Between four pixels, by how near each is. */
static void
stretched_image(const struct pixels *p, const float *x, const struct view *v,
                float *out)
{
    for (uint32_t y = 0; y < p->size.h; y++)
        for (uint32_t w = 0; w < p->size.w; w++) {
            uint32_t across = v->flip ? p->size.w - 1 - w : w;
            double fy = v->top + (y + 0.5) * v->scale - 0.5;
            double fx = v->left + (across + 0.5) * v->scale - 0.5;
            long iy = (long)floor(fy), ix = (long)floor(fx);
            float by = (float)(fy - (double)iy), bx = (float)(fx - (double)ix);

            for (size_t c = 0; c < p->size.c; c++) {
                float a = scaled(p, x, iy, ix, c, v->light);
                float b = scaled(p, x, iy, ix + 1, c, v->light);
                float d = scaled(p, x, iy + 1, ix, c, v->light);
                float e = scaled(p, x, iy + 1, ix + 1, c, v->light);

                *out++ = (a * (1 - bx) + b * bx) * (1 - by) +
                         (d * (1 - bx) + e * bx) * by;
            }
        }
}

bool
pixels_take(const void *ctx, const struct net_wanted *w, struct error *err)
{
    const struct pixels *p = ctx;
    size_t len = image_numbers(p->size);
    float *x = mem_try_array(len, sizeof *x, err);
    uint8_t *scratch = mem_try_array(len, 1, err);
    bool ok = x && scratch;

    for (size_t i = 0; ok && i < w->n; i++) {
        size_t r = w->row ? w->row[i] : w->first + i;
        struct view v = view_of(p, r, w->draw);
        float *out = w->numbers + i * w->stride;

        if (!(ok = raw_image(p, r, scratch, x, err)))
            break;
        if (v.scale < 1)
            stretched_image(p, x, &v, out);
        else if (v.flip || v.top != 0 || v.left != 0 || v.light != 1)
            moved_image(p, x, &v, out);
        else
            plain_image(p, x, out);
    }
    free(x);
    free(scratch);
    return ok;
}
