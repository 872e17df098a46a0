/* base/log.c -- one line of log; a ring of the last ones for the screen.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

enum { RING = 500, LINE_MAX_BYTES = 512, ROTATE_AT = 10 << 20 };

static struct {
    pthread_mutex_t lock;
    char *path;
    int fd;
    char line[RING][LINE_MAX_BYTES];
    size_t n; /* lines ever written */
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static bool
open_file(const char *path)
{
    logger.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return logger.fd >= 0;
}

bool
log_open(const char *path, struct error *err)
{
    bool ok = true;

    log_close();
    pthread_mutex_lock(&logger.lock);
    if (path) {
        ok = open_file(path);
        if (ok)
            logger.path = mem_text(path);
        else
            error_errno(err, errno, "%s", path);
    }
    pthread_mutex_unlock(&logger.lock);
    return ok;
}

void
log_close(void)
{
    pthread_mutex_lock(&logger.lock);
    if (logger.fd >= 0)
        close(logger.fd);
    logger.fd = -1;
    free(logger.path);
    logger.path = NULL;
    pthread_mutex_unlock(&logger.lock);
}

static void
rotate(void)
{
    struct stat st;
    char old[4096];

    if (fstat(logger.fd, &st) < 0 || st.st_size < ROTATE_AT)
        return;
    snprintf(old, sizeof old, "%s.1", logger.path);
    close(logger.fd);
    rename(logger.path, old);
    open_file(logger.path);
}

void
log_write(enum log_level level, const char *fmt, ...)
{
    static const char *const words[] = {"debug", "info ", "warn ", "error"};
    time_t now = time(NULL);
    struct tm tm;
    char stamp[32];
    char text[LINE_MAX_BYTES + 4]; /* more than fits of it */
    char *line;
    size_t n;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);

    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
    pthread_mutex_lock(&logger.lock);
    line = logger.line[logger.n++ % RING];
    n = (size_t)snprintf(line, LINE_MAX_BYTES, "%s %s ", stamp, words[level]);
    n += str_put_spelt(line + n, LINE_MAX_BYTES - 1 - n, str_of(text), true);
    for (char *p = line; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    memcpy(line + n, "\n", 2);
    if (logger.fd >= 0) {
        rotate();
        if (write(logger.fd, line, n + 1) < 0) {
            /* A full disk must not stop the work that is logged. */
        }
    }
    pthread_mutex_unlock(&logger.lock);
}

void
log_tail(struct buf *out, size_t n)
{
    pthread_mutex_lock(&logger.lock);
    if (n > RING)
        n = RING;
    if (n > logger.n)
        n = logger.n;
    for (size_t i = logger.n - n; i < logger.n; i++)
        buf_puts(out, logger.line[i % RING]);
    pthread_mutex_unlock(&logger.lock);
}
