/* frame/stream_text.c -- the text of a file, packed or not, a window at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/stream_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/codec.h"

struct stream_text {
    struct file_map map;
    size_t cool; /* all before it was given back */
    /* Where it is packed: */
    enum codec codec;
    struct codec_stream *codec_stream;
    char *plain; /* bytes begin..begin + n of the text */
    uint64_t begin;
    size_t n, cap;
    bool ended;
};

static struct str
bytes_of(const struct stream_text *t)
{
    return (struct str){t->map.data, t->map.len};
}

struct stream_text *
stream_text_new(struct file_map *m, struct error *err)
{
    struct stream_text *t = mem_new(sizeof *t);

    t->map = *m;
    *m = (struct file_map){.data = ""};
    t->codec = codec_sniff(bytes_of(t));
    if (stream_text_rewind(t, err))
        return t;
    stream_text_free(t);
    return NULL;
}

void
stream_text_free(struct stream_text *t)
{
    if (!t)
        return;
    codec_stream_close(t->codec_stream);
    free(t->plain);
    file_map_close(&t->map);
    free(t);
}

bool
stream_text_rewind(struct stream_text *t, struct error *err)
{
    t->cool = 0;
    if (t->codec == CODEC_NONE)
        return true;
    codec_stream_close(t->codec_stream);
    t->begin = t->n = 0;
    t->ended = false;
    t->codec_stream = codec_stream_open(t->codec, bytes_of(t), err);
    return t->codec_stream != NULL;
}

bool
stream_text_packed(const struct stream_text *t)
{
    return t->codec != CODEC_NONE;
}

size_t
stream_text_len(const struct stream_text *t)
{
    return t->map.len;
}

size_t
stream_text_used(const struct stream_text *t, uint64_t at)
{
    return t->codec == CODEC_NONE ? (size_t)at
                                  : codec_stream_used(t->codec_stream);
}

void
stream_text_cool(const struct stream_text *t)
{
    file_map_cool(&t->map, 0, t->map.len);
}

/* What is mapped and was passed is given back a stretch at a time. */
static void
give_back(struct stream_text *t, size_t before)
{
    enum { STRETCH = 1 << 20 };

    if (before < t->cool + STRETCH)
        return;
    file_map_cool(&t->map, t->cool, before);
    t->cool = before;
}

static bool
make_room(struct stream_text *t, size_t want, struct error *err)
{
    char *p;

    if (want <= t->cap)
        return true;
    if (!(p = mem_try_resize(t->plain, want, 1, err)))
        return false;
    t->plain = p;
    t->cap = want;
    return true;
}

static bool
unpack(struct stream_text *t, uint64_t from, size_t want, struct error *err)
{
    size_t gone = (size_t)(from - t->begin);

    assert(from >= t->begin && gone <= t->n);
    if (gone > 0)
        memmove(t->plain, t->plain + gone, t->n - gone);
    t->begin = from;
    t->n -= gone;
    if (!make_room(t, want, err))
        return false;
    while (t->n < want && !t->ended) {
        size_t got, room = want - t->n;

        if (!codec_stream_read(t->codec_stream, t->plain + t->n, room, &got,
                               err))
            return false;
        t->n += got;
        t->ended = got < room;
    }
    give_back(t, codec_stream_used(t->codec_stream));
    return true;
}

/* Whether the text ends with the buffer may show only with one byte more. */
static bool
look_ahead(struct stream_text *t, size_t want, struct str *out, bool *last,
           struct error *err)
{
    if (!unpack(t, t->begin, want + 1, err))
        return false;
    *last = t->n <= want;
    *out = (struct str){t->plain, *last ? t->n : want};
    return true;
}

bool
stream_text_get(struct stream_text *t, uint64_t from, size_t want,
                struct str *out, bool *last, struct error *err)
{
    if (t->codec == CODEC_NONE) {
        size_t left = t->map.len - (size_t)from;

        give_back(t, (size_t)from);
        *last = left <= want;
        *out = (struct str){t->map.data + from, *last ? left : want};
        return true;
    }
    return unpack(t, from, t->n - (size_t)(from - t->begin), err) &&
           look_ahead(t, want, out, last, err);
}
