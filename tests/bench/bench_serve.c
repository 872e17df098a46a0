/* bench_serve [CSV [REQUESTS [FAMILY]]] -- single-row requests over one keep-alive
 * connection, beside a bare peer.
 *
 * A gradient-boosted model of the churn table is served by a process of its
 * own; each request is one row, each answer is compared with what the same
 * model says in this process.  The bare peer is another process that reads the
 * same requests and answers a constant of the same size in one blocking
 * loop: what the kernel and the client cost by themselves.  Both are asked in
 * turns of a thousand, so that a busy neighbour disturbs both.
 *
 * Where the kernel puts the two ends moves p50 more than the server does: on
 * one processor (taskset -c 0) nobody has to be woken on another, idle one.  The
 * processor time of the servers, all their threads, tells the two apart.
 *
 * Passes (status 0) with no failed request, equal bits, and p50 < 100 us.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/proc.h"
#include "engine/family.h"
#include "frame/csv.h"
#include "serve/listen.h"
#include "serve/server.h"

enum { TURN = 1000, WARM = 200, ANSWER_MAX = 4096 };

struct peer {
    const char *name;
    pid_t pid;
    int fd;     /* the connection */
    double *us; /* of each request */
    size_t n, failed, differ;
    double cpu_us; /* of the server, for each request */
};

static void
die(const char *what, const char *why)
{
    fprintf(stderr, "bench_serve: %s: %s\n", what, why);
    exit(1);
}

/* ---- the two servers, in processes of their own ---- */

static int
serve_model(const char *path)
{
    struct error err;
    struct model *m = model_open(path, family_find, &err);
    struct server_options o = {.label = "churn/1"};
    struct server *s;
    sigset_t set;
    int signo;

    if (!m)
        die(path, err.message);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (!(s = server_start(m, &o, &err)))
        die("server", err.message);
    sigwait(&set, &signo);
    server_stop(s, 5000);
    model_unref(m);
    return 0;
}

/* Requests have a Content-Length and come one at a time. */
static int
serve_bare(void)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 18:48:00 GMT\r\n"
        "Content-Type: application/json\r\nContent-Length: 35\r\n\r\n"
        "{\"predictions\": [0.123456789012345]}";
    char in[65536];
    size_t n = 0;
    int fd;

    fcntl(STDIN_FILENO, F_SETFL, 0);
    fd = accept(STDIN_FILENO, NULL, NULL);
    for (;;) {
        ssize_t k = recv(fd, in + n, sizeof in - 1 - n, 0);
        const char *end, *len;

        if (k <= 0)
            return 0;
        in[n += (size_t)k] = '\0';
        end = strstr(in, "\r\n\r\n");
        len = strstr(in, "Content-Length: ");
        if (!end || !len ||
            n < (size_t)(end + 4 - in) + strtoul(len + 16, NULL, 10))
            continue;
        n = 0;
        if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
            return 0;
    }
}

static void
start_peer(struct peer *p, const char *name, const char *a, const char *b)
{
    static const char *const env[] = {"LATHE_LISTEN_FD=0", NULL};
    const char *const argv[] = {proc_self(), a, b, NULL};
    struct proc_options o = {.env = env, .fd_out = 1, .fd_err = 2};
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct error err;
    unsigned port = 0;
    int one = 1;

    p->name = name;
    o.fd_in = listen_new(NULL, 0, &port, &err);
    if (o.fd_in < 0 || !proc_start(argv, &o, &p->pid, &err))
        die(name, err.message);
    at.sin_port = htons((uint16_t)port);
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&at, sizeof at))
        die(name, strerror(errno));
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    close(o.fd_in);
}

/* ---- the client ---- */

static int64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* One answer, whole; its first prediction into *x. */
static bool
read_answer(int fd, double *x)
{
    char in[ANSWER_MAX];
    size_t n = 0;

    for (;;) {
        ssize_t k = recv(fd, in + n, sizeof in - 1 - n, 0);
        const char *end, *len, *value;

        if (k <= 0)
            return false;
        in[n += (size_t)k] = '\0';
        end = strstr(in, "\r\n\r\n");
        len = strstr(in, "Content-Length: ");
        if (!end || !len ||
            n < (size_t)(end + 4 - in) + strtoul(len + 16, NULL, 10))
            continue;
        value = strchr(end, '[');
        *x = value ? strtod(value + 1, NULL) : 0;
        return value && !strncmp(in, "HTTP/1.1 200 ", 13);
    }
}

static void
ask(struct peer *p, const struct str *request, const double *want, bool timed)
{
    int64_t begin = now_ns();
    double x = 0;

    if (send(p->fd, request->p, request->n, MSG_NOSIGNAL) !=
            (ssize_t)request->n ||
        !read_answer(p->fd, &x)) {
        p->failed++;
        return;
    }
    if (!timed)
        return;
    p->us[p->n++] = (double)(now_ns() - begin) / 1000;
    if (want && x != *want)
        p->differ++;
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
report(struct peer *p)
{
    const double at[] = {0.50, 0.95, 0.99, 0.999};

    qsort(p->us, p->n, sizeof *p->us, by_size);
    printf("%-10s %6zu requests, %zu failed, %zu differ; us:  cpu %.1f",
           p->name, p->n, p->failed, p->differ, p->cpu_us);
    for (size_t i = 0; i < 4 && p->n; i++)
        printf("  p%g %.1f", at[i] * 100,
               p->us[(size_t)(at[i] * (double)(p->n - 1))]);
    printf("\n");
    return p->n ? p->us[p->n / 2] : 1e9;
}

/* Wait for the server; what it used, start and warming up included. */
static void
end_peer(struct peer *p)
{
    struct rusage use;
    int status;

    close(p->fd);
    if (wait4(p->pid, &status, 0, &use) != p->pid || p->n == 0)
        return;
    p->cpu_us = ((double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
                 (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec)) /
                (double)p->n;
}

/* ---- model and requests ---- */

static struct model *
fit(const struct frame *f, const char *name, struct pool *pool)
{
    struct error err;
    const struct family *family = family_need(name, &err);
    struct params *params;
    struct model_options o = {.problem = -1, .patience = -1};
    struct train ctx = {.pool = pool, .seed = 7};
    struct model *m;

    if (!family)
        die("family", err.message);
    params = params_new(family->params);
    m = model_fit(family, params, f, "churn", &o, &ctx, &err);
    if (!m)
        die("fit", err.message);
    params_free(params);
    return m;
}

static struct str *
make_requests(const struct frame *f, size_t n)
{
    struct str *r = mem_new(n * sizeof *r);

    for (size_t i = 0; i < n; i++) {
        struct buf body, whole;

        buf_init(&body);
        buf_init(&whole);
        buf_puts(&body, "{\"dataframe_records\": ");
        frame_json(f, i, i + 1, &body);
        buf_putc(&body, '}');
        buf_printf(&whole,
                   "POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                   "Content-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   body.len, body.data);
        r[i].n = whole.len;
        r[i].p = buf_take(&whole);
        buf_fini(&body);
    }
    return r;
}

static int
run(const char *csv, size_t n_requests, const char *family)
{
    static const char *const target = "churn";
    struct peer ours = {0}, bare = {0};
    struct pool *pool = pool_new(0);
    char path[] = "/tmp/lathe-bench-XXXXXX";
    int fd = mkstemp(path);
    struct csv_table t;
    struct error err;
    struct frame *in;
    struct model *m;
    struct prediction want;
    struct str *request;
    struct buf file;
    size_t rows;
    double p50;

    if (fd < 0 || !csv_read(csv, &(struct csv_options){.header = -1}, pool,
                            NULL, &t, &err))
        die(csv, err.message);
    m = fit(t.frame, family, pool);
    in = frame_drop(t.frame, &target, 1, &err);
    if (!in || !model_predict(m, in, pool, &want, &err))
        die("predict", err.message);
    buf_init(&file);
    if (!model_save(m, &file, &err) ||
        write(fd, file.data, file.len) != (ssize_t)file.len)
        die("save", path);
    close(fd);
    rows = frame_rows(in);
    request = make_requests(in, rows);
    ours.us = mem_new(n_requests * sizeof(double));
    bare.us = mem_new(n_requests * sizeof(double));
    start_peer(&ours, "lathe", "model", path);
    start_peer(&bare, "bare peer", "bare", NULL);
    for (size_t i = 0; i < WARM; i++) {
        ask(&ours, &request[i % rows], NULL, false);
        ask(&bare, &request[i % rows], NULL, false);
    }
    for (size_t at = 0; at < n_requests; at += TURN) {
        for (size_t i = at; i < at + TURN && i < n_requests; i++)
            ask(&ours, &request[i % rows], &want.value[i % rows], true);
        for (size_t i = at; i < at + TURN && i < n_requests; i++)
            ask(&bare, &request[i % rows], NULL, true);
    }
    kill(ours.pid, SIGTERM);
    end_peer(&ours);
    end_peer(&bare);
    unlink(path);
    p50 = report(&ours);
    report(&bare);
    return ours.failed || ours.differ || p50 >= 100;
}

int
main(int argc, char **argv)
{
    const char *csv = "samples/churn/churn.csv";
    size_t n = 20000;

    if (argc == 3 && !strcmp(argv[1], "model"))
        return serve_model(argv[2]);
    if (argc == 2 && !strcmp(argv[1], "bare"))
        return serve_bare();
    if (argc > 1)
        csv = argv[1];
    if (argc > 2)
        n = strtoul(argv[2], NULL, 10);
    return run(csv, n, argc > 3 ? argv[3] : "gbdt");
}
