/* engine/checkpoint.c -- a file from which a fit that was ended can go on.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/checkpoint.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"

enum { EVERY_MS = 30000, VALUE_CELLS = 60, DIFFERENCES = 4 };

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
    if (c->of) {
        json_name(w, "of");
        json_put_raw(w, c->of);
    }
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

/* What members are called that are hashes and the like. */
static const struct {
    const char *member, *words;
} spoken[] = {
    {"rows", "the rows"},
    {"valid", "the validation rows"},
    {"init", "the model to go on from"},
    {"kept", "the share kept for calibration and the like"},
    {"problem", "the kind of target"},
    {"streamed", "the memory there is"},
};

/* As people read it; nothing where it is not set. */
static void
value_text(const struct json *v, struct buf *out)
{
    buf_init(out);
    if (v && json_type(v) == JSON_STRING)
        buf_puts(out, json_string(v));
    else if (v && json_type(v) != JSON_NULL)
        json_print(out, v);
    if (strcmp(out->data, "[]") == 0)
        buf_clear(out);
}

static void
put_value(const struct json *v, struct buf *out)
{
    struct buf text;

    value_text(v, &text);
    if (text.len == 0)
        buf_puts(out, "not set");
    else
        buf_plain(out, text.data, text.len, VALUE_CELLS);
    buf_fini(&text);
}

/* Also where one is not there, as before there was such an option, and the
 * other not set. */
static bool
same_value(const struct json *a, const struct json *b)
{
    struct buf ta, tb;
    bool same;

    value_text(a, &ta);
    value_text(b, &tb);
    same = strcmp(ta.data, tb.data) == 0;
    buf_fini(&ta);
    buf_fini(&tb);
    return same;
}

/* "the rows", or "row_share is 0.8 there, 0.7 here". */
static void
put_difference(const char *name, const struct json *there,
               const struct json *here, struct buf *out)
{
    for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++)
        if (strcmp(spoken[i].member, name) == 0) {
            buf_puts(out, spoken[i].words);
            return;
        }
    buf_printf(out, "%s is ", name);
    put_value(there, out);
    buf_puts(out, " there, ");
    put_value(here, out);
    buf_puts(out, " here");
}

/* Members of the two that differ, with "; " between; *n counts them, and more
 * than DIFFERENCES are not put. */
static void
put_differing(const struct json *there, const struct json *here, size_t *n,
              struct buf *out)
{
    for (unsigned second = 0; second < 2; second++)
        for (const struct json *v = json_first(second ? here : there); v;
             v = json_next(v)) {
            const struct json *a = json_find(there, json_key(v)),
                              *b = json_find(here, json_key(v));

            if ((second && a) || same_value(a, b))
                continue;
            if (a && b && json_type(a) == JSON_OBJECT &&
                json_type(b) == JSON_OBJECT) {
                put_differing(a, b, n, out);
            } else if (++*n <= DIFFERENCES) {
                buf_puts(out, *n > 1 ? "; " : "");
                put_difference(json_key(v), a, b, out);
            }
        }
}

/* "it is of another fit" and what is other. */
static bool
refuse(const struct checkpoint *c, const struct json *o, struct error *err)
{
    const struct json *there = json_find(o, "of");
    struct error ignored;
    struct json *here = c->of ? json_parse(str_of(c->of), &ignored) : NULL;
    struct buf text;
    size_t n = 0;

    buf_init(&text);
    if (here && there && json_type(there) == JSON_OBJECT)
        put_differing(there, here, &n, &text);
    if (n > DIFFERENCES)
        buf_printf(&text, "; and %zu more", n - DIFFERENCES);
    error_set(err, ERR_STATE, "it is of another fit: %s",
              n ? text.data : "other rows, parameters or seed");
    buf_fini(&text);
    json_free(here);
    return false;
}

static bool
key_check(const struct checkpoint *c, const char *kind, const struct json *o,
          struct error *err)
{
    const char *its_kind, *key;

    if (!json_get_string(o, "checkpoint", &its_kind, err) ||
        !json_get_string(o, "key", &key, err))
        return false;
    if (strcmp(its_kind, kind) != 0)
        return error_set(err, ERR_STATE, "it is of a %.32s, not of a %s",
                         its_kind, kind);
    return strcmp(key, c->key) == 0 || refuse(c, o, err);
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
