/* Dates and times: units, months, and texts by a format.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame/expr_plan.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

#define KERNEL(name)                                                      \
    bool name(const struct step *s, const struct vec *const *a, size_t n, \
              struct vec *out, struct arena *mem, struct error *err)

static int64_t
floor_div(int64_t x, int64_t y)
{
    return x / y - (x % y < 0);
}

static bool
is_set(const struct vec *v, size_t i)
{
    return v->valid[i / 64] >> (i % 64) & 1;
}

static void
clear(struct vec *v, size_t i)
{
    v->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* A moment, apart: the day, and the microseconds in it. */
struct moment {
    int32_t days;
    int64_t us;
};

static bool
take_apart(int64_t x, bool stamp, struct moment *out)
{
    int64_t days = stamp ? floor_div(x, DAY) : x;

    if (days < INT32_MIN || days > INT32_MAX)
        return false;
    *out = (struct moment){(int32_t)days, stamp ? x - days * DAY : 0};
    return true;
}

static bool
put_together(struct moment m, bool stamp, int64_t *out)
{
    if (stamp && (m.days > INT64_MAX / DAY - 1 || m.days < INT64_MIN / DAY + 1))
        return false;
    *out = stamp ? m.days * DAY + m.us : m.days;
    return true;
}

/* ---- units ----------------------------------------------------------- */

static const char *const units[] = {"year", "quarter", "month",  "week",
                                    "day",  "hour",    "minute", "second"};
enum unit {
    UNIT_YEAR,
    UNIT_QUARTER,
    UNIT_MONTH,
    UNIT_WEEK,
    UNIT_DAY,
    UNIT_HOUR,
    UNIT_MINUTE,
    UNIT_SECOND
};
enum { N_UNITS = UNIT_SECOND + 1 };

bool
expr_unit_find(struct str word, int64_t *out)
{
    for (size_t i = 0; i < N_UNITS; i++)
        if (str_eq_nocase(word, str_of(units[i]))) {
            *out = (int64_t)i;
            return true;
        }
    return false;
}

static struct moment
truncate_to(struct moment m, enum unit unit)
{
    static const int64_t parts[N_UNITS] = {
        [UNIT_HOUR] = 3600 * SECOND,
        [UNIT_MINUTE] = 60 * SECOND,
        [UNIT_SECOND] = SECOND,
    };
    int year, month, day;

    if (unit >= UNIT_HOUR) {
        m.us -= m.us % parts[unit];
        return m;
    }
    m.us = 0;
    str_civil(m.days, &year, &month, &day);
    if (unit == UNIT_WEEK) /* 1970-01-01 was a Thursday */
        m.days -= (int32_t)(((int64_t)m.days + 3) % 7 + 7) % 7;
    else if (unit == UNIT_MONTH)
        m.days -= day - 1;
    else if (unit == UNIT_QUARTER)
        m.days = str_days(year, (month - 1) / 3 * 3 + 1, 1);
    else if (unit == UNIT_YEAR)
        m.days = str_days(year, 1, 1);
    return m;
}

/* The beginning of the unit `option` that x lies in. */
KERNEL(k_date_trunc)
{
    bool stamp = s->type == COL_TIMESTAMP;
    int64_t *o = out->own;
    struct moment m;

    (void)mem;
    (void)err;
    memcpy(out->valid, a[0]->valid, sizeof out->valid);
    for (size_t i = 0; i < n; i++) {
        o[i] = 0;
        if (is_set(out, i) &&
            (!take_apart(v_int(a[0])[i], stamp, &m) ||
             !put_together(truncate_to(m, (enum unit)s->option), stamp, &o[i])))
            clear(out, i);
    }
    return true;
}

/* ---- months ---------------------------------------------------------- */

static int
month_length(int year, int month)
{
    int next = month % 12 + 1;

    return (int)(str_days(year + (next == 1), next, 1) -
                 str_days(year, month, 1));
}

/* The same day so many months later, or the last one of a shorter month. */
static bool
add_months(struct moment *m, int64_t months)
{
    enum { MOST = 100000000 };
    int year, month, day, length;
    int64_t total;

    if (months > MOST || months < -MOST)
        return false;
    str_civil(m->days, &year, &month, &day);
    total = (int64_t)year * 12 + month - 1 + months;
    if (floor_div(total, 12) > 5000000 || floor_div(total, 12) < -5000000)
        return false;
    year = (int)floor_div(total, 12);
    month = (int)(total - (int64_t)year * 12) + 1;
    length = month_length(year, month);
    m->days = str_days(year, month, day < length ? day : length);
    return true;
}

KERNEL(k_add_months)
{
    bool stamp = s->type == COL_TIMESTAMP;
    int64_t *o = out->own;
    struct moment m;

    (void)mem;
    (void)err;
    for (size_t w = 0; w < EXPR_WORDS; w++)
        out->valid[w] = a[0]->valid[w] & a[1]->valid[w];
    for (size_t i = 0; i < n; i++) {
        o[i] = 0;
        if (is_set(out, i) &&
            (!take_apart(v_int(a[0])[i], stamp, &m) ||
             !add_months(&m, v_int(a[1])[i]) || !put_together(m, stamp, &o[i])))
            clear(out, i);
    }
    return true;
}

static int
compare(struct moment a, struct moment b)
{
    if (a.days != b.days)
        return a.days < b.days ? -1 : 1;
    return (a.us > b.us) - (a.us < b.us);
}

/* Whole months from a to b: so many that adding them to a does not pass b. */
static bool
months_from(struct moment a, struct moment b, int64_t *out)
{
    int ya, ma, yb, mb, day;
    struct moment there = a;

    str_civil(a.days, &ya, &ma, &day);
    str_civil(b.days, &yb, &mb, &day);
    *out = ((int64_t)yb - ya) * 12 + mb - ma;
    if (!add_months(&there, *out))
        return false;
    if (*out > 0 && compare(there, b) > 0)
        *out -= 1;
    else if (*out < 0 && compare(there, b) < 0)
        *out += 1;
    return true;
}

/* option: months in a unit, 1 or 12. */
KERNEL(k_months_between)
{
    int64_t *o = out->own;
    struct moment x, y;

    (void)mem;
    (void)err;
    for (size_t w = 0; w < EXPR_WORDS; w++)
        out->valid[w] = a[0]->valid[w] & a[1]->valid[w];
    for (size_t i = 0; i < n; i++) {
        bool ok = is_set(out, i) && take_apart(v_int(a[0])[i], true, &x) &&
                  take_apart(v_int(a[1])[i], true, &y) &&
                  months_from(x, y, &o[i]);

        o[i] = ok ? o[i] / s->option : 0;
        if (!ok)
            clear(out, i);
    }
    return true;
}

/* ---- formats --------------------------------------------------------- */

static const char *const months[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
static const char *const weekdays[] = {"Monday",   "Tuesday", "Wednesday",
                                       "Thursday", "Friday",  "Saturday",
                                       "Sunday"};

bool
expr_format_check(struct str format, size_t *bad)
{
    static const char known[] = "YymdHIpMSfjbBaA%";

    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%')
            continue;
        *bad = ++i;
        if (i == format.n || !memchr(known, format.p[i], sizeof known - 1))
            return false;
    }
    return true;
}

struct reading {
    struct str in;
    size_t at;
    int64_t year, month, day, hour, minute, second, us, yearday;
    bool twelve, afternoon;
};

/* Up to `most` digits, at least one. */
static bool
read_digits(struct reading *r, size_t most, int64_t *out)
{
    size_t begin = r->at;

    *out = 0;
    for (; r->at < r->in.n && r->at - begin < most; r->at++) {
        char c = r->in.p[r->at];

        if (c < '0' || c > '9')
            break;
        *out = *out * 10 + (c - '0');
    }
    return r->at > begin;
}

/* One of n names, whole or its first three letters. */
static bool
read_name(struct reading *r, const char *const *names, size_t n, int64_t *out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t len = strlen(names[i]);; len = 3) {
            if (r->in.n - r->at >= len &&
                str_eq_nocase((struct str){r->in.p + r->at, len},
                              (struct str){names[i], len})) {
                r->at += len;
                *out = (int64_t)i + 1;
                return true;
            }
            if (len == 3)
                break;
        }
    return false;
}

static bool
read_fraction(struct reading *r)
{
    size_t begin = r->at;

    if (!read_digits(r, 6, &r->us))
        return false;
    for (size_t n = r->at - begin; n < 6; n++)
        r->us *= 10;
    return true;
}

/* AM or PM. */
static bool
read_half(struct reading *r)
{
    struct str half = {r->in.p + r->at, 2};

    if (r->in.n - r->at < 2)
        return false;
    r->at += 2;
    r->afternoon = str_eq_nocase(half, STR("pm"));
    return r->afternoon || str_eq_nocase(half, STR("am"));
}

static bool
read_directive(struct reading *r, char c)
{
    int64_t n;

    switch (c) {
    case 'Y':
        return read_digits(r, 4, &r->year);
    case 'y': /* as POSIX has it: 69 is 1969, 68 is 2068 */
        if (!read_digits(r, 2, &r->year))
            return false;
        r->year += r->year < 69 ? 2000 : 1900;
        return true;
    case 'm':
        return read_digits(r, 2, &r->month);
    case 'd':
        return read_digits(r, 2, &r->day);
    case 'j':
        return read_digits(r, 3, &r->yearday) && r->yearday > 0;
    case 'I':
        r->twelve = true;
        return read_digits(r, 2, &r->hour) && r->hour >= 1 && r->hour <= 12;
    case 'H':
        return read_digits(r, 2, &r->hour);
    case 'p':
        return read_half(r);
    case 'M':
        return read_digits(r, 2, &r->minute);
    case 'S':
        return read_digits(r, 2, &r->second);
    case 'f':
        return read_fraction(r);
    case 'b':
    case 'B':
        return read_name(r, months, 12, &r->month);
    case 'a':
    case 'A':
        return read_name(r, weekdays, 7, &n);
    default:
        break;
    }
    return r->at < r->in.n && r->in.p[r->at++] == '%';
}

static bool
is_real(const struct reading *r)
{
    return r->month >= 1 && r->month <= 12 && r->day >= 1 &&
           r->day <= month_length((int)r->year, (int)r->month) &&
           r->hour < 24 && r->minute < 60 && r->second < 60;
}

static bool
read_time(struct str in, struct str format, int64_t *out)
{
    struct reading r = {.in = in, .year = 1970, .month = 1, .day = 1};
    struct moment m;

    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] == '%' ? !read_directive(&r, format.p[++i])
                               : r.at == in.n || in.p[r.at++] != format.p[i])
            return false;
    }
    if (r.twelve)
        r.hour = r.hour % 12 + (r.afternoon ? 12 : 0);
    if (r.at != in.n || !is_real(&r))
        return false;
    m.days = str_days((int)r.year, (int)r.month, (int)r.day);
    if (r.yearday) {
        if (r.yearday > 365 + (month_length((int)r.year, 2) == 29))
            return false;
        m.days = str_days((int)r.year, 1, 1) + (int32_t)r.yearday - 1;
    }
    m.us = (r.hour * 3600 + r.minute * 60 + r.second) * SECOND + r.us;
    return put_together(m, true, out);
}

/* The format is the second argument of the call. */
KERNEL(k_strptime)
{
    struct str format = s->node->kid->next->text;
    int64_t *o = out->own;

    (void)mem;
    (void)err;
    memcpy(out->valid, a[0]->valid, sizeof out->valid);
    for (size_t i = 0; i < n; i++) {
        o[i] = 0;
        if (is_set(out, i) && !read_time(v_text(a[0])[i], format, &o[i]))
            clear(out, i);
    }
    return true;
}

struct civil {
    int year, month, day;
    int64_t yearday, weekday, us;
};

/* Returns how many bytes, at most 24. */
static int
write_directive(const struct civil *c, char d, char *to)
{
    enum { MOST = 24 };
    int hour = (int)(c->us / (3600 * SECOND));
    int within = (int)(c->us / SECOND % 3600);

    switch (d) {
    case 'Y':
        return snprintf(to, MOST, "%04d", c->year);
    case 'y':
        return snprintf(to, MOST, "%02d", (c->year % 100 + 100) % 100);
    case 'm':
        return snprintf(to, MOST, "%02d", c->month);
    case 'd':
        return snprintf(to, MOST, "%02d", c->day);
    case 'j':
        return snprintf(to, MOST, "%03d", (int)c->yearday);
    case 'H':
        return snprintf(to, MOST, "%02d", hour);
    case 'I':
        return snprintf(to, MOST, "%02d", (hour + 11) % 12 + 1);
    case 'p':
        return snprintf(to, MOST, "%s", hour < 12 ? "AM" : "PM");
    case 'M':
        return snprintf(to, MOST, "%02d", within / 60);
    case 'S':
        return snprintf(to, MOST, "%02d", within % 60);
    case 'f':
        return snprintf(to, MOST, "%06d", (int)(c->us % SECOND));
    case 'b':
        return snprintf(to, MOST, "%.3s", months[c->month - 1]);
    case 'B':
        return snprintf(to, MOST, "%s", months[c->month - 1]);
    case 'a':
        return snprintf(to, MOST, "%.3s", weekdays[c->weekday]);
    case 'A':
        return snprintf(to, MOST, "%s", weekdays[c->weekday]);
    default:
        break;
    }
    return snprintf(to, MOST, "%%");
}

static bool
write_time(struct moment m, struct str format, struct str *out,
           struct arena *mem, struct error *err)
{
    struct civil c = {.us = m.us};
    char *p = arena_try(mem, 12 * format.n + 24, 1, err);
    size_t len = 0;

    if (!p)
        return false;
    str_civil(m.days, &c.year, &c.month, &c.day);
    c.yearday = (int64_t)m.days - str_days(c.year, 1, 1) + 1;
    c.weekday = (((int64_t)m.days + 3) % 7 + 7) % 7;
    for (size_t i = 0; i < format.n; i++)
        if (format.p[i] == '%')
            len += (size_t)write_directive(&c, format.p[++i], p + len);
        else
            p[len++] = format.p[i];
    *out = (struct str){p, len};
    return true;
}

KERNEL(k_strftime)
{
    struct str format = s->node->kid->next->text;
    bool stamp = s->arg[0]->type == COL_TIMESTAMP;
    struct str *o = out->own;
    struct moment m;

    memcpy(out->valid, a[0]->valid, sizeof out->valid);
    for (size_t i = 0; i < n; i++) {
        o[i] = (struct str){"", 0};
        if (!is_set(out, i))
            continue;
        if (!take_apart(v_int(a[0])[i], stamp, &m))
            clear(out, i);
        else if (!write_time(m, format, &o[i], mem, err))
            return false;
    }
    return true;
}
