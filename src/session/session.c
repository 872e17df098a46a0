/* session/session.c -- the open workbench.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "session/beyond.h"
#include "session/live.h"
#include "session/origin.h"
#include "session/shelf.h"
#include "session/steps.h"
#include "session/task.h"

enum { MESSAGES = 200 };

struct listener {
    struct listener *next;
    session_listener *fn; /* NULL: taken off while it was being called */
    void *ctx;
};

struct session {
    struct pool *pool;
    struct loop *loop;
    char *lathe_dir, *project;
    struct task_set *tasks;
    struct live *live;
    struct shelf *shelf;

    struct table **tables;
    size_t n_tables;
    uint64_t versions;

    struct listener *listeners;
    unsigned notifying; /* calls of deliver() on the stack */
    atomic_uint pending;

    pthread_mutex_t store_lock;
    struct store *store;

    pthread_mutex_t message_lock;
    struct message message[MESSAGES];
    size_t n_messages; /* ever */
};

/* "/a/b/.lathe" is in the project "/a/b". */
static char *
parent_of(const char *path)
{
    char *parent = mem_text(path);
    char *slash = strrchr(parent, '/');

    if (!slash)
        strcpy(parent, ".");
    else if (slash == parent)
        slash[1] = '\0';
    else
        *slash = '\0';
    return parent;
}

struct session *
session_new(struct pool *pool, struct loop *loop)
{
    struct session *s = mem_new(sizeof *s);

    s->pool = pool;
    s->loop = loop;
    s->lathe_dir = store_find(NULL);
    s->project = parent_of(s->lathe_dir);
    pthread_mutex_init(&s->store_lock, NULL);
    pthread_mutex_init(&s->message_lock, NULL);
    s->tasks = task_set_new(s);
    s->live = live_new(s);
    s->shelf = shelf_new();
    return s;
}

void
session_free(struct session *s)
{
    if (!s)
        return;
    task_set_free(s->tasks);
    while (s->n_tables)
        session_close_table(s, s->n_tables - 1);
    /* Mail that names this session must not outlive it. */
    while (atomic_load(&s->pending))
        mailbox_drain(loop_mailbox(s->loop));
    while (s->listeners) {
        struct listener *next = s->listeners->next;

        free(s->listeners);
        s->listeners = next;
    }
    store_close(s->store);
    live_free(s->live);
    shelf_free(s->shelf);
    pthread_mutex_destroy(&s->store_lock);
    pthread_mutex_destroy(&s->message_lock);
    free(s->tables);
    free(s->project);
    free(s->lathe_dir);
    free(s);
}

struct shelf *
session_shelf(struct session *s)
{
    return s->shelf;
}

struct pool *
session_pool(struct session *s)
{
    return s->pool;
}

struct loop *
session_loop(struct session *s)
{
    return s->loop;
}

struct task_set *
session_tasks(struct session *s)
{
    return s->tasks;
}

struct live *
session_live(struct session *s)
{
    return s->live;
}

const char *
session_project(struct session *s)
{
    return s->project;
}

const char *
session_dir(struct session *s)
{
    return s->lathe_dir;
}

struct store *
session_store(struct session *s, bool create, struct error *err)
{
    struct store *store;

    pthread_mutex_lock(&s->store_lock);
    if (!s->store)
        s->store = store_open(s->lathe_dir, create, s->pool, err);
    store = s->store;
    pthread_mutex_unlock(&s->store_lock);
    return store;
}

/* ---- tables ---- */

size_t
session_tables(const struct session *s)
{
    return s->n_tables;
}

struct table *
session_table(struct session *s, size_t i)
{
    return i < s->n_tables ? s->tables[i] : NULL;
}

const struct table *
session_table_at(const struct session *s, size_t i)
{
    return i < s->n_tables ? s->tables[i] : NULL;
}

static void
table_fini(struct table *t)
{
    free(t->variable);
    origin_fini(&t->origin);
    steps_free(t->steps);
    frame_unref(t->base);
    frame_unref(t->all);
    rowset_unref(t->rows);
    free(t->name);
    free(t->path);
    free(t->target);
    free(t->parent);
    free(t->about);
    frame_unref(t->frame);
    frame_unref(t->rejects);
    beyond_unref(t->beyond);
    frame_unref(t->values);
    profile_free(t->profile);
    *t = (struct table){0};
}

static struct table *
place_for(struct session *s, const char *name)
{
    struct table *t;
    struct table **grown;

    for (size_t i = 0; i < s->n_tables; i++)
        if (strcmp(s->tables[i]->name, name) == 0) {
            table_fini(s->tables[i]);
            return s->tables[i];
        }
    grown = mem_new((s->n_tables + 1) * sizeof(struct table *));
    if (s->n_tables)
        memcpy(grown, s->tables, s->n_tables * sizeof(struct table *));
    free(s->tables);
    s->tables = grown;
    t = mem_new(sizeof *t);
    s->tables[s->n_tables++] = t;
    return t;
}

/* What Lua that runs here may call the file. */
static const char *
path_from_here(const char *path)
{
    char *here = getcwd(NULL, 0);
    size_t n = here ? strlen(here) : 0;
    bool below = n > 1 && strncmp(path, here, n) == 0 && path[n] == '/';

    free(here);
    return below ? path + n + 1 : path;
}

struct table *
session_add_table(struct session *s, const char *name, const char *path,
                  const struct frame *frame)
{
    char *own_name = mem_text(name); /* name may belong to what is replaced */
    char *own_path = mem_text(path ? path : "");
    struct frame *own_frame = frame_ref(frame);
    struct table *t = place_for(s, own_name);

    t->variable = origin_variable(s, own_name);
    t->name = own_name;
    t->path = own_path;
    if (own_path[0])
        origin_read(&t->origin, path_from_here(own_path), NULL);
    t->base = own_frame;
    t->all = frame_ref(own_frame);
    t->frame = frame_ref(own_frame);
    t->steps = steps_new();
    t->version = ++s->versions;
    session_notify(s, TOPIC_TABLES);
    return t;
}

void
session_set_beyond(struct session *s, struct table *t, struct beyond *b)
{
    t->beyond = beyond_ref(b);
    origin_fini(&t->origin);
    origin_scan(&t->origin, path_from_here(t->path),
                b->call ? &b->reading.source : NULL);
    session_touch_table(s, t);
}

void
session_set_reading(struct session *s, struct table *t,
                    const struct source_options *how)
{
    origin_fini(&t->origin);
    origin_read(&t->origin, path_from_here(t->path), how);
    session_touch_table(s, t);
}

void
session_free_table(struct table *t)
{
    if (t)
        table_fini(t);
    free(t);
}

void
session_close_table(struct session *s, size_t i)
{
    if (i < s->n_tables)
        session_free_table(session_take_table(s, i));
}

void
session_put_table(struct session *s, struct table *t)
{
    struct table *place = place_for(s, t->name);

    *place = *t;
    place->version = ++s->versions;
    free(t);
    session_notify(s, TOPIC_TABLES);
}

struct table *
session_take_table(struct session *s, size_t i)
{
    struct table *t = s->tables[i];

    s->n_tables--;
    memmove(s->tables + i, s->tables + i + 1,
            (s->n_tables - i) * sizeof(struct table *));
    session_notify(s, TOPIC_TABLES);
    return t;
}

void
session_touch_table(struct session *s, struct table *t)
{
    t->version = ++s->versions;
    session_notify(s, TOPIC_TABLES);
}

/* The target goes along with its column's name, and is none without it. */
static void
keep_target(struct table *t, const struct steps *steps, const struct shown *is)
{
    for (size_t i = t->steps->n_edits; t->target && i < steps->n_edits; i++)
        if (steps->edit[i].rename &&
            strcmp(steps->edit[i].name, t->target) == 0) {
            free(t->target);
            t->target = mem_text(steps->edit[i].text);
        }
    if (t->target && frame_find(is->all, t->target) < 0) {
        free(t->target);
        t->target = NULL;
    }
}

void
session_set_shown(struct session *s, struct table *t, struct steps *steps,
                  struct shown *shown)
{
    keep_target(t, steps, shown);
    /* What was judged is no longer there. */
    if (t->all != shown->all) {
        profile_free(t->profile);
        t->profile = NULL;
        t->profile_beyond = false;
    }
    frame_unref(t->all);
    frame_unref(t->frame);
    rowset_unref(t->rows);
    steps_free(t->steps);
    t->all = shown->all;
    t->frame = shown->frame;
    t->rows = shown->rows;
    t->steps = steps;
    *shown = (struct shown){0};
    session_touch_table(s, t);
}

void
session_set_origin(struct session *s, struct table *t, struct origin *o)
{
    (void)s;
    origin_fini(&t->origin);
    origin_move(&t->origin, o);
}

/* ---- listeners ---- */

void
session_listen(struct session *s, session_listener *fn, void *ctx)
{
    struct listener *l = mem_new(sizeof *l);

    l->fn = fn;
    l->ctx = ctx;
    l->next = s->listeners;
    s->listeners = l;
}

static void
sweep(struct session *s)
{
    struct listener **at = &s->listeners;

    while (*at) {
        struct listener *l = *at;

        if (!l->fn) {
            *at = l->next;
            free(l);
        } else {
            at = &l->next;
        }
    }
}

void
session_unlisten(struct session *s, session_listener *fn, void *ctx)
{
    for (struct listener *l = s->listeners; l; l = l->next)
        if (l->fn == fn && l->ctx == ctx)
            l->fn = NULL;
    if (s->notifying == 0)
        sweep(s);
}

static void
deliver(void *ctx)
{
    struct session *s = ctx;
    unsigned topics = atomic_exchange(&s->pending, 0);

    s->notifying++;
    for (struct listener *l = s->listeners; l; l = l->next)
        if (l->fn)
            l->fn(l->ctx, topics);
    if (--s->notifying == 0)
        sweep(s);
}

void
session_notify(struct session *s, unsigned topics)
{
    if (topics && atomic_fetch_or(&s->pending, topics) == 0)
        mailbox_post(loop_mailbox(s->loop), deliver, s);
}

/* ---- messages ---- */

void
session_message(struct session *s, enum message_level level, const char *fmt,
                ...)
{
    char text[sizeof s->message[0].text + 4]; /* more than fits of it */
    struct message *m;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&s->message_lock);
    m = &s->message[s->n_messages++ % MESSAGES];
    m->level = level;
    m->time_ms = loop_wall_ms();
    str_put_spelt(m->text, sizeof m->text, str_of(text), true);
    for (char *p = m->text; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    pthread_mutex_unlock(&s->message_lock);
    session_notify(s, TOPIC_MESSAGES);
}

bool
session_message_at(struct session *s, size_t i, struct message *out)
{
    bool there;

    pthread_mutex_lock(&s->message_lock);
    there = i < s->n_messages && i < MESSAGES;
    if (there)
        *out = s->message[(s->n_messages - 1 - i) % MESSAGES];
    pthread_mutex_unlock(&s->message_lock);
    return there;
}
