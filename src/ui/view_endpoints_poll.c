/* ui/view_endpoints_poll.c -- asking the endpoints, and what is remembered.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_endpoints.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/task.h"
#include "ui/ui.h"

enum { POLL_MS = 1000, MAX_TRACKED = 64, LONGEST_GAP_S = 5 };

static void
free_poll(void *out)
{
    struct endpoints_poll *p = out;

    for (size_t i = 0; p->status && i < p->list.n; i++)
        endpoint_status_fini(&p->status[i]);
    free(p->status);
    deployment_list_fini(&p->list);
    *p = (struct endpoints_poll){0};
}

static bool
load_poll(struct task *t, const char *arg, void *out, struct error *err)
{
    struct store *s = session_store(task_session(t), false, err);
    struct endpoints_poll *p = out;

    (void)arg;
    if (!s)
        return err->code == ERR_NOTFOUND; /* no store: no endpoints */
    if (!deployment_list(s, &p->list, err))
        return false;
    p->status = mem_try_array(p->list.n + 1, sizeof *p->status, err);
    for (size_t i = 0; p->status && i < p->list.n; i++)
        if (!endpoint_ask(&p->list.deployment[i], &p->status[i], err))
            return false;
    return p->status;
}

struct endpoints_track *
endpoints_track_of(struct view_endpoints *e, const char *name)
{
    for (size_t i = 0; i < e->n_tracks; i++)
        if (strcmp(e->track[i].name, name) == 0)
            return &e->track[i];
    return NULL;
}

/* The same, made when it is new; NULL: there are too many. */
static struct endpoints_track *
track_for(struct view_endpoints *e, const char *name)
{
    struct endpoints_track *t = endpoints_track_of(e, name);

    if (t || e->n_tracks == MAX_TRACKED)
        return t;
    snprintf(e->track[e->n_tracks].name, sizeof e->track[0].name, "%s", name);
    e->track[e->n_tracks].cpu_percent = NAN;
    return &e->track[e->n_tracks++];
}

static void
track_cpu(struct endpoints_track *t, const struct endpoint_status *s,
          int64_t now)
{
    if (t->cpu_pid == s->pid && now > t->cpu_at_ms && s->cpu_us >= t->cpu_us)
        t->cpu_percent = 100.0 * (double)(s->cpu_us - t->cpu_us) /
                         (1000.0 * (double)(now - t->cpu_at_ms));
    else
        t->cpu_percent = NAN;
    t->cpu_us = s->cpu_us;
    t->cpu_at_ms = now;
    t->cpu_pid = s->pid;
}

static void
track_push(struct endpoints_track *t, double p50, double p99)
{
    if (t->n == ENDPOINTS_HISTORY) {
        double *rows[] = {t->time, t->p50, t->p99};

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            memmove(rows[i], rows[i] + 1,
                    (ENDPOINTS_HISTORY - 1) * sizeof *rows[i]);
        t->n--;
    }
    t->time[t->n] = (double)loop_wall_ms() / 1000.0;
    t->p50[t->n] = p50;
    t->p99[t->n++] = p99;
}

static void
track_add(struct endpoints_track *t, const struct endpoint_status *s)
{
    bool up = s->state == ENDPOINT_UP;

    /* Nothing was asked while the view was hidden: no line over that. */
    if (t->n > 0 &&
        (double)loop_wall_ms() / 1000.0 - t->time[t->n - 1] > LONGEST_GAP_S)
        track_push(t, NAN, NAN);
    track_push(t, up ? s->stat.recent_p50_ms : NAN,
               up ? s->stat.recent_p99_ms : NAN);
    track_cpu(t, s, loop_now_ms());
}

static void
poll_loaded(void *ctx, const char *arg, void *out, bool ok,
            const struct error *err)
{
    struct view_endpoints *e = ctx;
    struct endpoints_poll *fresh = out, old = e->poll;

    (void)arg;
    e->loaded = true;
    snprintf(e->error, sizeof e->error, "%s", ok ? "" : err->message);
    if (ok) {
        e->poll = *fresh;
        *fresh = old;
        list_set(&e->list, e->poll.list.n);
        for (size_t i = 0; i < e->poll.list.n; i++) {
            const char *name = e->poll.list.deployment[i].name;
            struct endpoints_track *t = track_for(e, name);

            if (t)
                track_add(t, &e->poll.status[i]);
            if (strcmp(name, e->current) == 0)
                e->list.at = i;
        }
        endpoints_rank_drift(e);
        endpoints_ask_chart(e);
    }
    ui_touch(e->view.ui);
}

static const struct loader_class poll_loader = {
    sizeof(struct endpoints_poll), load_poll, poll_loaded, free_poll};

static void
tick(void *ctx, int events)
{
    struct view_endpoints *e = ctx;

    (void)events;
    if (!loader_busy(e->loader))
        loader_ask(e->loader, NULL);
}

void
endpoints_poll_init(struct view_endpoints *e)
{
    e->track = mem_new(MAX_TRACKED * sizeof *e->track);
    e->loader = loader_new(ui_session(e->view.ui), &poll_loader, e);
}

void
endpoints_poll_fini(struct view_endpoints *e)
{
    loader_free(e->loader);
    loop_remove(e->timer);
    free_poll(&e->poll);
    free(e->track);
    free(e->drift);
}

void
endpoints_poll_run(struct view_endpoints *e, bool on)
{
    if (on)
        loader_ask(e->loader, NULL);
    if (on && !e->timer)
        e->timer = loop_timer(ui_loop(e->view.ui), POLL_MS, true, tick, e);
    if (!on) {
        loop_remove(e->timer);
        e->timer = NULL;
    }
}
