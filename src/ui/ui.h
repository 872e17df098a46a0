/* ui/ui.h -- the frame around the views, and what views may ask of it.
 *
 * Main thread only, except ui_main().
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_UI_H
#define LATHE_UI_UI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/loop.h"
#include "session/command.h"
#include "session/session.h"
#include "ui/input.h"

struct ui;
struct view;
struct kernel;
struct keymap;
struct theme;
struct attach_server;

/* ---- for main ---- */
struct ui_options {
    const char *project;      /* folder of the project (session_project()) */
    const char *const *files; /* tables and notebooks to open; absolute */
    size_t n_files;
    const char *color;  /* "auto", "always", "never"; NULL: auto */
    const char *theme;  /* NULL: dark or light by the terminal */
    const char *glyphs; /* "braille", "block", "ascii"; NULL: by locale */
    bool no_server;     /* in the foreground; ends with the terminal */
    bool attach_only;   /* `lathe attach`: fail when none is running */
    /* Called in the workbench process: make pool, loop, session, kernel, then
     * ui_new(), ui_run(), ui_free(), and return the exit status. */
    int (*serve)(void *ctx, struct attach_server *server,
                 const struct ui_options *options);
    void *ctx;
};
/* `lathe`, `lathe FILE...`, `lathe attach`: find or start the project's
 * workbench, lend it this terminal, return the exit status when it is given
 * back.  Call it before any thread is started. */
int ui_main(const struct ui_options *options);

/* All borrowed.  kernel may be NULL (then the notebook says so). */
struct ui *
ui_new(struct session *s, struct kernel *kernel, struct attach_server *server,
       const struct ui_options *options);
/* Turn the loop until the user quits; returns the exit status. */
int ui_run(struct ui *ui);
void ui_free(struct ui *ui);

/* ---- what views ask for ---- */
struct session *ui_session(struct ui *ui);
struct kernel *ui_kernel(struct ui *ui); /* may be NULL */
struct loop *ui_loop(struct ui *ui);

/* Something shown has changed: paint soon (paced, at most 4 times a second
 * when no key was pressed). Cheap; call it as often as you like. */
void ui_touch(struct ui *ui);
/* What the user has asked for is there: paint without waiting for the pace of
 * what moves by itself. */
void ui_answer(struct ui *ui);
/* Is a terminal attached, and is this view on it?  Polls may rest if not. */
bool ui_visible(struct ui *ui, const struct view *v);

/* The message line.  Information goes after 5 s, errors stay until a key. */
void ui_message(struct ui *ui, enum message_level level, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void ui_error(struct ui *ui, const struct error *err);

/* Ask in the message line.  done() gets NULL when it was cancelled; text is
 * borrowed.  One question at a time: a second one cancels the first. */
struct ui_question {
    const char *label;   /* "smoothing: "; copied */
    const char *text;    /* to begin with; may be NULL */
    const char *history; /* name of the list of former answers; may be NULL */
    const char *hint;    /* in the bar while it is asked; may be NULL */
    /* Completions of the word that ends at `at`: whole replacements of the
     * part from *begin; caller frees each and the array. May be NULL. */
    size_t (*complete)(void *ctx, struct str line, size_t at, size_t *begin,
                       char ***out);
    void (*changed)(void *ctx,
                    const char *text); /* while typing; may be NULL */
    void (*done)(void *ctx, const char *text);
    void *ctx; /* must live until done() */
};
void ui_ask(struct ui *ui, const struct ui_question *q);
/* "promote churn/3 to Production?": y or Enter does it, n and Esc do not; all
 * other keys are no answer. */
void ui_confirm(struct ui *ui, const char *question,
                void (*done)(void *ctx, bool yes), void *ctx);
/* A filterable list over the screen; done() gets the index, or SIZE_MAX. */
struct ui_menu_item {
    const char *title, *note, *help; /* copied; note and help may be NULL */
};
void ui_menu(struct ui *ui, const char *title, const struct ui_menu_item *items,
             size_t n, void (*done)(void *ctx, size_t chosen), void *ctx);

/* Go to a view by name, and to a thing in it (NULL: just the view). */
bool ui_goto(struct ui *ui, const char *view, const char *what);
/* Lay a view over the tabs; q takes it away.  The ui closes it. */
void ui_push(struct ui *ui, struct view *v);
/* A page of text over the screen: q closes, / searches, y copies. */
void ui_page(struct ui *ui, const char *title, const char *text, size_t len);
/* The view of a tab (opened at need), for those that work together. */
struct view *ui_view(struct ui *ui, const char *name);

/* Run an action of the view at hand, of the frame, or a command line; what
 * it still needs is asked for.  False with a message when there is none. */
bool ui_run_command(struct ui *ui, const char *line, int count);
/* Run a command of the table with its arguments: in the background when it
 * may be long; its output becomes a message or a page.  Takes call. */
void ui_call(struct ui *ui, struct call *call);
/* Cut a line into at most `max` words as a shell would: blanks, '...' and
 * "...".  store has room for the line and max + 1 bytes. */
int ui_split_words(const char *line, char *store, char **words, int max);

/* To the clipboard of whoever sits at the terminal; the message says how. */
void ui_copy(struct ui *ui, const char *text, size_t len, const char *what);
/* Lend the terminal to $EDITOR; done() when it is back, with its status, or
 * with -1 when the terminal went away and the editor may still be open. */
void ui_edit(struct ui *ui, const char *path, int line,
             void (*done)(void *ctx, int status), void *ctx);
/* Quit: asks when something runs. */
void ui_quit(struct ui *ui);
void ui_detach(struct ui *ui);
#endif
