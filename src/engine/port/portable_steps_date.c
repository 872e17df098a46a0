/* engine/port/portable_steps_date.c -- the parts of dates as a graph.
 *
 * Days since 1970-01-01 to year, month and day by floors of whole numbers; half
 * is added before they are divided, so that rounding never reaches the next.
 * Source:  H. Hinnant, "chrono-compatible low-level date algorithms", 2013.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/portable_steps.h"

enum { MAX_TERMS = 8 };

/* The nodes that parts are made of; `ok` is false once one could not be
 * added. */
struct dating {
    struct graph *g;
    struct error *err;
    bool ok;
    uint32_t seconds, days, era, of_era, year, quarter, century, of_year, month;
};

/* floor((x + add) times) */
static uint32_t
whole(struct dating *d, uint32_t x, double add, double times)
{
    double shift = -add;
    struct graph_node scale = {.op = GRAPH_SCALE,
                               .width = 1,
                               .n_in = 1,
                               .in = &x,
                               .n_a = 1,
                               .a = &shift,
                               .n_b = 1,
                               .b = &times};
    uint32_t id = 0;

    d->ok = d->ok && graph_add(d->g, &scale, &id, d->err) &&
            graph_add_simple(d->g, GRAPH_FLOOR, id, &id, d->err);
    return id;
}

struct term {
    uint32_t node;
    double times;
};

/* The terms added up, and a number; they end where times is 0. */
static uint32_t
sum(struct dating *d, const struct term *t, double begin)
{
    uint32_t in[MAX_TERMS], all = 0, id = 0;
    double a[MAX_TERMS];
    struct graph_node join = {.op = GRAPH_JOIN, .in = in};
    struct graph_node dense = {.op = GRAPH_DENSE,
                               .width = 1,
                               .n_in = 1,
                               .in = &all,
                               .a = a,
                               .n_b = 1,
                               .b = &begin};

    for (; t->times != 0; t++) {
        in[join.n_in] = t->node;
        a[join.n_in++] = t->times;
    }
    join.width = dense.n_a = join.n_in;
    d->ok = d->ok && graph_add(d->g, &join, &all, d->err) &&
            graph_add(d->g, &dense, &id, d->err);
    return id;
}

#define SUM(d, begin, ...) \
    sum(d, (const struct term[]){__VA_ARGS__, {0, 0}}, begin)

static uint32_t
over(struct dating *d, uint32_t x, double least)
{
    struct graph_node step = {
        .op = GRAPH_STEP, .width = 1, .n_in = 1, .in = &x, .c = least};
    uint32_t id = 0;

    d->ok = d->ok && graph_add(d->g, &step, &id, d->err);
    return id;
}

/* Years begin in March, so that the day that is not in each is the last one;
 * eras have 400 of them. */
static void
put_civil(struct dating *d)
{
    uint32_t four, century, era, rest;

    d->era = whole(d, d->days, 719468.5, 1 / 146097.);
    d->of_era = SUM(d, 719468, {d->days, 1}, {d->era, -146097});
    four = whole(d, d->of_era, 0.5, 1 / 1460.);
    century = whole(d, d->of_era, 0.5, 1 / 36524.);
    era = whole(d, d->of_era, 0.5, 1 / 146096.);
    rest = SUM(d, 0, {d->of_era, 1}, {four, -1}, {century, 1}, {era, -1});
    d->year = whole(d, rest, 0.5, 1 / 365.);
    d->quarter = whole(d, d->year, 0.5, 1 / 4.);
    d->century = whole(d, d->year, 0.5, 1 / 100.);
    d->of_year = SUM(d, 0, {d->of_era, 1}, {d->year, -365}, {d->quarter, -1},
                     {d->century, 1});
    d->month = whole(d, d->of_year, 0.5, 5 / 153.);
}

/* From January on: 59 days and that of a leap year come before March. */
static uint32_t
put_yearday(struct dating *d, uint32_t late)
{
    uint32_t by_4 = over(d, SUM(d, 0, {d->year, 1}, {d->quarter, -4}), 0.5);
    uint32_t by_100 = over(d, SUM(d, 0, {d->year, 1}, {d->century, -100}), 0.5);
    uint32_t by_400 = over(d, d->year, 0.5), id = 0;
    uint32_t leap = SUM(d, 1, {by_4, -1}, {by_100, 1}, {by_400, -1});
    uint32_t two[2] = {leap, late};
    struct graph_node both = {
        .op = GRAPH_MUL, .width = 1, .n_in = 2, .in = two};

    d->ok = d->ok && graph_add(d->g, &both, &id, d->err);
    return SUM(d, 60, {d->of_year, 1}, {leap, 1}, {late, -365}, {id, -1});
}

static uint32_t
put_part(struct dating *d, enum step_part p, bool seconds)
{
    uint32_t late = over(d, d->month, 9.5), rest;

    switch (p) {
    case STEP_YEAR:
        return SUM(d, 0, {d->year, 1}, {d->era, 400}, {late, 1});
    case STEP_MONTH:
        return SUM(d, 3, {d->month, 1}, {late, -12});
    case STEP_DAY:
        rest = whole(d, d->month, 2.5 / 153, 153 / 5.);
        return SUM(d, 1, {d->of_year, 1}, {rest, -1});
    case STEP_WEEKDAY: /* 1970-01-01 was a Thursday */
        rest = whole(d, d->days, 3.5, 1 / 7.);
        return SUM(d, 4, {d->days, 1}, {rest, -7});
    case STEP_YEARDAY:
        return put_yearday(d, late);
    default: /* of a day 0, or missing */
        if (!seconds)
            return whole(d, d->days, 0, 0);
        rest = SUM(d, 0, {d->seconds, 1}, {d->days, -86400});
        return whole(d, rest, 0.5, 1 / 3600.);
    }
}

static bool
column_parts(struct stepping *s, const struct step *step,
             const struct learnt *l)
{
    struct dating d = {.g = s->g, .err = s->err, .ok = true};
    bool seconds = l->number[0] > 0, ok;
    struct known *k;
    struct buf name;
    uint32_t in;

    if (!steps_need(s, l->name, false, &k) || !steps_node(s, k, &in))
        return false;
    k->name = NULL;
    if (!graph_add_simple(s->g, GRAPH_FLOOR, in, &d.seconds, s->err))
        return false;
    d.days = seconds ? whole(&d, d.seconds, 0.5, 1 / 86400.) : d.seconds;
    put_civil(&d);
    ok = d.ok;
    buf_init(&name);
    for (unsigned p = 0; p < STEP_N_PARTS && ok; p++) {
        uint32_t id;

        if (!step_part_made(step, l, (enum step_part)p))
            continue;
        id = put_part(&d, (enum step_part)p, seconds);
        (void)step_name(&name, l->name, " ", step_part_word((enum step_part)p));
        ok = d.ok && buf_check(&name, s->err) &&
             steps_put_number(s, name.data, id, 0);
    }
    buf_fini(&name);
    return ok;
}

bool
steps_take_date(struct stepping *s, const struct step *step)
{
    for (size_t i = 0; i < step->n; i++)
        if (!column_parts(s, step, &step->column[i]))
            return false;
    return true;
}
