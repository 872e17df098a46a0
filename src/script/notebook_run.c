/* script/notebook_run.c -- the queue of a notebook's cells, and what they are
 * run with.
 *
 * Outputs are kept by keep.c when a cell ends; the cell counts as ended when
 * they are on disk.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "script/expression.h"
#include "script/keep.h"
#include "script/notebook_state.h"

enum { WAIT_MS = 20 };

/* Where it is; behind the last when it is not on the page. */
static size_t
index_of(const struct notebook *n, const struct item *it)
{
    bool there = it->at < n->page.n && n->page.item[it->at] == it;

    return there ? it->at : n->page.n;
}

static void
on_output(void *ctx, const struct output *o)
{
    struct notebook *n = ctx;

    item_take_output(n->running, o);
    notebook_touched(n);
    if (n->events.output)
        n->events.output(n->events.ctx, index_of(n, n->running), o);
}

static void turn(void *ctx, int events);

static void
arm(struct notebook *n, int64_t ms)
{
    if (!n->timer && n->head < n->n_queue)
        n->timer = loop_timer(session_loop(n->session), ms, false, turn, n);
}

static void
empty_queue(struct notebook *n)
{
    for (size_t i = n->head; i < n->n_queue; i++) {
        struct item *it = n->queue[i];

        it->cell.state =
            it->cell.n_outputs || it->cell.order ? CELL_STOPPED : CELL_IDLE;
        it->queued = false;
        item_unref(it);
    }
    n->head = n->n_queue = 0;
}

/* The outputs are on disk, or need not be. */
static void
ended(struct notebook *n, enum cell_state state)
{
    struct item *it = n->running;
    size_t at = index_of(n, it);

    it->cell.state = state;
    n->running = NULL;
    if (state != CELL_PASSED)
        empty_queue(n);
    item_unref(it);
    if (n->freed) {
        notebook_release(n);
        return;
    }
    notebook_touched(n);
    arm(n, 0);
    if (n->events.ended)
        n->events.ended(n->events.ctx, at);
}

struct keeping {
    struct notebook *n;
    struct keep *keep;
    enum cell_state state;
};

static bool
keep_run(struct task *t, void *ctx, struct error *err)
{
    struct keeping *k = ctx;

    return session_store(task_session(t), true, err) &&
           keep_write(k->keep, err);
}

static void
keep_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct keeping *k = ctx;

    if (!ok)
        session_message(task_session(t), MESSAGE_ERROR,
                        "the outputs could not be kept: %s", err->message);
    keep_free(k->keep);
    ended(k->n, k->state);
    free(k);
}

static void
keep_outputs(struct notebook *n, enum cell_state state)
{
    size_t at = index_of(n, n->running);
    struct task_spec spec = {.title = "keep outputs",
                             .run = keep_run,
                             .done = keep_done,
                             .quiet = true};
    struct keeping *k;
    char key[48];

    if (!n->keep || at == n->page.n || n->freed) {
        ended(n, state);
        return;
    }
    notebook_key(n, at, key);
    k = mem_new(sizeof *k);
    k->n = n;
    k->state = state;
    n->running->cell.state = state;
    k->keep =
        keep_new(session_dir(n->session), n->path, key, &n->running->cell);
    n->running->cell.state = CELL_RUNNING;
    spec.ctx = k;
    task_start(n->session, &spec);
}

static bool
apply_overrides(struct notebook *n, struct error *err)
{
    for (size_t i = 0; i < n->n_overrides; i++)
        if (!kernel_set_global(n->kernel, n->overrides[i].name,
                               str_of(n->overrides[i].value), err))
            return false;
    return true;
}

/* An error that no chunk raised. */
static void
say_error(struct notebook *n, const struct error *err)
{
    struct output o = {.kind = OUT_ERROR};
    struct buf text;

    buf_init(&text);
    buf_printf(&text, "%s\n", err->message);
    o.text = text.data;
    on_output(n, &o);
    buf_fini(&text);
}

/* The nearest cell above that sets the global and has not run. */
static size_t
setter_of(const struct notebook *n, size_t i, const char *name)
{
    while (i-- > 0) {
        const struct item *it = n->page.item[i];

        if (it->cell.kind == CELL_CODE && !it->ran &&
            expression_sets(it->cell.source, it->cell.len, name))
            return i;
    }
    return SIZE_MAX;
}

/* A nil that an argument was: the message does not say which name was read. */
static void
find_wanted(struct notebook *n, size_t at, struct item *it)
{
    for (size_t i = at; i-- > 0 && !it->wants[0];) {
        const struct cell *above = &n->page.item[i]->cell;
        char **names;

        if (above->kind != CELL_CODE || n->page.item[i]->ran)
            continue;
        names = expression_assigned(above->source, above->len);
        for (char **p = names; *p; p++) {
            if (!it->wants[0] && strlen(*p) < sizeof it->wants &&
                !kernel_has_global(n->kernel, *p) &&
                expression_reads(it->cell.source, it->cell.len, *p))
                strcpy(it->wants, *p);
            free(*p);
        }
        free(names);
    }
}

/* "attempt to index a nil value (global 'train')" */
static void
note_wanted(struct notebook *n, const struct error *err)
{
    static const char lead[] = "a nil value (global '";
    const char *named = strstr(err->message, lead);
    struct item *it = n->running;
    size_t at = index_of(n, it), len;

    it->wants[0] = '\0';
    if (at == n->page.n)
        return;
    if (named) {
        named += sizeof lead - 1;
        len = strcspn(named, "'");
        if (len < sizeof it->wants)
            snprintf(it->wants, sizeof it->wants, "%.*s", (int)len, named);
    } else if (strstr(err->message, "got nil") ||
               strstr(err->message, "got no value")) {
        find_wanted(n, at, it);
    }
}

bool
notebook_wants(const struct notebook *n, size_t i, const char **name,
               size_t *setter)
{
    const struct item *it = n->page.item[i];

    if (it->cell.state != CELL_FAILED || !it->wants[0])
        return false;
    *name = it->wants;
    *setter = setter_of(n, i, it->wants);
    return *setter != SIZE_MAX;
}

static void
fail_cell(struct notebook *n, const struct error *err, int line)
{
    struct cell *c = &n->running->cell;

    c->error = *err;
    c->error_line = line >= c->first_line ? line - c->first_line + 1 : 0;
    note_wanted(n, err);
}

static void
set_folder(const struct notebook *n)
{
    char *folder = mem_text(n->path), *slash = strrchr(folder, '/');

    if (slash)
        slash[slash == folder] = '\0';
    kernel_set_folder(n->kernel, slash ? folder : "");
    free(folder);
}

static void
run_cell(struct notebook *n)
{
    const struct kernel_events events = {on_output, n};
    struct item *it = n->running;
    struct cell_text *text = cell_text_ref(it->text);
    struct cell *c = &it->cell;
    struct error err;
    char name[300];
    bool ok;

    set_folder(n);
    item_drop_outputs(it);
    memcpy(it->output_digest, text->digest, sizeof it->output_digest);
    c->stale = false;
    c->state = CELL_RUNNING;
    c->order = ++n->order;
    c->start_ms = loop_wall_ms();
    c->end_ms = 0;
    c->error = (struct error){ERR_NONE, ""};
    c->error_line = 0;
    notebook_touched(n);
    snprintf(name, sizeof name, "%.250s [%u]", file_base(n->path), c->order);
    ok = kernel_run(n->kernel, (struct str){text->source, text->len}, name,
                    c->first_line, &events, &err);
    if (ok && text->parameters && !apply_overrides(n, &err)) {
        say_error(n, &err);
        ok = false;
    }
    c->end_ms = loop_wall_ms();
    it->ran = ok;
    if (!ok)
        fail_cell(n, &err, kernel_error_line(n->kernel));
    cell_text_unref(text);
    keep_outputs(n, ok                          ? CELL_PASSED
                    : err.code == ERR_CANCELLED ? CELL_STOPPED
                                                : CELL_FAILED);
}

static void
turn(void *ctx, int events)
{
    struct notebook *n = ctx;

    (void)events;
    n->timer = NULL;
    if (n->running || n->head == n->n_queue)
        return;
    if (kernel_running(n->kernel)) {
        arm(n, WAIT_MS);
        return;
    }
    n->running = n->queue[n->head++];
    n->running->queued = false;
    if (n->head == n->n_queue)
        n->head = n->n_queue = 0;
    run_cell(n);
}

void
notebook_run(struct notebook *n, size_t i)
{
    struct item *it = i < n->page.n ? n->page.item[i] : NULL;

    if (!it || it->cell.kind != CELL_CODE || it->queued)
        return;
    n->queue = mem_grow(n->queue, n->n_queue, &n->cap_queue, sizeof *n->queue);
    n->queue[n->n_queue++] = item_ref(it);
    it->queued = true;
    if (it != n->running)
        it->cell.state = CELL_QUEUED;
    notebook_touched(n);
    if (!n->running)
        arm(n, 0);
}

void
notebook_run_all(struct notebook *n)
{
    notebook_run_above(n, n->page.n);
}

void
notebook_run_above(struct notebook *n, size_t i)
{
    for (size_t at = 0; at < i && at < n->page.n; at++)
        notebook_run(n, at);
}

void
notebook_interrupt(struct notebook *n)
{
    empty_queue(n);
    if (n->running)
        kernel_interrupt(n->kernel);
    notebook_touched(n);
}

bool
notebook_busy(const struct notebook *n)
{
    return n->running || n->head < n->n_queue;
}

/* 1: set by this cell; 0: not, and err says what could be meant. */
static bool
sets(const struct cell_text *t, const char *name, struct error *err)
{
    char **names = expression_assigned(t->source, t->len);
    const char *known[64], *nearest;
    struct buf all;
    size_t n = 0;
    bool found = false;

    buf_init(&all);
    for (char **p = names; *p; p++) {
        found = found || strcmp(*p, name) == 0;
        buf_printf(&all, "%s%s", p == names ? "" : ", ", *p);
        if (n < 64)
            known[n++] = *p;
    }
    nearest = str_nearest(str_of(name), known, n);
    if (nearest)
        error_set(err, ERR_USAGE, "no parameter '%s' (did you mean '%s'?)",
                  name, nearest);
    else
        error_set(err, ERR_USAGE, "no parameter '%s', there are: %s", name,
                  all.data);
    for (char **p = names; *p; p++)
        free(*p);
    free(names);
    buf_fini(&all);
    return found;
}

bool
notebook_parameter(struct notebook *n, const char *name, const char *value,
                   struct error *err)
{
    struct override *grown;
    struct error wrong;
    bool found = false;

    error_set(&wrong, ERR_USAGE,
              "%s has no parameters: no cell begins with -- %%%% "
              "tags=[\"parameters\"]",
              file_base(n->path));
    for (size_t i = 0; i < n->page.n && !found; i++)
        if (n->page.text[i]->parameters)
            found = sets(n->page.text[i], name, &wrong);
    if (!found) {
        *err = wrong;
        return false;
    }
    grown = mem_new((n->n_overrides + 1) * sizeof *grown);
    if (n->n_overrides)
        memcpy(grown, n->overrides, n->n_overrides * sizeof *grown);
    free(n->overrides);
    n->overrides = grown;
    grown[n->n_overrides++] =
        (struct override){mem_text(name), mem_text(value)};
    return true;
}
