/* ui/view_runs_list.c -- which runs are shown, which have a letter, and the
 * list of them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/ui.h"

/* ---- which runs ---- */

static bool
passes(const struct view_runs *r, const struct run *run)
{
    return !r->filter[0] || strcasestr(run->name, r->filter) ||
           strcasestr(run->family, r->filter) ||
           strcasestr(run->data, r->filter) ||
           strcasestr(run_state_word(run->state), r->filter) ||
           strncmp(run->id, r->filter, strlen(r->filter)) == 0;
}

void
runs_rebuild(struct view_runs *r)
{
    size_t n = runs_data_count(r->data);

    free(r->shown);
    r->shown = mem_new((n + 1) * sizeof *r->shown);
    r->n_shown = 0;
    for (size_t i = 0; i < n; i++)
        if (passes(r, runs_data_run(r->data, i)))
            r->shown[r->n_shown++] = i;
    list_set(&r->list, r->n_shown);
    for (size_t k = 0; r->current[0] && k < r->n_shown; k++)
        if (strcmp(runs_data_run(r->data, r->shown[k])->id, r->current) == 0)
            r->list.at = k;
}

const struct run *
runs_at_cursor(const struct view_runs *r)
{
    return r->list.at < r->n_shown
               ? runs_data_run(r->data, r->shown[r->list.at])
               : NULL;
}

static bool
overlaid(const struct view_runs *r, const char *id)
{
    for (size_t k = 0; k < r->n_overlay; k++)
        if (strcmp(r->overlay[k], id) == 0)
            return true;
    return false;
}

/* Index of the run with letter a, b, ...; SIZE_MAX when there is none. */
size_t
runs_lettered(const struct view_runs *r, size_t letter)
{
    if (letter == 0) {
        size_t i = r->pinned                 ? runs_data_find(r->data, r->pin)
                   : r->list.at < r->n_shown ? r->shown[r->list.at]
                                             : SIZE_MAX;

        /* Overlaid, it keeps the letter it has. */
        return i != SIZE_MAX && overlaid(r, runs_data_run(r->data, i)->id)
                   ? SIZE_MAX
                   : i;
    }
    return letter - 1 < r->n_overlay
               ? runs_data_find(r->data, r->overlay[letter - 1])
               : SIZE_MAX;
}

int
runs_letter_of(const struct view_runs *r, const char *id)
{
    for (size_t k = 0; k <= r->n_overlay; k++) {
        size_t i = runs_lettered(r, k);

        if (i != SIZE_MAX && strcmp(runs_data_run(r->data, i)->id, id) == 0)
            return (int)k;
    }
    return -1;
}

void
runs_moved(struct view_runs *r)
{
    const struct run *at = runs_at_cursor(r);

    if (at && strcmp(at->id, r->current) != 0) {
        memcpy(r->current, at->id, sizeof r->current);
        runs_ask_chart(r);
    }
}

/* ---- the list ---- */

unsigned
runs_state_style(enum run_state s)
{
    switch (s) {
    case RUN_RUNNING:
        return ROLE_INFO;
    case RUN_DONE:
        return ROLE_OK;
    case RUN_FAILED:
    case RUN_LOST:
        return ROLE_ERROR;
    default:
        return ROLE_DIM;
    }
}

const char *
runs_state_sign(enum run_state s)
{
    static const char *const signs[] = {"●", "✓", "✗", "○", "✗"};

    return signs[s];
}

void
runs_age(int64_t ms, char out[16])
{
    int64_t s = (loop_wall_ms() - ms) / 1000;

    if (s < 60)
        snprintf(out, 16, "now");
    else if (s < 3600)
        snprintf(out, 16, "%lld min", (long long)(s / 60));
    else if (s < 86400)
        snprintf(out, 16, "%lld h", (long long)(s / 3600));
    else
        snprintf(out, 16, "%lld d", (long long)(s / 86400));
}

static void
draw_row(struct view_runs *r, const struct canvas *c, int y, size_t k)
{
    size_t i = r->shown[k];
    const struct run *run = runs_data_run(r->data, i);
    int letter = runs_letter_of(r, run->id);
    int right = c->w - 1, name_w;
    const char *metric;
    char when[16];
    double value;

    draw_text(c, 0, y, runs_state_style(run->state),
              runs_state_sign(run->state));
    if (letter >= 0)
        draw_cp(c, 1, y,
                (ROLE_SERIES_0 + (unsigned)letter % THEME_SERIES) | DRAW_BOLD,
                (uint32_t)('a' + letter));
    if (right > 50) {
        runs_age(run->start_ms, when);
        right -= 9;
        draw_fit(c, right + 1, y, 8, ROLE_DIM, DRAW_RIGHT, str_of(when));
    }
    if (runs_data_headline(r->data, i, &metric, &value)) {
        char number[STR_F64_MAX], text[64];

        str_from_decimals(value, str_decimals(value, 4), number);
        snprintf(text, sizeof text, "%s %s", runs_metric_base(metric), number);
        right -= 16;
        draw_fit(c, right, y, 16, ROLE_TEXT, DRAW_RIGHT, str_of(text));
    } else {
        right -= 16;
        draw_fit(c, right, y, 16, runs_state_style(run->state), DRAW_RIGHT,
                 str_of(run_state_word(run->state)));
    }
    name_w = right - 4;
    if (name_w > 24) {
        draw_fit(c, 3 + name_w - 9, y, 9, ROLE_DIM, DRAW_LEFT,
                 str_of(run->family));
        name_w -= 10;
    }
    draw_fit(c, 3, y, name_w > 0 ? name_w : 0, ROLE_TEXT, DRAW_LEFT,
             str_of(run->name));
}

static void
draw_empty(struct view_runs *r, const struct canvas *c)
{
    if (!runs_data_loaded(r->data)) {
        draw_text(c, 1, 1, ROLE_DIM, "loading…");
    } else if (runs_data_error(r->data)[0]) {
        draw_wrap(c, (struct rect){1, 1, c->w - 2, c->h - 1}, ROLE_ERROR,
                  str_of(runs_data_error(r->data)));
    } else if (r->filter[0]) {
        draw_text(c, 1, 1, ROLE_TEXT, "No run matches the filter.");
        draw_markup(c, 1, 2, ROLE_DIM, "<f> changes it, <u> takes it back");
    } else {
        draw_text(c, 1, 1, ROLE_TEXT, "No runs yet.");
        draw_markup(c, 1, 3, ROLE_DIM, "<2> then <r> runs a cell that fits");
        draw_markup(c, 1, 4, ROLE_DIM, "or  lathe train DATA --target y");
    }
}

void
runs_list_draw(struct view *v, const struct canvas *c)
{
    struct view_runs *r = runs_mine(v);

    if (r->n_shown == 0) {
        draw_empty(r, c);
        return;
    }
    runs_moved(r);
    list_show(&r->list, (size_t)c->h);
    for (int y = 0; y < c->h && r->list.top + (size_t)y < r->n_shown; y++) {
        size_t k = r->list.top + (size_t)y;

        draw_row(r, c, y, k);
        if (k == r->list.at) {
            draw_select(c, (struct rect){0, y, c->w - 17, 1});
        }
    }
    draw_scrollbar(c, c->w - 1, 0, c->h, r->list.top, (size_t)c->h, r->n_shown);
}

void
runs_list_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_runs *r = runs_mine(v);
    size_t live = 0;

    for (size_t i = 0; i < runs_data_count(r->data); i++)
        live += runs_data_run(r->data, i)->state == RUN_RUNNING;
    buf_printf(left, "Runs %zu", runs_data_count(r->data));
    if (live > 0)
        buf_printf(left, " (%zu live)", live);
    if (r->filter[0])
        buf_printf(right, "filter: %s · %zu", r->filter, r->n_shown);
}

struct list *
runs_list_of(struct view *v)
{
    return &runs_mine(v)->list;
}
