/* ui/view_jobs.c -- what runs: tasks of this workbench and job processes, with
 * progress, time left, log and cancel.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "jobs/job.h"
#include "session/task.h"
#include "ui/loader.h"
#include "ui/ui.h"
#include "ui/view.h"

enum { REGION_LIST, REGION_LOG };
enum { TASKS_MAX = 100, REFRESH_MS = 1000, LOG_LINES = 2000 };

/* A line of the list: a task of this process, or a process of its own. */
struct row {
    bool process;
    struct task_view task;
    const struct job *job; /* of the loaded list */
};

struct view_jobs {
    struct view view;
    struct loader *jobs, *logs;
    struct job_list loaded;
    char error[ERROR_MESSAGE_MAX];
    struct row *row;
    size_t n_rows;
    struct list list;
    struct pager log;
    char log_of[32]; /* key of the row whose log is shown */
    char asked[32];  /* key of the row that is to be cancelled, or not */
    struct loop_watch *timer;
    bool shown, came; /* came: shown, and not loaded since */
};

static struct view_jobs *
mine(struct view *v)
{
    return (struct view_jobs *)v;
}

/* ---- rows ---- */

static void
row_key(const struct row *r, char out[32])
{
    if (r->process)
        snprintf(out, 32, "%s", r->job->id);
    else
        snprintf(out, 32, "%u", r->task.id);
}

static bool
row_runs(const struct row *r)
{
    return r->process ? r->job->state == JOB_RUNNING
                      : r->task.state == TASK_RUNNING;
}

static int64_t
row_start(const struct row *r)
{
    return r->process ? r->job->start_ms : r->task.start_ms;
}

/* What runs comes first, then the newest. */
static int
by_age(const void *a, const void *b)
{
    const struct row *p = a, *q = b;

    if (row_runs(p) != row_runs(q))
        return row_runs(p) ? -1 : 1;
    return (row_start(p) < row_start(q)) - (row_start(p) > row_start(q));
}

static struct row *
row_at_cursor(struct view_jobs *j)
{
    return j->list.at < j->n_rows ? &j->row[j->list.at] : NULL;
}

static void
keep_cursor(struct view_jobs *j, const char *key)
{
    char now[32];

    for (size_t i = 0; key[0] && i < j->n_rows; i++) {
        row_key(&j->row[i], now);
        if (strcmp(now, key) == 0)
            j->list.at = i;
    }
}

static void
rebuild(struct view_jobs *j)
{
    static struct task_view tasks[TASKS_MAX];
    struct session *s = ui_session(j->view.ui);
    size_t n = task_list(s, tasks, TASKS_MAX);
    char key[32] = "";

    if (row_at_cursor(j))
        row_key(row_at_cursor(j), key);
    if (n > TASKS_MAX)
        n = TASKS_MAX;
    free(j->row);
    j->row = mem_new((n + j->loaded.n + 1) * sizeof *j->row);
    j->n_rows = 0;
    for (size_t i = 0; i < n; i++)
        j->row[j->n_rows++] = (struct row){.task = tasks[i]};
    for (size_t i = 0; i < j->loaded.n; i++)
        j->row[j->n_rows++] =
            (struct row){.process = true, .job = &j->loaded.job[i]};
    qsort(j->row, j->n_rows, sizeof *j->row, by_age);
    list_set(&j->list, j->n_rows);
    keep_cursor(j, key);
}

/* Who comes to look comes for what runs: that is on top. */
static void
find_running(struct view_jobs *j)
{
    if (j->came && row_at_cursor(j) && !row_runs(row_at_cursor(j)))
        j->list.at = 0;
}

/* ---- loading ---- */

static void wind(struct view_jobs *j);

static bool
load_jobs(struct task *t, const char *arg, void *out, struct error *err)
{
    (void)arg;
    return job_list(session_dir(task_session(t)), out, err) ||
           err->code == ERR_NOTFOUND;
}

static void
jobs_loaded(void *ctx, const char *arg, void *out, bool ok,
            const struct error *err)
{
    struct view_jobs *j = ctx;
    struct job_list *list = out, old = j->loaded;

    (void)arg;
    snprintf(j->error, sizeof j->error, "%s", ok ? "" : err->message);
    j->loaded = *list;
    *list = (struct job_list){0};
    rebuild(j);
    find_running(j);
    j->came = false;
    wind(j);
    job_list_fini(&old);
    ui_touch(j->view.ui);
}

static void
free_jobs(void *out)
{
    job_list_fini(out);
}

static const struct loader_class jobs_loader = {
    sizeof(struct job_list), load_jobs, jobs_loaded, free_jobs};

static bool
load_log(struct task *t, const char *arg, void *out, struct error *err)
{
    buf_init(out);
    return job_log(session_dir(task_session(t)), arg, LOG_LINES, out, err);
}

static void
log_loaded(void *ctx, const char *arg, void *out, bool ok,
           const struct error *err)
{
    struct view_jobs *j = ctx;
    struct buf *text = out;

    if (strcmp(arg, j->log_of) != 0)
        return;
    if (ok)
        pager_set(&j->log, text->data, text->len);
    else
        pager_set(&j->log, err->message, strlen(err->message));
    ui_touch(j->view.ui);
}

static void
free_log(void *out)
{
    buf_fini(out);
}

static const struct loader_class log_loader = {sizeof(struct buf), load_log,
                                               log_loaded, free_log};

static void
refresh_log(struct view_jobs *j)
{
    const struct row *r = row_at_cursor(j);
    char key[32] = "";
    struct buf b;

    if (r)
        row_key(r, key);
    if (strcmp(key, j->log_of) != 0) {
        snprintf(j->log_of, sizeof j->log_of, "%s", key);
        pager_set(&j->log, "", 0);
        j->log.follow = true;
    }
    if (r && r->process) {
        loader_ask(j->logs, key);
    } else if (r) {
        buf_init(&b);
        task_log_text(ui_session(j->view.ui), r->task.id, &b);
        pager_set(&j->log, b.data, b.len);
        buf_fini(&b);
    }
}

static bool
something_runs(const struct view_jobs *j)
{
    for (size_t i = 0; i < j->n_rows; i++)
        if (row_runs(&j->row[i]))
            return true;
    return false;
}

static void
tick(void *ctx, int events)
{
    struct view_jobs *j = ctx;

    (void)events;
    rebuild(j);
    for (size_t i = 0; i < j->loaded.n; i++)
        if (j->loaded.job[i].state == JOB_RUNNING) {
            loader_ask(j->jobs, NULL);
            break;
        }
    refresh_log(j);
    ui_touch(j->view.ui);
    if (!something_runs(j)) {
        loop_remove(j->timer);
        j->timer = NULL;
    }
}

/* The clock ticks only while the view is shown and something runs. */
static void
wind(struct view_jobs *j)
{
    if (j->shown && !j->timer && something_runs(j))
        j->timer = loop_timer(ui_loop(j->view.ui), REFRESH_MS, true, tick, j);
    if (!j->shown && j->timer) {
        loop_remove(j->timer);
        j->timer = NULL;
    }
}

/* ---- drawing ---- */

static void
row_words(const struct row *r, const char **sign, const char **word,
          unsigned *style)
{
    static const char *const signs[] = {"●", "✓", "✗", "○", "✗"};
    static const unsigned styles[] = {ROLE_INFO, ROLE_OK, ROLE_ERROR, ROLE_DIM,
                                      ROLE_ERROR};
    static const char *const words[] = {"running", "done", "failed",
                                        "cancelled"};
    unsigned state =
        r->process ? (unsigned)r->job->state : (unsigned)r->task.state;

    *sign = signs[state];
    *style = styles[state];
    *word = r->process ? job_state_word(r->job->state) : words[state];
}

static double
row_eta(const struct row *r)
{
    double elapsed = (double)(loop_wall_ms() - row_start(r)) / 1000;

    if (!r->process)
        return r->task.eta_s;
    if (r->job->total <= 0 || r->job->done <= 0)
        return NAN;
    return elapsed * (r->job->total - r->job->done) / r->job->done;
}

static double
row_share(const struct row *r)
{
    if (r->process)
        return r->job->total > 0 ? r->job->done / r->job->total : NAN;
    return r->task.total > 0 ? (double)r->task.done / (double)r->task.total
                             : NAN;
}

static void
draw_progress_of(const struct canvas *c, int x, int y, int w,
                 const struct row *r)
{
    double share = row_share(r);
    char text[64], clock[STR_F64_MAX];
    const char *stage = r->process ? r->job->stage : r->task.stage;

    if (!row_runs(r)) {
        int64_t end = r->process ? r->job->end_ms : r->task.end_ms;

        str_from_seconds((double)(end - row_start(r)) / 1000, clock);
        if (r->process && r->job->status != 0 && r->job->state == JOB_FAILED)
            snprintf(text, sizeof text, "exit status %d after %s",
                     r->job->status, clock);
        else
            snprintf(text, sizeof text, "took %s", clock);
        draw_fit(c, x, y, w, ROLE_DIM, DRAW_LEFT, str_of(text));
        return;
    }
    str_from_seconds((double)(loop_wall_ms() - row_start(r)) / 1000, clock);
    if (isnan(share)) {
        snprintf(text, sizeof text, "%s %s", stage ? stage : "", clock);
        draw_fit(c, x, y, w, ROLE_TEXT, DRAW_LEFT, str_of(text));
        return;
    }
    draw_progress(c, x, y, w > 26 ? w - 16 : 8, ROLE_INFO, share);
    str_from_seconds(row_eta(r), clock);
    draw_printf(c, x + (w > 26 ? w - 16 : 8) + 1, y, ROLE_TEXT,
                "%3.0f%% %s left", 100 * share, clock);
}

static void
draw_row(const struct canvas *c, int y, const struct row *r)
{
    const char *sign, *word;
    char key[32];
    unsigned style;
    int title_w = c->w / 3, x;

    row_words(r, &sign, &word, &style);
    row_key(r, key);
    draw_text(c, 0, y, style, sign);
    draw_fit(c, 2, y, 5, ROLE_DIM, DRAW_LEFT,
             str_of(r->process ? "proc" : key));
    x = draw_fit(c, 7, y, title_w, ROLE_TEXT, DRAW_LEFT,
                 str_of(r->process ? r->job->title : r->task.title));
    x = draw_fit(c, x + 1, y, 10, style, DRAW_LEFT, str_of(word));
    if (x + 1 < c->w - 1)
        draw_progress_of(c, x + 1, y, c->w - x - 2, r);
}

static void
list_draw(struct view *v, const struct canvas *c)
{
    struct view_jobs *j = mine(v);

    if (j->n_rows == 0) {
        draw_text(c, 1, 1, ROLE_TEXT, "Nothing runs, and nothing has run yet.");
        draw_markup(c, 1, 3, ROLE_DIM,
                    "Cells, fits and profiles are listed here while they run.");
        draw_markup(c, 1, 4, ROLE_DIM,
                    "<:> job run starts a notebook that outlives this screen.");
        return;
    }
    list_show(&j->list, (size_t)c->h);
    for (int y = 0; y < c->h; y++) {
        size_t i = j->list.top + (size_t)y;

        if (i >= j->n_rows)
            break;
        draw_row(c, y, &j->row[i]);
        if (i == j->list.at) {
            draw_select(c, (struct rect){0, y, 7 + c->w / 3, 1});
        }
    }
    draw_scrollbar(c, c->w - 1, 0, c->h, j->list.top, (size_t)c->h, j->n_rows);
}

static void
list_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_jobs *j = mine(v);
    size_t running = 0;

    for (size_t i = 0; i < j->n_rows; i++)
        running += row_runs(&j->row[i]);
    buf_printf(left, "Jobs");
    if (j->n_rows > 0)
        buf_printf(left, " · %zu running · %zu ended", running,
                   j->n_rows - running);
    if (j->error[0])
        buf_puts(right, j->error);
}

static void
log_draw(struct view *v, const struct canvas *c)
{
    struct view_jobs *j = mine(v);
    const struct row *r = row_at_cursor(j);
    char key[32] = "";

    if (r)
        row_key(r, key);
    if (strcmp(key, j->log_of) != 0)
        refresh_log(j);
    if (r && !r->process && r->task.message[0] && j->log.text.len == 0)
        draw_wrap(c, (struct rect){1, 0, c->w - 2, c->h}, ROLE_ERROR,
                  str_of(r->task.message));
    else if (r && j->log.text.len == 0)
        draw_text(c, 1, 0, ROLE_DIM,
                  row_runs(r) ? "nothing written yet" : "it wrote nothing");
    else
        pager_draw(&j->log, c, NULL);
}

static void
log_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_jobs *j = mine(v);
    const struct row *r = row_at_cursor(j);

    buf_puts(left, "log");
    if (r)
        buf_printf(left, " · %s", r->process ? r->job->title : r->task.title);
    if (j->log.follow && r && row_runs(r))
        buf_puts(right, "follow ●");
}

static struct list *
list_of(struct view *v)
{
    return &mine(v)->list;
}

static struct pager *
log_of(struct view *v)
{
    return &mine(v)->log;
}

static const struct view_region regions[] = {
    [REGION_LIST] = {"jobs", list_draw, list_title, list_of, NULL, 0},
    [REGION_LOG] = {"log", log_draw, log_title, NULL, log_of, 0},
    {0},
};

static void
jobs_layout(struct view *v, struct layout *l)
{
    struct rect body = l->body;

    (void)v;
    if (body.w >= 130)
        layout_place(l, REGION_LOG, rect_right(&body, body.w * 2 / 5));
    else
        layout_place(l, REGION_LOG, rect_bottom(&body, body.h / 2));
    layout_place(l, REGION_LIST, body);
}

/* ---- actions ---- */

struct stop {
    char id[24], title[128];
};

static bool
stop_job(struct task *t, void *ctx, struct error *err)
{
    struct stop *s = ctx;

    return job_stop(session_dir(task_session(t)), s->id, 5000, err);
}

static void
stopped(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct stop *s = ctx;

    session_message(task_session(t), ok ? MESSAGE_INFO : MESSAGE_ERROR,
                    ok ? "%s is stopped" : "%s", ok ? s->title : err->message);
    session_notify(task_session(t), TOPIC_TASKS);
    free(s);
}

/* The list may have moved since the question was put. */
static void
cancel_confirmed(void *ctx, bool yes)
{
    struct view_jobs *j = ctx;
    const struct row *r = NULL;
    char key[32];
    struct stop *s;

    for (size_t i = 0; yes && i < j->n_rows; i++) {
        row_key(&j->row[i], key);
        if (strcmp(key, j->asked) == 0)
            r = &j->row[i];
    }
    if (!r || !row_runs(r))
        return;
    if (!r->process) {
        task_cancel_id(ui_session(j->view.ui), r->task.id);
        return;
    }
    s = mem_new(sizeof *s);
    snprintf(s->id, sizeof s->id, "%s", r->job->id);
    snprintf(s->title, sizeof s->title, "%s", r->job->title);
    task_start(ui_session(j->view.ui),
               &(struct task_spec){.title = "stop a job",
                                   .run = stop_job,
                                   .done = stopped,
                                   .ctx = s,
                                   .quiet = true});
}

static bool
can_cancel(struct view *v)
{
    const struct row *r = row_at_cursor(mine(v));

    return r && row_runs(r);
}

static void
act_cancel(struct view *v, const struct view_call *call)
{
    const struct row *r = row_at_cursor(mine(v));
    char question[192];

    (void)call;
    row_key(r, mine(v)->asked);
    snprintf(question, sizeof question, "cancel %s?",
             r->process ? r->job->title : r->task.title);
    ui_confirm(v->ui, question, cancel_confirmed, mine(v));
}

static void
act_open(struct view *v, const struct view_call *call)
{
    (void)call;
    v->focus = REGION_LOG;
    ui_touch(v->ui);
}

static void
act_follow(struct view *v, const struct view_call *call)
{
    (void)call;
    mine(v)->log.follow = !mine(v)->log.follow;
    ui_touch(v->ui);
}

static const struct view_action actions[] = {
    {"enter", "Job: log", "Moves into the log of the job.", NULL, act_open,
     NULL, ACTION_SUBJECT},
    {"kill", "Job: cancel",
     "Stops the job; what it has finished is kept. A fit keeps the rounds it "
     "has done.",
     NULL, act_cancel, can_cancel, ACTION_SUBJECT},
    {"follow", "Log: follow the end", NULL, NULL, act_follow, NULL, 0},
    {0},
};

/* ---- the class ---- */

static struct view *
jobs_open(struct ui *ui)
{
    struct view_jobs *j = mem_new(sizeof *j);

    j->view.ui = ui;
    j->jobs = loader_new(ui_session(ui), &jobs_loader, j);
    j->logs = loader_new(ui_session(ui), &log_loader, j);
    pager_init(&j->log);
    rebuild(j);
    loader_ask(j->jobs, NULL);
    return &j->view;
}

static void
jobs_close(struct view *v)
{
    struct view_jobs *j = mine(v);

    loader_free(j->jobs);
    loader_free(j->logs);
    loop_remove(j->timer);
    pager_fini(&j->log);
    job_list_fini(&j->loaded);
    free(j->row);
    free(j);
}

static void
jobs_changed(struct view *v, unsigned topics)
{
    struct view_jobs *j = mine(v);

    if (!(topics & TOPIC_TASKS))
        return;
    rebuild(j);
    loader_ask(j->jobs, NULL);
    if (j->shown)
        refresh_log(j);
    wind(j);
}

static void
jobs_shown(struct view *v, bool on)
{
    struct view_jobs *j = mine(v);

    j->shown = on;
    if (on) {
        rebuild(j);
        j->came = true;
        find_running(j);
        loader_ask(j->jobs, NULL);
        refresh_log(j);
    }
    wind(j);
}

static void
jobs_badge(struct view *v, struct buf *out)
{
    struct view_jobs *j = mine(v);
    size_t running = task_running(ui_session(v->ui));

    for (size_t i = 0; i < j->loaded.n; i++)
        running += j->loaded.job[i].state == JOB_RUNNING;
    if (running > 0)
        buf_printf(out, "●%zu", running);
}

static void
jobs_subject(struct view *v, struct buf *out)
{
    const struct row *r = row_at_cursor(mine(v));

    if (r)
        buf_puts(out, r->process ? r->job->title : r->task.title);
}

static bool
jobs_copy(struct view *v, enum copy_what what, struct buf *out)
{
    const struct row *r = row_at_cursor(mine(v));
    char key[32];

    if (!r)
        return false;
    row_key(r, key);
    if (what == COPY_REFERENCE)
        buf_puts(out, key);
    else
        buf_puts(out, r->process ? r->job->title : r->task.title);
    return true;
}

const struct view_class view_jobs_class = {
    .name = "jobs",
    .title = "Jobs",
    .regions = regions,
    .actions = actions,
    .open = jobs_open,
    .close = jobs_close,
    .layout = jobs_layout,
    .changed = jobs_changed,
    .shown = jobs_shown,
    .badge = jobs_badge,
    .subject = jobs_subject,
    .copy = jobs_copy,
};
