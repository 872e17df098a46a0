/* tests/tui/gate.c -- files whose opening takes as long as a test wants.
 *
 * Preloaded by drive.c into what it starts.  While a FIFO "PATH.hold" lies
 * beside PATH, every open of PATH waits for it to go.  Each of the files
 * "PATH.pass1", "PATH.pass2", ... lets one open through and is used up by it.
 *
 * The one who removes the FIFO opens it for writing first, which wakes those
 * who wait, and learns by ENXIO when nobody does.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#undef _FORTIFY_SOURCE /* makes open() a macro or an inline function */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PASS = 9 };

static bool
may_pass(const char *path)
{
    char pass[PATH_MAX + 8];

    for (int i = 1; i <= MAX_PASS; i++) {
        snprintf(pass, sizeof pass, "%s.pass%d", path, i);
        if (unlink(pass) == 0)
            return true;
    }
    return false;
}

/* Until the last writer has closed it: by then it has no name. */
static void
wait_for(const char *hold)
{
    char byte;
    int fd;

    while ((fd = openat(AT_FDCWD, hold, O_RDONLY | O_CLOEXEC)) < 0 &&
           errno == EINTR)
        continue;
    if (fd < 0)
        return;
    while (read(fd, &byte, 1) != 0)
        continue;
    close(fd);
}

static void
pass_gate(const char *path)
{
    char hold[PATH_MAX + 8];
    struct stat st;
    int saved = errno;

    snprintf(hold, sizeof hold, "%s.hold", path);
    if (lstat(hold, &st) == 0 && S_ISFIFO(st.st_mode) && !may_pass(path))
        wait_for(hold);
    errno = saved;
}

int
open(const char *path, int flags, ...)
{
    bool creates = flags & (O_CREAT | O_TMPFILE);
    mode_t mode = 0;
    va_list args;

    if (creates) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    pass_gate(path);
    return openat(AT_FDCWD, path, flags, mode);
}
