/* session/cmd_data.c -- head and schema, and what commands on tables share.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "frame/source.h"
#include "frame/stream_verbs.h"
#include "session/cmd.h"
#include "session/reading.h"
#include "session/shelf.h"

/* ---- shared ---- */

/* To the terminal, and to a screen. */
static void
tell(struct task *t, const struct buf *text)
{
    task_log(t, "%s", text->data);
    session_message(task_session(t), MESSAGE_WARN, "%s", text->data);
}

/* How many rows were set aside, and where and why the first ones. */
static void
tell_rejects(struct task *t, const char *path, const struct frame *f, size_t n)
{
    enum { SHOWN = 3 };
    long line = f ? frame_find(f, "line") : -1;
    long reason = f ? frame_find(f, "reason") : -1;
    struct buf text;

    if (n == 0)
        return;
    buf_init(&text);
    buf_printf(&text, "%s: %zu row%s set aside", path, n, n == 1 ? "" : "s");
    for (size_t i = 0;
         line >= 0 && reason >= 0 && i < frame_rows(f) && i < SHOWN; i++) {
        buf_puts(&text, i ? "; line " : ": line ");
        column_print(frame_column(f, (size_t)line), i, &text);
        buf_puts(&text, ", ");
        column_print(frame_column(f, (size_t)reason), i, &text);
    }
    if (n > SHOWN)
        buf_puts(&text, "; ...");
    tell(t, &text);
    buf_fini(&text);
}

static void
tell_oddities(struct task *t, const char *path, const struct csv_table *table)
{
    struct buf text;

    buf_init(&text);
    if (table->n_foreign) {
        buf_printf(&text, "%s: ", path);
        reading_say_foreign(table, &text);
        tell(t, &text);
    }
    if (table->n_rejected)
        tell_rejects(t, path, table->rejects, table->n_rejected);
    buf_clear(&text);
    if (table->frame && frame_rows(table->frame) == 0) {
        buf_printf(&text, "%s: %s", path,
                   table->header ? "a header and no rows" : "no rows");
        tell(t, &text);
    }
    buf_fini(&text);
}

/* Another table than the command's own? */
static bool
is_beside(const struct call *c, const char *path)
{
    return path != call_text(c, "data");
}

/* Is it gone once it is read? */
static bool
is_pipe(const char *path)
{
    struct stat st;

    if (strcmp(path, "-") == 0)
        return true;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/* A pipe is read but once: without a look before. */
static bool
begin_for(struct reading_options *o, const char *path,
          const struct reading_like *like, struct error *err)
{
    bool any;

    return !is_pipe(path) || reading_options_texts(o, NULL, like, &any, err);
}

static bool
read_for(struct task *t, struct reading_options *o, const char *path,
         const struct reading_like *like, struct csv_table *out,
         struct error *err)
{
    struct session *s = task_session(t);
    bool again, ok;

    if (!begin_for(o, path, like, err) ||
        !shelf_read(s, path, &o->source, task_progress(t), out, err))
        return false;
    again = !is_pipe(path);
    ok = !again || reading_options_texts(o, out->frame, like, &again, err);
    if (ok && !again)
        return true;
    csv_table_fini(out);
    return ok && shelf_read(s, path, &o->source, task_progress(t), out, err);
}

static bool
read_table(struct task *t, const struct call *c, const char *path,
           const struct reading_like *like, struct csv_table *out,
           struct error *err)
{
    struct reading_options o;
    bool ok;

    if (!reading_options_init(&o, c, is_beside(c, path), err))
        return false;
    ok = read_for(t, &o, path, like, out, err);
    reading_options_fini(&o);
    if (ok)
        tell_oddities(t, path, out);
    return ok;
}

bool
cmd_read(struct task *t, const struct call *c, const char *path,
         struct csv_table *out, struct error *err)
{
    return read_table(t, c, path, &(struct reading_like){0}, out, err);
}

struct frame *
cmd_table(struct task *t, const struct call *c, const char *path,
          struct error *err)
{
    return cmd_table_for(t, c, path, NULL, err);
}

static struct frame *
table_like(struct task *t, const struct call *c, const char *path,
           const struct reading_like *like, struct error *err)
{
    struct csv_table table;
    struct frame *f;

    if (!read_table(t, c, path, like, &table, err))
        return NULL;
    f = frame_ref(table.frame);
    csv_table_fini(&table);
    return f;
}

struct frame *
cmd_table_for(struct task *t, const struct call *c, const char *path,
              const struct model *m, struct error *err)
{
    return table_like(t, c, path, &(struct reading_like){.model = m}, err);
}

struct frame *
cmd_table_like(struct task *t, const struct call *c, const char *path,
               const struct frame *like, struct error *err)
{
    return table_like(t, c, path, &(struct reading_like){.frame = like}, err);
}

const char **
cmd_all(const struct call *c, const char *name)
{
    size_t n = call_count(c, name);
    const char **all = n ? mem_new((n + 1) * sizeof *all) : NULL;

    for (size_t i = 0; i < n; i++)
        all[i] = call_nth(c, name, i);
    return all;
}

void
cmd_names_init(struct cmd_names *out, const struct frame *f,
               const struct call *c, const char *option)
{
    size_t n = 0, given = call_count(c, option);
    char *at, *comma;

    buf_init(&out->text);
    for (size_t i = 0; i < given; i++) {
        const char *text = call_nth(c, option, i);
        bool whole = f && frame_find(f, text + (*text == '-')) >= 0;

        for (; *text; text++)
            if (*text != ',' || whole) {
                buf_putc(&out->text, *text);
            } else {
                buf_putc(&out->text, '\0');
                text += strspn(text + 1, " ");
            }
        buf_putc(&out->text, '\0');
    }
    for (size_t i = 0; i < out->text.len; i++)
        n += out->text.data[i] == '\0';
    out->name = n ? mem_new((n + 1) * sizeof *out->name) : NULL;
    at = out->text.data;
    for (size_t i = 0; i < n; i++, at = comma + 1) {
        comma = at + strlen(at);
        out->name[i] = at;
    }
}

void
cmd_names_fini(struct cmd_names *n)
{
    free(n->name);
    buf_fini(&n->text);
}

struct store *
cmd_store(struct session *s, struct error *err)
{
    struct store *store = session_store(s, false, err);

    if (!store && err->code == ERR_NOTFOUND)
        error_set(err, ERR_NOTFOUND,
                  "there is no project in %s or above it yet: the first "
                  "`lathe train` makes one",
                  session_project(s));
    return store;
}

bool
cmd_goes_on(struct task *t, struct error *err)
{
    return progress_check(task_progress(t), err) ||
           error_set(err, ERR_CANCELLED, "stopped; nothing was written");
}

struct model *
cmd_open_model(struct session *s, const char *name, char **label,
               struct error *err)
{
    struct error none;
    struct store *store = session_store(s, false, &none);
    char *path, *text;
    struct model *m;

    /* A file needs no project, not even a sound one. */
    if (!model_resolve(store, name, &path, &text, err)) {
        if (!store && none.code != ERR_NOTFOUND)
            *err = none;
        return NULL;
    }
    m = model_open(path, family_find, err);
    free(path);
    if (m && label)
        *label = text;
    else
        free(text);
    return m;
}

void
cmd_json(struct call *c, struct json_writer *w)
{
    json_writer_init(w, call_out(c));
}

void
cmd_json_end(struct call *c)
{
    buf_putc(call_out(c), '\n');
}

/* ---- looking ---- */

static struct stream *
stream_for(struct task *t, struct reading_options *o, const char *path,
           const struct reading_like *like, struct error *err)
{
    struct session *session = task_session(t);
    struct stream *s;
    bool again, ok;

    if (!begin_for(o, path, like, err) ||
        !(s = shelf_stream(session, path, &o->source, task_progress(t), err)))
        return NULL;
    again = !is_pipe(path);
    ok = !again || reading_options_texts(o, stream_head(s), like, &again, err);
    if (ok && !again)
        return s;
    stream_close(s);
    return ok ? shelf_stream(session, path, &o->source, task_progress(t), err)
              : NULL;
}

struct stream *
cmd_stream(struct task *t, const struct call *c, const char *path,
           struct error *err)
{
    return cmd_stream_for(t, c, path, NULL, err);
}

struct stream *
cmd_stream_for(struct task *t, const struct call *c, const char *path,
               const struct model *m, struct error *err)
{
    struct reading_options o;
    struct stream *s;

    if (!reading_options_init(&o, c, is_beside(c, path), err))
        return NULL;
    s = stream_for(t, &o, path, &(struct reading_like){.model = m}, err);
    reading_options_fini(&o);
    return s;
}

void
cmd_tell_stream(struct task *t, const char *path, const struct stream *s)
{
    struct csv_table told;

    stream_told(s, &told);
    tell_oddities(t, path, &told);
}

void
cmd_tell_unseen(struct task *t, const char *path, const struct unseen *u)
{
    struct buf text;

    for (size_t i = 0; i < u->n; i++) {
        buf_init(&text);
        buf_printf(&text, "%s: ", path);
        if (unseen_say(u, i, &text))
            tell(t, &text);
        buf_fini(&text);
    }
}

/* The first n rows at least, and no more than a batch beyond them. */
static struct frame *
first_rows(struct task *t, const struct call *c, const char *path, uint64_t n,
           struct error *err)
{
    struct stream *s;
    struct frame *f;

    if (!stream_wanted(path, NULL))
        return cmd_table(t, c, path, err);
    if (!(s = cmd_stream(t, c, path, err)) || !(s = stream_limit(s, n, err)))
        return NULL;
    f = stream_collect(s, err);
    stream_close(s);
    return f;
}

static bool
known_rows(struct task *t, const struct call *c, const char *path,
           const struct frame *f, uint64_t *n, struct error *err)
{
    struct stream *s;
    bool ok;

    *n = frame_rows(f);
    if (!stream_wanted(path, NULL))
        return true;
    if (!(s = cmd_stream(t, c, path, err)))
        return false;
    ok = stream_count(s, n, err);
    stream_close(s);
    return ok;
}

bool
cmd_head(struct session *s, struct task *t, struct call *c, struct error *err)
{
    const char *path = call_text(c, "data");
    int64_t given = call_int(c, "rows");
    size_t n = given < 0 ? 0 : (size_t)given;
    struct frame *f = first_rows(t, c, path, n, err);
    uint64_t n_rows;

    (void)s;
    if (!f || (!call_json(c) && !known_rows(t, c, path, f, &n_rows, err))) {
        frame_unref(f);
        return false;
    }
    if (call_json(c)) {
        frame_json(f, 0, n < frame_rows(f) ? n : frame_rows(f), call_out(c));
        cmd_json_end(c);
    } else {
        frame_print_first(f, n_rows, n, call_width(c), call_out(c));
    }
    frame_unref(f);
    return true;
}

/* What schema tells: types, rows, and how many values are missing. */
struct schema {
    struct frame *head; /* its names and types */
    uint64_t n_rows;
    size_t *missing; /* of each column */
    size_t n_rejected, n_foreign;
};

static void
schema_fini(struct schema *m)
{
    frame_unref(m->head);
    free(m->missing);
}

static void
add_missing(struct schema *m, const struct frame *f)
{
    m->n_rows += frame_rows(f);
    for (size_t i = 0; i < frame_cols(f); i++)
        m->missing[i] += column_missing(frame_column(f, i));
}

static bool
count_missing(struct schema *m, struct stream *s, struct error *err)
{
    struct frame *f;

    for (;; frame_unref(f)) {
        if (!stream_next(s, &f, err))
            return false;
        if (!f)
            return true;
        add_missing(m, f);
    }
}

static void
note_told(struct schema *m, const struct csv_table *told)
{
    m->n_rejected = told->n_rejected;
    m->n_foreign = told->n_foreign;
}

static bool
room_for(struct schema *m, const struct frame *head, struct error *err)
{
    m->head = frame_ref(head);
    m->missing = mem_try_array(frame_cols(head), sizeof *m->missing, err);
    return m->missing;
}

static bool
stream_schema(struct schema *m, struct task *t, const struct call *c,
              struct error *err)
{
    const char *path = call_text(c, "data");
    struct stream *s = cmd_stream(t, c, path, err);
    struct csv_table told;
    bool ok;

    if (!s)
        return false;
    ok = room_for(m, stream_head(s), err) && count_missing(m, s, err);
    if (ok) {
        stream_told(s, &told);
        note_told(m, &told);
        cmd_tell_stream(t, path, s);
    }
    stream_close(s);
    return ok;
}

static bool
read_schema(struct schema *m, struct task *t, const struct call *c,
            struct error *err)
{
    const char *path = call_text(c, "data");
    struct csv_table table;
    bool ok;

    if (stream_wanted(path, NULL))
        return stream_schema(m, t, c, err);
    if (!cmd_read(t, c, path, &table, err))
        return false;
    ok = room_for(m, table.frame, err);
    if (ok) {
        add_missing(m, table.frame);
        note_told(m, &table);
    }
    csv_table_fini(&table);
    return ok;
}

static void
schema_json(const struct schema *m, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "rows");
    json_put_i64(w, (int64_t)m->n_rows);
    json_name(w, "columns");
    json_open(w, '[');
    for (size_t i = 0; i < frame_cols(m->head); i++) {
        json_open(w, '{');
        json_name(w, "name");
        json_put_string(w, frame_name(m->head, i));
        json_name(w, "type");
        json_put_string(
            w, column_type_word(column_type(frame_column(m->head, i))));
        json_name(w, "missing");
        json_put_i64(w, (int64_t)m->missing[i]);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_name(w, "rejected");
    json_put_i64(w, (int64_t)m->n_rejected);
    json_name(w, "not_utf8");
    json_put_i64(w, (int64_t)m->n_foreign);
    json_close(w, '}');
}

static void
schema_print(const struct schema *m, struct call *c)
{
    static const char *const titles[] = {"column", "type", ">missing", NULL};
    struct listing *l = listing_new(titles);

    for (size_t i = 0; i < frame_cols(m->head); i++) {
        enum col_type type = column_type(frame_column(m->head, i));

        listing_add(l, frame_name(m->head, i));
        listing_add(l, column_type_word(type));
        listing_addf(l, "%zu", m->missing[i]);
    }
    listing_print(l, call_list_width(c), call_out(c));
    listing_free(l);
}

bool
cmd_schema(struct session *s, struct task *t, struct call *c, struct error *err)
{
    struct schema m = {0};
    struct json_writer w;
    bool ok = read_schema(&m, t, c, err);

    (void)s;
    if (ok && call_json(c)) {
        cmd_json(c, &w);
        schema_json(&m, &w);
        cmd_json_end(c);
    } else if (ok) {
        schema_print(&m, c);
    }
    schema_fini(&m);
    return ok;
}
