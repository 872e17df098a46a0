/* base/log.h -- one line of log; a ring of the last ones for the screen.
 * The log file, when one is set, is rotated at 10 MB.  Thread-safe.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_LOG_H
#define LATHE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

bool log_open(const char *path, struct error *err) MUST_USE; /* NULL: no file */
void log_close(void);
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The last n lines, oldest first, newline-ended. */
void log_tail(struct buf *out, size_t n);
#endif
