/* script/notebook.c -- cells, the file, undo.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/notebook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "script/keep.h"
#include "script/notebook_state.h"

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

void
notebook_touched(struct notebook *n)
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

void
notebook_key(const struct notebook *n, size_t at, char key[48])
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
        notebook_key(n, i, key);
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

void
notebook_release(struct notebook *n)
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
        notebook_release(n);
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
        notebook_touched(n);
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

void
notebook_listen(struct notebook *n, const struct notebook_events *e)
{
    n->events = *e;
}
