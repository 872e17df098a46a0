/* script/notebook.c -- cells, undo, the queue.
 *
 * Outputs are kept by keep.c when a cell ends; the cell counts as ended when
 * they are on disk.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/notebook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "script/expression.h"
#include "script/keep.h"
#include "script/page.h"

enum { WAIT_MS = 20 };

struct override {
    char *name, *value;
};

struct notebook {
    struct kernel *kernel;
    struct session *session;
    char *path;
    char *preamble;
    struct page page;
    struct page *undo, *redo;
    size_t n_undo, n_redo;
    char saved[33]; /* hash of the file as last read or written */
    struct stat disk;
    uint64_t version;
    unsigned order;
    bool keep;

    struct item **queue; /* those from `head` on wait */
    size_t head, n_queue, cap_queue;
    struct item *running; /* or being kept after it ran */
    struct loop_watch *timer;
    bool freed; /* while a cell was running */

    struct override *overrides;
    size_t n_overrides;
    struct notebook_events events;
};

/* ---- pages ---- */

static int
lines_in(const char *p, size_t n)
{
    int lines = 0;

    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n';
    return lines;
}

/* After any change: items show their texts, lines are counted again. */
static void
settle(struct notebook *n)
{
    int line = 1 + lines_in(n->preamble, strlen(n->preamble));

    for (size_t i = 0; i < n->page.n; i++) {
        struct cell_text *t = n->page.text[i];

        item_show(n->page.item[i], t);
        line += lines_in(t->header, strlen(t->header));
        n->page.item[i]->cell.first_line = line;
        line += lines_in(t->body, t->body_len);
        line += lines_in(t->tail, strlen(t->tail));
    }
    page_settle(&n->page);
    n->version++;
    session_notify(n->session, TOPIC_NOTEBOOK);
}

static void
touched(struct notebook *n)
{
    n->version++;
    session_notify(n->session, TOPIC_NOTEBOOK);
}

/* ---- undo ---- */

static void
remember(struct notebook *n)
{
    page_push(&n->undo, &n->n_undo, &n->page);
    page_clear(&n->redo, &n->n_redo);
}

static bool
swap(struct notebook *n, struct page **from, size_t *n_from, struct page **to,
     size_t *n_to)
{
    if (*n_from == 0)
        return false;
    page_push(to, n_to, &n->page);
    page_fini(&n->page);
    n->page = (*from)[--*n_from];
    settle(n);
    return true;
}

bool
notebook_undo(struct notebook *n)
{
    return swap(n, &n->undo, &n->n_undo, &n->redo, &n->n_redo);
}

bool
notebook_redo(struct notebook *n)
{
    return swap(n, &n->redo, &n->n_redo, &n->undo, &n->n_undo);
}

/* ---- open and save ---- */

static void
write_text(const struct notebook *n, struct buf *out)
{
    struct cell_texts t = {
        .text = n->page.text, .n = n->page.n, .preamble = n->preamble};

    percent_write(&t, out);
}

static void
hash_now(const struct notebook *n, char hash[33])
{
    struct buf b;

    buf_init(&b);
    write_text(n, &b);
    file_hash(b.data, b.len, hash);
    buf_fini(&b);
}

/* The kept outputs of a cell: key is the digest and how many cells before it
 * have the same. */
static void
cell_key(const struct notebook *n, size_t at, char key[48])
{
    snprintf(key, 48, "%s-%u", n->page.text[at]->digest,
             n->page.item[at]->twins);
}

static void
restore_outputs(struct notebook *n)
{
    for (size_t i = 0; i < n->page.n; i++) {
        struct item *it = n->page.item[i];
        char key[48];

        if (it->cell.kind != CELL_CODE || it->cell.n_outputs)
            continue;
        cell_key(n, i, key);
        if (!keep_load(session_dir(n->session), n->path, key, &it->cell))
            continue;
        memcpy(it->output_digest, n->page.text[i]->digest,
               sizeof it->output_digest);
    }
}

struct notebook *
notebook_new(struct kernel *k, const char *path)
{
    struct notebook *n = mem_new(sizeof *n);

    n->kernel = k;
    n->session = kernel_session(k);
    n->path = mem_text(path);
    n->preamble = mem_text("");
    n->keep = true;
    hash_now(n, n->saved);
    n->disk.st_size = -1;
    return n;
}

/* The file as it is now is the one we know. */
static void
know_file(struct notebook *n)
{
    if (stat(n->path, &n->disk) < 0)
        n->disk = (struct stat){.st_size = -1};
}

bool
notebook_changed_outside(const struct notebook *n)
{
    struct stat now;

    return stat(n->path, &now) == 0 &&
           (now.st_size != n->disk.st_size || now.st_ino != n->disk.st_ino ||
            now.st_mtim.tv_sec != n->disk.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != n->disk.st_mtim.tv_nsec);
}

static bool
read_file(const char *path, struct cell_texts *out, struct error *err)
{
    struct buf b;
    bool ok;

    buf_init(&b);
    ok = file_read(path, (size_t)64 << 20, &b, err);
    if (ok && memchr(b.data, '\0', b.len))
        ok = error_set(err, ERR_PARSE, "%s: not a text file", path);
    if (ok)
        percent_parse((struct str){b.data, b.len}, out);
    buf_fini(&b);
    return ok;
}

struct notebook *
notebook_open(struct kernel *k, const char *path, struct error *err)
{
    struct cell_texts texts;
    struct notebook *n = notebook_new(k, path);

    know_file(n);
    if (!read_file(path, &texts, err)) {
        notebook_free(n);
        return NULL;
    }
    free(n->preamble);
    n->preamble = mem_text(texts.preamble);
    for (size_t i = 0; i < texts.n; i++)
        page_insert(&n->page, i, item_new(), cell_text_ref(texts.text[i]));
    cell_texts_fini(&texts);
    settle(n);
    hash_now(n, n->saved);
    restore_outputs(n);
    return n;
}

/* New texts over old items: the same text keeps its item, as far as order
 * allows; what is left over between two matches is paired in order. */
bool
notebook_reload(struct notebook *n, struct error *err)
{
    struct cell_texts texts;
    struct page old;
    size_t next = 0;

    know_file(n);
    if (!read_file(n->path, &texts, err))
        return false;
    remember(n);
    old = n->page;
    n->page = (struct page){0};
    free(n->preamble);
    n->preamble = mem_text(texts.preamble);
    for (size_t i = 0; i < texts.n; i++) {
        struct cell_text *t = texts.text[i];
        struct item *it = NULL;
        size_t j = next;

        while (j < old.n && strcmp(old.text[j]->digest, t->digest) != 0)
            j++;
        if (j < old.n) {
            it = old.item[j];
            next = j + 1;
        } else if (next < old.n && old.text[next]->kind == t->kind) {
            bool later = false;

            for (size_t m = i + 1; m < texts.n; m++)
                later = later || strcmp(texts.text[m]->digest,
                                        old.text[next]->digest) == 0;
            if (!later)
                it = old.item[next++];
        }
        page_insert(&n->page, i, it ? item_ref(it) : item_new(),
                    cell_text_ref(t));
    }
    page_fini(&old);
    cell_texts_fini(&texts);
    settle(n);
    hash_now(n, n->saved);
    restore_outputs(n);
    return true;
}

static void
release(struct notebook *n)
{
    page_fini(&n->page);
    page_clear(&n->undo, &n->n_undo);
    page_clear(&n->redo, &n->n_redo);
    for (size_t i = 0; i < n->n_overrides; i++) {
        free(n->overrides[i].name);
        free(n->overrides[i].value);
    }
    free(n->overrides);
    free(n->queue);
    item_unref(n->running);
    free(n->preamble);
    free(n->path);
    free(n);
}

void
notebook_free(struct notebook *n)
{
    if (!n)
        return;
    notebook_interrupt(n);
    n->events = (struct notebook_events){NULL, NULL, NULL};
    loop_remove(n->timer);
    n->timer = NULL;
    if (n->running)
        n->freed = true; /* released when it has ended */
    else
        release(n);
}

struct session *
notebook_session(const struct notebook *n)
{
    return n->session;
}

const char *
notebook_path(const struct notebook *n)
{
    return n->path;
}

bool
notebook_modified(const struct notebook *n)
{
    char hash[33];

    hash_now(n, hash);
    return strcmp(hash, n->saved) != 0;
}

/* What another program wrote to our file is moved out of the way. */
static bool
set_aside(struct notebook *n, const struct buf *ours, struct error *err)
{
    struct buf theirs, name;
    bool ok;

    buf_init(&theirs);
    buf_init(&name);
    buf_printf(&name, "%s~", n->path);
    ok = file_read(n->path, (size_t)64 << 20, &theirs, err);
    if (ok && theirs.len > 0 &&
        (theirs.len != ours->len ||
         memcmp(theirs.data, ours->data, ours->len) != 0)) {
        ok = file_replace(name.data, theirs.data, theirs.len, 0644, err);
        if (ok)
            session_message(n->session, MESSAGE_WARN,
                            "another program changed %s: its version is kept "
                            "as %s~",
                            file_base(n->path), file_base(n->path));
    }
    buf_fini(&theirs);
    buf_fini(&name);
    return ok;
}

bool
notebook_save(struct notebook *n, struct error *err)
{
    struct buf b;
    bool ok;

    buf_init(&b);
    write_text(n, &b);
    ok = buf_check(&b, err) &&
         (!notebook_changed_outside(n) || set_aside(n, &b, err)) &&
         file_replace(n->path, b.data, b.len, 0644, err);
    buf_fini(&b);
    if (ok) {
        know_file(n);
        hash_now(n, n->saved);
        touched(n);
    }
    return ok;
}

void
notebook_keep(struct notebook *n, bool keep)
{
    n->keep = keep;
}

/* ---- looking and editing ---- */

size_t
notebook_cells(const struct notebook *n)
{
    return n->page.n;
}

const struct cell *
notebook_cell(const struct notebook *n, size_t i)
{
    return i < n->page.n ? &n->page.item[i]->cell : NULL;
}

uint64_t
notebook_version(const struct notebook *n)
{
    return n->version;
}

static void
replace_text(struct notebook *n, size_t i, struct cell_text *t)
{
    cell_text_unref(n->page.text[i]);
    n->page.text[i] = t;
}

bool
notebook_set_source(struct notebook *n, size_t i, const char *source,
                    size_t len)
{
    struct cell_text *was;

    if (i >= n->page.n)
        return false;
    was = n->page.text[i];
    if (was->len == len && memcmp(was->source, source, len) == 0)
        return true;
    remember(n);
    replace_text(n, i, cell_text_new(was->kind, source, len, was));
    settle(n);
    return true;
}

bool
notebook_set_kind(struct notebook *n, size_t i, enum cell_kind kind)
{
    struct cell_text *was;

    if (i >= n->page.n)
        return false;
    was = n->page.text[i];
    if (was->kind != kind) {
        remember(n);
        replace_text(n, i, cell_text_new(kind, was->source, was->len, NULL));
        settle(n);
    }
    return true;
}

size_t
notebook_insert(struct notebook *n, size_t at, enum cell_kind kind)
{
    if (at > n->page.n)
        at = n->page.n;
    remember(n);
    page_insert(&n->page, at, item_new(), cell_text_new(kind, "", 0, NULL));
    settle(n);
    return at;
}

bool
notebook_delete(struct notebook *n, size_t i)
{
    if (i >= n->page.n)
        return false;
    remember(n);
    item_unref(n->page.item[i]);
    cell_text_unref(n->page.text[i]);
    page_remove(&n->page, i);
    settle(n);
    return true;
}

bool
notebook_move(struct notebook *n, size_t from, size_t to)
{
    struct item *it;
    struct cell_text *t;

    if (from >= n->page.n || to >= n->page.n)
        return false;
    if (from == to)
        return true;
    remember(n);
    it = n->page.item[from];
    t = n->page.text[from];
    page_remove(&n->page, from);
    page_insert(&n->page, to, it, t);
    settle(n);
    return true;
}

void
notebook_clear_outputs(struct notebook *n)
{
    for (size_t i = 0; i < n->page.n; i++) {
        struct item *it = n->page.item[i];

        if (it == n->running || it->cell.state == CELL_QUEUED)
            continue;
        item_drop_outputs(it);
        it->output_digest[0] = '\0';
        it->cell.order = 0;
        it->cell.state = CELL_IDLE;
    }
    settle(n);
}

/* ---- running ---- */

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
    touched(n);
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
        release(n);
        return;
    }
    touched(n);
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
    cell_key(n, at, key);
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
    touched(n);
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
    touched(n);
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
    touched(n);
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

void
notebook_listen(struct notebook *n, const struct notebook_events *e)
{
    n->events = *e;
}
