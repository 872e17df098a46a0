/* engine/port/c_source_grams.c -- the counting of n-grams as C.
 *
 * It says what prepare_text.c does without taking memory: hashes go on from
 * character to character, and words are read again for each n-gram.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/c_source_state.h"

/* Characters that go to lower case by the same way, each so far behind the one
 * before. */
struct cases {
    uint32_t first, last, by;
    int32_t add;
};

static void
put_cases(const struct cases *c, size_t n, struct buf *out)
{
    buf_printf(out, "%s{0x%lx, 0x%lx, %lu, %ld}",
               n % 3 ? ", "
               : n   ? ",\n    "
                     : "\n    ",
               (unsigned long)c->first, (unsigned long)c->last,
               (unsigned long)c->by, (long)c->add);
}

/* All that are not ASCII. */
static void
put_lower(struct buf *out)
{
    struct cases c = {0};
    size_t n = 0;

    buf_puts(out, "/* From first to last, in steps of `by`: what is added. */\n"
                  "static const struct {\n"
                  "    unsigned first, last, by;\n"
                  "    int add;\n"
                  "} lower[] = {");
    for (uint32_t cp = 128; cp <= 0x10ffff; cp++) {
        int32_t add = (int32_t)str_cp_lower(cp) - (int32_t)cp;
        uint32_t by = cp - c.last;

        if (add == 0)
            continue;
        if (add == c.add && by <= 2 && (c.first == c.last || by == c.by)) {
            c.by = by;
            c.last = cp;
            continue;
        }
        if (c.first)
            put_cases(&c, n++, out);
        c = (struct cases){cp, cp, 1, add};
    }
    put_cases(&c, n, out);
    buf_puts(out, "};\n\n");
}

static const char next_text[] =
    "static unsigned\n"
    "lower_of(unsigned c)\n"
    "{\n"
    "    unsigned i = 0, end = sizeof lower / sizeof *lower;\n"
    "\n"
    "    if (c < 128)\n"
    "        return c >= 'A' && c <= 'Z' ? c + 32 : c;\n"
    "    while (i < end) {\n"
    "        unsigned k = (i + end) / 2;\n"
    "\n"
    "        if (lower[k].last < c)\n"
    "            i = k + 1;\n"
    "        else\n"
    "            end = k;\n"
    "    }\n"
    "    if (i < sizeof lower / sizeof *lower && c >= lower[i].first &&\n"
    "        (c - lower[i].first) % lower[i].by == 0)\n"
    "        return (unsigned)((int)c + lower[i].add);\n"
    "    return c;\n"
    "}\n\n"
    "/* The next character in lower case; 0 at the end.  A byte that is none\n"
    " * of UTF-8 is U+FFFD. */\n"
    "static unsigned\n"
    "next_of(const char **at)\n"
    "{\n"
    "    const unsigned char *s = (const unsigned char *)*at;\n"
    "    unsigned c = s[0], i;\n"
    "    unsigned n = c < 0xc2 || c > 0xf4 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 "
    ": 3;\n"
    "\n"
    "    if (c == 0)\n"
    "        return 0;\n"
    "    ++*at;\n"
    "    if (c < 128)\n"
    "        return lower_of(c);\n"
    "    c &= 0x3fu >> n;\n"
    "    for (i = 1; i <= n && (s[i] & 0xc0) == 0x80; i++)\n"
    "        c = c << 6 | (s[i] & 0x3fu);\n"
    "    if (n == 0 || i <= n || (n == 2 && (c < 0x800 || c >> 11 == 0x1b)) ||\n"
    "        (n == 3 && (c < 0x10000 || c > 0x10ffff)))\n"
    "        return 0xfffd;\n"
    "    *at += n;\n"
    "    return lower_of(c);\n"
    "}\n\n"
    "static int\n"
    "is_word(unsigned c)\n"
    "{\n"
    "    return c >= 128 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') "
    "||\n"
    "           c == '_';\n"
    "}\n\n"
    "/* Where the next word begins; NULL: there is none. */\n"
    "static const char *\n"
    "word_of(const char *s)\n"
    "{\n"
    "    for (;;) {\n"
    "        const char *begin = s;\n"
    "        unsigned c = next_of(&s);\n"
    "\n"
    "        if (c == 0)\n"
    "            return NULL;\n"
    "        if (is_word(c))\n"
    "            return begin;\n"
    "    }\n"
    "}\n\n"
    "/* FNV-1a of the bytes of UTF-8. */\n"
    "static unsigned long long\n"
    "hash_on(unsigned long long h, unsigned c)\n"
    "{\n"
    "    unsigned n = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;\n"
    "    unsigned lead = n ? 0xff00u >> (n + 1) & 0xff : 0;\n"
    "\n"
    "    h = (h ^ (lead | c >> 6 * n)) * 0x100000001b3ull;\n"
    "    while (n-- > 0)\n"
    "        h = (h ^ (0x80 | (c >> 6 * n & 0x3f))) * 0x100000001b3ull;\n"
    "    return h;\n"
    "}\n\n"
    "static unsigned\n"
    "bucket_of(unsigned long long h, unsigned size)\n"
    "{\n"
    "    h ^= h >> 33;\n"
    "    h *= 0xff51afd7ed558ccdull;\n"
    "    h ^= h >> 33;\n"
    "    return (unsigned)(h % size);\n"
    "}\n\n"
    "enum { last_word = 100000 }; /* of which nothing is read */\n"
    "static const unsigned long long hash_begin = 0xcbf29ce484222325ull;\n\n";

static const char words_text[] =
    "/* n-grams of words, with a blank between. */\n"
    "static void\n"
    "count_words(const char *s, unsigned from, unsigned to, unsigned size,\n"
    "            double *out)\n"
    "{\n"
    "    memset(out, 0, size * sizeof *out);\n"
    "    s = s ? word_of(s) : NULL;\n"
    "    for (unsigned w = 1; s && w <= last_word; w++) {\n"
    "        unsigned long long h = hash_begin;\n"
    "        const char *at = s, *second = NULL;\n"
    "\n"
    "        for (unsigned n = 1; at && n <= to; n++) {\n"
    "            int last = w + n - 1 == last_word;\n"
    "            const char *next = at;\n"
    "            unsigned c;\n"
    "\n"
    "            if (n > 1)\n"
    "                h = hash_on(h, ' ');\n"
    "            while (!last && is_word(c = next_of(&next))) {\n"
    "                h = hash_on(h, c);\n"
    "                at = next;\n"
    "            }\n"
    "            if (n >= from)\n"
    "                out[bucket_of(h, size)]++;\n"
    "            at = last ? NULL : word_of(at);\n"
    "            second = n == 1 ? at : second;\n"
    "        }\n"
    "        s = second;\n"
    "    }\n"
    "}\n\n";

static const char chars_text[] =
    "/* The n characters from place b on of the word at s, of length - 2, with\n"
    " * a blank at either end; at is the character at b. */\n"
    "static unsigned long long\n"
    "hash_chars(const char *at, unsigned b, unsigned n, unsigned length)\n"
    "{\n"
    "    unsigned long long h = hash_begin;\n"
    "\n"
    "    for (unsigned end = b + n; b < end; b++)\n"
    "        h = hash_on(h, b == 0 || b == length - 1 ? ' ' : next_of(&at));\n"
    "    return h;\n"
    "}\n\n"
    "/* n-grams of the characters of words; a shorter word is one of itself. "
    "*/\n"
    "static void\n"
    "count_chars(const char *s, unsigned from, unsigned to, unsigned size,\n"
    "            double *out)\n"
    "{\n"
    "    memset(out, 0, size * sizeof *out);\n"
    "    s = s ? word_of(s) : NULL;\n"
    "    for (unsigned w = 1; s && w <= last_word; w++) {\n"
    "        const char *end = s, *next = s;\n"
    "        unsigned length = 2;\n"
    "\n"
    "        for (; w < last_word && is_word(next_of(&next)); length++)\n"
    "            end = next;\n"
    "        for (unsigned n = from; n <= to; n++) {\n"
    "            unsigned most = n < length ? n : length;\n"
    "            const char *at = s;\n"
    "\n"
    "            for (unsigned b = 0; b + most <= length; b++) {\n"
    "                out[bucket_of(hash_chars(at, b, most, length), size)]++;\n"
    "                if (b > 0)\n"
    "                    next_of(&at);\n"
    "            }\n"
    "            if (n >= length)\n"
    "                break;\n"
    "        }\n"
    "        s = word_of(end);\n"
    "    }\n"
    "}\n\n";

static const char weigh_text[] =
    "/* TF-IDF, of length one. */\n"
    "static void\n"
    "weigh(const double *weight, unsigned size, double *out)\n"
    "{\n"
    "    double sum = 0;\n"
    "\n"
    "    for (unsigned b = 0; b < size; b++) {\n"
    "        out[b] *= weight[b];\n"
    "        sum += out[b] * out[b];\n"
    "    }\n"
    "    for (unsigned b = 0; b < size && sum > 0; b++)\n"
    "        out[b] /= sqrt(sum);\n"
    "}\n\n";

void
c_source_grams(const struct writing *w)
{
    bool words = false, chars = false, weigh = false;

    for (const struct portable_grams *g = w->p->grams; g; g = g->next)
        if (w->live[g->node]) {
            words |= !g->chars;
            chars |= g->chars;
            weigh |= g->weight != NULL;
        }
    if (!words && !chars)
        return;
    put_lower(w->out);
    buf_puts(w->out, next_text);
    if (words)
        buf_puts(w->out, words_text);
    if (chars)
        buf_puts(w->out, chars_text);
    if (weigh)
        buf_puts(w->out, weigh_text);
}
