/* ui/view_registry.c -- models, versions, stages, lineage, history; promote and
 * roll back with a confirmation.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "engine/metric.h"
#include "session/task.h"
#include "store/deployment.h"
#include "ui/loader.h"
#include "ui/ui.h"
#include "ui/view.h"

enum { REGION_MODELS, REGION_VERSIONS, REGION_CARD, REGION_HISTORY };

/* What one load brings: every model's newest version, and for the model under
 * the cursor its versions, its history and who serves it. */
struct shelf {
    struct version_list models, versions;
    struct transition_list history;
    struct deployment_list deployments;
};

struct view_registry {
    struct view view;
    struct loader *loader;
    struct shelf shelf;
    struct list models, versions, history;
    char model[128]; /* whose versions are loaded */
    bool loaded;
    char error[ERROR_MESSAGE_MAX];
    char pending[256]; /* the command that waits for a yes */
};

static struct view_registry *
mine(struct view *v)
{
    return (struct view_registry *)v;
}

/* ---- loading ---- */

static void
free_shelf(void *out)
{
    struct shelf *s = out;

    version_list_fini(&s->models);
    version_list_fini(&s->versions);
    transition_list_fini(&s->history);
    deployment_list_fini(&s->deployments);
    *s = (struct shelf){0};
}

static bool
load_shelf(struct task *t, const char *arg, void *out, struct error *err)
{
    struct store *s = session_store(task_session(t), false, err);
    struct shelf *shelf = out;
    const char *model = arg;

    if (!s)
        return err->code == ERR_NOTFOUND; /* no store: nothing registered */
    if (!registry_list(s, NULL, &shelf->models, err))
        return false;
    if (shelf->models.n == 0)
        return true;
    if (!model || !model[0])
        model = shelf->models.version[0].model;
    if (!registry_list(s, model, &shelf->versions, err))
        return err->code == ERR_NOTFOUND; /* it was removed meanwhile */
    return registry_history(s, model, &shelf->history, err) &&
           deployment_list(s, &shelf->deployments, err);
}

static void
shelf_loaded(void *ctx, const char *arg, void *out, bool ok,
             const struct error *err)
{
    struct view_registry *r = ctx;
    struct shelf *fresh = out;

    (void)arg;
    r->loaded = true;
    snprintf(r->error, sizeof r->error, "%s", ok ? "" : err->message);
    if (ok) {
        struct shelf old = r->shelf;

        r->shelf = *fresh;
        *fresh = old;
        list_set(&r->models, r->shelf.models.n);
        list_set(&r->versions, r->shelf.versions.n);
        list_set(&r->history, r->shelf.history.n);
        snprintf(r->model, sizeof r->model, "%s",
                 r->shelf.versions.n ? r->shelf.versions.version[0].model : "");
        for (size_t i = 0; i < r->shelf.models.n; i++)
            if (strcmp(r->shelf.models.version[i].model, r->model) == 0)
                r->models.at = i;
    }
    ui_touch(r->view.ui);
}

static const struct loader_class shelf_loader = {
    sizeof(struct shelf), load_shelf, shelf_loaded, free_shelf};

static void
reload(struct view_registry *r, const char *model)
{
    loader_ask(r->loader, model);
}

static const struct version *
version_at(const struct view_registry *r)
{
    return r->versions.at < r->shelf.versions.n
               ? &r->shelf.versions.version[r->versions.at]
               : NULL;
}

/* The cursor of the model list has moved: load that model's versions. */
static void
follow_model(struct view_registry *r)
{
    const struct version *m = r->models.at < r->shelf.models.n
                                  ? &r->shelf.models.version[r->models.at]
                                  : NULL;

    if (m && strcmp(m->model, r->model) != 0 && !loader_busy(r->loader)) {
        r->versions.at = 0;
        reload(r, m->model);
    }
}

/* ---- words ---- */

static unsigned
stage_style(enum stage s)
{
    static const unsigned styles[] = {ROLE_DIM, ROLE_INFO, ROLE_OK, ROLE_DIM};

    return styles[s];
}

/* What the tables say: a version without a stage says nothing. */
static const char *
stage_text(enum stage s)
{
    return s == STAGE_NONE ? "-" : stage_word(s);
}

static const char *
stage_sign(enum stage s)
{
    static const char *const signs[] = {" ", "◆", "●", "○"};

    return signs[s];
}

/* "auc 0.846" of a metrics object; false when it holds none. */
static bool
headline(const char *metrics, char *out, size_t size, double *value)
{
    static const char *const wanted[] = {"auc", "test.auc", "r2", "accuracy",
                                         "rmse"};
    struct error err;
    struct json *o = json_parse(str_of(metrics), &err);
    const struct json *v = NULL;
    char number[STR_F64_MAX];
    bool ok = o && json_type(o) == JSON_OBJECT;

    for (size_t i = 0; ok && !v && i < sizeof wanted / sizeof *wanted; i++)
        v = json_find(o, wanted[i]);
    if (ok && !v)
        v = json_first(o);
    ok = ok && v && json_type(v) == JSON_NUMBER;
    if (ok) {
        *value = json_number(v);
        str_from_decimals(*value, str_decimals(*value, 4), number);
        snprintf(out, size, "%s %s", json_key(v), number);
    }
    json_free(o);
    return ok;
}

static void
day_text(int64_t ms, char *out, size_t size)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    localtime_r(&t, &tm);
    strftime(out, size, "%Y-%m-%d %H:%M", &tm);
}

static void
size_text(int64_t bytes, char *out, size_t size)
{
    if (bytes < 1 << 20)
        snprintf(out, size, "%.0f KiB", (double)bytes / 1024);
    else
        snprintf(out, size, "%.1f MiB", (double)bytes / (1 << 20));
}

/* ---- drawing ---- */

static void
select_row(const struct canvas *c, int y)
{
    draw_select(c, (struct rect){0, y, 20, 1});
}

static void
draw_empty(struct view_registry *r, const struct canvas *c)
{
    if (!r->loaded) {
        draw_text(c, 1, 1, ROLE_DIM, "loading…");
    } else if (r->error[0]) {
        draw_wrap(c, (struct rect){1, 1, c->w - 2, c->h - 1}, ROLE_ERROR,
                  str_of(r->error));
    } else {
        draw_text(c, 1, 1, ROLE_TEXT, "No models registered yet.");
        draw_markup(c, 1, 2, ROLE_DIM,
                    "<3> goes to the runs, where <r> registers a model");
        draw_text(c, 1, 3, ROLE_DIM,
                  "In a notebook:  lathe.register(\"churn\", model)");
    }
}

static void
models_draw(struct view *v, const struct canvas *c)
{
    struct view_registry *r = mine(v);
    int x = 2 + c->w / 4;

    if (r->shelf.models.n == 0) {
        draw_empty(r, c);
        return;
    }
    follow_model(r);
    draw_text(c, 1, 0, ROLE_DIM, "model");
    draw_text(c, x, 0, ROLE_DIM, "last  stage       metric");
    if (x + 32 + 10 < c->w)
        draw_fit(c, x + 33, 0, 9, ROLE_DIM, DRAW_RIGHT, STR("size"));
    if (x + 44 + 10 < c->w)
        draw_text(c, x + 44, 0, ROLE_DIM, "family");
    list_show(&r->models, (size_t)(c->h > 1 ? c->h - 1 : 0));
    for (int y = 1; y < c->h; y++) {
        size_t i = r->models.top + (size_t)y - 1;
        const struct version *m;
        char text[48], size[24];
        double value;

        if (i >= r->shelf.models.n)
            break;
        m = &r->shelf.models.version[i];
        draw_fit(c, 1, y, x - 2, ROLE_TITLE, DRAW_LEFT, str_of(m->model));
        draw_printf(c, x, y, ROLE_TEXT, "v%lld", (long long)m->number);
        draw_text(c, x + 6, y, stage_style(m->stage), stage_text(m->stage));
        if (headline(m->metrics, text, sizeof text, &value))
            draw_fit(c, x + 18, y, 14, ROLE_TEXT, DRAW_LEFT, str_of(text));
        size_text(m->size, size, sizeof size);
        if (x + 32 + 10 < c->w)
            draw_fit(c, x + 33, y, 9, ROLE_DIM, DRAW_RIGHT, str_of(size));
        if (x + 44 + 10 < c->w)
            draw_fit(c, x + 44, y, c->w - x - 45, ROLE_DIM, DRAW_LEFT,
                     str_of(m->family));
        if (i == r->models.at)
            select_row(c, y);
    }
}

static void
models_title(struct view *v, struct buf *left, struct buf *right)
{
    struct view_registry *r = mine(v);

    (void)right;
    buf_puts(left, "Models");
    if (r->shelf.models.n > 0)
        buf_printf(left, " %zu", r->shelf.models.n);
}

static void
versions_draw(struct view *v, const struct canvas *c)
{
    struct view_registry *r = mine(v);

    list_show(&r->versions, (size_t)c->h);
    for (int y = 0; y < c->h; y++) {
        size_t i = r->versions.top + (size_t)y;
        const struct version *m;
        char text[48], when[32];
        double value;
        int x;

        if (i >= r->shelf.versions.n)
            break;
        m = &r->shelf.versions.version[i];
        draw_printf(c, 1, y, ROLE_TEXT, "v%lld", (long long)m->number);
        draw_text(c, 6, y, stage_style(m->stage), stage_sign(m->stage));
        draw_fit(c, 8, y, 11, stage_style(m->stage), DRAW_LEFT,
                 str_of(stage_text(m->stage)));
        x = 20;
        if (headline(m->metrics, text, sizeof text, &value))
            draw_fit(c, x, y, 14, ROLE_TEXT, DRAW_LEFT, str_of(text));
        x += 15;
        if (m->aliases[0] && x < c->w)
            x = draw_printf(c, x, y, ROLE_ACCENT, "@%s", m->aliases) + 1;
        day_text(m->created_ms, when, sizeof when);
        if (c->w - x > 18)
            draw_fit(c, c->w - 18, y, 17, ROLE_DIM, DRAW_RIGHT, str_of(when));
        if (i == r->versions.at)
            select_row(c, y);
    }
}

static void
versions_title(struct view *v, struct buf *left, struct buf *right)
{
    (void)right;
    buf_printf(left, "%s%sversions", mine(v)->model,
               mine(v)->model[0] ? " · " : "");
}

static int
pair(const struct canvas *c, int y, const char *name, const char *value)
{
    if (!value || !value[0] || y >= c->h)
        return y;
    draw_fit(c, 1, y, 10, ROLE_DIM, DRAW_LEFT, str_of(name));
    draw_fit(c, 11, y, c->w - 12, ROLE_TEXT, DRAW_LEFT, str_of(value));
    return y + 1;
}

/* ▲ is better and ▼ worse, whichever way the metric counts; one that is not
 * ours has no such judgement. */
static void
draw_change(const struct canvas *c, int x, int y, const char *name, double old,
            double now, int64_t old_number)
{
    char change[STR_F64_MAX];

    str_from_decimals(now - old, str_decimals(now, 4), change);
    x = draw_printf(c, x, y, ROLE_DIM, "v%lld %s%s ", (long long)old_number,
                    now >= old ? "+" : "", change);
    if (now == old)
        draw_text(c, x, y, ROLE_DIM, "= same");
    else if (metric_ranked(name) && metric_better(name, now, old))
        draw_text(c, x, y, ROLE_OK, "▲ better");
    else if (metric_ranked(name))
        draw_text(c, x, y, ROLE_WARN, "▼ worse");
}

static void
draw_metric(const struct canvas *c, int x, int y, const struct json *now,
            const struct json *old, int64_t old_number)
{
    char text[STR_F64_MAX];

    draw_fit(c, x, y, 10, ROLE_DIM, DRAW_LEFT, str_of(json_key(now)));
    str_from_number(json_number(now), 5, text);
    x = draw_printf(c, x + 10, y, ROLE_TEXT, "%s", text);
    if (!old || json_type(old) != JSON_NUMBER)
        return;
    draw_change(c, x + 2, y, json_key(now), json_number(old), json_number(now),
                old_number);
}

/* Each metric beside that of the next older version; in two columns where the
 * card is low, whose last line stays free for the lineage. */
static int
draw_metrics(const struct canvas *c, int y, const struct version *m,
             const struct version *before)
{
    struct error err;
    struct json *now = json_parse(str_of(m->metrics), &err);
    struct json *then =
        before ? json_parse(str_of(before->metrics), &err) : NULL;
    int columns = c->h < 10 && c->w >= 70 ? 2 : 1, n = 0;

    if (now && json_type(now) == JSON_OBJECT)
        for (const struct json *v = json_first(now); v; v = json_next(v)) {
            const struct json *old = then && json_type(then) == JSON_OBJECT
                                         ? json_find(then, json_key(v))
                                         : NULL;
            int row = y + n / columns;

            if (json_type(v) != JSON_NUMBER || row >= c->h - 1)
                continue;
            draw_metric(c, 1 + n % columns * (c->w / 2), row, v, old,
                        before ? before->number : 0);
            n++;
        }
    json_free(now);
    json_free(then);
    return y + (n + columns - 1) / columns;
}

static void
card_draw(struct view *v, const struct canvas *c)
{
    struct view_registry *r = mine(v);
    const struct version *m = version_at(r);
    char text[256], size[24];
    int y = 0;

    if (!m)
        return;
    y = draw_metrics(c, y, m,
                     r->versions.at + 1 < r->shelf.versions.n
                         ? &r->shelf.versions.version[r->versions.at + 1]
                         : NULL);
    snprintf(text, sizeof text, "run %.12s → %s/%lld", m->run[0] ? m->run : "-",
             m->model, (long long)m->number);
    for (size_t i = 0; i < r->shelf.deployments.n; i++) {
        const struct deployment *d = &r->shelf.deployments.deployment[i];
        char label[160];

        snprintf(label, sizeof label, "%s/%lld", m->model,
                 (long long)m->number);
        if (strcmp(d->label, label) == 0)
            snprintf(text + strlen(text), sizeof text - strlen(text),
                     " → endpoint %s", d->name);
    }
    y = pair(c, y, "lineage", text);
    y = pair(c, y, "aliases", m->aliases);
    y = pair(c, y, "family", m->family);
    y = pair(c, y, "about", m->description);
    size_text(m->size, size, sizeof size);
    snprintf(text, sizeof text, "%.16s…  %s", m->artifact, size);
    pair(c, y, "sha256", text);
}

static void
card_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct version *m = version_at(mine(v));

    (void)right;
    if (m)
        buf_printf(left, "%s/%lld · card", m->model, (long long)m->number);
    else
        buf_puts(left, "card");
}

static void
history_draw(struct view *v, const struct canvas *c)
{
    struct view_registry *r = mine(v);

    list_show(&r->history, (size_t)c->h);
    for (int y = 0; y < c->h; y++) {
        size_t i = r->history.top + (size_t)y;
        const struct transition *t;
        char when[32];
        int x;

        if (i >= r->shelf.history.n)
            break;
        t = &r->shelf.history.transition[i];
        day_text(t->time_ms, when, sizeof when);
        draw_text(c, 1, y, ROLE_DIM, when);
        x = draw_printf(c, 19, y, ROLE_TEXT, "v%-3lld %s ",
                        (long long)t->number, t->what);
        if (t->from[0])
            x = draw_printf(c, x, y, ROLE_DIM, "%s → ", t->from);
        if (t->from[0] || strcmp(t->to, "None") != 0)
            x = draw_text(c, x, y, ROLE_TEXT, t->to);
        if (t->why[0])
            draw_printf(c, x + 2, y, ROLE_DIM, "%s", t->why);
        if (c->focus && i == r->history.at)
            select_row(c, y);
    }
}

static struct list *
models_of(struct view *v)
{
    return &mine(v)->models;
}

static struct list *
versions_of(struct view *v)
{
    return &mine(v)->versions;
}

static struct list *
history_of(struct view *v)
{
    return &mine(v)->history;
}

static const struct view_region regions[] = {
    [REGION_MODELS] = {"models", models_draw, models_title, models_of, NULL, 0},
    [REGION_VERSIONS] = {"versions", versions_draw, versions_title, versions_of,
                         NULL, 0},
    [REGION_CARD] = {"card", card_draw, card_title, NULL, NULL, REGION_PASSIVE},
    [REGION_HISTORY] = {"history", history_draw, NULL, history_of, NULL, 0},
    {0},
};

static const struct view_sign signs[] = {
    {"●", "the version in production"},
    {"◆", "a version in staging"},
    {"○", "an archived version"},
    {"▲", "better than the version before"},
    {"▼", "worse than the version before"},
    {0},
};

static void
registry_layout(struct view *v, struct layout *l)
{
    struct rect body = l->body;

    (void)v;
    if (body.w >= 130) {
        struct rect right = rect_right(&body, body.w / 2);

        layout_place(l, REGION_HISTORY, rect_bottom(&right, right.h / 2));
        layout_place(l, REGION_CARD, right);
        layout_place(l, REGION_VERSIONS, rect_bottom(&body, body.h * 2 / 3));
    } else {
        layout_place(l, REGION_HISTORY, rect_bottom(&body, body.h / 4));
        layout_place(l, REGION_CARD, rect_bottom(&body, body.h * 2 / 5));
        layout_place(l, REGION_VERSIONS, rect_bottom(&body, body.h / 2));
    }
    layout_place(l, REGION_MODELS, body);
}

/* ---- actions ---- */

static void
confirmed(void *ctx, bool yes)
{
    struct view_registry *r = ctx;

    if (yes && r->pending[0])
        ui_run_command(r->view.ui, r->pending, 0);
    r->pending[0] = '\0';
}

static void
promote_to(struct view_registry *r, const char *stage)
{
    const struct version *m = version_at(r);
    const struct version *holder = NULL;
    char question[256];

    if (!m)
        return;
    for (size_t i = 0; i < r->shelf.versions.n; i++)
        if (strcasecmp(stage_word(r->shelf.versions.version[i].stage), stage) ==
            0)
            holder = &r->shelf.versions.version[i];
    snprintf(r->pending, sizeof r->pending, "registry promote %s/%lld %s",
             m->model, (long long)m->number, stage);
    if (holder && holder != m && strcasecmp(stage, "archived") != 0 &&
        strcasecmp(stage, "none") != 0)
        snprintf(question, sizeof question,
                 "%s/%lld to %s? v%lld goes to Archived", m->model,
                 (long long)m->number, stage, (long long)holder->number);
    else
        snprintf(question, sizeof question, "%s/%lld to %s?", m->model,
                 (long long)m->number, stage);
    ui_confirm(r->view.ui, question, confirmed, r);
}

static const struct ui_menu_item stages[] = {
    {"Production", "answers requests", NULL},
    {"Staging", "to be tried", NULL},
    {"Archived", "kept, not used", NULL},
    {"None", "no stage", NULL},
};

static void
stage_chosen(void *ctx, size_t chosen)
{
    if (chosen < sizeof stages / sizeof *stages)
        promote_to(ctx, stages[chosen].title);
}

static void
act_stage(struct view *v, const struct view_call *call)
{
    (void)call;
    ui_menu(v->ui, "stage", stages, sizeof stages / sizeof *stages,
            stage_chosen, mine(v));
}

static void
act_rollback(struct view *v, const struct view_call *call)
{
    struct view_registry *r = mine(v);
    char question[200];

    (void)call;
    snprintf(r->pending, sizeof r->pending, "registry rollback %s", r->model);
    snprintf(question, sizeof question,
             "give Production of %s back to the version before?", r->model);
    ui_confirm(v->ui, question, confirmed, r);
}

static void
act_alias(struct view *v, const struct view_call *call)
{
    const struct version *m = version_at(mine(v));
    char line[256];

    if (!m || !call->arg || !call->arg[0])
        return;
    snprintf(line, sizeof line, "registry alias %s/%lld %s", m->model,
             (long long)m->number, call->arg);
    ui_run_command(v->ui, line, 0);
}

static void
act_deploy(struct view *v, const struct view_call *call)
{
    const struct version *m = version_at(mine(v));
    char line[256];

    if (!m || !call->arg || !call->arg[0])
        return;
    snprintf(line, sizeof line, "endpoint create %s %s/%lld", call->arg,
             m->model, (long long)m->number);
    ui_run_command(v->ui, line, 0);
    ui_goto(v->ui, "endpoints", NULL);
}

static void
act_verify(struct view *v, const struct view_call *call)
{
    const struct version *m = version_at(mine(v));
    char line[256];

    (void)call;
    if (!m)
        return;
    snprintf(line, sizeof line, "registry verify %s", m->model);
    ui_run_command(v->ui, line, 0);
}

static void
act_open(struct view *v, const struct view_call *call)
{
    struct view_registry *r = mine(v);
    const struct version *m = version_at(r);

    (void)call;
    if (v->focus == REGION_MODELS)
        v->focus = REGION_VERSIONS;
    else if (m && m->run[0])
        ui_goto(v->ui, "runs", m->run);
    ui_touch(v->ui);
}

static bool
has_version(struct view *v)
{
    return version_at(mine(v)) != NULL;
}

static const struct view_action actions[] = {
    {"enter", "Version: open",
     "From a model to its versions, from a version to the run that made it.",
     NULL, act_open, has_version, ACTION_SUBJECT},
    {"stage", "Version: set its stage",
     "Production and Staging hold one version each: the one that was there "
     "goes to Archived. The history keeps who, when and why.",
     NULL, act_stage, has_version, ACTION_SUBJECT},
    {"rollback", "Model: roll back Production",
     "Gives Production back to the version that held it before.", NULL,
     act_rollback, has_version, ACTION_SUBJECT},
    {"alias", "Version: give it an alias",
     "A free name such as champion: "
     "churn@champion then means this version.",
     "alias: ", act_alias, has_version, ACTION_SUBJECT},
    {"deploy", "Version: deploy", "Starts an endpoint that serves it.",
     "name of the endpoint: ", act_deploy, has_version, ACTION_SUBJECT},
    {"verify", "Version: verify its file",
     "Reads the artifact and compares it with its SHA-256.", NULL, act_verify,
     has_version, ACTION_SUBJECT},
    {0},
};

/* ---- the class ---- */

static struct view *
registry_open(struct ui *ui)
{
    struct view_registry *r = mem_new(sizeof *r);

    r->view.ui = ui;
    r->loader = loader_new(ui_session(ui), &shelf_loader, r);
    reload(r, NULL);
    return &r->view;
}

static void
registry_close(struct view *v)
{
    struct view_registry *r = mine(v);

    loader_free(r->loader);
    free_shelf(&r->shelf);
    free(r);
}

static void
registry_changed(struct view *v, unsigned topics)
{
    if (topics & (TOPIC_REGISTRY | TOPIC_ENDPOINTS))
        reload(mine(v), mine(v)->model);
}

static void
registry_shown(struct view *v, bool on)
{
    if (on)
        reload(mine(v), mine(v)->model);
}

static bool
registry_show(struct view *v, const char *what, struct error *err)
{
    char model[128];
    size_t n = strcspn(what, "/@");

    (void)err;
    if (n >= sizeof model)
        n = sizeof model - 1;
    memcpy(model, what, n);
    model[n] = '\0';
    reload(mine(v), model);
    return true;
}

static void
registry_subject(struct view *v, struct buf *out)
{
    const struct version *m = version_at(mine(v));

    if (m)
        buf_printf(out, "%s/%lld", m->model, (long long)m->number);
}

static bool
registry_mouse(struct view *v, unsigned region, const struct input_event *e)
{
    struct list *l = &mine(v)->models;

    if (region != REGION_MODELS || e->mouse != MOUSE_PRESS)
        return false;
    if (e->y > 0 && l->top + (size_t)e->y - 1 < l->n)
        l->at = l->top + (size_t)e->y - 1;
    return true;
}

static bool
registry_copy(struct view *v, enum copy_what what, struct buf *out)
{
    const struct version *m = version_at(mine(v));

    if (!m)
        return false;
    if (what == COPY_ROW)
        buf_printf(out, "%s\t%lld\t%s\t%s\t%s", m->model, (long long)m->number,
                   stage_word(m->stage), m->metrics, m->artifact);
    else
        buf_printf(out, "models:/%s/%lld", m->model, (long long)m->number);
    return true;
}

const struct view_class view_registry_class = {
    .name = "registry",
    .title = "Registry",
    .regions = regions,
    .actions = actions,
    .signs = signs,
    .open = registry_open,
    .close = registry_close,
    .layout = registry_layout,
    .changed = registry_changed,
    .shown = registry_shown,
    .show = registry_show,
    .mouse = registry_mouse,
    .subject = registry_subject,
    .copy = registry_copy,
};
