/* frame/csv_daymonth.c -- dates with the year last.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_daymonth.h"

#include <string.h>

/* A class is CSV_XDY + 2 * what its values demand + whether one has a time;
 * demands add up. */
enum { EITHER = 0, DAY_FIRST = 1, MONTH_FIRST = 2, NEITHER = 3 };
enum { REST_MAX = 40 };

struct parts {
    unsigned first, second, year;
    char between;
    struct str time; /* empty: none */
};

static unsigned
order_of(enum csv_class c)
{
    return (unsigned)(c - CSV_XDY) / 2;
}

static bool
has_time(enum csv_class c)
{
    return (c - CSV_XDY) % 2 != 0;
}

static enum csv_class
class_of(unsigned order, bool time)
{
    return order == NEITHER ? CSV_TEXT
                            : (enum csv_class)(CSV_XDY + 2 * order + time);
}

enum csv_class
csv_daymonth_join(enum csv_class a, enum csv_class b)
{
    return class_of(order_of(a) | order_of(b), has_time(a) || has_time(b));
}

static bool
is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* At least `min` and at most `max` digits. */
static bool
take_number(struct str *s, size_t min, size_t max, unsigned *out)
{
    size_t n = 0;

    *out = 0;
    while (n < max && n < s->n && is_digit(s->p[n]))
        *out = *out * 10 + (unsigned)(s->p[n++] - '0');
    *s = (struct str){s->p + n, s->n - n};
    return n >= min;
}

static bool
take_byte(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static bool
split(struct str s, struct parts *p)
{
    if (s.n < 8 || !is_digit(s.p[0]) || !take_number(&s, 1, 2, &p->first) ||
        s.n == 0 || !memchr("/.-", s.p[0], 3))
        return false;
    p->between = s.p[0];
    if (!take_byte(&s, p->between) || !take_number(&s, 1, 2, &p->second) ||
        !take_byte(&s, p->between) || !take_number(&s, 4, 4, &p->year))
        return false;
    p->time = s;
    if (s.n == 0)
        return true;
    if (!take_byte(&s, ' ') && !take_byte(&s, 'T'))
        return false;
    p->time = s;
    return s.n > 0;
}

static void
put_digits(char *out, size_t n, unsigned v)
{
    for (; n > 0; v /= 10)
        out[--n] = (char)('0' + v % 10);
}

static bool
date_of(const struct parts *p, bool day_first, char out[10])
{
    int32_t days;

    memcpy(out, "    -  -  ", 10);
    put_digits(out, 4, p->year);
    put_digits(out + 5, 2, day_first ? p->second : p->first);
    put_digits(out + 8, 2, day_first ? p->first : p->second);
    return str_to_date((struct str){out, 10}, &days);
}

/* " PM" at the end of a time, which is taken off. */
static bool
take_half(struct str *s, bool *pm)
{
    static const char *const words[] = {"am", "pm"};

    for (size_t i = 0; i < 2; i++)
        if (s->n > 2 &&
            str_eq_nocase((struct str){s->p + s->n - 2, 2}, str_of(words[i]))) {
            s->n -= 2;
            while (s->n > 0 && s->p[s->n - 1] == ' ')
                s->n--;
            *pm = i == 1;
            return true;
        }
    return false;
}

/* The date with its time behind it, as str_to_timestamp() takes them. */
static bool
with_time(const char date[10], struct str time, int64_t *us)
{
    char text[10 + 3 + REST_MAX] = {0};
    bool pm = false, half = take_half(&time, &pm);
    unsigned hour;

    if (!take_number(&time, 1, 2, &hour) || time.n > REST_MAX ||
        (half && (hour < 1 || hour > 12)))
        return false;
    if (half)
        hour = hour % 12 + (pm ? 12 : 0);
    memcpy(text, date, 10);
    text[10] = 'T';
    put_digits(text + 11, 2, hour);
    if (time.n > 0)
        memcpy(text + 13, time.p, time.n);
    return str_to_timestamp((struct str){text, 13 + time.n}, us);
}

/* What order it demands; NEITHER when it is no date. */
static unsigned
orders(const struct parts *p)
{
    char date[10];

    return (date_of(p, true, date) ? 0u : MONTH_FIRST) |
           (date_of(p, false, date) && p->between != '.' ? 0u : DAY_FIRST);
}

enum csv_class
csv_daymonth_class(struct str s)
{
    struct parts p;
    unsigned order;
    char date[10];
    int64_t us;

    if (!split(s, &p) || (order = orders(&p)) == NEITHER)
        return CSV_TEXT;
    (void)date_of(&p, order != MONTH_FIRST, date);
    if (p.time.n > 0 && !with_time(date, p.time, &us))
        return CSV_TEXT;
    return class_of(order, p.time.n > 0);
}

bool
csv_daymonth_parse(struct str s, enum csv_class c, int64_t *out)
{
    struct parts p;
    char date[10];
    int32_t days;

    *out = 0;
    if (order_of(c) == EITHER) {
        enum csv_class own = csv_daymonth_class(s);

        return own == c || (own == CSV_XDY && c == CSV_XDY_TIME);
    }
    if (!split(s, &p) || (p.between == '.' && order_of(c) == MONTH_FIRST) ||
        !date_of(&p, order_of(c) == DAY_FIRST, date))
        return false;
    if (p.time.n > 0)
        return has_time(c) && with_time(date, p.time, out);
    if (!str_to_date((struct str){date, 10}, &days))
        return false;
    *out = has_time(c) ? days * (INT64_C(86400) * 1000000) : days;
    return true;
}
