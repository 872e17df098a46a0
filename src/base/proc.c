/* base/proc.c -- start programs by argument vector, never through a shell.
 *
 * The child tells an exec that failed through a pipe that exec closes, so the
 * parent knows before proc_start() returns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"

extern char **environ;

/* argv[0] as a path, looked up here: the child must not allocate. */
static char *
look_up(const char *name)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/'))
        return mem_text(name);
    for (const char *at = path ? path : "/usr/bin:/bin"; at;) {
        size_t n = strcspn(at, ":");
        char full[PATH_MAX];

        snprintf(full, sizeof full, "%.*s/%s", (int)n, at, name);
        if (n > 0 && access(full, X_OK) == 0)
            return mem_text(full);
        at = at[n] ? at + n + 1 : NULL;
    }
    return NULL;
}

static bool
same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");

    return strncmp(a, b, n + 1) == 0;
}

/* Ours, with `more` on top; the strings are borrowed. */
static const char **
join_environment(const char *const *more)
{
    size_t n = 0, m = 0, k = 0;
    const char **out;

    while (environ[n])
        n++;
    while (more && more[m])
        m++;
    out = mem_new((n + m + 1) * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        bool replaced = false;

        for (size_t j = 0; j < m; j++)
            replaced = replaced || same_name(more[j], environ[i]);
        if (!replaced)
            out[k++] = environ[i];
    }
    for (size_t j = 0; j < m; j++)
        out[k++] = more[j];
    return out;
}

static int
stand_in(int fd, int target)
{
    if (fd < 0) {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
            return -1;
    }
    if (fd == target)
        return fcntl(fd, F_SETFD, 0);
    return dup2(fd, target) < 0 ? -1 : 0;
}

/* Only calls that are safe after fork() in a program with threads. */
static void
become(const char *path, const char *const *argv, const char *const *env,
       const struct proc_options *o, int report)
{
    sigset_t none;
    int fds[3] = {o->fd_in, o->fd_out, o->fd_err};
    int why;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
    if (o->new_session)
        setsid();
    else if (o->new_group)
        setpgid(0, 0);
    /* Sources below 3 would be overwritten by the targets before them. */
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0 && fds[i] < 3 && fds[i] != i)
            fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; i++)
        if (stand_in(fds[i], i) < 0)
            goto failed;
    if (report != 3) {
        if (dup3(report, 3, O_CLOEXEC) < 0)
            goto failed;
        report = 3;
    }
    close_range(4, ~0u, 0);
    if (o->cwd && chdir(o->cwd) < 0)
        goto failed;
    execve(path, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
failed:
    why = errno;
    if (write(report, &why, sizeof why) < 0)
        _exit(126);
    _exit(127);
}

bool
proc_start(const char *const *argv, const struct proc_options *o, pid_t *pid,
           struct error *err)
{
    char *path = look_up(argv[0]);
    const char **env;
    int report[2], why = 0;
    ssize_t got;

    if (!path)
        return error_set(err, ERR_NOTFOUND, "%s: no such program in PATH",
                         argv[0]);
    if (pipe2(report, O_CLOEXEC) < 0) {
        free(path);
        return error_errno(err, errno, "%s", argv[0]);
    }
    env = join_environment(o->env);
    *pid = fork();
    if (*pid == 0)
        become(path, argv, env, o, report[1]);
    why = *pid < 0 ? errno : 0;
    close(report[1]);
    free(env);
    free(path);
    if (why == 0) {
        do
            got = read(report[0], &why, sizeof why);
        while (got < 0 && errno == EINTR);
        if (got <= 0)
            why = 0;
        else
            waitpid(*pid, NULL, 0);
    }
    close(report[0]);
    return why == 0 || error_errno(err, why, "%s", argv[0]);
}

enum { LOOK_MS = 50, CAPTURE_MAX = 1 << 20 };

/* Read until the end or the deadline; false when it passed, or the work was
 * stopped. */
static bool
capture(int fd, int64_t deadline, const struct progress *stop, struct buf *out)
{
    char step[4096];

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - loop_now_ms();
        ssize_t got;

        if (left <= 0 || progress_stopped(stop))
            return false;
        if (poll(&p, 1, left > LOOK_MS ? LOOK_MS : (int)left) <= 0)
            continue;
        got = read(fd, step, sizeof step);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        if (out->len < CAPTURE_MAX)
            buf_add(out, step, (size_t)got);
    }
}

bool
proc_capture(const char *const *argv, int64_t timeout_ms,
             const struct progress *stop, struct buf *out, int *status,
             struct error *err)
{
    struct proc_options o = {.fd_in = -1, .fd_err = -1, .new_group = true};
    int fds[2], raw;
    pid_t pid;
    bool in_time;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return error_errno(err, errno, "%s", argv[0]);
    o.fd_out = fds[1];
    if (!proc_start(argv, &o, &pid, err)) {
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    close(fds[1]);
    in_time = capture(fds[0], loop_now_ms() + timeout_ms, stop, out);
    close(fds[0]);
    if (!in_time)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &raw, 0) < 0 && errno == EINTR)
        ;
    if (!in_time && !progress_check(stop, err))
        return false;
    if (!in_time)
        return error_set(err, ERR_TIMEOUT, "%s: no end after %lld ms", argv[0],
                         (long long)timeout_ms);
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return buf_check(out, err);
}

/* Fields of /proc/PID/stat after the name, which may hold anything; field
 * numbers as in proc(5). */
static bool
stat_fields(pid_t pid, char *state, uint64_t *utime, uint64_t *stime,
            uint64_t *start, uint64_t *rss)
{
    char path[64], text[1024];
    unsigned long long u, s, begin;
    long pages;
    FILE *f;
    size_t n;
    char *p;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    f = fopen(path, "re");
    if (!f)
        return false;
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    p = strrchr(text, ')');
    if (!p || sscanf(p + 1,
                     " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu "
                     "%*d %*d %*d %*d %*d %*d %llu %*u %ld",
                     state, &u, &s, &begin, &pages) != 5)
        return false;
    *utime = u;
    *stime = s;
    *start = begin;
    *rss = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

uint64_t
proc_start_ticks(pid_t pid)
{
    uint64_t u, s, start, rss;
    char state;

    if (!stat_fields(pid, &state, &u, &s, &start, &rss) || state == 'Z')
        return 0;
    return start;
}

bool
proc_alive(pid_t pid, uint64_t start_ticks)
{
    uint64_t now = pid > 0 ? proc_start_ticks(pid) : 0;

    return now != 0 && (start_ticks == 0 || now == start_ticks);
}

bool
proc_usage(pid_t pid, uint64_t *cpu_us, uint64_t *rss)
{
    uint64_t u, s, start;
    char state;

    if (!stat_fields(pid, &state, &u, &s, &start, rss))
        return false;
    *cpu_us = (u + s) * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
    return true;
}

const char *
proc_self(void)
{
    static char path[PATH_MAX];
    ssize_t n;

    if (path[0])
        return path;
    n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        strcpy(path, "lathe");
    return path;
}
