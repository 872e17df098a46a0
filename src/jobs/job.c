/* jobs/job.c -- start, read, stop, wait; job_exec.c is the other side.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "jobs/job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"
#include "store/origin.h"

enum {
    ID_MAX = 24,
    RECORD_MAX = 1 << 20,
    LOG_MAX = 1 << 20,
    TAIL_BYTES = 4096,
    ID_TRIES = 100,
    STEP_MS = 10,     /* between looks where nothing can be waited for */
    KILLED_MS = 10000 /* for the parent to record a kill */
};

const char *
job_state_word(enum job_state s)
{
    static const char *const words[] = {"running", "done", "failed", "stopped",
                                        "lost"};

    return words[s];
}

/* ---- folders and records ---- */

static bool
is_id(const char *text)
{
    size_t n = strlen(text);

    return n < ID_MAX && strncmp(text, "j-", 2) == 0 &&
           strspn(text, "j-0123456789abcdef") == n;
}

static char *
folder_of(const char *lathe_dir, const char *id)
{
    char *jobs = file_join(lathe_dir, "jobs");
    char *out = file_join(jobs, id);

    free(jobs);
    return out;
}

/* The record as JSON; NULL with ERR_NOTFOUND when there is none. */
static struct json *
read_record(const char *folder, const char *name, struct error *err)
{
    char *path = file_join(folder, name);
    struct json *root = NULL;
    struct buf text;

    buf_init(&text);
    if (file_read(path, RECORD_MAX, &text, err)) {
        root = json_parse((struct str){text.data, text.len}, err);
        if (!root)
            error_prefix(err, "%s: ", path);
    }
    buf_fini(&text);
    free(path);
    return root;
}

static int64_t
number_in(const struct json *o, const char *key)
{
    struct error ignored;
    int64_t out = 0;

    (void)!json_get_i64(o, key, &out, &ignored);
    return out;
}

static const char *
text_in(const struct json *o, const char *key)
{
    struct error ignored;
    const char *out = "";

    (void)!json_get_string(o, key, &out, &ignored);
    return out;
}

static bool
has_file(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    bool there = file_exists(path);

    free(path);
    return there;
}

/* ---- what a job is doing ---- */

static bool
read_exit(const char *folder, struct job *j)
{
    struct error ignored;
    struct json *end = read_record(folder, "exit.json", &ignored);
    const struct json *stopped;

    if (!end)
        return false;
    j->status = (int)number_in(end, "status");
    j->end_ms = number_in(end, "end_ms");
    j->cpu_us = (uint64_t)number_in(end, "cpu_us");
    j->rss = (uint64_t)number_in(end, "rss");
    stopped = json_find(end, "stopped");
    if (stopped && json_is_true(stopped))
        j->state = JOB_STOPPED;
    else
        j->state = j->status == 0 ? JOB_DONE : JOB_FAILED;
    json_free(end);
    return true;
}

/* Who can still end this job: the command, its parent, and who starts it. */
struct processes {
    int64_t command, waiter;
    uint64_t command_ticks, waiter_ticks;
    bool alive;
};

static void
read_processes(const char *folder, const struct json *spec, struct processes *p)
{
    struct error ignored;
    struct json *pids = read_record(folder, "pid.json", &ignored);
    const struct json *o = pids ? pids : spec;
    const char *host = text_in(spec, "host"), *boot = text_in(spec, "boot");
    struct origin here;

    *p = (struct processes){.command = number_in(o, "pid"),
                            .command_ticks = (uint64_t)number_in(o, "ticks"),
                            .waiter = number_in(o, "waiter"),
                            .waiter_ticks =
                                (uint64_t)number_in(o, "waiter_ticks")};
    origin_get(&here);
    p->alive = !origin_gone(&here, host, boot, p->waiter, p->waiter_ticks) ||
               (p->command &&
                !origin_gone(&here, host, boot, p->command, p->command_ticks));
    json_free(pids);
}

static void
read_progress(const char *folder, struct job *j)
{
    char *path = file_join(folder, "metrics.jsonl");
    char text[TAIL_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t n = 0;

    free(path);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0)
        n = pread(fd, text, TAIL_BYTES,
                  st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
    close(fd);
    /* From the last whole line backwards to one that is progress. */
    while (n > 0) {
        struct error ignored;
        struct json *line;
        char *start, *end = memrchr(text, '\n', (size_t)n);

        if (!end)
            return;
        n = end - text;
        start = n > 0 ? memrchr(text, '\n', (size_t)n) : NULL;
        start = start ? start + 1 : text;
        line = json_parse((struct str){start, (size_t)(end - start)}, &ignored);
        if (line && json_type(line) == JSON_OBJECT &&
            json_get_double(line, "done", &j->done, &ignored)) {
            (void)!json_get_double(line, "total", &j->total, &ignored);
            free(j->stage);
            j->stage = mem_text(text_in(line, "stage"));
            n = 0;
        }
        json_free(line);
    }
}

static int64_t
last_written_ms(const char *folder)
{
    char *path = file_join(folder, "log");
    struct stat st;
    int64_t ms = 0;

    if (stat(path, &st) == 0)
        ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    free(path);
    return ms;
}

static bool
read_job(const char *lathe_dir, const char *id, struct job *j,
         struct processes *p, struct error *err)
{
    char *folder = folder_of(lathe_dir, id);
    struct json *spec = read_record(folder, "spec.json", err);

    *j = (struct job){.state = JOB_RUNNING};
    *p = (struct processes){.command = 0};
    if (!spec) {
        free(folder);
        return false;
    }
    snprintf(j->id, sizeof j->id, "%s", id);
    j->title = mem_text(text_in(spec, "title"));
    j->stage = mem_text("");
    j->start_ms = number_in(spec, "start_ms");
    /* The record is looked for once more after nobody was seen alive, for it
     * may have been written in between. */
    if (!read_exit(folder, j)) {
        read_processes(folder, spec, p);
        j->pid = p->command;
        if (!p->alive && !read_exit(folder, j)) {
            j->state = has_file(folder, "stop") ? JOB_STOPPED : JOB_LOST;
            j->status = 128 + SIGKILL;
            j->end_ms = last_written_ms(folder);
        }
    }
    if (j->state == JOB_RUNNING && j->pid)
        (void)!proc_usage((pid_t)j->pid, &j->cpu_us, &j->rss);
    read_progress(folder, j);
    json_free(spec);
    free(folder);
    return true;
}

void
job_fini(struct job *j)
{
    free(j->title);
    free(j->stage);
    *j = (struct job){.pid = 0};
}

/* ---- find ---- */

static int
by_start(const void *a, const void *b)
{
    const struct job *x = a, *y = b;

    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? 1 : -1;
    return strcmp(y->id, x->id);
}

bool
job_list(const char *lathe_dir, struct job_list *out, struct error *err)
{
    char *jobs = file_join(lathe_dir, "jobs");
    DIR *dir = opendir(jobs);
    size_t cap = 0;
    bool ok = true;

    *out = (struct job_list){.n = 0};
    free(jobs);
    if (!dir)
        return errno == ENOENT || error_errno(err, errno, "%s", lathe_dir);
    for (struct dirent *e; ok && (e = readdir(dir));) {
        struct error ignored;
        struct processes p;
        struct job *more;

        if (!is_id(e->d_name))
            continue;
        more = mem_try_grow(out->job, out->n, &cap, sizeof *more, err);
        ok = more != NULL;
        if (!ok)
            break;
        out->job = more;
        /* A folder without a spec is one that is just being made. */
        if (read_job(lathe_dir, e->d_name, &out->job[out->n], &p, &ignored))
            out->n++;
    }
    closedir(dir);
    if (!ok)
        job_list_fini(out);
    else if (out->n > 1)
        qsort(out->job, out->n, sizeof *out->job, by_start);
    return ok;
}

void
job_list_fini(struct job_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        job_fini(&l->job[i]);
    free(l->job);
    *l = (struct job_list){.n = 0};
}

/* The whole id of a prefix. */
static bool
complete_id(const char *lathe_dir, const char *prefix, char id[ID_MAX],
            struct error *err)
{
    char *jobs = file_join(lathe_dir, "jobs"), *folder;
    DIR *dir;
    size_t n = 0, len = strlen(prefix);
    bool whole = false;

    folder = is_id(prefix) ? file_join(jobs, prefix) : NULL;
    if (folder && file_exists(folder)) {
        snprintf(id, ID_MAX, "%s", prefix);
        whole = true;
    }
    free(folder);
    dir = whole || len == 0 ? NULL : opendir(jobs);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (!is_id(e->d_name) || strncmp(e->d_name, prefix, len) != 0)
            continue;
        snprintf(id, ID_MAX, "%.23s", e->d_name);
        n++;
    }
    if (dir)
        closedir(dir);
    free(jobs);
    if (n > 1)
        return error_set(err, ERR_USAGE, "%zu jobs begin with '%s'", n, prefix);
    return whole || n == 1 ||
           error_set(err, ERR_NOTFOUND, "no job '%.80s'", prefix);
}

bool
job_find(const char *lathe_dir, const char *id, struct job *out,
         struct error *err)
{
    struct processes p;
    char whole[ID_MAX];

    return complete_id(lathe_dir, id, whole, err) &&
           read_job(lathe_dir, whole, out, &p, err);
}

/* ---- start ---- */

static bool
make_job_folder(const char *lathe_dir, char id[ID_MAX], char **folder,
                struct error *err)
{
    char *jobs = file_join(lathe_dir, "jobs");
    char stamp[32], token[3];
    time_t now = time(NULL);
    struct tm tm;
    bool made = false;

    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &tm);
    *folder = NULL;
    if (file_make_dirs(jobs, 0777, err)) {
        for (int i = 0; i < ID_TRIES && !made; i++) {
            digest_token(1, token);
            snprintf(id, ID_MAX, "j-%.15s-%s", stamp, token);
            free(*folder);
            *folder = file_join(jobs, id);
            made = mkdir(*folder, 0777) == 0;
            if (!made && errno != EEXIST)
                break;
        }
        if (!made) {
            error_errno(err, errno, "%s", *folder);
            free(*folder);
            *folder = NULL;
        }
    }
    free(jobs);
    return made;
}

static bool
write_spec(const char *folder, const char *title, const char *const *argv,
           const char *cwd, struct error *err)
{
    char *path = file_join(folder, "spec.json");
    struct json_writer w;
    struct origin here;
    struct buf b;
    bool ok;

    buf_init(&b);
    json_writer_init(&w, &b);
    origin_get(&here);
    json_open(&w, '{');
    json_name(&w, "title");
    json_put_string(&w, title ? title : argv[0]);
    json_name(&w, "argv");
    json_open(&w, '[');
    for (size_t i = 0; argv[i]; i++)
        json_put_string(&w, argv[i]);
    json_close(&w, ']');
    json_name(&w, "cwd");
    json_put_string(&w, cwd);
    json_name(&w, "start_ms");
    json_put_i64(&w, loop_wall_ms());
    json_name(&w, "host");
    json_put_string(&w, here.host);
    json_name(&w, "boot");
    json_put_string(&w, here.boot);
    /* Until the parent of the command is there, this process vouches. */
    json_name(&w, "waiter");
    json_put_i64(&w, getpid());
    json_name(&w, "waiter_ticks");
    json_put_i64(&w, (int64_t)proc_start_ticks(getpid()));
    json_close(&w, '}');
    ok = buf_check(&b, err) && file_replace(path, b.data, b.len, 0666, err);
    buf_fini(&b);
    free(path);
    return ok;
}

/* Run "lathe job exec ID", which returns once the command runs. */
static bool
start_parent(const char *lathe_dir, const char *id, int log, int *status,
             struct error *err)
{
    const char *const argv[] = {proc_self(), "job", "exec", id, NULL};
    char project[PATH_MAX + 16];
    const char *const env[] = {project, NULL};
    const struct proc_options o = {.env = env,
                                   .fd_in = -1,
                                   .fd_out = log,
                                   .fd_err = log,
                                   .new_session = true};
    pid_t pid;

    snprintf(project, sizeof project, "LATHE_PROJECT=%s", lathe_dir);
    if (!proc_start(argv, &o, &pid, err))
        return false;
    while (waitpid(pid, status, 0) < 0)
        if (errno != EINTR)
            return error_errno(err, errno, "%s", argv[0]);
    return true;
}

/* What is in the log is what went wrong. */
static bool
explain_failure(int log, const char *argv0, struct error *err)
{
    char text[512];
    ssize_t n = pread(log, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (text[0])
        return error_set(err, ERR_IO, "%s", text);
    return error_set(err, ERR_IO, "%s: the job could not be started", argv0);
}

static void
remove_folder(const char *folder)
{
    static const char *const names[] = {"spec.json", "log", "pid.json"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = file_join(folder, names[i]);

        unlink(path);
        free(path);
    }
    rmdir(folder);
}

bool
job_start(const char *lathe_dir, const char *title, const char *const *argv,
          const char *cwd, char id[24], struct error *err)
{
    char *folder = NULL, *log_path = NULL, *full = NULL;
    char *where = realpath(cwd ? cwd : ".", NULL);
    int log = -1, status = 0;
    bool ok = false;

    if (!where)
        return error_errno(err, errno, "%s", cwd ? cwd : ".");
    if (!make_job_folder(lathe_dir, id, &folder, err))
        goto out;
    full = realpath(lathe_dir, NULL);
    log_path = file_join(folder, "log");
    log = open(log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log < 0 || !full)
        error_errno(err, errno, "%s", log_path);
    else
        ok = write_spec(folder, title, argv, where, err) &&
             start_parent(full, id, log, &status, err) &&
             (status == 0 || explain_failure(log, argv[0], err));
    if (log >= 0)
        close(log);
    if (!ok)
        remove_folder(folder);
out:
    free(full);
    free(log_path);
    free(folder);
    free(where);
    return ok;
}

/* ---- the log ---- */

/* Where the last n lines begin. */
static size_t
tail_start(const char *p, size_t len, size_t n)
{
    size_t at = len;

    if (at > 0 && p[at - 1] == '\n')
        at--;
    for (; at > 0; at--)
        if (p[at - 1] == '\n' && --n == 0)
            break;
    return at;
}

bool
job_log(const char *lathe_dir, const char *id, size_t lines, struct buf *out,
        struct error *err)
{
    char whole[ID_MAX];
    char *folder, *path, *text = NULL;
    struct stat st;
    ssize_t n = 0;
    int fd;

    if (!complete_id(lathe_dir, id, whole, err))
        return false;
    folder = folder_of(lathe_dir, whole);
    path = file_join(folder, "log");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        error_errno(err, errno, "%s", path);
    } else if ((text = mem_try_array(LOG_MAX, 1, err))) {
        n = pread(fd, text, LOG_MAX,
                  st.st_size > LOG_MAX ? st.st_size - LOG_MAX : 0);
        if (n > 0) {
            size_t at = lines ? tail_start(text, (size_t)n, lines) : 0;

            buf_add(out, text + at, (size_t)n - at);
        }
    }
    if (fd >= 0)
        close(fd);
    free(path);
    free(folder);
    if (!text)
        return false;
    free(text);
    return (n >= 0 || error_errno(err, EIO, "log of %s", whole)) &&
           buf_check(out, err);
}

/* ---- wait and stop ---- */

static int
bounded(int64_t ms)
{
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Until the process is gone or the deadline (monotonic; < 0: never) passes. */
static void
wait_for_process(int64_t pid, uint64_t ticks, int64_t deadline)
{
    struct pollfd p = {.fd = -1, .events = POLLIN};
    int64_t left = deadline < 0 ? -1 : deadline - loop_now_ms();

    if (pid > 0)
        p.fd = pidfd_open((pid_t)pid, 0);
    /* The number may have gone to another process before it was opened. */
    if (p.fd >= 0 && !proc_alive((pid_t)pid, ticks)) {
        close(p.fd);
        return;
    }
    if (deadline >= 0 && left < 0)
        left = 0;
    if (p.fd < 0) {
        left = left < 0 || left > STEP_MS ? STEP_MS : left;
        poll(NULL, 0, (int)left);
        return;
    }
    poll(&p, 1, left < 0 ? -1 : bounded(left));
    close(p.fd);
}

/* The job once it has ended, or as it is when the deadline passes. */
static bool
wait_for_job(const char *lathe_dir, const char *id, int64_t deadline,
             struct job *j, struct error *err)
{
    struct processes p;

    for (;;) {
        bool waiter;

        if (!read_job(lathe_dir, id, j, &p, err))
            return false;
        if (j->state != JOB_RUNNING)
            return true;
        if (deadline >= 0 && loop_now_ms() >= deadline)
            return true;
        job_fini(j);
        /* Before pid.json it is our own start that is waited for; a job of
         * another machine can only be looked at again. */
        waiter = proc_alive((pid_t)p.waiter, p.waiter_ticks);
        if (!p.command ||
            (!waiter && !proc_alive((pid_t)p.command, p.command_ticks)))
            wait_for_process(0, 0, deadline);
        else if (waiter)
            wait_for_process(p.waiter, p.waiter_ticks, deadline);
        else
            wait_for_process(p.command, p.command_ticks, deadline);
    }
}

bool
job_wait(const char *lathe_dir, const char *id, int64_t timeout_ms, int *status,
         struct error *err)
{
    int64_t deadline = timeout_ms < 0 ? -1 : loop_now_ms() + timeout_ms;
    char whole[ID_MAX];
    enum job_state state;
    struct job j;

    if (!complete_id(lathe_dir, id, whole, err) ||
        !wait_for_job(lathe_dir, whole, deadline, &j, err))
        return false;
    state = j.state;
    *status = j.status;
    job_fini(&j);
    if (state == JOB_RUNNING)
        return error_set(err, ERR_TIMEOUT, "job %s still runs after %lld ms",
                         whole, (long long)timeout_ms);
    if (state == JOB_LOST)
        return error_set(err, ERR_STATE,
                         "job %s was lost: nobody recorded how it ended",
                         whole);
    return true;
}

static bool
still_runs(const char *lathe_dir, const char *id, struct processes *p,
           struct error *err)
{
    struct job j;
    enum job_state state;

    if (!read_job(lathe_dir, id, &j, p, err))
        return false;
    state = j.state;
    job_fini(&j);
    return state == JOB_RUNNING ||
           error_set(err, ERR_STATE, "job %s has ended already: %s", id,
                     job_state_word(state));
}

static bool
mark_stop(const char *lathe_dir, const char *id, struct error *err)
{
    char *folder = folder_of(lathe_dir, id);
    char *path = file_join(folder, "stop");
    bool ok = file_replace(path, "", 0, 0666, err);

    free(path);
    free(folder);
    return ok;
}

/* The command leads its process group. */
static void
signal_group(const struct processes *p, int signo)
{
    if (p->command > 0 && proc_alive((pid_t)p->command, p->command_ticks))
        kill(-(pid_t)p->command, signo);
}

bool
job_stop(const char *lathe_dir, const char *id, int64_t grace_ms,
         struct error *err)
{
    char whole[ID_MAX];
    struct processes p;
    struct job j;
    bool ended;

    if (!complete_id(lathe_dir, id, whole, err) ||
        !still_runs(lathe_dir, whole, &p, err) ||
        !mark_stop(lathe_dir, whole, err))
        return false;
    signal_group(&p, SIGTERM);
    signal_group(&p, SIGCONT);
    if (!wait_for_job(lathe_dir, whole, loop_now_ms() + grace_ms, &j, err))
        return false;
    ended = j.state != JOB_RUNNING;
    job_fini(&j);
    if (ended)
        return true;
    signal_group(&p, SIGKILL);
    if (!wait_for_job(lathe_dir, whole, loop_now_ms() + KILLED_MS, &j, err))
        return false;
    ended = j.state != JOB_RUNNING;
    job_fini(&j);
    return ended || error_set(err, ERR_TIMEOUT,
                              "job %s does not end, even killed", whole);
}
