/* script/notebook.h -- a percent-format Lua file as cells, their outputs and
 * the queue of cells to run.
 *
 * "-- %%" starts a code cell, "-- %% [markdown]" a text cell (its lines are
 * comments), "-- %% tags=["parameters"]" the parameters.  Whatever the file
 * holds is written back byte for byte when nothing was edited.
 *
 * Outputs are kept in .lathe/outputs, keyed by notebook path and cell digest,
 * written when a cell ends: kill -9 loses no output of an ended cell.
 *
 * Main thread only.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_NOTEBOOK_H
#define LATHE_SCRIPT_NOTEBOOK_H

#include "script/kernel.h"
#include "session/task.h"

enum cell_kind { CELL_CODE, CELL_TEXT };
enum cell_state {
    CELL_IDLE,
    CELL_QUEUED,
    CELL_RUNNING,
    CELL_PASSED,
    CELL_FAILED,
    CELL_STOPPED
};

struct cell {
    enum cell_kind kind;
    bool parameters;
    char *title;  /* text after %% that is neither; "" */
    char *source; /* code; text cells without their "-- " */
    size_t len;
    int first_line; /* 1-based line of the source in the file */
    enum cell_state state;
    unsigned order; /* [n] of the last run; 0: never */
    int64_t start_ms, end_ms;
    struct output *output; /* n_outputs */
    size_t n_outputs;
    bool stale;         /* edited since its outputs were made */
    struct error error; /* CELL_FAILED: message; line in error_line */
    int error_line;     /* in the cell, 1-based; 0 unknown */
};

struct notebook;

struct notebook *
notebook_open(struct kernel *k, const char *path, struct error *err) MUST_USE;
struct notebook *notebook_new(struct kernel *k, const char *path); /* empty */
void notebook_free(struct notebook *n); /* interrupts what runs */
struct session *notebook_session(const struct notebook *n);
const char *notebook_path(const struct notebook *n);
bool notebook_modified(const struct notebook *n);
/* A version that another program wrote meanwhile is kept as PATH~, and the
 * user is told. */
bool notebook_save(struct notebook *n, struct error *err) MUST_USE;
/* Did another program write the file since it was read or saved? */
bool notebook_changed_outside(const struct notebook *n);
/* Keep outputs in .lathe/outputs?  True at first. */
void notebook_keep(struct notebook *n, bool keep);
/* Read the file again (after $EDITOR); outputs of unchanged cells stay. */
bool notebook_reload(struct notebook *n, struct error *err) MUST_USE;

size_t notebook_cells(const struct notebook *n);
const struct cell *notebook_cell(const struct notebook *n, size_t i);
uint64_t notebook_version(const struct notebook *n); /* changes with anything */
/* Edits; each is one step of undo. */
bool notebook_set_source(struct notebook *n, size_t i, const char *source,
                         size_t len);
size_t
notebook_insert(struct notebook *n, size_t at, enum cell_kind kind); /* index */
bool notebook_set_kind(struct notebook *n, size_t i, enum cell_kind kind);
bool notebook_delete(struct notebook *n, size_t i);
bool notebook_move(struct notebook *n, size_t from, size_t to);
bool notebook_undo(struct notebook *n);
bool notebook_redo(struct notebook *n);
void notebook_clear_outputs(struct notebook *n);

/* Queue cells; they run from the loop, in order; a failure empties the queue. */
void notebook_run(struct notebook *n, size_t i);
void notebook_run_all(struct notebook *n);
void notebook_run_above(struct notebook *n, size_t i); /* those before i */
void
notebook_interrupt(struct notebook *n); /* the running cell and the queue */
bool notebook_busy(const struct notebook *n);
/* Cell i failed because a global is nil that a cell above sets, and that one
 * has not run since the kernel was started: its index, and the global's name,
 * borrowed until the notebook changes. */
bool notebook_wants(const struct notebook *n, size_t i, const char **name,
                    size_t *setter);
/* name=value into the parameters cell's globals: applied after that cell ran.
 * ERR_USAGE with the nearest name when the cell does not set it. */
bool notebook_parameter(struct notebook *n, const char *name, const char *value,
                        struct error *err) MUST_USE;
/* For headless runs: called as outputs and ends come. */
struct notebook_events {
    void (*output)(void *ctx, size_t cell, const struct output *o);
    void (*ended)(void *ctx, size_t cell);
    void *ctx;
};
void notebook_listen(struct notebook *n, const struct notebook_events *e);
/* By ending: .ipynb (nbformat 4.5), .md, .html. */
bool notebook_can_export(const char *path, struct error *err) MUST_USE;
bool notebook_export(const struct notebook *n, const char *path,
                     struct error *err) MUST_USE;
#endif
