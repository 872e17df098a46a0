/* Rows dealt out to files, so that each file can be worked on in memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/gather.h"
#include "frame/stream_verbs_part.h"

struct stream_parts {
    struct frame *head;
    struct stream like; /* its pool, progress and bounds */
    struct spilled *file[STREAM_PARTS];
    struct frame_list list[STREAM_PARTS]; /* not yet written */
};

struct stream_parts *
stream_parts_new(const struct frame *head, const struct stream *like,
                 struct error *err)
{
    struct stream_parts *p = mem_try_array(1, sizeof *p, err);

    if (p) {
        p->head = frame_ref(head);
        p->like = *like;
    }
    return p;
}

void
stream_parts_free(struct stream_parts *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < STREAM_PARTS; i++) {
        spilled_free(p->file[i]);
        frame_list_clear(&p->list[i]);
    }
    frame_unref(p->head);
    free(p);
}

static bool
write_part(struct stream_parts *p, size_t i, struct error *err)
{
    struct frame_list *l = &p->list[i];
    struct frame *f;
    bool ok;

    if (!l->n)
        return true;
    if (!p->file[i] && !(p->file[i] = spilled_new(p->head, err)))
        return false;
    f = frame_list_stack(l, p->head, p->like.pool, err);
    ok = f && spilled_put(p->file[i], f, err);
    frame_unref(f);
    frame_list_clear(l);
    return ok;
}

bool
stream_parts_add(struct stream_parts *p, const struct frame *f,
                 const uint32_t *rows, const uint8_t *part, size_t n,
                 struct error *err)
{
    size_t most = stream_work(&p->like) / (2 * STREAM_PARTS);
    uint32_t *mine = mem_try_unset(n, sizeof *mine, err);
    bool ok = mine;

    for (size_t i = 0; ok && i < STREAM_PARTS; i++) {
        struct frame *some;
        size_t m = 0;

        for (size_t k = 0; k < n; k++)
            if (part[k] == i)
                mine[m++] = rows[k];
        if (m == 0)
            continue;
        some = gather_frame(f, mine, m, p->like.pool, err);
        ok = some && frame_list_add(&p->list[i], some, err) &&
             (p->list[i].bytes <= most || write_part(p, i, err));
    }
    free(mine);
    return ok;
}

bool
stream_parts_take(struct stream_parts *p, size_t i, struct stream **out,
                  struct error *err)
{
    struct spilled *file;

    *out = NULL;
    if (!write_part(p, i, err))
        return false;
    file = p->file[i];
    p->file[i] = NULL;
    return !file || (*out = stream_of_spilled(file, p->head, &p->like, err));
}
