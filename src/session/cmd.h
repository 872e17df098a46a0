/* session/cmd.h -- the bodies of the commands, by family, and what they share;
 * for session/ alone.  table.c lists them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_CMD_H
#define LATHE_SESSION_CMD_H

#include "engine/family.h"
#include "engine/unseen.h"
#include "frame/stream.h"
#include "session/command.h"
#include "session/listing.h"
#include "store/registry.h"

typedef bool
cmd_fn(struct session *s, struct task *t, struct call *c, struct error *err);

/* cmd_data.c */
cmd_fn cmd_profile, cmd_head, cmd_schema;
/* cmd_convert.c */
cmd_fn cmd_convert;
/* cmd_query.c */
cmd_fn cmd_query;
/* cmd_model.c */
cmd_fn cmd_train, cmd_predict;
/* cmd_evaluate.c */
cmd_fn cmd_evaluate;
/* cmd_explain.c */
cmd_fn cmd_explain;
/* cmd_port.c */
cmd_fn cmd_export, cmd_import;
/* cmd_tell.c */
cmd_fn cmd_recommend, cmd_forecast, cmd_table_of;
/* cmd_runs.c */
cmd_fn cmd_runs_ls, cmd_runs_show, cmd_runs_diff, cmd_runs_rm, cmd_runs_export;
/* cmd_registry.c */
cmd_fn cmd_registry_ls, cmd_registry_show, cmd_registry_add,
    cmd_registry_promote, cmd_registry_rollback, cmd_registry_alias,
    cmd_registry_history, cmd_registry_verify;
/* cmd_serve.c */
cmd_fn cmd_serve, cmd_endpoint_ls, cmd_endpoint_create, cmd_endpoint_start,
    cmd_endpoint_stop, cmd_endpoint_rm, cmd_endpoint_show, cmd_endpoint_invoke,
    cmd_endpoint_log, cmd_endpoint_drift;
/* cmd_job.c */
cmd_fn cmd_job_run, cmd_job_ls, cmd_job_log, cmd_job_stop, cmd_job_wait;
/* cmd_about.c */
cmd_fn cmd_version, cmd_doctor, cmd_expressions;
/* cmd_models.c */
cmd_fn cmd_models;

/* ---- shared, cmd_list.c ---- */

/* Records of which those that --where keeps, all without it, are told: a line
 * each, or what --json has. */
struct cmd_list {
    const void *of; /* the records, for the functions */
    size_t n, most; /* how many there are; how many are told, 0: all */
    const char *const *titles;  /* as of listing_new() */
    const char *none, *none_so; /* "no runs yet"; "no runs are so" */
    void (*row)(const void *of, size_t i, struct listing *l);
    /* Members of an open object: what --json has of record i, and what --where
     * sees besides, or NULL. */
    void (*put)(const void *of, size_t i, struct json_writer *w);
    void (*put_more)(const void *of, size_t i, struct json_writer *w);
};
/* ERR_USAGE for an expression that does not fit. */
bool cmd_list(struct task *t, struct call *c, const struct cmd_list *list,
              struct error *err) MUST_USE;
/* The numbers of another object, by their names; a time as lists show it. */
void cmd_put_flat(struct json_writer *w, const char *object);
void cmd_put_time(struct json_writer *w, const char *name, int64_t ms);

/* ---- shared, cmd_data.c ---- */

/* Read a table as the call's reading options say: its frame, released by the
 * caller.  Rejected rows, text that is not UTF-8 and a table of no rows are told
 * in the task's log and as a message. */
struct frame *cmd_table(struct task *t, const struct call *c, const char *path,
                        struct error *err) MUST_USE;
/* The same for a model, which may be NULL: columns are texts where it wants
 * texts. */
struct frame *
cmd_table_for(struct task *t, const struct call *c, const char *path,
              const struct model *m, struct error *err) MUST_USE;
/* The same where `like` has texts. */
struct frame *
cmd_table_like(struct task *t, const struct call *c, const char *path,
               const struct frame *like, struct error *err) MUST_USE;
/* The whole of what was read, for csv_table_fini(). */
bool cmd_read(struct task *t, const struct call *c, const char *path,
              struct csv_table *out, struct error *err) MUST_USE;
/* The same, batch by batch, for a table beyond memory (stream_wanted()); what is
 * to tell of it is told by cmd_tell_stream(), once it was gone through. */
struct stream *cmd_stream(struct task *t, const struct call *c,
                          const char *path, struct error *err) MUST_USE;
struct stream *
cmd_stream_for(struct task *t, const struct call *c, const char *path,
               const struct model *m, struct error *err) MUST_USE;
void cmd_tell_stream(struct task *t, const char *path, const struct stream *s);
/* Rows whose texts a model does not know, told likewise. */
void cmd_tell_unseen(struct task *t, const char *path, const struct unseen *u);
/* ---- rows in and out, cmd_rows.c ---- */

/* A table as a stream, for a model, whether it fits in memory or not. */
struct stream *cmd_rows(struct task *t, const struct call *c, const char *path,
                        const struct model *m, struct error *err) MUST_USE;
/* All that is left of s into a file, which is told. */
bool cmd_write_rows(struct stream *s, const char *path, struct call *c,
                    struct error *err) MUST_USE;
/* All that is left of s, as it comes: as JSON where the call says so, else as
 * CSV. */
bool
cmd_print_rows(struct stream *s, struct call *c, struct error *err) MUST_USE;

/* A table that was written to a file: a line, or as JSON. */
struct cmd_written {
    const char *path;
    uint64_t n_rows;
    size_t n_cols;
};
void cmd_tell_written(const struct cmd_written *done, struct call *c);
/* The members out, rows and columns. */
void cmd_written_json(const struct cmd_written *done, struct json_writer *w);

/* False when the task was stopped: before anything is written or printed. */
bool cmd_goes_on(struct task *t, struct error *err) MUST_USE;
/* All values given for a name: a NULL-ended array the caller frees (the texts
 * are the call's); NULL when there are none. */
const char **cmd_all(const struct call *c, const char *name);
/* The names given for an option, one by one or with commas between them, as a
 * NULL-ended array; NULL: none.  A column of f (NULL: no columns are meant)
 * whose name has a comma is told by its whole name. */
struct cmd_names {
    struct buf text;
    const char **name;
};
void cmd_names_init(struct cmd_names *out, const struct frame *f,
                    const struct call *c, const char *option);
void cmd_names_fini(struct cmd_names *n); /* also of {0} */
/* The open store; the error says that there is none yet. */
struct store *cmd_store(struct session *s, struct error *err) MUST_USE;
/* A model by any name.  *label may be NULL, else caller frees. */
struct model *cmd_open_model(struct session *s, const char *name, char **label,
                             struct error *err) MUST_USE;

/* A JSON writer on the call's output, and its end with a newline. */
void cmd_json(struct call *c, struct json_writer *w);
void cmd_json_end(struct call *c);
#endif
