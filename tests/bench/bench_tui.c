/* tests/bench/bench_tui.c -- what the screen costs, on a pseudo-terminal.
 *
 *   bench_tui LATHE TABLE.csv [MANY]
 *
 * MANY is a table of very many rows (10 M, say, as an Arrow file): then that
 * alone is measured, with the third column a text and the fifth a number.
 *
 * Prints each measure beside its bar.  The reader answers CSI 5 n at once, as
 * a local terminal does.  Times are from the write of a key, or the start of
 * the program, to bytes at the other end of the pty, so they hold the kernel's
 * share too.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/proc.h"
#include "base/rng.h"

enum { KEYS = 200, STARTS = 9, QUIET_MS = 40, IDLE_MS = 5000 };

struct tty {
    int fd, slave;
    pid_t pid;
    struct buf seen; /* since the last tty_forget() */
};

static const char *lathe, *table;
static char dir[64];

static void
tty_open(struct tty *t, int w, int h, const char *const *argv)
{
    struct winsize ws = {.ws_row = (unsigned short)h,
                         .ws_col = (unsigned short)w};
    char *args[8] = {NULL};

    for (size_t i = 0; argv[i]; i++)
        args[i] = strdup(argv[i]);
    buf_init(&t->seen);
    if (openpty(&t->fd, &t->slave, NULL, NULL, &ws) < 0)
        exit(1);
    fcntl(t->fd, F_SETFD, FD_CLOEXEC);
    t->pid = fork();
    if (t->pid == 0) {
        login_tty(t->slave);
        if (chdir(dir) == 0)
            execv(lathe, args);
        _exit(127);
    }
}

static void
tty_close(struct tty *t)
{
    close(t->fd);
    close(t->slave);
    kill(t->pid, SIGKILL);
    waitpid(t->pid, NULL, 0);
    buf_fini(&t->seen);
}

/* Read for at most ms; false when nothing came. */
static bool
tty_read(struct tty *t, int ms)
{
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    char bytes[65536];
    ssize_t n;

    if (poll(&p, 1, ms) <= 0 || (n = read(t->fd, bytes, sizeof bytes)) <= 0)
        return false;
    buf_add(&t->seen, bytes, (size_t)n);
    for (const char *q = bytes;
         (q = memmem(q, (size_t)(bytes + n - q), "\033[5n", 4)); q += 4) {
        ssize_t answered = write(t->fd, "\033[0n", 4);

        (void)answered;
    }
    return true;
}

static void
tty_forget(struct tty *t)
{
    buf_clear(&t->seen);
}

static void
tty_quiet(struct tty *t, int ms)
{
    while (tty_read(t, ms))
        continue;
}

static bool
tty_wait(struct tty *t, const char *text)
{
    int64_t end = loop_now_ms() + 30000;

    while (!t->seen.data ||
           !memmem(t->seen.data, t->seen.len, text, strlen(text))) {
        if (loop_now_ms() > end) {
            fprintf(stderr, "bench_tui: \"%s\" did not come\n", text);
            return false;
        }
        tty_read(t, 5);
    }
    return true;
}

static void
tty_type(struct tty *t, const char *keys)
{
    if (write(t->fd, keys, strlen(keys)) < 0)
        perror("write");
}

/* ---- numbers ---- */

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
quantile(double *v, size_t n, double q)
{
    qsort(v, n, sizeof *v, by_value);
    return v[(size_t)(q * (double)(n - 1))];
}

static void
report(const char *what, double value, const char *unit, double bar)
{
    printf("%-52s %9.2f %-8s bar %6.0f  %s\n", what, value, unit, bar,
           value <= bar ? "ok" : "OVER");
    fflush(stdout);
}

/* ---- measures ---- */

static void
first_paint(void)
{
    const char *const argv[] = {"lathe", "--no-server", NULL};
    double ms[STARTS];
    struct tty t;

    for (int i = 0; i < STARTS; i++) {
        int64_t begin = loop_now_us();

        tty_open(&t, 80, 24, argv);
        tty_wait(&t, "Start here");
        ms[i] = (double)(loop_now_us() - begin) / 1000;
        tty_quiet(&t, QUIET_MS);
        tty_close(&t);
    }
    report("first paint, median of 9 cold starts", quantile(ms, STARTS, 0.5),
           "ms", 50);
}

static void
attaching(void)
{
    const char *const argv[] = {"lathe", NULL};
    double ms[STARTS];
    struct tty keep, t;

    tty_open(&keep, 80, 24, argv);
    tty_wait(&keep, "Start here");
    for (int i = 0; i < STARTS; i++) {
        int64_t begin = loop_now_us();

        tty_open(&t, i % 2 ? 80 : 120, 30, argv);
        tty_wait(&t, "Start here");
        ms[i] = (double)(loop_now_us() - begin) / 1000;
        tty_quiet(&t, QUIET_MS);
        tty_close(&t);
    }
    report("attach, median of 9", quantile(ms, STARTS, 0.5), "ms", 30);
    tty_close(&keep);
    tty_open(&t, 80, 24, argv);
    tty_wait(&t, "Start here");
    tty_type(&t, "Q");
    waitpid(t.pid, NULL, 0);
    t.pid = fork();
    if (t.pid == 0)
        _exit(0);
    tty_close(&t);
}

/* Keys up and down; the time to the first byte and the bytes of each. */
static void
keys(struct tty *t, const char *what, double bar, bool bytes_too)
{
    double *ms = calloc(KEYS, sizeof *ms), total = 0;
    char name[96];

    tty_quiet(t, 200);
    for (int i = 0; i < KEYS; i++) {
        int64_t begin = loop_now_us();

        tty_forget(t);
        /* Two cells are always there. */
        tty_type(t, i % 2 ? "k" : "j");
        while (t->seen.len == 0 && loop_now_us() - begin < 2000000)
            tty_read(t, 100);
        ms[i] = (double)(loop_now_us() - begin) / 1000;
        tty_quiet(t, bytes_too ? QUIET_MS : 5);
        total += (double)t->seen.len;
    }
    snprintf(name, sizeof name, "%s: key to first byte, p95", what);
    report(name, quantile(ms, KEYS, 0.95), "ms", bar);
    snprintf(name, sizeof name, "%s: bytes per cursor move", what);
    if (bytes_too)
        report(name, total / KEYS, "bytes", 200);
    free(ms);
}

static pid_t
workbench_of(pid_t client)
{
    char path[64], text[256] = "";
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)client,
             (int)client);
    f = fopen(path, "re");
    if (f && !fgets(text, sizeof text, f))
        text[0] = '\0';
    if (f)
        fclose(f);
    return (pid_t)atoi(text);
}

static void
idle(struct tty *t)
{
    pid_t pid = workbench_of(t->pid);
    uint64_t before = 0, after = 0, rss = 0;

    tty_quiet(t, 6000);
    tty_forget(t);
    if (!proc_usage(pid, &before, &rss))
        fprintf(stderr, "bench_tui: no process %d\n", (int)pid);
    tty_quiet(t, IDLE_MS);
    proc_usage(pid, &after, &rss);
    report("idle for 5 s: bytes", (double)t->seen.len, "bytes", 0);
    report("idle for 5 s: processor time", (double)(after - before) / 50000,
           "%", 0);
    report("resident", (double)rss / 1048576, "MiB", 200);
}

static void
repaint(struct tty *t, int w, int h, const char *what, double bar)
{
    struct winsize ws = {.ws_row = (unsigned short)h,
                         .ws_col = (unsigned short)w};
    int64_t begin;

    tty_quiet(t, 200);
    tty_forget(t);
    begin = loop_now_us();
    ioctl(t->fd, TIOCSWINSZ, &ws);
    while (!tty_read(t, 1) && loop_now_us() - begin < 2000000)
        continue;
    report(what, (double)(loop_now_us() - begin) / 1000, "ms", 20);
    tty_quiet(t, QUIET_MS);
    tty_forget(t);
    tty_type(t, "\f");
    tty_quiet(t, 100);
    report("  full repaint of it", (double)t->seen.len, "bytes", bar);
}

static void
in_the_data_view(void)
{
    const char *argv[] = {"lathe", "--no-server", table, NULL};
    struct tty t;

    tty_open(&t, 80, 24, argv);
    tty_wait(&t, "7,043");
    tty_quiet(&t, 500);
    keys(&t, "columns", 5, true);
    tty_type(&t, "\t");
    keys(&t, "rows", 5, true);
    repaint(&t, 160, 48, "resize to 160x48: first byte", 20000);
    repaint(&t, 80, 24, "resize to 80x24: first byte", 8000);
    idle(&t);
    tty_close(&t);
}

/* ---- a large table ---- */

enum { ROWS = 1000000 };

/* ROWS rows of numbers, a few words, a name for each row, dates and gaps:
 * about 60 MB. */
static size_t
make_table(const char *path)
{
    static const char *const word[] = {"north", "east", "south", "west"};
    FILE *f = fopen(path, "we");
    long len;

    if (!f) {
        perror(path);
        exit(1);
    }
    fputs("id,region,customer,amount,price,day,open,score\n", f);
    for (unsigned i = 0; i < ROWS; i++) {
        uint64_t r = rng_at(1, 0, i);

        fprintf(f, "%u,%s,customer-%06u,%u,%u.%02u,20%02u-%02u-%02u,%s,", i,
                word[r % 4], (unsigned)(r >> 8) % 300000,
                (unsigned)(r >> 20) % 1000, (unsigned)(r >> 30) % 500,
                (unsigned)(r >> 40) % 100, (unsigned)(r >> 3) % 25,
                1 + (unsigned)(r >> 11) % 12, 1 + (unsigned)(r >> 17) % 28,
                r >> 60 & 1 ? "true" : "false");
        if (i % 20)
            fprintf(f, "%.6g", (double)(r >> 11) * 0x1p-53);
        putc('\n', f);
    }
    len = ftell(f);
    if (fclose(f) != 0 || len < 0) {
        perror(path);
        exit(1);
    }
    return (size_t)len;
}

static void
opening(void)
{
    char *path = file_join(dir, "rows.csv");
    const char *const argv[] = {"lathe", "--no-server", path, NULL};
    double len = (double)make_table(path), ms[3][STARTS];
    const char *const signs[] = {"first ", "1,000,000 rows", "mean "};
    uint64_t cpu, rss = 0;
    struct tty t;

    for (int i = 0; i < STARTS; i++) {
        int64_t begin = loop_now_us();

        tty_open(&t, 80, 24, argv);
        for (int k = 0; k < 3; k++) {
            tty_wait(&t, signs[k]);
            ms[k][i] = (double)(loop_now_us() - begin) / 1000;
        }
        proc_usage(workbench_of(t.pid), &cpu, &rss);
        tty_close(&t);
    }
    report("1 M rows: first ones on the screen, median of 9",
           quantile(ms[0], STARTS, 0.5), "ms", 200);
    report("  the slowest of them", quantile(ms[0], STARTS, 1), "ms", 200);
    report("  all of them", quantile(ms[1], STARTS, 0.5), "ms", 3000);
    report("  and their profile", quantile(ms[2], STARTS, 0.5), "ms", 3000);
    report("  resident, of the size of the file", (double)rss / len, "times",
           3);
    unlink(path);
    free(path);
}

/* ---- very many rows ---- */

/* One of the keys at a time, in turn: the time to the first byte of each. */
static void
turns(struct tty *t, const char *what, const char *const *key, size_t n_keys,
      double bar)
{
    double ms[KEYS];
    char name[96];

    for (size_t i = 0; i < KEYS; i++) {
        int64_t begin;

        tty_quiet(t, 2);
        tty_forget(t);
        begin = loop_now_us();
        tty_type(t, key[i % n_keys]);
        while (t->seen.len == 0 && loop_now_us() - begin < 2000000)
            tty_read(t, 100);
        ms[i] = (double)(loop_now_us() - begin) / 1000;
    }
    snprintf(name, sizeof name, "%s: key to first byte, median", what);
    report(name, quantile(ms, KEYS, 0.5), "ms", bar);
    snprintf(name, sizeof name, "%s: p95", what);
    report(name, quantile(ms, KEYS, 0.95), "ms", bar);
}

/* Until its sign is there; the cursor moves meanwhile. */
static void
meanwhile(struct tty *t, const char *what, const char *keys_typed,
          const char *sign)
{
    double worst = 0, ms[4096];
    int64_t begin = loop_now_us();
    size_t n = 0;
    bool there = false;
    struct buf seen;
    char name[96];

    buf_init(&seen);
    tty_quiet(t, 200);
    tty_forget(t);
    begin = loop_now_us();
    tty_type(t, keys_typed);
    while (!there && loop_now_us() - begin < 60000000) {
        int64_t pressed;

        tty_quiet(t, 5);
        buf_add(&seen, t->seen.data, t->seen.len);
        there = seen.data && memmem(seen.data, seen.len, sign, strlen(sign));
        tty_forget(t);
        if (there || n == sizeof ms / sizeof *ms)
            break;
        pressed = loop_now_us();
        tty_type(t, n % 2 ? "k" : "j");
        while (t->seen.len == 0 && loop_now_us() - pressed < 2000000)
            tty_read(t, 100);
        ms[n++] = (double)(loop_now_us() - pressed) / 1000;
    }
    snprintf(name, sizeof name, "%s: done after", what);
    report(name, (double)(loop_now_us() - begin) / 1000, "ms", 10000);
    if (n > 0) {
        worst = quantile(ms, n, 0.95);
        snprintf(name, sizeof name, "  a key meanwhile, p95 of %zu", n);
        report(name, worst, "ms", 5);
    }
    if (!there)
        fprintf(stderr, "bench_tui: \"%s\" did not come\n", sign);
    buf_fini(&seen);
}

static void
very_many(const char *path)
{
    static const char *const ends[] = {"G", "gg"},
                             *const pages[] = {"\006", "\006", "\002", "\006"},
                             *const shares[] = {"50%", "99%", "3%", "71%"};
    const char *const argv[] = {"lathe", "--no-server", path, NULL};
    int64_t begin = loop_now_us();
    struct tty t;

    tty_open(&t, 80, 24, argv);
    tty_wait(&t, " rows ");
    report("very many rows: on the screen",
           (double)(loop_now_us() - begin) / 1000, "ms", 200);
    tty_type(&t, "\t");
    tty_quiet(&t, 100);
    turns(&t, "  while it is profiled, a page", pages, 4, 5);
    tty_wait(&t, "mean ");
    tty_quiet(&t, 500);
    keys(&t, "  a row", 5, true);
    turns(&t, "  a page", pages, 4, 5);
    turns(&t, "  the ends", ends, 2, 5);
    turns(&t, "  a share", shares, 4, 5);
    meanwhile(&t, "  sorted by a number", "0llllS", "\342\226\274");
    turns(&t, "  sorted: a page", pages, 4, 5);
    turns(&t, "  sorted: the ends", ends, 2, 5);
    meanwhile(&t, "  searched, all columns", "gg/9876543\r", "match");
    turns(&t, "  from match to match", (const char *const[]){"n", "N"}, 2, 5);
    tty_close(&t);
}

static void
while_lua_runs(const char *cell, const char *what, double bar)
{
    char *path = file_join(dir, "bench.lua");
    const char *argv[] = {"lathe", "--no-server", table, path, NULL};
    struct error err;
    struct buf text;
    struct tty t;

    buf_init(&text);
    buf_printf(&text,
               "-- %%%%\ndata = \"%s\"\n\n-- %%%%\n%s\n\n-- %%%%\nx = 1\n",
               table, cell);
    if (!file_replace(path, text.data, text.len, 0600, &err))
        fprintf(stderr, "bench_tui: %s\n", err.message);
    buf_fini(&text);
    tty_open(&t, 80, 24, argv);
    tty_wait(&t, "bench.lua");
    tty_quiet(&t, 300);
    tty_forget(&t);
    tty_type(&t, "A");
    tty_wait(&t, "running");
    /* Where each key changes something, whatever the cell prints. */
    tty_forget(&t);
    tty_type(&t, "1");
    tty_wait(&t, "tenure");
    tty_quiet(&t, 100);
    keys(&t, what, bar, false);
    tty_type(&t, "2\003");
    tty_quiet(&t, 300);
    tty_close(&t);
    free(path);
}

/* ---- a slow line ---- */

enum { LINK_RATE = 20000, LINK_DELAY_MS = 80, LINK_MAX = 1 << 22 };

/* Bytes per second each way, and a delay; what the program writes is taken at
 * once, as sshd does, and waits in `queue`. */
struct link {
    struct tty *tty;
    char *queue;
    size_t len, sent, most; /* queued, delivered of it, the longest wait */
    int64_t first_us;       /* when delivery of the queue may go on */
    struct buf shown;       /* what has arrived */
    int64_t answers[64];    /* when a CSI 0 n comes back */
    size_t n_answers;
};

static void
link_deliver(struct link *l)
{
    int64_t now = loop_now_us();
    size_t n = l->len - l->sent;
    size_t may = now > l->first_us
                     ? (size_t)((now - l->first_us) * LINK_RATE / 1000000)
                     : 0;

    if (n == 0) {
        l->first_us = now + LINK_DELAY_MS * 1000;
        return;
    }
    n = n < may ? n : may;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        buf_putc(&l->shown, l->queue[l->sent + i]);
        if (l->shown.len >= 4 &&
            memcmp(l->shown.data + l->shown.len - 4, "\033[5n", 4) == 0 &&
            l->n_answers < 64)
            l->answers[l->n_answers++] = now + LINK_DELAY_MS * 1000;
    }
    l->sent += n;
    l->first_us = now;
}

static void
link_turn(struct link *l)
{
    struct pollfd p = {.fd = l->tty->fd, .events = POLLIN};
    ssize_t n;

    if (poll(&p, 1, 2) > 0 && l->len + 65536 < LINK_MAX &&
        (n = read(l->tty->fd, l->queue + l->len, 65536)) > 0)
        l->len += (size_t)n;
    link_deliver(l);
    l->most = l->len - l->sent > l->most ? l->len - l->sent : l->most;
    while (l->n_answers > 0 && l->answers[0] <= loop_now_us()) {
        tty_type(l->tty, "\033[0n");
        memmove(l->answers, l->answers + 1,
                --l->n_answers * sizeof *l->answers);
    }
}

static bool
link_wait(struct link *l, const char *text, int64_t ms)
{
    int64_t end = loop_now_ms() + ms;

    while (!l->shown.data ||
           !memmem(l->shown.data, l->shown.len, text, strlen(text))) {
        if (loop_now_ms() > end)
            return false;
        link_turn(l);
    }
    return true;
}

static void
slow_line(void)
{
    char *path = file_join(dir, "bench.lua");
    const char *argv[] = {"lathe", "--no-server", path, NULL};
    struct link l = {.queue = malloc(LINK_MAX)};
    double ms[9];
    struct tty t;

    tty_open(&t, 80, 24, argv);
    l.tty = &t;
    link_wait(&l, "bench.lua", 5000);
    tty_type(&t, "A3");
    link_wait(&l, "live", 5000);
    for (int i = 0; i < 9; i++) {
        int64_t begin, end = loop_now_ms() + 900;

        while (loop_now_ms() < end)
            link_turn(&l);
        l.most = i == 0 ? 0 : l.most;
        buf_clear(&l.shown);
        begin = loop_now_us();
        while (loop_now_us() - begin < LINK_DELAY_MS * 1000)
            link_turn(&l);
        tty_type(&t, i % 2 ? "\007" : "?");
        if (!link_wait(&l, i % 2 ? "RUNS" : "keys here", 20000))
            fprintf(stderr, "bench_tui: no echo over the slow line\n");
        ms[i] = (double)(loop_now_us() - begin) / 1000;
    }
    report("20 kB/s, 160 ms, live curves: help is there", quantile(ms, 9, 0.5),
           "ms", 600);
    report("  bytes queued at most", (double)l.most, "bytes", 10000);
    tty_close(&t);
    free(l.queue);
    buf_fini(&l.shown);
    free(path);
}

/* Bytes of a frame of live curves that nobody asked for. */
static void
live_frames(void)
{
    char *path = file_join(dir, "bench.lua");
    const char *argv[] = {"lathe", "--no-server", path, NULL};
    pid_t pid;
    uint64_t before = 0, after = 0, rss;
    size_t frames = 0;
    struct tty t;

    tty_open(&t, 80, 24, argv);
    tty_wait(&t, "bench.lua");
    tty_type(&t, "A");
    tty_wait(&t, "running");
    tty_type(&t, "3");
    tty_wait(&t, "live");
    tty_forget(&t);
    pid = workbench_of(t.pid);
    proc_usage(pid, &before, &rss);
    for (int64_t end = loop_now_ms() + IDLE_MS; loop_now_ms() < end;)
        tty_read(&t, 10);
    proc_usage(pid, &after, &rss);
    for (size_t i = 0; i + 4 <= t.seen.len; i++)
        frames += memcmp(t.seen.data + i, "\033[5n", 4) == 0;
    report("live curves: bytes per frame",
           frames ? (double)t.seen.len / (double)frames : 0, "bytes", 300);
    report("live curves: frames per second", (double)frames * 1000 / IDLE_MS,
           "", 4);
    tty_close(&t);
    free(path);
}

int
main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: bench_tui LATHE TABLE.csv [MANY]\n");
        return 2;
    }
    lathe = realpath(argv[1], NULL);
    table = realpath(argv[2], NULL);
    snprintf(dir, sizeof dir, "/tmp/lathe-bench.XXXXXX");
    if (!lathe || !table || !mkdtemp(dir)) {
        perror("bench_tui");
        return 1;
    }
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("XDG_RUNTIME_DIR", dir, 1);
    setenv("XDG_STATE_HOME", dir, 1);
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4) {
        very_many(realpath(argv[3], NULL));
        return 0;
    }
    first_paint();
    attaching();
    in_the_data_view();
    opening();
    /* Lua has the thread and gives it back every 3 ms. */
    while_lua_runs("while true do end", "an endless loop in a cell", 5);
    while_lua_runs(
        "df = lathe.read(data)\nfor i = 1, 100 do\n"
        "  lathe.gbdt { trees = 2000 }:fit(df, \"churn\", { seed = i })\n"
        "end",
        "a fit on all cores", 5);
    live_frames();
    slow_line();
    return 0;
}
