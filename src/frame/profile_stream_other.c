/* The table that another is held against, where it is beyond memory: a sample
 * of its rows, as evenly spaced as those of the table here, what is missing,
 * and a hash of each row, to find those that both have.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/profile_stream_part.h"

struct profile_other {
    struct frame *sample;
    uint64_t n_rows;
    size_t *n_missing;
    size_t *here, *there, n_common; /* columns that compare */
    struct lot *lot[2];             /* rows in these, here and there */
};

void
profile_other_free(struct profile_other *o)
{
    if (!o)
        return;
    frame_unref(o->sample);
    free(o->n_missing);
    free(o->here);
    free(o->there);
    lot_free(o->lot[0]);
    lot_free(o->lot[1]);
    free(o);
}

static bool
add_hashes(struct lot *l, const struct frame *f, const size_t *cols,
           size_t n_cols, struct pool *pool, struct error *err)
{
    struct rowhash h = {
        .frame = f, .cols = cols, .n_cols = n_cols, .n = frame_rows(f)};
    bool ok = n_cols == 0 ||
              (rowhash_fill(&h, pool, err) && lot_add(l, h.hash, h.n, err));

    free(h.hash);
    return ok;
}

static bool
add_batch(struct profile_other *o, struct sampler *sampler,
          const struct frame *f, struct pool *pool, struct error *err)
{
    o->n_rows += frame_rows(f);
    for (size_t i = 0; i < frame_cols(f); i++)
        o->n_missing[i] += profile_count_missing(frame_column(f, i));
    return sampler_add(sampler, f, err) &&
           add_hashes(o->lot[1], f, o->there, o->n_common, pool, err);
}

static bool
read_all(struct profile_other *o, struct stream *s, struct sampler *sampler,
         struct progress *progress, struct error *err)
{
    uint64_t *row;
    struct frame *f;

    while (stream_next(s, &f, err)) {
        bool ok;

        if (!f) {
            o->sample = sampler_frame(sampler, &row, err);
            if (o->sample)
                free(row);
            return o->sample;
        }
        ok = progress_check(progress, err) &&
             add_batch(o, sampler, f, stream_pool(s), err);
        frame_unref(f);
        if (!ok)
            return false;
    }
    return false;
}

static bool
begin(struct profile_other *o, const struct frame *head,
      const struct frame *other, struct error *err)
{
    size_t n = frame_cols(head);

    if (!(o->n_missing =
              mem_try_array(frame_cols(other), sizeof *o->n_missing, err)) ||
        !(o->here = mem_try_array(n, sizeof *o->here, err)) ||
        !(o->there = mem_try_array(n, sizeof *o->there, err)) ||
        !(o->lot[0] = lot_new(err)) || !(o->lot[1] = lot_new(err)))
        return false;
    o->n_common = profile_common(head, other, o->here, o->there);
    return true;
}

struct profile_other *
profile_other_new(struct stream *s, const struct frame *head,
                  struct progress *progress, struct error *err)
{
    struct profile_other *o = mem_try_array(1, sizeof *o, err);
    struct sampler *sampler = NULL;
    uint64_t n, *known = stream_rows(s, &n) ? &n : NULL;
    bool ok = o && begin(o, head, stream_head(s), err) &&
              (sampler = sampler_new(stream_head(s), known, err)) &&
              read_all(o, s, sampler, progress, err);

    sampler_free(sampler);
    if (ok)
        return o;
    profile_other_free(o);
    return NULL;
}

const struct frame *
profile_other_sample(const struct profile_other *o)
{
    return o->sample;
}

bool
profile_other_meet(struct profile_other *o, const struct frame *f,
                   struct pool *pool, struct error *err)
{
    return add_hashes(o->lot[0], f, o->here, o->n_common, pool, err);
}

bool
profile_other_end(const struct profile_other *o, struct profile_overlap *out,
                  struct pool *pool, const struct progress *progress,
                  struct error *err)
{
    *out = (struct profile_overlap){.n_common = o->n_common,
                                    .n_rows = (size_t)o->n_rows,
                                    .n_missing = o->n_missing};
    return lot_common(o->lot[1], o->lot[0], pool, progress, &out->n, err);
}
