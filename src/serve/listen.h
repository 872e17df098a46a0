/* serve/listen.h -- sockets that listen.
 *
 * A server makes its own, or is handed one that listens already: in the
 * environment LATHE_LISTEN_FD=0 says that standard input is it.  That is how
 * serve/endpoint.c starts servers, so that a taken port is told before a
 * process starts, and no request comes too early for the process.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_LISTEN_H
#define LATHE_SERVE_LISTEN_H

#include "base/error.h"

/* A listening TCP socket, not inherited by programs, not blocking; its port
 * into *bound.  host NULL: "127.0.0.1"; port 0: any free one.  -1 with err
 * set: ERR_EXISTS when the port is taken.  The caller closes it. */
int listen_new(const char *host, unsigned port, unsigned *bound,
               struct error *err) MUST_USE;
/* The one handed to this process, or a new one. */
int listen_open(const char *host, unsigned port, unsigned *bound,
                struct error *err) MUST_USE;
#endif
