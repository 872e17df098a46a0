/* frame/stream_text.c -- the text of a file, packed or not, a window at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/stream_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/codec.h"
#include "frame/frame.h"

/* Bytes to decode or to pass over at a time: more than half of anything, and
 * for all threads. */
enum { STEP_MIN = 8, STEP_MAX = 1 << 20 };

struct stream_text {
    struct file_map map;
    size_t cool; /* all before it was given back */
    /* Where it is packed: */
    enum codec codec;
    struct codec_stream *codec_stream;
    /* Where it is of another encoding: */
    enum encoding encoding;
    struct pool *pool;
    size_t mark, used; /* bytes before the text; of what is mapped, decoded */
    char *raw;         /* unpacked, and not yet decoded */
    size_t n_raw, cap_raw;
    /* Where it is one or the other: */
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
    t->encoding = ENCODING_UTF8;
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
    free(t->raw);
    file_map_close(&t->map);
    free(t);
}

bool
stream_text_rewind(struct stream_text *t, struct error *err)
{
    t->cool = 0;
    t->begin = t->n = t->used = t->n_raw = 0;
    t->ended = false;
    if (t->codec == CODEC_NONE)
        return true;
    codec_stream_close(t->codec_stream);
    t->codec_stream = codec_stream_open(t->codec, bytes_of(t), err);
    return t->codec_stream != NULL;
}

bool
stream_text_packed(const struct stream_text *t)
{
    return t->codec != CODEC_NONE || t->encoding != ENCODING_UTF8;
}

bool
stream_text_whole(const struct stream_text *t, struct error *err)
{
    return file_map_whole(&t->map, err);
}

bool
stream_text_believe(const struct stream_text *t, struct frame **read,
                    struct error *err)
{
    if (stream_text_whole(t, err))
        return true;
    if (read) {
        frame_unref(*read);
        *read = NULL;
    }
    return false;
}

size_t
stream_text_len(const struct stream_text *t)
{
    return t->map.len;
}

size_t
stream_text_used(const struct stream_text *t, uint64_t at)
{
    if (t->codec != CODEC_NONE)
        return codec_stream_used(t->codec_stream);
    return t->encoding == ENCODING_UTF8 ? (size_t)at : t->used;
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
make_room(char **bytes, size_t *cap, size_t want, struct error *err)
{
    char *p;

    if (want <= *cap)
        return true;
    if (!(p = mem_try_resize(*bytes, want, 1, err)))
        return false;
    *bytes = p;
    *cap = want;
    return true;
}

/* The next bytes of the other encoding, `want` of them unless they end. */
static bool
next_raw(struct stream_text *t, size_t want, struct str *out, bool *last,
         struct error *err)
{
    size_t got;

    if (t->codec == CODEC_NONE) {
        size_t left = t->map.len - t->used;

        *last = left <= want;
        *out = (struct str){t->map.data + t->used, *last ? left : want};
        return true;
    }
    if (!make_room(&t->raw, &t->cap_raw, want, err))
        return false;
    got = want - t->n_raw;
    if (t->n_raw < want &&
        !codec_stream_read(t->codec_stream, t->raw + t->n_raw, want - t->n_raw,
                           &got, err))
        return false;
    t->n_raw += got;
    *last = t->n_raw < want;
    *out = (struct str){t->raw, t->n_raw};
    return true;
}

static void
drop_raw(struct stream_text *t, size_t n)
{
    if (t->codec == CODEC_NONE) {
        t->used += n;
        return;
    }
    t->n_raw -= n;
    if (n > 0)
        memmove(t->raw, t->raw + n, t->n_raw);
}

static bool
put_plain(struct stream_text *t, struct str s, struct error *err)
{
    if (!make_room(&t->plain, &t->cap, t->n + s.n, err))
        return false;
    if (s.n > 0)
        memcpy(t->plain + t->n, s.p, s.n);
    t->n += s.n;
    return true;
}

/* About `want` bytes of the text more. */
static bool
decode(struct stream_text *t, size_t want, struct error *err)
{
    size_t skip = t->begin + t->n == 0 && t->used == 0 ? t->mark : 0, len;
    struct str raw;
    char *decoded;
    bool ok;

    want = want < STEP_MIN ? STEP_MIN : want > STEP_MAX ? STEP_MAX : want;
    if (!next_raw(t, want, &raw, &t->ended, err))
        return false;
    if (!t->ended)
        raw.n = encoding_cut(raw, t->encoding);
    ok = encoding_decode((struct str){raw.p + skip, raw.n - skip}, t->encoding,
                         t->pool, &decoded, &len, err) &&
         put_plain(t, (struct str){decoded ? decoded : raw.p + skip, len}, err);
    free(decoded);
    drop_raw(t, raw.n);
    return ok;
}

/* At least `want` bytes of plain text, unless they end. */
static bool
fill(struct stream_text *t, size_t want, struct error *err)
{
    if (!make_room(&t->plain, &t->cap, want, err))
        return false;
    while (t->n < want && !t->ended) {
        size_t got, room = want - t->n;

        if (t->encoding != ENCODING_UTF8) {
            if (!decode(t, room, err))
                return false;
            continue;
        }
        if (!codec_stream_read(t->codec_stream, t->plain + t->n, room, &got,
                               err))
            return false;
        t->n += got;
        t->ended = got < room;
    }
    return true;
}

static bool
unpack(struct stream_text *t, uint64_t from, size_t want, struct error *err)
{
    size_t gone;

    assert(from >= t->begin);
    while (from - t->begin > t->n) {
        size_t far = (size_t)(from - t->begin) - t->n;

        if (t->ended)
            return error_set(err, ERR_STATE,
                             "the file changed while it was read");
        t->begin += t->n;
        t->n = 0;
        if (!fill(t, far < STEP_MAX ? far : STEP_MAX, err))
            return false;
    }
    gone = (size_t)(from - t->begin);
    if (gone > 0)
        memmove(t->plain, t->plain + gone, t->n - gone);
    t->begin = from;
    t->n -= gone;
    if (!fill(t, want, err))
        return false;
    give_back(t, stream_text_used(t, from));
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
    if (!stream_text_packed(t)) {
        size_t left = t->map.len - (size_t)from;

        give_back(t, (size_t)from);
        *last = left <= want;
        *out = (struct str){t->map.data + from, *last ? left : want};
        return true;
    }
    return unpack(t, from, 0, err) && look_ahead(t, want, out, last, err);
}

bool
stream_text_decode(struct stream_text *t, struct str head,
                   enum encoding encoding, struct pool *pool, struct error *err)
{
    t->encoding = encoding_of(head, encoding, &t->mark);
    t->pool = pool;
    return t->encoding == ENCODING_UTF8 || stream_text_rewind(t, err);
}
