/* base/proc.h -- start programs by argument vector, never through a shell.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_PROC_H
#define LATHE_BASE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/progress.h"

struct proc_options {
    const char *cwd;           /* NULL: ours */
    const char *const *env;    /* "NAME=value" added to ours; NULL-ended */
    int fd_in, fd_out, fd_err; /* to become 0, 1, 2; -1: /dev/null */
    bool new_group;            /* own process group */
    bool new_session;          /* own session: outlives us and our terminal */
};

/* Search argv[0] in PATH and start it.  All other descriptors are closed and
 * the signal mask is emptied in the child.  When the program cannot be
 * executed the error says so here, not in the child. */
bool proc_start(const char *const *argv, const struct proc_options *o,
                pid_t *pid, struct error *err) MUST_USE;
/* Run to the end with at most timeout_ms; standard output into out (at most
 * 1 MiB).  Blocks: never on the main thread of the screen.  *status: exit
 * status, or 128 + signal.  When `stop` (NULL: nobody) says so it is killed:
 * ERR_CANCELLED. */
bool proc_capture(const char *const *argv, int64_t timeout_ms,
                  const struct progress *stop, struct buf *out, int *status,
                  struct error *err) MUST_USE;
/* Is this process alive, and is it the one that started at start_ticks
 * (field 22 of /proc/PID/stat; 0: do not compare)? */
bool proc_alive(pid_t pid, uint64_t start_ticks);
uint64_t proc_start_ticks(pid_t pid); /* 0 when it is gone */
/* CPU time used (user + system, microseconds) and resident bytes. */
bool proc_usage(pid_t pid, uint64_t *cpu_us, uint64_t *rss);
/* The path of this very program. Static; valid for ever. */
const char *proc_self(void);
#endif
