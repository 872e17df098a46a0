/* What texts are made of: kinds of characters, words, and whether they would
 * rather be numbers, dates or lists.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/profile_part.h"

enum { WORD_MAX = 64, CHARS = 0x110000, BATCH = 256 };

/* ---- dates ----------------------------------------------------------- */

struct group {
    unsigned value; /* a number, or a month by its name */
    size_t len;     /* digits; 0: a name */
};

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
read_group(struct str *s, struct group *g)
{
    size_t n = 0;

    *g = (struct group){0};
    while (n < s->n && n < 5 && is_digit(s->p[n]))
        g->value = g->value * 10 + (unsigned)(s->p[n++] - '0');
    g->len = n;
    if (n == 0) {
        while (n < s->n && is_letter(s->p[n]))
            n++;
        for (unsigned m = 0; n >= 3 && n <= 9 && m < 12; m++)
            if (str_eq_nocase((struct str){s->p, 3}, str_of(months[m])))
                g->value = m + 1;
    }
    *s = (struct str){s->p + n, s->n - n};
    return n > 0 && n < 10 && g->value > 0;
}

/* A day and a month in either order. */
static bool
is_day(unsigned a, unsigned b)
{
    return a <= 31 && b <= 31 && (a <= 12 || b <= 12);
}

static bool
is_year(const struct group *g)
{
    return g->len == 4 || g->len == 2;
}

/* Blanks and commas part the groups where there is a name; else one of - / .
 * does, the same twice. */
static bool
skip_separator(struct str *s, char *which)
{
    size_t n = 0;

    while (n < s->n && n < 2 && s->p[n] && strchr("-/., ", s->p[n]))
        *which = s->p[n++];
    *s = (struct str){s->p + n, s->n - n};
    return n > 0;
}

/* What may follow a date: nothing, or a time of day. */
static bool
is_rest(struct str s)
{
    return s.n == 0 || (s.n >= 5 && (s.p[0] == ' ' || s.p[0] == 'T') &&
                        is_digit(s.p[1]) && memchr(s.p, ':', s.n));
}

bool
profile_reads_as_date(struct str s)
{
    struct group g[3];
    char gap[2] = {0};
    size_t names = 0;

    s = str_trim(s);
    for (size_t i = 0; i < 3; i++) {
        if (!read_group(&s, &g[i]) || (i < 2 && !skip_separator(&s, &gap[i])))
            return false;
        names += g[i].len == 0;
    }
    if (!is_rest(s) || names > 1)
        return false;
    if (g[0].len == 0) /* Mar 5, 2024 */
        return is_year(&g[2]) && g[1].len <= 2 && g[1].value <= 31;
    if (g[1].len == 0) /* 5 Mar 2024 */
        return is_year(&g[2]) && g[0].len <= 2 && g[0].value <= 31;
    if (names || gap[0] != gap[1] || gap[0] == ' ' || gap[0] == ',')
        return false;
    if (g[0].len == 4) /* 2024/3/5 */
        return g[1].len <= 2 && g[2].len <= 2 && g[1].value <= 12 &&
               g[2].value <= 31;
    return g[0].len <= 2 && g[1].len <= 2 && is_year(&g[2]) &&
           is_day(g[0].value, g[1].value);
}

/* ---- kinds ----------------------------------------------------------- */

static bool
reads_as_number(struct str s)
{
    double x;

    s = str_trim(s);
    return s.n > 0 && (is_digit(s.p[s.n - 1]) || s.p[s.n - 1] == '.') &&
           str_to_f64(s, &x);
}

static bool
is_list(struct str s)
{
    s = str_trim(s);
    return s.n >= 2 && ((s.p[0] == '[' && s.p[s.n - 1] == ']') ||
                        (s.p[0] == '{' && s.p[s.n - 1] == '}'));
}

static bool
judge_text(struct profile_words *w, struct str s, char **odd, struct error *err)
{
    bool number = reads_as_number(s), blank = str_trim(s).n == 0;

    w->n++;
    w->n_number += number;
    w->n_date += !number && profile_reads_as_date(s);
    w->n_list += is_list(s);
    w->n_blank += blank;
    w->n_invalid += !str_utf8_valid(s);
    if (number || blank || *odd)
        return true;
    *odd = mem_try_text(s.p, s.n < 100 ? s.n : 100, err);
    return *odd;
}

/* ---- characters and words -------------------------------------------- */

struct look {
    struct profile_words *out;
    uint64_t *seen; /* a bit a code point */
    struct dict *words;
    size_t *count; /* by word */
    size_t cap;
    char word[WORD_MAX + 4];
    size_t len;
};

static enum profile_script
script_of(uint32_t cp)
{
    if (cp >= '0' && cp <= '9')
        return SCRIPT_DIGIT;
    if (cp == ' ' || cp == '\t' || cp == 0xa0 || cp == 0x3000)
        return SCRIPT_BLANK;
    if (str_cp_is_control((uint32_t)cp) || cp == 0xfffd)
        return SCRIPT_CONTROL;
    if (cp < 0x7f && !is_letter((char)cp))
        return SCRIPT_SIGN;
    return SCRIPT_LETTER;
}

static bool
end_word(struct look *l, struct error *err)
{
    uint32_t code;
    size_t *count;

    while (l->len > 0 && strchr("'-_", l->word[l->len - 1]))
        l->len--;
    if (l->len == 0)
        return true;
    if (!dict_add(l->words, (struct str){l->word, l->len}, &code, err))
        return false;
    l->len = 0;
    if (!(count = mem_try_grow(l->count, code, &l->cap, sizeof *count, err)))
        return false;
    l->count = count;
    if (code == l->out->n_distinct) {
        count[code] = 0;
        l->out->n_distinct++;
    }
    count[code]++;
    return true;
}

/* Letters and digits make words, and what stands between two of them such as
 * the apostrophe in O'Neill does not part them. */
static bool
look_at(struct look *l, struct str s, struct error *err)
{
    int32_t cp;

    for (size_t at = 0; (cp = str_next(s, &at)) >= 0;) {
        enum profile_script k = script_of((uint32_t)cp);

        l->out->script[k]++;
        l->out->n_distinct_chars += !(l->seen[cp / 64] >> (cp % 64) & 1);
        l->seen[cp / 64] |= (uint64_t)1 << (cp % 64);
        if (k == SCRIPT_LETTER || k == SCRIPT_DIGIT) {
            if (l->len < WORD_MAX)
                l->len +=
                    str_put_utf8(str_cp_lower((uint32_t)cp), l->word + l->len);
        } else if ((cp != '\'' && cp != '-' && cp != '_') || l->len == 0) {
            if (!end_word(l, err))
                return false;
        } else if (l->len < WORD_MAX) {
            l->word[l->len++] = (char)cp;
        }
    }
    return end_word(l, err);
}

static bool
keep_words(struct look *l, struct error *err)
{
    struct profile_words *w = l->out;

    for (size_t i = 0; i < w->n_distinct; i++)
        if (!profile_top_insert(w->top, &w->n_top, l->count[i],
                                dict_text(l->words, (uint32_t)i), err))
            return false;
    return true;
}

static bool
look_over(const struct profile *p, const struct column *c, struct look *l,
          const struct progress *progress, struct error *err)
{
    size_t n = profile_sample_rows(p->frame);

    for (size_t i = 0; i < n; i++) {
        size_t row = profile_sample_row(p->frame, i, n);

        if (i % BATCH == 0 && !progress_check(progress, err))
            return false;
        if (!column_is_valid(c, row))
            continue;
        if (!judge_text(l->out, column_text(c, row), &l->out->odd, err) ||
            !look_at(l, column_text(c, row), err))
            return false;
    }
    return keep_words(l, err);
}

bool
profile_look(const struct profile *p, struct profile_column *out,
             const struct progress *progress, struct error *err)
{
    size_t col = (size_t)(out - p->column);
    struct look l = {0};
    bool ok = false;

    if (out->type != COL_TEXT || out->n_distinct == 0)
        return true;
    if ((out->words = l.out = mem_try_array(1, sizeof *l.out, err)) &&
        (l.seen = mem_try_array(CHARS / 64, sizeof *l.seen, err)) &&
        (l.words = dict_new(err)))
        ok = look_over(p, frame_column(p->frame, col), &l, progress, err);
    free(l.seen);
    free(l.count);
    dict_unref(l.words);
    return ok;
}
