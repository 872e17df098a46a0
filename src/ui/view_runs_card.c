/* ui/view_runs_card.c -- one run: how it went, what it was made of.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_runs.h"

#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "engine/family.h"
#include "engine/metric.h"

static int
draw_pair(const struct canvas *c, int y, const char *name, const char *value)
{
    if (y >= c->h || !value[0])
        return y;
    draw_fit(c, 1, y, 9, ROLE_DIM, DRAW_LEFT, str_of(name));
    draw_fit(c, 10, y, c->w - 11, ROLE_TEXT, DRAW_LEFT, str_of(value));
    return y + 1;
}

static void
duration(const struct run *run, char *out, size_t size)
{
    int64_t end = run->end_ms ? run->end_ms : loop_wall_ms();
    double s = (double)(end - run->start_ms) / 1000;

    if (s < 100)
        snprintf(out, size, "%.1f s", s);
    else
        snprintf(out, size, "%02d:%02d", (int)s / 60, (int)s % 60);
}

void
runs_scalar_text(const struct json *v, struct buf *b)
{
    if (json_type(v) == JSON_STRING)
        buf_puts(b, json_string(v));
    else if (json_type(v) == JSON_NUMBER)
        buf_number(b, json_number(v), 6);
    else
        json_print(b, v);
}

/* A parameter that nobody set and nothing decided. */
bool
runs_is_default(const struct run *run, const struct json *value)
{
    const struct family *f = family_find(run->family);

    return params_is_default(f ? f->params : NULL, value);
}

static int
draw_params(const struct canvas *c, int y, const struct run *run,
            const struct json *params)
{
    struct buf b;

    if (!params)
        return y;
    buf_init(&b);
    for (const struct json *p = json_first(params); p; p = json_next(p)) {
        if (runs_is_default(run, p))
            continue;
        buf_printf(&b, "%s%s ", b.len ? "  " : "", json_key(p));
        runs_scalar_text(p, &b);
    }
    if (b.len > 0 && y < c->h) {
        draw_text(c, 1, y, ROLE_DIM, "params");
        y += draw_wrap(c, (struct rect){10, y, c->w - 11, c->h - y}, ROLE_TEXT,
                       (struct str){b.data, b.len});
    }
    buf_fini(&b);
    return y;
}

static int
draw_best(struct view_runs *r, const struct canvas *c, int y,
          const struct run *run)
{
    const struct series_list *l = runs_data_series(r->data, run->id);
    char text[128], most[STR_F64_MAX], last[STR_F64_MAX];

    for (size_t i = 0; l && i < l->n && y < c->h; i++) {
        const struct series *s = &l->series[i];
        size_t best = 0;

        if (s->n == 0 || strncmp(s->name, "valid.", 6) != 0)
            continue;
        for (size_t k = 1; k < s->n; k++)
            if (metric_better(s->name, s->value[k], s->value[best]))
                best = k;
        str_from_number(s->value[best], 5, most);
        str_from_number(s->value[s->n - 1], 5, last);
        snprintf(text, sizeof text, "%s @%lld   last %s @%lld", most,
                 (long long)s->step[best], last, (long long)s->step[s->n - 1]);
        y = draw_pair(c, y, s->name + 6, text);
    }
    return y;
}

void
runs_card_draw(struct view *v, const struct canvas *c)
{
    struct view_runs *r = runs_mine(v);
    const struct run *run = runs_at_cursor(r);
    char text[160], took[32], when[16];
    int y = 0;

    if (!run)
        return;
    duration(run, took, sizeof took);
    runs_age(run->start_ms, when);
    draw_text(c, 1, y, runs_state_style(run->state),
              runs_state_sign(run->state));
    draw_printf(c, 3, y++, ROLE_TEXT, "%s · %s · started %s%s",
                run_state_word(run->state), took, when,
                strcmp(when, "now") == 0 ? "" : " ago");
    if (run->message[0] && run->state != RUN_DONE)
        y += draw_wrap(c, (struct rect){1, y, c->w - 2, c->h - y}, ROLE_ERROR,
                       str_of(run->message));
    y = draw_best(r, c, y, run);
    y = draw_params(c, y, run, runs_data_params(r->data, r->shown[r->list.at]));
    snprintf(text, sizeof text, "%s#%.8s", run->data, run->fingerprint);
    y = draw_pair(c, y, "data", text);
    y = draw_pair(c, y, "target", run->target);
    snprintf(text, sizeof text, "%llu", (unsigned long long)run->seed);
    y = draw_pair(c, y, "seed", text);
    y = draw_pair(c, y, "source", run->source);
    snprintf(text, sizeof text, "%.10s", run->git_commit);
    y = draw_pair(c, y, "commit", text);
    y = draw_pair(c, y, "build", run->build);
    snprintf(text, sizeof text, "%.16s", run->artifact);
    y = draw_pair(c, y, "artifact", text);
    draw_pair(c, y, "id", run->id);
}

void
runs_card_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct run *run = runs_at_cursor(runs_mine(v));

    (void)right;
    buf_puts(left, run ? run->name : "run");
}
