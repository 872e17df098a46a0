/* ui/attach.h -- a terminal lent to a workbench in another process.
 *
 * The CLIENT is what the user started: it finds the project's workbench by its
 * Unix socket, or starts it, sends its terminal over (SCM_RIGHTS), then only
 * forwards signals and waits.  When the workbench dies it brings the terminal
 * back.  The SERVER side belongs to the workbench: it takes terminals, newest
 * first, and knows when one goes away.
 *
 * The socket is $XDG_RUNTIME_DIR/lathe/HASH.sock, else /tmp/lathe-UID/..., in a
 * folder of mode 0700 that is ours; HASH is that of the project's real path.
 * Both sides check that the other is the same user (SO_PEERCRED).
 *
 * Messages are packets: one letter and its text (see attach.c).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_ATTACH_H
#define LATHE_UI_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"

/* ---- the workbench's side ---- */

/* What came with a terminal; strings are borrowed during the call. */
struct attach_terminal {
    int fd_in, fd_out;  /* the receiver's to close */
    const char *term;   /* $TERM */
    const char *color;  /* --color: "auto", ... */
    const char *theme;  /* --theme or "" */
    const char *glyphs; /* --glyphs or "" */
    const char *where;  /* "pts/3 from 10.0.0.7", for the one taken over */
    bool utf8, no_color, force_color, tmux;
    const char **files; /* to open; absolute */
    size_t n_files;
};

struct attach_events { /* main thread, from the loop */
    /* A terminal has come; the one before was given back already. */
    void (*attached)(void *ctx, const struct attach_terminal *t);
    /* Leave the terminal now.  gone: nobody is there to bring it back, try
     * all the same.  The connection ends after this call. */
    void (*released)(void *ctx, bool gone);
    void (*resized)(void *ctx);
    void (*suspend)(void *ctx);   /* asked for from outside (kill -TSTP) */
    void (*continued)(void *ctx); /* back in the foreground */
    void (*ran)(void *ctx, int status); /* attach_run() has ended */
    void (*detach)(void *ctx); /* `lathe detach`, or kill -TERM the client */
    void (*describe)(void *ctx, struct buf *out); /* `lathe ps` */
    /* `lathe quit`: false, and why it does not, in out. */
    bool (*quit)(void *ctx, bool force, struct buf *out);
    void *ctx;
};

struct attach_server;
/* Serve from the loop; call once. */
void attach_serve(struct attach_server *s, struct loop *l,
                  const struct attach_events *e);
/* Ends with its terminal (--no-server)? */
bool attach_foreground(const struct attach_server *s);
/* The terminal was left: the client ends with this status and prints `text`
 * ("" nothing). */
void attach_give_back(struct attach_server *s, int status, const char *text);
/* The terminal was left: the client stops itself, as Ctrl-Z does. */
void attach_stop(struct attach_server *s);
/* The terminal was left: the client runs a program on it in folder cwd, then
 * the ran event comes. */
void
attach_run(struct attach_server *s, const char *cwd, const char *const *argv);
void attach_server_free(struct attach_server *s); /* removes the socket */

/* ---- the user's side ---- */

struct attach_options {
    const char *project; /* folder */
    const char *const *files;
    size_t n_files;
    const char *color, *theme, *glyphs; /* may be NULL */
    bool no_server;   /* the workbench ends with this terminal */
    bool attach_only; /* do not start one */
    int (*serve)(void *ctx, struct attach_server *s); /* in the new process */
    void *ctx;
};
/* Lend standard input and output.  Returns the exit status when the terminal
 * is back; in a process that became the workbench, what serve() returned. */
int attach_main(const struct attach_options *o);
/* Ask a running workbench: "describe", "detach", "quit", "quit!" (whatever
 * runs there); the last two are answered when it has ended.  The answer goes
 * to out.  ERR_NOTFOUND: none is running for this project; ERR_STATE: it does
 * not answer, or will not. */
bool attach_ask(const char *project, const char *what, struct buf *out,
                struct error *err) MUST_USE;
/* Ask every workbench of this user: a line each. */
void attach_list(struct buf *out);
#endif
