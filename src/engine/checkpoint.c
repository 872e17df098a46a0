/* engine/checkpoint.c -- a file from which a fit that was ended can go on.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/checkpoint.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"

enum { EVERY_MS = 30000 };

void
checkpoint_mark(struct checkpoint_mark *last, size_t round)
{
    *last = (struct checkpoint_mark){round, loop_now_ms()};
}

bool
checkpoint_due(const struct checkpoint *c, const struct checkpoint_mark *last,
               size_t round)
{
    if (!c)
        return false;
    return c->every_rounds > 0 ? round - last->round >= c->every_rounds
                               : loop_now_ms() - last->ms >= EVERY_MS;
}

/* ---- writing ---- */

void
checkpoint_open(const struct checkpoint *c, const char *kind,
                struct json_writer *w, struct buf *manifest)
{
    buf_init(manifest);
    json_writer_init(w, manifest);
    json_open(w, '{');
    json_name(w, "checkpoint");
    json_put_string(w, kind);
    json_name(w, "key");
    json_put_string(w, c->key);
}

bool
checkpoint_write(const struct checkpoint *c, struct json_writer *w,
                 struct buf *manifest, struct st_writer *st, struct error *err)
{
    struct buf file;
    bool ok;

    json_close(w, '}');
    buf_init(&file);
    if ((ok = buf_check(manifest, err))) {
        st_manifest(st, manifest->data);
        ok = st_write(st, &file, err) &&
             file_replace(c->path, file.data, file.len, 0644, err);
    }
    buf_fini(&file);
    buf_fini(manifest);
    return ok || error_prefix(err, "checkpoint: ");
}

/* ---- reading ---- */

static bool
key_check(const struct checkpoint *c, const char *kind, const struct json *o,
          struct error *err)
{
    const char *its_kind, *key;

    if (!json_get_string(o, "checkpoint", &its_kind, err) ||
        !json_get_string(o, "key", &key, err))
        return false;
    return (strcmp(its_kind, kind) == 0 && strcmp(key, c->key) == 0) ||
           error_set(err, ERR_STATE,
                     "it is of another fit: other rows, parameters or seed");
}

static bool
read_map(const struct checkpoint *c, const char *kind,
         const struct file_map *map, checkpoint_take *take, void *ctx,
         struct error *err)
{
    struct st_file *f = st_parse((struct str){map->data, map->len}, err);
    const char *text = f ? st_get_manifest(f) : NULL;
    struct json *o = text ? json_parse(str_of(text), err) : NULL;
    bool ok = o != NULL;

    if (f && !text)
        error_set(err, ERR_CORRUPT, "it is no checkpoint");
    ok = ok && key_check(c, kind, o, err) && take(ctx, f, o, err) &&
         file_map_whole(map, err);
    json_free(o);
    st_free(f);
    return ok;
}

bool
checkpoint_read(const struct checkpoint *c, const char *kind,
                checkpoint_take *take, void *ctx, struct error *err)
{
    struct file_map map;
    bool ok;

    if (!c || !c->resume || access(c->path, F_OK) != 0)
        return true;
    if (!file_map_open(&map, c->path, NULL, err))
        return false;
    ok = read_map(c, kind, &map, take, ctx, err);
    file_map_close(&map);
    return ok || error_prefix(err, "%s: ", c->path);
}
