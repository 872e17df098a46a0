/* script/kernel.h -- the one lua_State: run code, interrupt it, look inside.
 *
 * Main thread only.  A running chunk is a plain call; the loop turns inside
 * it: a 3 ms timer arms a count hook on the running lua_State that turns the
 * loop once (see kernel.c).  kernel_run() from within a running chunk is
 * refused (ERR_STATE): callers queue.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_KERNEL_H
#define LATHE_SCRIPT_KERNEL_H

#include "engine/model.h"
#include "session/session.h"

struct kernel;

enum output_kind {
    OUT_TEXT,
    OUT_TABLE,
    OUT_PROFILE,
    OUT_RUN,
    OUT_MODEL,
    OUT_EVALUATION,
    OUT_CHART,
    OUT_ERROR
};
/* OUT_RUN comes twice for a fit: when it begins, with text "", so that a
 * screen can draw the live curve, and when it has ended; the second replaces
 * the first. */
struct output {
    enum output_kind kind;
    char *text;          /* always there: how it reads without colour */
    char *json;          /* structured form; may be NULL */
    struct frame *frame; /* OUT_TABLE; may be NULL (restored from disk) */
    char *run;           /* OUT_RUN: id */
    char *svg;           /* OUT_CHART: the same as an SVG element whose classes
                            are those of plot_svg(); may be NULL */
};

struct kernel_events { /* called on the main thread; any may be NULL */
    void (*output)(void *ctx,
                   const struct output *o); /* copies what it keeps */
    void *ctx;
};

struct kernel *kernel_new(struct session *s, struct error *err) MUST_USE;
void kernel_free(struct kernel *k);
struct session *kernel_session(struct kernel *k);
/* Run a chunk; the value of its last expression is its output.  `name` is for
 * messages: "churn.lua [4]".  first_line: of the chunk in its file. */
bool
kernel_run(struct kernel *k, struct str code, const char *name, int first_line,
           const struct kernel_events *events, struct error *err) MUST_USE;
/* Ask the running chunk to stop; from any callback of the loop. */
void kernel_interrupt(struct kernel *k);
/* The file line that the last failed chunk stopped at; 0: unknown. */
int kernel_error_line(const struct kernel *k);
/* When a chunk sits in one C call for a second: say(ctx, line) is called on
 * the watchdog's thread; three SIGINTs or Ctrl-C bytes read from fd (-1:
 * none), or a SIGTERM, then end the process, what is finished being saved.
 * say NULL: to standard error. */
void kernel_watchdog(struct kernel *k, void (*say)(void *ctx, const char *line),
                     int fd, void *ctx);
/* End the process with status 1 if a chunk still sits in one C call 2 s after
 * loop_now_ms() is ms; 0: never. */
void kernel_end_at(struct kernel *k, int64_t ms);
/* Cells for tables and curves in outputs; 80 at first. */
void kernel_set_width(struct kernel *k, size_t cells);
/* The notebook's folder, for lathe.here(); "" or NULL: the current one. */
void kernel_set_folder(struct kernel *k, const char *folder);
/* lathe.interactive: is a screen attached? */
void kernel_set_interactive(struct kernel *k, bool interactive);
void kernel_set_plain(struct kernel *k, bool plain); /* ASCII in drawings */
bool kernel_running(const struct kernel *k);
/* Is the text a whole chunk, or does it want more lines? For the repl. */
enum chunk_state { CHUNK_WHOLE, CHUNK_MORE, CHUNK_WRONG };
enum chunk_state
kernel_check(struct kernel *k, struct str code, struct error *err);
/* Globals the user made: name, type word and a short text, by name. */
struct variable {
    char *name, *type, *text;
};
size_t kernel_variables(struct kernel *k,
                        struct variable **out); /* caller: variables_free */
void variables_free(struct variable *v, size_t n);
/* Completions of the word that ends at `at`: full replacements of the part
 * from *begin; caller frees each and the array. */
size_t kernel_complete(struct kernel *k, struct str line, size_t at,
                       size_t *begin, char ***out);
/* A number, true, false, else text; kept to the type that the global has. */
bool kernel_set_global(struct kernel *k, const char *name, struct str literal,
                       struct error *err) MUST_USE;
/* Is a global of this name anything but nil? */
bool kernel_has_global(struct kernel *k, const char *name);
/* Run Lua for the loop itself (keys, plugins), on a thread of its own with a
 * budget of 100 ms, also while a cell runs.  The text of its first value goes
 * to out when that is not NULL. */
bool kernel_eval(struct kernel *k, struct str code, const char *name,
                 struct buf *out, struct error *err) MUST_USE;
void output_fini(struct output *o);
void output_copy(struct output *to, const struct output *from);
#endif
