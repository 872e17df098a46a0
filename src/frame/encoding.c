/* frame/encoding.c -- text of other encodings to UTF-8.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/encoding.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { GRAIN = 256 * 1024, STEP = 32 }; /* both even: UTF-16 */

static const char *const words[] = {
    [ENCODING_FIND] = "",         [ENCODING_UTF8] = "utf-8",
    [ENCODING_LATIN1] = "latin1", [ENCODING_WINDOWS_1252] = "windows-1252",
    [ENCODING_UTF16] = "utf-16",
};
enum { N_WORDS = sizeof words / sizeof *words };

bool
encoding_parse(const char *word, enum encoding *out, struct error *err)
{
    const char *near = str_nearest(str_of(word), words + 1, N_WORDS - 1);

    for (size_t i = ENCODING_UTF8; i < N_WORDS; i++)
        if (strcmp(words[i], word) == 0) {
            *out = (enum encoding)i;
            return true;
        }
    return error_set(err, ERR_USAGE, "encoding '%s', expected %s%s%s%s", word,
                     ENCODING_CHOICES, near ? " (did you mean '" : "",
                     near ? near : "", near ? "'?)" : "");
}

const char *
encoding_word(enum encoding e)
{
    return e >= ENCODING_UTF8 && e <= ENCODING_UTF16 ? words[e] : NULL;
}

/* ---- what is UTF-8 ---- */

#define HIGH UINT64_C(0x8080808080808080)

/* Whole steps of ASCII from `at`, which most texts are. */
static size_t
skip_ascii(struct str s, size_t at)
{
    for (; s.n - at >= STEP; at += STEP) {
        uint64_t w[STEP / sizeof(uint64_t)];

        memcpy(w, s.p + at, STEP);
        if ((w[0] | w[1] | w[2] | w[3]) & HIGH)
            break;
    }
    return at;
}

/* The second byte is where over-long forms, surrogates and what is beyond
 * U+10FFFF show (Unicode 15, table 3-7). */
size_t
encoding_sequence(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned lead = *p, low = 0x80, high = 0xbf;
    size_t want = lead < 0xc2   ? 0
                  : lead < 0xe0 ? 2
                  : lead < 0xf0 ? 3
                  : lead < 0xf5 ? 4
                                : 0;

    if (want == 0 || want > n)
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < want; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return want;
}

/* Where the next byte is that is not ASCII. */
static size_t
next_high(struct str s, size_t at)
{
    for (at = skip_ascii(s, at); s.n - at >= sizeof(uint64_t);
         at += sizeof(uint64_t)) {
        uint64_t w;

        memcpy(&w, s.p + at, sizeof w);
        if (w & HIGH)
            return at + (size_t)__builtin_ctzll(w & HIGH) / 8;
    }
    while (at < s.n && (unsigned char)s.p[at] < 0x80)
        at++;
    return at;
}

size_t
encoding_foreign(struct str s)
{
    size_t at = next_high(s, 0);

    while (at < s.n) {
        size_t n = encoding_sequence(s.p + at, s.n - at);

        if (n == 0)
            return at;
        at += n;
        if (at < s.n && (unsigned char)s.p[at] < 0x80)
            at = next_high(s, at);
    }
    return at;
}

size_t
encoding_foreign_lines(struct str s, size_t *first)
{
    size_t line = 1, at = 0, n = 0;

    for (;;) {
        size_t next = at + encoding_foreign((struct str){s.p + at, s.n - at});
        const char *end;

        if (next == s.n)
            return n;
        for (; (end = memchr(s.p + at, '\n', next - at)); line++)
            at = (size_t)(end + 1 - s.p);
        if (n++ == 0)
            *first = line;
        if (!(end = memchr(s.p + next, '\n', s.n - next)))
            return n;
        at = (size_t)(end + 1 - s.p);
        line++;
    }
}

/* ---- to UTF-8 ---- */

/* Code points of the bytes 80 to 9f in windows-1252. */
static const uint16_t windows[32] = {
    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
    0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0x8d,   0x17d,  0x8f,
    0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};

struct decoding {
    struct str text;
    enum encoding encoding;
    size_t *n; /* bytes of the results of the chunks; then where they begin */
    char *out;
};

static size_t
put(uint32_t cp, char *out)
{
    char scratch[4];

    if (out && cp < 0x80) {
        *out = (char)cp;
        return 1;
    }
    return str_put_utf8(cp, out ? out : scratch);
}

/* From begin to end; out NULL: count alone. */
static size_t
decode_bytes(const struct decoding *d, size_t begin, size_t end, char *out)
{
    bool latin = d->encoding == ENCODING_LATIN1;
    size_t n = 0;

    for (size_t i = begin; i < end; i++) {
        unsigned char c = (unsigned char)d->text.p[i];

        if (c < 0x80) {
            if (out)
                out[n] = (char)c;
            n++;
        } else {
            n += put(latin || c >= 0xa0 ? c : windows[c - 0x80],
                     out ? out + n : NULL);
        }
    }
    return n;
}

static bool
is_wide(const struct decoding *d)
{
    return d->encoding >= ENCODING_UTF16;
}

/* The unit at byte i; past the end of the text nothing that pairs. */
static unsigned
unit(const struct decoding *d, size_t i)
{
    const unsigned char *p = (const unsigned char *)d->text.p + i;

    if (i + 1 >= d->text.n)
        return 0xfffd;
    return d->encoding == ENCODING_UTF16_BIG ? (unsigned)(p[0] << 8 | p[1])
                                             : (unsigned)(p[1] << 8 | p[0]);
}

static bool
is_high(unsigned u)
{
    return u >= 0xd800 && u < 0xdc00;
}

static bool
is_low(unsigned u)
{
    return u >= 0xdc00 && u < 0xe000;
}

/* A pair belongs to the chunk that its first half is in. */
static size_t
decode_units(const struct decoding *d, size_t begin, size_t end, char *out)
{
    size_t n = 0, i = begin;

    if (begin >= 2 && is_low(unit(d, begin)) && is_high(unit(d, begin - 2)))
        i += 2;
    while (i < end) {
        unsigned u = unit(d, i), next = is_high(u) ? unit(d, i + 2) : 0;
        uint32_t cp = u;

        i += 2;
        if (is_high(u) && is_low(next)) {
            cp = 0x10000 + ((u - 0xd800) << 10) + (next - 0xdc00);
            i += 2;
        } else if (is_high(u) || is_low(u)) {
            cp = 0xfffd;
        }
        n += put(cp, out ? out + n : NULL);
    }
    return n;
}

static size_t
decode(const struct decoding *d, size_t begin, size_t end, char *out)
{
    return is_wide(d) ? decode_units(d, begin, end, out)
                      : decode_bytes(d, begin, end, out);
}

static void
count_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct decoding *d = ctx;
    struct str s = {d->text.p + begin, end - begin};
    size_t at = is_wide(d) ? 0 : skip_ascii(s, 0);

    d->n[chunk] = at + decode(d, begin + at, end, NULL);
}

static void
write_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct decoding *d = ctx;

    (void)decode(d, begin, end, d->out + d->n[chunk]);
}

static bool
run(struct decoding *d, struct pool *pool, size_t *len, struct error *err)
{
    size_t n_chunks = pool_chunks(d->text.n, GRAIN), all = 0;

    if (!(d->n = mem_try_array(n_chunks, sizeof *d->n, err)))
        return false;
    pool_for(pool, d->text.n, GRAIN, count_chunk, d);
    for (size_t i = 0; i < n_chunks; i++) {
        size_t n = d->n[i];

        d->n[i] = all;
        all += n;
    }
    *len = all;
    /* As long as before: bytes that are all ASCII. */
    if (!is_wide(d) && all == d->text.n)
        return true;
    if (!(d->out = mem_try_array(all + 1, 1, err)))
        return false;
    pool_for(pool, d->text.n, GRAIN, write_chunk, d);
    return true;
}

enum encoding
encoding_of(struct str head, enum encoding e, size_t *mark)
{
    bool little = str_starts(head, "\xff\xfe"),
         big = str_starts(head, "\xfe\xff");

    *mark = 0;
    if (e == ENCODING_FIND && !little && !big)
        return ENCODING_UTF8;
    if (e != ENCODING_FIND && e != ENCODING_UTF16)
        return e;
    *mark = little || big ? 2 : 0;
    return big ? ENCODING_UTF16_BIG : ENCODING_UTF16_LITTLE;
}

size_t
encoding_cut(struct str s, enum encoding e)
{
    struct decoding d = {.text = s, .encoding = e};
    size_t n = s.n;

    if (!is_wide(&d))
        return n;
    n -= n % 2;
    return n >= 2 && is_high(unit(&d, n - 2)) ? n - 2 : n;
}

bool
encoding_decode(struct str text, enum encoding e, struct pool *pool, char **out,
                size_t *len, struct error *err)
{
    struct decoding d = {0};
    size_t mark;
    bool ok;

    d.encoding = encoding_of(text, e, &mark);
    d.text = (struct str){text.p + mark, text.n - mark};
    *out = NULL;
    *len = text.n;
    if (d.encoding == ENCODING_UTF8)
        return true;
    ok = run(&d, pool, len, err);
    free(d.n);
    *out = d.out;
    return ok;
}
