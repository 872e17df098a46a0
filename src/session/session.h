/* session/session.h -- the open workbench: what UI, command line and Lua share.
 *
 * Owned by the main thread; functions are for the main thread unless they say
 * "any thread".
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_SESSION_H
#define LATHE_SESSION_SESSION_H

#include "base/loop.h"
#include "base/pool.h"
#include "frame/csv.h"
#include "frame/profile.h"
#include "store/db.h"
#include "store/run.h"

struct session;
struct steps;
struct shown;
struct rowset;
struct beyond;
struct source_options;

/* The pool and loop are borrowed and must outlive the session. */
struct session *session_new(struct pool *pool, struct loop *loop);
void session_free(struct session *s); /* stops tasks, closes the store */
struct pool *session_pool(struct session *s); /* any thread */
struct loop *session_loop(struct session *s);
/* The project's store; opened on first use and made on first write
 * (create = true).  Any thread. ERR_NOTFOUND: none yet and create is false. */
struct store *
session_store(struct session *s, bool create, struct error *err) MUST_USE;
/* Folder the project is in (the parent of .lathe, or the current one). */
const char *session_project(struct session *s); /* any thread */
/* Its ".lathe", which need not exist yet. */
const char *session_dir(struct session *s); /* any thread */

/* The Lua that makes a table (session/origin.h). */
struct origin {
    char *before;     /* lines that make what `expression` is about */
    char *expression; /* "lathe.read(\"churn.csv\")"; NULL: nothing makes it */
};

/* What a row of a table made from another one stands for. */
enum table_kind {
    TABLE_PLAIN,       /* itself */
    TABLE_FREQUENCY,   /* rows of the parent with a value of `about` */
    TABLE_BINS,        /* ... with a value in a range of it */
    TABLE_GROUPS,      /* ... that are equal in the first n_keys columns */
    TABLE_PIVOT,       /* ... and have one of `values` in `about`, by column */
    TABLE_DUPLICATES,  /* ... in the columns behind the first */
    TABLE_DESCRIPTION, /* a column of the parent */
    TABLE_MISSING,     /* a column, and the rows where it is missing */
    TABLE_PATTERNS,    /* rows that miss the same columns */
    TABLE_RELATIONS    /* a column, beside each */
};

/* Open tables, by name, in the order they were opened.  What has been done to
 * one since it came are its steps, and what they make of it is what shows:
 * session_set_shown() changes both.  Listeners look at version. */
struct table {
    char *name;            /* "churn.csv" */
    char *path;            /* "" when it did not come from a file */
    char *variable;        /* its name in Lua: "churn" */
    struct origin origin;  /* of base */
    struct frame *base;    /* as it came */
    struct steps *steps;   /* since then; never NULL */
    struct frame *all;     /* base with the columns that were computed: all
                             rows, hidden columns, too; the profile is of it */
    struct frame *frame;   /* the columns that show, all rows */
    struct rowset *rows;   /* those that show, in order; NULL: all */
    struct beyond *beyond; /* not NULL: base is the first rows of a file beyond
                              memory (session/beyond.h), and the steps have
                              neither filter nor sort */
    struct frame *rejects; /* may be NULL */
    size_t n_rejected;
    size_t n_foreign;        /* fields of its file that are not UTF-8 */
    struct profile *profile; /* NULL until it is made; of `all`, or ... */
    bool profile_beyond;     /* ... of all rows of the file beyond memory */
    char *target;            /* for the profile; may be NULL */
    bool tally;              /* frequencies of another table's column */
    enum table_kind kind;
    char *parent; /* name of the table it was made from; NULL: none */
    char *about;  /* column of the parent */
    size_t n_keys;
    struct frame *values; /* of a pivot: in their order; else NULL */
    uint64_t version;     /* changes when anything above does */
};
size_t session_tables(const struct session *s);
struct table *session_table(struct session *s, size_t i);
const struct table *session_table_at(const struct session *s, size_t i);
/* Takes a reference of frame; replaces a table of the same name. */
struct table *session_add_table(struct session *s, const char *name,
                                const char *path, const struct frame *frame);
/* It is the first rows of b, of which it takes a reference; its Lua is a scan. */
void session_set_beyond(struct session *s, struct table *t, struct beyond *b);
/* It was read by these options: its Lua says so. */
void session_set_reading(struct session *s, struct table *t,
                         const struct source_options *how);
/* What `steps` have made of its base; takes both. */
void session_set_shown(struct session *s, struct table *t, struct steps *steps,
                       struct shown *shown);
void session_close_table(struct session *s, size_t i);
/* Close it, but keep it for session_put_table(), or session_free_table(). */
struct table *session_take_table(struct session *s, size_t i);
/* Open it again, as the last one; one of the same name is replaced. */
void session_put_table(struct session *s, struct table *t);
void session_free_table(struct table *t); /* NULL is allowed */
/* After changing a table in place: a new version, and listeners are told. */
void session_touch_table(struct session *s, struct table *t);

struct shelf;                                   /* shelf.c */
struct shelf *session_shelf(struct session *s); /* any thread */

struct task_set; /* task.c */
struct task_set *session_tasks(struct session *s);

/* Something changed that a screen may show: tables, runs, tasks, messages.
 * Listeners are called on the main thread, from session_notify(), which may
 * be called from any thread (it goes through the mailbox, coalesced). */
enum session_topic {
    TOPIC_TABLES = 1,
    TOPIC_RUNS = 2,
    TOPIC_TASKS = 4,
    TOPIC_REGISTRY = 8,
    TOPIC_ENDPOINTS = 16,
    TOPIC_NOTEBOOK = 32,
    TOPIC_MESSAGES = 64
};
typedef void session_listener(void *ctx, unsigned topics);
void session_listen(struct session *s, session_listener *fn, void *ctx);
void session_unlisten(struct session *s, session_listener *fn, void *ctx);
void session_notify(struct session *s, unsigned topics); /* any thread */

/* Messages to the user: one line each, as str_spell() writes what is foreign;
 * the last 200 are kept. Any thread. */
enum message_level { MESSAGE_INFO, MESSAGE_WARN, MESSAGE_ERROR };
void session_message(struct session *s, enum message_level level,
                     const char *fmt, ...) PRINTF_LIKE(3, 4);
struct message {
    enum message_level level;
    int64_t time_ms;
    char text[512];
};
/* i = 0 is the newest; false beyond the last. */
bool session_message_at(struct session *s, size_t i, struct message *out);
#endif
