/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/remote.h"
#include "serve/listen.h"

enum {
    READY_MS = 15000,
    STOP_MS = 10000,
    ASK_MS = 2000,
    INVOKE_MS = 60000,
    LOG_MAX = 64 << 20
};

static const char *const state_words[] = {"up", "starting", "stopped", "dead"};

const char *
endpoint_state_word(enum endpoint_state s)
{
    return state_words[s];
}

/* The name becomes a folder and a part of URLs. */
static bool
check_name(const char *name, struct error *err)
{
    size_t n = strlen(name);

    if (n >= 1 && n <= ENDPOINT_NAME_MAX && name[0] != '.' && name[0] != '-' &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789._-") == n)
        return true;
    return error_set(err, ERR_RANGE,
                     "endpoint '%s': a name is 1 to %d letters, digits, '.', "
                     "'_', '-', and begins with a letter or digit",
                     name, ENDPOINT_NAME_MAX);
}

/* One at a time: the descriptor to close, or -1. */
static int
lock_name(struct store *s, const char *name, struct error *err)
{
    char *dir = store_path(s, "endpoints/%s", name), *path = NULL;
    int fd = -1;

    if (check_name(name, err) && file_make_dirs(dir, 0755, err)) {
        path = file_join(dir, "lock");
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || flock(fd, LOCK_EX)) {
            error_errno(err, errno, "%s", path);
            if (fd >= 0)
                close(fd);
            fd = -1;
        }
    }
    free(dir);
    free(path);
    return fd;
}

static bool
is_alive(const struct deployment *d)
{
    /* Ours that have ended leave the process table here. */
    if (d->pid > 0)
        (void)waitpid((pid_t)d->pid, NULL, WNOHANG);
    return d->pid > 0 && proc_alive((pid_t)d->pid, (uint64_t)d->start_ticks);
}

static bool
wait_gone(const struct deployment *d, int64_t ms)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    int64_t end = loop_now_ms() + ms;

    while (is_alive(d)) {
        if (loop_now_ms() >= end)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static bool
end_process(const struct deployment *d, struct error *err)
{
    if (!is_alive(d))
        return true;
    kill((pid_t)d->pid, SIGTERM);
    if (wait_gone(d, STOP_MS))
        return true;
    log_write(LOG_WARN, "endpoint %s: no end after %d s: killed", d->name,
              STOP_MS / 1000);
    kill((pid_t)d->pid, SIGKILL);
    if (wait_gone(d, STOP_MS))
        return true;
    return error_set(err, ERR_TIMEOUT, "endpoint %s: process %lld stays",
                     d->name, (long long)d->pid);
}

static char *
url_of(const struct deployment *d, const char *path)
{
    const char *host = d->host;
    struct buf b;

    if (!strcmp(host, "0.0.0.0"))
        host = "127.0.0.1";
    if (!strcmp(host, "::"))
        host = "::1";
    buf_init(&b);
    buf_printf(&b,
               strchr(host, ':') ? "http://[%s]:%lld%s" : "http://%s:%lld%s",
               host, (long long)d->port, path);
    return buf_take(&b);
}

/* ---- log ---- */

static char *
log_path(const struct store *s, const char *name)
{
    return store_path(s, "endpoints/%s/log", name);
}

static void
last_lines(const struct buf *text, size_t lines, struct buf *out)
{
    size_t at = text->len;

    if (at && text->data[at - 1] == '\n')
        at--;
    for (; at > 0; at--)
        if (text->data[at - 1] == '\n' && --lines == 0)
            break;
    buf_add(out, text->data + at, text->len - at);
}

bool
endpoint_log(struct store *s, const char *name, size_t lines, struct buf *out,
             struct error *err)
{
    char *path;
    struct buf all;
    bool ok;

    if (!check_name(name, err))
        return false;
    path = log_path(s, name);
    buf_init(&all);
    ok = file_read(path, LOG_MAX, &all, err);
    if (ok && lines)
        last_lines(&all, lines, out);
    else if (ok)
        buf_add(out, all.data, all.len);
    buf_fini(&all);
    free(path);
    return ok && buf_check(out, err);
}

/* ---- start ---- */

struct launch {
    struct store *store;
    const char *name, *reference, *host;
    char *label; /* what the reference is now */
    char *model; /* what `lathe serve` is told: pinned */
    unsigned port;
    double sla_ms;
};

static pid_t
spawn(const struct launch *l, int listen_fd, int log_fd, struct error *err)
{
    char port[16], sla[STR_F64_MAX];
    struct buf project;
    const char *env[] = {"LATHE_LISTEN_FD=0", NULL, NULL};
    const char *argv[] = {proc_self(), "serve", l->model, "--host", l->host,
                          "--port",    port,    NULL,     NULL,     NULL};
    struct proc_options o = {.env = env,
                             .fd_in = listen_fd,
                             .fd_out = log_fd,
                             .fd_err = log_fd,
                             .new_session = true};
    pid_t pid = -1;

    snprintf(port, sizeof port, "%u", l->port);
    if (l->sla_ms > 0) {
        sla[str_from_f64(l->sla_ms, sla)] = '\0';
        argv[7] = "--sla-ms";
        argv[8] = sla;
    }
    buf_init(&project);
    buf_printf(&project, "LATHE_PROJECT=%s", store_dir(l->store));
    env[1] = project.data;
    if (!proc_start(argv, &o, &pid, err))
        pid = -1;
    buf_fini(&project);
    return pid;
}

/* The last line that begins like an error of ours, else the last line: the
 * endpoint that is to be replaced writes to the same log. */
static struct str
telling_line(struct str text)
{
    struct str last = {text.p, 0}, error = {text.p, 0};

    while (text.n > 0) {
        const char *nl = memchr(text.p, '\n', text.n);
        size_t n = nl ? (size_t)(nl - text.p) : text.n;
        struct str line = str_trim((struct str){text.p, n});

        if (line.n > 0)
            last = line;
        if (str_starts(line, "lathe: "))
            error = line;
        text.p += n + (nl ? 1 : 0);
        text.n -= n + (nl ? 1 : 0);
    }
    return error.n > 0 ? error : last;
}

static bool
why_it_ended(const struct launch *l, struct error *err)
{
    enum { LINES = 20 };
    struct buf log;
    struct str line;
    struct error none;

    buf_init(&log);
    if (!endpoint_log(l->store, l->name, LINES, &log, &none))
        buf_clear(&log);
    line = telling_line((struct str){log.data, log.len});
    error_set(err, ERR_STATE, "endpoint %s ended at once: %.*s", l->name,
              (int)line.n, line.p);
    buf_fini(&log);
    return false;
}

static bool
wait_ready(const struct launch *l, const struct deployment *d,
           struct error *err)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    int64_t end = loop_now_ms() + READY_MS;
    struct remote *r = remote_new();
    char *url = url_of(d, "/ping");
    struct buf body;
    struct error last;
    long status = 0;
    bool alive = true;

    buf_init(&body);
    while ((alive = is_alive(d)) && loop_now_ms() < end) {
        if (remote_call(r,
                        &(struct remote_request){
                            .method = "GET", .url = url, .timeout_ms = ASK_MS},
                        &body, &status, &last) &&
            status == 200)
            break;
        nanosleep(&pause, NULL);
    }
    buf_fini(&body);
    remote_free(r);
    free(url);
    if (!alive)
        return why_it_ended(l, err);
    if (status != 200)
        return error_set(err, ERR_TIMEOUT,
                         "endpoint %s does not answer after %d s", l->name,
                         READY_MS / 1000);
    return true;
}

static void
fill_row(const struct launch *l, pid_t pid, struct deployment *d)
{
    memset(d, 0, sizeof *d);
    d->name = mem_text(l->name);
    /* A file is remembered by its full path: the folder may change. */
    d->reference = mem_text(*l->model == '/' ? l->model : l->reference);
    d->label = mem_text(l->label);
    d->host = mem_text(l->host);
    d->port = l->port;
    d->pid = pid;
    d->start_ticks = (int64_t)proc_start_ticks(pid);
    d->started_ms = loop_wall_ms();
    d->sla_ms = l->sla_ms;
    d->wanted = true;
}

/* A process that answers, and its row in the store. */
static bool
launch(struct launch *l, struct deployment *out, struct error *err)
{
    char *path = log_path(l->store, l->name);
    int log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int fd = -1;
    pid_t pid = -1;
    struct error none;
    bool ok = false;

    if (log_fd < 0)
        error_errno(err, errno, "%s", path);
    else if ((fd = listen_new(l->host, l->port, &l->port, err)) >= 0)
        pid = spawn(l, fd, log_fd, err);
    /* Ours must close, or a dead child's port would still seem to listen. */
    if (fd >= 0)
        close(fd);
    if (log_fd >= 0)
        close(log_fd);
    free(path);
    if (pid < 0)
        return false;
    fill_row(l, pid, out);
    ok = wait_ready(l, out, err) && deployment_put(l->store, out, err);
    if (!ok) {
        if (!end_process(out, &none))
            log_write(LOG_ERROR, "%s", none.message);
        deployment_fini(out);
    }
    return ok;
}

/* A reference to the registry is pinned to the version it means now. */
static bool
resolve(struct launch *l, struct error *err)
{
    char *path = NULL;

    if (!model_resolve(l->store, l->reference, &path, &l->label, err))
        return false;
    if (!strcmp(path, l->reference))
        l->model = realpath(path, NULL);
    else if (!strncmp(l->reference, "runs:/", 6))
        l->model = mem_text(l->reference);
    else
        l->model = mem_text(l->label);
    free(path);
    return l->model || error_errno(err, errno, "%s", l->reference);
}

static bool
find_old(struct store *s, const char *name, struct deployment *d, bool *found,
         struct error *err)
{
    struct error e;

    memset(d, 0, sizeof *d);
    *found = deployment_find(s, name, d, &e);
    if (*found || e.code == ERR_NOTFOUND)
        return true;
    *err = e;
    return false;
}

/* Under the lock. */
static bool
replace(struct launch *l, struct deployment *out, bool *gap, struct error *err)
{
    struct deployment old;
    bool found, up, same, ok;

    if (!find_old(l->store, l->name, &old, &found, err))
        return false;
    up = found && is_alive(&old);
    same = up && l->port && l->port == old.port;
    ok = resolve(l, err);
    if (ok && same) {
        log_write(LOG_INFO, "endpoint %s: port %u is its own: stop, then start",
                  l->name, l->port);
        *gap = true;
        ok = end_process(&old, err);
    }
    ok = ok && launch(l, out, err);
    if (ok && up && !same && !end_process(&old, err)) {
        deployment_fini(out);
        ok = false;
    }
    deployment_fini(&old);
    return ok;
}

bool
endpoint_create_gap(struct store *s, const char *name, const char *reference,
                    const struct endpoint_options *o, struct deployment *out,
                    bool *gap, struct error *err)
{
    struct launch l = {.store = s,
                       .name = name,
                       .reference = reference,
                       .host = o && o->host ? o->host : "127.0.0.1",
                       .port = o ? o->port : 0,
                       .sla_ms = o ? o->sla_ms : 0};
    bool stopped = false, ok;
    int lock = lock_name(s, name, err);

    if (lock < 0)
        return false;
    ok = replace(&l, out, &stopped, err);
    if (gap)
        *gap = stopped;
    free(l.label);
    free(l.model);
    close(lock);
    return ok;
}

bool
endpoint_create(struct store *s, const char *name, const char *reference,
                const struct endpoint_options *o, struct deployment *out,
                struct error *err)
{
    return endpoint_create_gap(s, name, reference, o, out, NULL, err);
}

bool
endpoint_stop(struct store *s, const char *name, struct error *err)
{
    struct deployment d = {0};
    int lock = lock_name(s, name, err);
    bool ok;

    if (lock < 0)
        return false;
    ok = deployment_find(s, name, &d, err);
    if (ok) {
        d.wanted = false;
        ok = deployment_put(s, &d, err) && end_process(&d, err);
        deployment_fini(&d);
    }
    close(lock);
    return ok;
}

/* Under the lock. */
static bool
start_again(struct store *s, const char *name, struct error *err)
{
    struct deployment d = {0}, now;
    struct launch l;
    struct error first;
    bool ok = deployment_find(s, name, &d, err);

    if (!ok)
        return false;
    if (is_alive(&d)) {
        d.wanted = true;
        ok = deployment_put(s, &d, err);
        deployment_fini(&d);
        return ok;
    }
    l = (struct launch){.store = s,
                        .name = name,
                        .reference = d.reference,
                        .host = d.host,
                        .port = (unsigned)d.port,
                        .sla_ms = d.sla_ms};
    ok = resolve(&l, err);
    if (ok && !launch(&l, &now, &first)) {
        /* Somebody else has its port by now: better another than none. */
        l.port = 0;
        ok = first.code == ERR_EXISTS && launch(&l, &now, err);
        if (!ok && first.code != ERR_EXISTS)
            *err = first;
    }
    if (ok)
        deployment_fini(&now);
    free(l.label);
    free(l.model);
    deployment_fini(&d);
    return ok;
}

bool
endpoint_start(struct store *s, const char *name, struct error *err)
{
    int lock = lock_name(s, name, err);
    bool ok;

    if (lock < 0)
        return false;
    ok = start_again(s, name, err);
    close(lock);
    return ok;
}

static void
remove_files(struct store *s, const char *name)
{
    static const char *const part[] = {"/log", "/lock", ""};

    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        char *path = store_path(s, "endpoints/%s%s", name, part[i]);

        if (remove(path) && errno != ENOENT)
            log_write(LOG_WARN, "%s: %s", path, strerror(errno));
        free(path);
    }
}

bool
endpoint_remove(struct store *s, const char *name, struct error *err)
{
    struct deployment d = {0};
    int lock = lock_name(s, name, err);
    bool ok;

    if (lock < 0)
        return false;
    ok = deployment_find(s, name, &d, err);
    if (ok)
        ok = end_process(&d, err) && deployment_remove(s, name, err);
    deployment_fini(&d);
    if (ok)
        remove_files(s, name);
    close(lock);
    return ok;
}

/* ---- ask ---- */

static double
number_of(const struct json *o, const char *key)
{
    const struct json *v = json_find(o, key);

    return v && json_type(v) == JSON_NUMBER ? json_number(v) : NAN;
}

static uint64_t
count_of(const struct json *o, const char *key)
{
    double x = number_of(o, key);

    return x >= 0 && x < 0x1p63 ? (uint64_t)x : 0;
}

static void
read_view(const struct json *o, struct stat_view *v)
{
    v->requests = count_of(o, "requests");
    v->errors_4xx = count_of(o, "errors_4xx");
    v->errors_5xx = count_of(o, "errors_5xx");
    v->rows = count_of(o, "rows");
    v->p50_ms = number_of(o, "p50_ms");
    v->p95_ms = number_of(o, "p95_ms");
    v->p99_ms = number_of(o, "p99_ms");
    v->recent_p50_ms = number_of(o, "recent_p50_ms");
    v->recent_p95_ms = number_of(o, "recent_p95_ms");
    v->recent_p99_ms = number_of(o, "recent_p99_ms");
    v->recent_rps = number_of(o, "recent_rps");
    v->recent_error_share = number_of(o, "recent_error_share");
}

/* As much of s as fits, cut between characters. */
static void
copy_cut(char *to, size_t size, const char *s)
{
    size_t n = strlen(s);

    if (n >= size)
        for (n = size - 1; n && ((unsigned char)s[n] & 0xc0) == 0x80;)
            n--;
    memcpy(to, s, n);
    to[n] = '\0';
}

static bool
read_features(const struct json *o, struct endpoint_status *out,
              struct error *err)
{
    const struct json *list, *v;
    const char *name, *level;
    struct endpoint_feature *f;

    if (!json_get_array(o, "features", &list, err))
        return false;
    f = mem_try_array(json_len(list), sizeof *f, err);
    if (!f)
        return false;
    out->feature = f;
    for (v = json_first(list); v; v = json_next(v), f++) {
        if (!json_get_string(v, "name", &name, err) ||
            !json_get_string(v, "level", &level, err))
            return false;
        copy_cut(f->name, sizeof f->name, name);
        f->psi = number_of(v, "psi");
        f->n = count_of(v, "n");
        if (!drift_level_parse(level, &f->level))
            return error_set(err, ERR_PARSE, "drift level '%s'", level);
        out->n_features++;
    }
    return true;
}

static bool
read_stats(struct str text, struct endpoint_status *out, struct error *err)
{
    struct json *o = json_parse(text, err);
    const char *label;
    bool ok;

    if (!o)
        return false;
    ok = json_get_string(o, "label", &label, err) &&
         json_get_i64(o, "uptime_ms", &out->uptime_ms, err) &&
         json_get_i64(o, "pid", &out->pid, err) && read_features(o, out, err);
    if (ok) {
        copy_cut(out->label, sizeof out->label, label);
        out->cpu_us = count_of(o, "cpu_us");
        out->rss = count_of(o, "rss");
        read_view(o, &out->stat);
    }
    json_free(o);
    return ok;
}

/* Of the same process only. */
static double
cpu_between(const struct endpoint_status *last,
            const struct endpoint_status *now)
{
    int64_t ms = now->uptime_ms - last->uptime_ms;

    if (last->pid != now->pid || !last->pid || ms <= 0 ||
        now->cpu_us < last->cpu_us)
        return NAN;
    return (double)(now->cpu_us - last->cpu_us) / (double)ms / 10;
}

bool
endpoint_ask(const struct deployment *d, struct endpoint_status *out,
             struct error *err)
{
    struct endpoint_status now = {.cpu_percent = NAN};
    struct remote *r;
    struct buf body;
    struct error none;
    long status = 0;
    char *url;
    bool ok = true;

    now.state = d->wanted ? ENDPOINT_DEAD : ENDPOINT_STOPPED;
    if (is_alive(d)) {
        now.state = ENDPOINT_STARTING;
        buf_init(&body);
        r = remote_new();
        url = url_of(d, "/lathe/stats");
        if (remote_call(r,
                        &(struct remote_request){
                            .method = "GET", .url = url, .timeout_ms = ASK_MS},
                        &body, &status, &none) &&
            status == 200) {
            ok = read_stats((struct str){body.data, body.len}, &now, err);
            if (!ok)
                error_prefix(err, "%s: ", url);
            now.cpu_percent = cpu_between(out, &now);
            now.state = ENDPOINT_UP;
        }
        free(url);
        remote_free(r);
        buf_fini(&body);
    }
    if (!ok) {
        endpoint_status_fini(&now);
        return false;
    }
    endpoint_status_fini(out);
    *out = now;
    return true;
}

void
endpoint_status_fini(struct endpoint_status *s)
{
    free(s->feature);
    memset(s, 0, sizeof *s);
}

enum drift_level
endpoint_worst_drift(const struct endpoint_status *s)
{
    enum drift_level worst = DRIFT_FEW;

    for (size_t i = 0; i < s->n_features; i++)
        if (s->feature[i].level > worst)
            worst = s->feature[i].level;
    return worst;
}

void
endpoint_body(struct str typed, struct buf *out)
{
    static const char *const forms[] = {"dataframe_split", "dataframe_records",
                                        "instances", "inputs"};
    static const char lenient[] = "\"params\":{\"allow_missing\":true}";
    struct error none;
    struct json *root = json_parse(typed, &none);
    bool object = root && json_type(root) == JSON_OBJECT, form = false;
    struct str text = str_trim(typed);
    const char *brace;

    for (size_t i = 0; object && i < sizeof forms / sizeof forms[0]; i++)
        form = form || json_find(root, forms[i]);
    if (!root || (form && json_find(root, "params"))) {
        buf_add(out, typed.p, typed.n);
    } else if (form) {
        buf_printf(out, "{%s,", lenient);
        brace = memchr(typed.p, '{', typed.n);
        buf_add(out, brace + 1, (size_t)(typed.p + typed.n - brace) - 1);
    } else {
        buf_printf(out, "{%s,\"dataframe_records\":", lenient);
        buf_puts(out, object ? "[" : "");
        buf_add(out, text.p, text.n);
        buf_puts(out, object ? "]}" : "}");
    }
    json_free(root);
}

bool
endpoint_invoke(const struct deployment *d, const char *body, size_t len,
                struct buf *out, long *status, struct error *err)
{
    struct remote *r = remote_new();
    char *url = url_of(d, "/invocations");
    struct buf sent;
    bool ok;

    buf_init(&sent);
    endpoint_body((struct str){body, len}, &sent);
    ok = buf_check(&sent, err) &&
         remote_call(r,
                     &(struct remote_request){.method = "POST",
                                              .url = url,
                                              .type = "application/json",
                                              .body = {sent.data, sent.len},
                                              .timeout_ms = INVOKE_MS},
                     out, status, err);
    if (!ok)
        error_prefix(err, "endpoint %s: ", d->name);
    buf_fini(&sent);
    free(url);
    remote_free(r);
    return ok;
}
