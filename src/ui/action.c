/* ui/action.c -- from keys to actions, the frame's own actions, and commands.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "script/kernel.h"
#include "session/task.h"

enum { COUNT_MAX = 1000000, WORDS_MAX = 64 };

/* ---- the frame's own actions ---- */

static void
show_tab_n(struct ui *ui, unsigned n)
{
    ui->did |= DID_SWITCH;
    ui_show_tab(ui, n);
}

static void
do_tab(struct ui *ui, const struct frame_call *c)
{
    show_tab_n(ui, (unsigned)c->value);
}

static unsigned
count_tabs(void)
{
    unsigned n = 0;

    while (ui_has_tab(n))
        n++;
    return n;
}

static void
do_tab_step(struct ui *ui, const struct frame_call *c)
{
    unsigned n = count_tabs();

    if (c->count > 0)
        show_tab_n(ui, (unsigned)c->count - 1);
    else if (n > 0)
        show_tab_n(ui, (ui->tab + n + (unsigned)(c->value + 1) - 1) % n);
}

static void
do_region_step(struct ui *ui, const struct frame_call *c)
{
    frame_next_region(ui_at(ui), c->value);
}

static void
do_region_aside(struct ui *ui, const struct frame_call *c)
{
    frame_move_focus(ui_at(ui), c->value, 0);
}

static void
do_region_along(struct ui *ui, const struct frame_call *c)
{
    frame_move_focus(ui_at(ui), 0, c->value);
}

static void
do_zoom(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    ui_at(ui)->zoom = !ui_at(ui)->zoom;
}

static void
do_palette(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    palette_open(ui);
}

static void
do_help(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    help_open(ui);
}

static void
do_actions(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    palette_actions(ui);
}

static void
left(void *ctx, char key)
{
    struct ui *ui = ctx;

    if (key == 'd')
        ui_detach(ui);
    else if (key == 'q' || key == 'y')
        ui_quit(ui);
}

static void
do_back(struct ui *ui, const struct frame_call *c)
{
    struct view *v = ui_at(ui);
    bool root = ui->n_pushed == 0 || v->class == &view_start_class;

    (void)c;
    if (v->class->back && v->class->back(v))
        return;
    if (v->zoom) {
        v->zoom = false;
    } else if (!root) {
        ui_pop(ui);
    } else if (attach_foreground(ui->server)) {
        ui_choose(ui, "Leave lathe?  <q> quit  <any other key> stay", "qy",
                  left, ui);
    } else {
        ui_choose(ui,
                  "Leave lathe?  <q> quit  <d> detach, everything goes on  "
                  "<any other key> stay",
                  "qyd", left, ui);
    }
}

static void
do_enter(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    ui_message(ui, MESSAGE_INFO, "there is nothing to go into here");
}

/* ---- search and filter ---- */

static void
search(struct ui *ui, int dir)
{
    struct view *v = ui_at(ui);
    const struct view_region *r = &v->class->regions[v->focus];
    bool found = false;

    if (!*ui->search) {
        ui_message(ui, MESSAGE_INFO, "nothing to search for yet: / begins");
        return;
    }
    if (v->class->search)
        found = v->class->search(v, ui->search, dir);
    else if (r->pager)
        found = pager_search(r->pager(v), ui->search, dir);
    if (!found)
        ui_message(ui, MESSAGE_WARN, "\"%s\" is not here", ui->search);
}

static void
search_given(void *ctx, const char *text)
{
    struct ui *ui = ctx;

    if (!text)
        return;
    snprintf(ui->search, sizeof ui->search, "%s", text);
    if (*text)
        search(ui, 1);
}

static void
do_search(struct ui *ui, const struct frame_call *c)
{
    const struct ui_question q = {
        .label = "/", .history = "search", .done = search_given, .ctx = ui};

    if (c->arg)
        search_given(ui, c->arg);
    else
        ui_ask(ui, &q);
}

static void
do_search_step(struct ui *ui, const struct frame_call *c)
{
    for (int i = 0; i < (c->count > 0 ? c->count : 1); i++)
        search(ui, c->value);
}

static void
filter_given(void *ctx, const char *text)
{
    struct ui *ui = ctx;
    struct view *v = ui_at(ui);
    struct error err;

    if (text && v->class->filter && !v->class->filter(v, text, &err))
        ui_error(ui, &err);
}

static size_t
complete_view_words(void *ctx, struct str line, size_t at, size_t *begin,
                    char ***out)
{
    struct view *v = ui_at(ctx);
    char **words;
    size_t n, from = at, found = 0;

    *out = NULL;
    if (!v->class->words)
        return 0;
    while (from > 0 && !strchr(" ()+-*/<>=,!", line.p[from - 1]))
        from--;
    *begin = from;
    n = v->class->words(v, &words);
    *out = mem_new((n + 1) * sizeof **out);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(words[i], line.p + from, at - from) == 0)
            (*out)[found++] = words[i];
        else
            free(words[i]);
    }
    free(words);
    return found;
}

static void
do_filter(struct ui *ui, const struct frame_call *c)
{
    struct view *v = ui_at(ui);
    const struct ui_question q = {
        .label = "filter: ",
        .text = v->class->filter_text ? v->class->filter_text(v) : NULL,
        .history = "filter",
        .hint = "Enter apply   empty clears   Tab complete   Esc cancel",
        .complete = complete_view_words,
        .done = filter_given,
        .ctx = ui};

    if (c->arg)
        filter_given(ui, c->arg);
    else
        ui_ask(ui, &q);
}

/* ---- copying ---- */

static void
do_copy(struct ui *ui, const struct frame_call *c)
{
    static const char *const names[] = {[COPY_THING] = "thing",
                                        [COPY_ROW] = "row",
                                        [COPY_COLUMN] = "column",
                                        [COPY_REFERENCE] = "reference"};
    struct view *v = ui_at(ui);
    struct buf b;

    buf_init(&b);
    if (v->class->copy && v->class->copy(v, (enum copy_what)c->value, &b))
        ui_copy(ui, b.data, b.len, names[c->value]);
    else
        ui_message(ui, MESSAGE_INFO, "there is no %s to copy here",
                   names[c->value]);
    buf_fini(&b);
}

static void
do_yank(struct ui *ui, const struct frame_call *c)
{
    struct view *v = ui_at(ui);
    struct error err;
    struct buf b;

    buf_init(&b);
    if (!v->class->copy || !v->class->copy(v, COPY_THING, &b))
        ui_message(ui, MESSAGE_INFO, "there is nothing to copy here");
    else if (!file_replace(c->arg, b.data, b.len, 0600, &err))
        ui_error(ui, &err);
    else
        ui_message(ui, MESSAGE_INFO, "written to %s", c->arg);
    buf_fini(&b);
}

/* ---- the terminal ---- */

static void
do_cancel(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    *ui->search = '\0';
}

static void
do_interrupt(struct ui *ui, const struct frame_call *c)
{
    struct view *notebook = ui->tabs[1];
    const struct view_action *a =
        notebook ? view_action_find(notebook->class, "interrupt") : NULL;
    const struct view_call call = {c->count, c->arg};

    if (a && ui->kernel && kernel_running(ui->kernel))
        a->run(notebook, &call);
    else if (ui->kernel && kernel_running(ui->kernel))
        kernel_interrupt(ui->kernel);
    else
        ui_message(ui, MESSAGE_INFO, "nothing to interrupt; Q quits");
}

static void
do_redraw(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    if (ui->term)
        term_redraw(ui->term);
}

static void
do_suspend(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    ui_suspend_here(ui);
    attach_stop(ui->server);
}

static void
do_mouse(struct ui *ui, const struct frame_call *c)
{
    struct term_facts facts;

    (void)c;
    if (!ui->term)
        return;
    term_facts(ui->term, &facts);
    term_set_mouse(ui->term, !facts.mouse);
    ui_message(ui, MESSAGE_INFO,
               facts.mouse
                   ? "mouse off: the terminal selects text itself"
                   : "mouse on; with Shift held the terminal selects text");
}

static void
do_theme(struct ui *ui, const struct frame_call *c)
{
    char **names;
    size_t n, i = 0;

    if (c->arg) {
        ui_set_theme(ui, c->arg);
        return;
    }
    n = theme_list(&names);
    while (i < n && strcmp(names[i], ui->theme.name) != 0)
        i++;
    if (n > 0) {
        ui_set_theme(ui, names[(i + 1) % n]);
        ui_message(ui, MESSAGE_INFO, "theme %s", ui->theme.name);
    }
    for (i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static void
do_glyphs(struct ui *ui, const struct frame_call *c)
{
    if (!ui->term)
        return;
    if (strcmp(c->arg, "ascii") == 0)
        term_set_glyphs(ui->term, DRAW_ASCII);
    else if (strcmp(c->arg, "block") == 0)
        term_set_glyphs(ui->term, DRAW_BLOCK);
    else if (strcmp(c->arg, "braille") == 0)
        term_set_glyphs(ui->term, DRAW_BRAILLE);
    else
        ui_message(ui, MESSAGE_ERROR,
                   "glyphs are braille, block or ascii, not \"%s\"", c->arg);
}

static void
do_shell(struct ui *ui, const struct frame_call *c)
{
    static const char *const argv[] = {"sh", "-c", "exec ${SHELL:-sh}", NULL};

    (void)c;
    ui_suspend_here(ui);
    attach_run(ui->server, session_project(ui->session), argv);
}

static void
do_quit(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    ui_quit(ui);
}

static void
do_detach(struct ui *ui, const struct frame_call *c)
{
    (void)c;
    ui_detach(ui);
}

/* ---- pages ---- */

static void
do_messages(struct ui *ui, const struct frame_call *c)
{
    static const char *const sign[] = {" ", "▲", "✗"};
    struct message m;
    struct buf b;

    (void)c;
    buf_init(&b);
    for (size_t i = 0; session_message_at(ui->session, i, &m); i++) {
        time_t t = (time_t)(m.time_ms / 1000);
        struct tm tm;
        char clock[16];

        localtime_r(&t, &tm);
        strftime(clock, sizeof clock, "%H:%M:%S", &tm);
        buf_printf(&b, "%s %s %s\n", clock, sign[m.level], m.text);
    }
    if (b.len == 0)
        buf_puts(&b, "no messages yet\n");
    ui_page(ui, "messages, newest first", b.data, b.len);
    buf_fini(&b);
}

static void
do_log(struct ui *ui, const struct frame_call *c)
{
    struct buf b;

    (void)c;
    buf_init(&b);
    log_tail(&b, 1000);
    ui_page(ui, "log of the workbench", b.data ? b.data : "", b.len);
    buf_fini(&b);
}

static void
do_facts(struct ui *ui, const struct frame_call *c)
{
    struct term_facts f;

    (void)c;
    if (!ui->term)
        return;
    term_facts(ui->term, &f);
    ui_message(ui, MESSAGE_INFO,
               "%s · %d colours · %s · mouse %s · rtt %d ms · %llu frames, "
               "%llu bytes · slowest %.1f ms",
               f.name, f.colours, f.utf8 ? "UTF-8" : "ASCII",
               f.mouse ? "on" : "off", f.rtt_ms, (unsigned long long)f.frames,
               (unsigned long long)f.bytes, (double)ui->slow_us / 1000);
}

static void
do_screendump(struct ui *ui, const struct frame_call *c)
{
    struct error err;
    struct buf b;

    frame_draw(ui);
    buf_init(&b);
    grid_text(ui->grid, &b);
    if (file_replace(c->arg, b.data, b.len, 0644, &err))
        ui_message(ui, MESSAGE_INFO, "the screen is in %s", c->arg);
    else
        ui_error(ui, &err);
    buf_fini(&b);
}

/* "runs a axis-next" */
static void
do_bind(struct ui *ui, const struct frame_call *c)
{
    char text[128], *save = NULL;
    struct error err;

    snprintf(text, sizeof text, "%s", c->arg);
    const char *view = strtok_r(text, " ", &save);
    const char *keys = strtok_r(NULL, " ", &save);
    const char *command = save && *save ? save : NULL;

    if (!view || !keys || !command) {
        ui_message(ui, MESSAGE_ERROR,
                   "a binding is a view (or *), keys and a command: runs a "
                   "axis-next");
        return;
    }
    if (!keymap_bind(ui->keymap, strcmp(view, "*") == 0 ? "" : view, keys,
                     command, NULL, &err))
        ui_error(ui, &err);
    else
        ui_message(ui, MESSAGE_INFO, "%s runs %s", keys, command);
}

/* ---- which of them mean something now ---- */

static bool
knows_regions(struct ui *ui, const struct frame_action *f)
{
    (void)f;
    return view_regions(ui_at(ui)->class) > 1;
}

static bool
knows_search(struct ui *ui, const struct frame_action *f)
{
    (void)f;
    const struct view *v = ui_at(ui);

    return v->class->search || v->class->regions[v->focus].pager;
}

static bool
knows_filter(struct ui *ui, const struct frame_action *f)
{
    (void)f;
    return ui_at(ui)->class->filter != NULL;
}

static bool
knows_copy(struct ui *ui, const struct frame_action *f)
{
    (void)f;
    return ui_at(ui)->class->copy != NULL;
}

static bool
knows_column(struct ui *ui, const struct frame_action *f)
{
    (void)f;
    return ui_at(ui)->class->copy && ui_at(ui)->class->words;
}

static bool
knows_detach(struct ui *ui, const struct frame_action *f)
{
    (void)f;
    return !attach_foreground(ui->server);
}

static bool
knows_tab(struct ui *ui, const struct frame_action *f)
{
    (void)ui;
    return ui_has_tab((unsigned)f->value);
}

const struct frame_action frame_actions[] = {
    {"tab-1", "Go to Data", "Tables, their rows and profiles.", NULL, do_tab,
     knows_tab, 0},
    {"tab-2", "Go to Notebook", "Cells of Lua and their outputs.", NULL, do_tab,
     knows_tab, 1},
    {"tab-3", "Go to Runs", "Training runs and their curves.", NULL, do_tab,
     knows_tab, 2},
    {"tab-4", "Go to Registry", "Models, their versions and stages.", NULL,
     do_tab, knows_tab, 3},
    {"tab-5", "Go to Endpoints", "Models that are served, and how they do.",
     NULL, do_tab, knows_tab, 4},
    {"tab-6", "Go to Jobs", "What runs, what waits, and logs.", NULL, do_tab,
     knows_tab, 5},
    {"tab-next", NULL, "The next view; with a count, that one.", NULL,
     do_tab_step, NULL, 1},
    {"tab-prev", NULL, "The view before.", NULL, do_tab_step, NULL, -1},
    {"region-next", NULL, "Give the keys to the next region of the view.", NULL,
     do_region_step, knows_regions, 1},
    {"region-prev", NULL, "Give the keys to the region before.", NULL,
     do_region_step, knows_regions, -1},
    {"region-left", NULL, "Give the keys to the region on the left.", NULL,
     do_region_aside, knows_regions, -1},
    {"region-right", NULL, "Give the keys to the region on the right.", NULL,
     do_region_aside, knows_regions, 1},
    {"region-up", NULL, "Give the keys to the region above.", NULL,
     do_region_along, knows_regions, -1},
    {"region-down", NULL, "Give the keys to the region below.", NULL,
     do_region_along, knows_regions, 1},
    {"subtab-next", NULL,
     "The next region; in a small terminal the next page of the view.", NULL,
     do_region_step, knows_regions, 1},
    {"subtab-prev", NULL, "The region before.", NULL, do_region_step,
     knows_regions, -1},
    {"zoom", "Zoom the region", "The region alone on the screen, and back.",
     NULL, do_zoom, knows_regions, 0},
    {"palette", NULL,
     "Every action and command, found by a few letters of its name or of its help.",
     NULL, do_palette, NULL, 0},
    {"help", "Help: keys for where you are",
     "Every key that does something here. Type to filter, Enter runs.", NULL,
     do_help, NULL, 0},
    {"actions", "Actions here",
     "What can be done to the thing under the cursor.", NULL, do_actions, NULL,
     0},
    {"enter", NULL, "Go into the thing under the cursor.", NULL, do_enter, NULL,
     0},
    {"back", NULL,
     "Out of where you are; at the root it asks whether to quit or detach.",
     NULL, do_back, NULL, 0},
    {"search", "Search", "Find text, headings included. n and N go on.", NULL,
     do_search, knows_search, 0},
    {"search-next", NULL, "The next match.", NULL, do_search_step, knows_search,
     1},
    {"search-prev", NULL, "The match before.", NULL, do_search_step,
     knows_search, -1},
    {"filter", "Filter by an expression",
     "Show what an expression holds for: price > 50 and region == \"north\".",
     NULL, do_filter, knows_filter, 0},
    {"copy", "Copy",
     "To the clipboard of your terminal, over SSH too (OSC 52).", NULL, do_copy,
     knows_copy, COPY_THING},
    {"copy-row", NULL, "Copy the row.", NULL, do_copy, knows_copy, COPY_ROW},
    {"copy-column", NULL, "Copy the column.", NULL, do_copy, knows_column,
     COPY_COLUMN},
    {"copy-reference", NULL, "Copy the name that commands know it by.", NULL,
     do_copy, knows_copy, COPY_REFERENCE},
    {"yank", "Copy to a file", "Write what y would copy into a file.",
     "file: ", do_yank, knows_copy, 0},
    {"cancel", NULL, "Leave what was begun, forget the search.", NULL,
     do_cancel, NULL, 0},
    {"interrupt", "Interrupt what runs", "Stop the running cell.", NULL,
     do_interrupt, NULL, 0},
    {"redraw", "Redraw the screen",
     "Everything again, after something else has written over it.", NULL,
     do_redraw, NULL, 0},
    {"suspend", "Suspend",
     "Back to the shell; fg returns. Everything goes on meanwhile.", NULL,
     do_suspend, NULL, 0},
    {"mouse", "Mouse on or off",
     "With the mouse off the terminal selects text itself; Shift does that too.",
     NULL, do_mouse, NULL, 0},
    {"theme", "Theme: next, or by name",
     "dark, light, contrast, mono, sol, and your own in ~/.config/lathe/themes.",
     NULL, do_theme, NULL, 0},
    {"glyphs", "Glyphs: braille, block or ascii",
     "What charts and frames are drawn with, for fonts that lack some.",
     "glyphs (braille, block, ascii): ", do_glyphs, NULL, 0},
    {"shell", "Shell in the project",
     "A shell on this terminal; leaving it comes back.", NULL, do_shell, NULL,
     0},
    {"messages", "Messages", "All messages so far.", NULL, do_messages, NULL,
     0},
    {"log", "Log of the workbench", "The last thousand lines of .lathe/log.",
     NULL, do_log, NULL, 0},
    {"facts", "Facts about this terminal",
     "Colours, pace, bytes sent, the slowest frame.", NULL, do_facts, NULL, 0},
    {"screendump", "Write the screen to a file", "What is shown, as text.",
     "file: ", do_screendump, NULL, 0},
    {"bind", "Bind a key",
     "A view (or *), keys and a command: runs a axis-next. init.lua keeps it.",
     "view keys command: ", do_bind, NULL, 0},
    {"detach", "Detach",
     "Give the terminal back; everything goes on, and lathe comes back to it.",
     NULL, do_detach, knows_detach, 0},
    {"quit", "Quit", "End the workbench; it asks when something runs.", NULL,
     do_quit, NULL, 0},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0}};

const struct frame_action *
frame_action_find(const char *name)
{
    for (const struct frame_action *a = frame_actions; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

/* ---- running by name ---- */

static bool
is_movement(const char *name)
{
    static const char *const all[] = {"down",      "up",         "left",
                                      "right",     "top",        "bottom",
                                      "half-down", "half-up",    "page-down",
                                      "page-up",   "line-start", "line-end"};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i], name) == 0)
            return true;
    return false;
}

bool
action_known(struct ui *ui, const char *name)
{
    struct view *v = ui_at(ui);
    const struct view_action *a = view_action_find(v->class, name);
    const struct frame_action *f = frame_action_find(name);
    const struct view_region *r = &v->class->regions[v->focus];

    if (a)
        return !a->enabled || a->enabled(v);
    if (f)
        return !f->known || f->known(ui, f);
    if (is_movement(name))
        return r->list || r->pager || v->class->action;
    return command_find(name) != NULL;
}

struct taking { /* an action that waits for its argument */
    struct ui *ui;
    char name[64];
    int count;
};

static void
taken(void *ctx, const char *text)
{
    struct taking t = *(struct taking *)ctx;

    free(ctx);
    if (text && *text)
        action_run(t.ui, t.name, t.count, text);
}

static void
ask_for(struct ui *ui, const char *name, const char *takes, int count)
{
    struct taking *t = mem_new(sizeof *t);
    struct ui_question q = {
        .label = takes, .history = name, .done = taken, .ctx = t};

    if (strncmp(takes, "file", 4) == 0)
        q.complete = ask_complete_files;
    t->ui = ui;
    t->count = count;
    snprintf(t->name, sizeof t->name, "%s", name);
    ui_ask(ui, &q);
}

static bool
run_in_view(struct ui *ui, struct view *v, const char *name,
            const struct view_call *call)
{
    const struct view_action *a;
    const struct view_region *r = &v->class->regions[v->focus];

    if (v->class->action && v->class->action(v, name, call))
        return true;
    a = view_action_find(v->class, name);
    if (a && a->enabled && !a->enabled(v)) {
        ui_message(ui, MESSAGE_INFO, "%s: not possible here and now", a->title);
        return true;
    }
    if (a && a->takes && !call->arg) {
        ask_for(ui, name, a->takes, call->count);
        return true;
    }
    if (a) {
        a->run(v, call);
        return true;
    }
    if (r->list && r->list(v) && list_action(r->list(v), name, call->count))
        return true;
    return r->pager && r->pager(v) &&
           pager_action(r->pager(v), name, call->count);
}

bool
action_run(struct ui *ui, const char *name, int count, const char *arg)
{
    const struct view_call call = {count, arg};
    struct view *v = ui_at(ui);
    const struct frame_action *f;
    bool used;

    if (strcmp(name, "enter") == 0)
        ui->did |= DID_ENTER;
    v->busy++;
    used = run_in_view(ui, v, name, &call);
    v->busy--;
    if (used) {
        ui_touch(ui);
        return true;
    }
    f = frame_action_find(name);
    if (f && f->known && !f->known(ui, f)) {
        ui_message(ui, MESSAGE_INFO, "not here; ? lists what is");
        return true;
    }
    if (f && f->takes && !arg)
        ask_for(ui, name, f->takes, count);
    else if (f)
        f->run(ui, &(struct frame_call){count, arg, f->value});
    if (f)
        ui_touch(ui);
    return f != NULL || is_movement(name);
}

/* ---- commands ---- */

static void
show_output(struct ui *ui, const char *name, const struct buf *out)
{
    size_t len = out->len;

    while (len > 0 && out->data[len - 1] == '\n')
        len--;
    if (len == 0)
        ui_message(ui, MESSAGE_INFO, "%s: done", name);
    else if (!memchr(out->data, '\n', len) &&
             str_width((struct str){out->data, len}) < (size_t)ui->grid->w)
        ui_message(ui, MESSAGE_INFO, "%.*s", (int)len, out->data);
    else
        ui_page(ui, name, out->data, len);
}

struct running {
    struct ui *ui;
    struct call *call;
};

static bool
run_call(struct task *t, void *ctx, struct error *err)
{
    struct running *r = ctx;

    return call_command(r->call)->run(task_session(t), t, r->call, err);
}

static void
ended(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct running *r = ctx;

    (void)t;
    if (ok)
        show_output(r->ui, call_command(r->call)->name, call_out(r->call));
    else
        ui_error(r->ui, err);
    call_free(r->call);
    free(r);
}

void
ui_call(struct ui *ui, struct call *call)
{
    const struct command *c = call_command(call);
    struct error err;

    call_set_width(call, (size_t)(ui->grid->w > 4 ? ui->grid->w - 2 : 40));
    if (!call_check(call, &err)) {
        ui_error(ui, &err);
        call_free(call);
        return;
    }
    if (c->flags & CMD_BLOCKS) {
        struct running *r = mem_new(sizeof *r);
        const struct task_spec spec = {
            .title = c->name, .run = run_call, .done = ended, .ctx = r};

        *r = (struct running){ui, call};
        task_start(ui->session, &spec);
        ui_message(ui, MESSAGE_INFO, "%s: running", c->name);
        return;
    }
    if (c->run(ui->session, NULL, call, &err))
        show_output(ui, c->name, call_out(call));
    else
        ui_error(ui, &err);
    call_free(call);
}

/* Cut a line into words as a shell would: blanks, '...' and "...". */
static int
split_words(const char *line, char *store, char **words, int max)
{
    int n = 0;

    while (*line && n < max) {
        char quote = 0;

        while (*line == ' ')
            line++;
        if (!*line)
            break;
        words[n++] = store;
        for (; *line && (quote || *line != ' '); line++) {
            if (quote && *line == quote)
                quote = 0;
            else if (!quote && (*line == '\'' || *line == '"'))
                quote = *line;
            else
                *store++ = *line;
        }
        *store++ = '\0';
    }
    return n;
}

static bool
run_table_command(struct ui *ui, const char *line)
{
    char *words[WORDS_MAX], *store = mem_new(strlen(line) + WORDS_MAX + 1);
    int n = split_words(line, store, words, WORDS_MAX), used = 0;
    const char *const *argv = (const char *const *)words;
    struct error err;
    const struct command *c = command_match(n, argv, &used, &err);
    struct call *call = NULL;

    if (c && n == used)
        call = call_new(c);
    else if (c)
        call = call_parse(c, n - used, argv + used, &err);
    if (call && call_help(call)) {
        struct buf b;

        buf_init(&b);
        command_usage(c, &b);
        ui_page(ui, c->name, b.data, b.len);
        buf_fini(&b);
        call_free(call);
    } else if (call)
        ask_arguments(ui, call);
    else
        ui_error(ui, &err);
    free(store);
    return call != NULL;
}

static const char *
alias(const char *word)
{
    static const struct {
        const char *from, *to;
    } all[] = {
        {"q", "quit"},           {"qa", "quit"}, {"q!", "quit"},
        {"wq", "quit"},          {"w", "save"},  {"h", "help"},
        {"e", "open"},           {"y", "copy"},  {"set glyphs", "glyphs"},
        {"colorscheme", "theme"}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].from, word) == 0)
            return all[i].to;
    return word;
}

bool
ui_run_command(struct ui *ui, const char *line, int count)
{
    char word[64];
    size_t n;

    line += strspn(line, " :");
    if (strncmp(line, "set ", 4) == 0) {
        line += 4;
        line += strspn(line, " ");
    }
    n = strcspn(line, " ");
    snprintf(word, sizeof word, "%.*s", n < 63 ? (int)n : 63, line);
    const char *name = alias(word);
    const char *rest = line + n + strspn(line + n, " ");

    if (view_action_find(ui_at(ui)->class, name) || frame_action_find(name) ||
        is_movement(name))
        return action_run(ui, name, count, *rest ? rest : NULL);
    return run_table_command(ui, line);
}

/* ---- keys ---- */

static void
forget_keys(struct ui *ui)
{
    ui->n_pending = 0;
    ui->count = 0;
    ui->which_key = false;
    loop_remove(ui->prefix_timer);
    ui->prefix_timer = NULL;
}

static void
run_binding(struct ui *ui, const struct binding *b)
{
    char command[128];
    int count = ui->count;

    /* The binding may be gone when the action comes back. */
    snprintf(command, sizeof command, "%s", b->command);
    forget_keys(ui);
    if (!ui_run_command(ui, command, count))
        return;
    if (strncmp(command, "tab-", 4) == 0 && command[4] >= '1' &&
        command[4] <= '6' && !command[5]) {
        ui->digit_ms = loop_now_ms();
        ui->digit_value = (unsigned)(command[4] - '0');
    }
}

void
action_prefix_timeout(struct ui *ui)
{
    const struct binding *b;

    if (ui->n_pending == 0)
        return;
    keymap_find(ui->keymap, ui_context(ui), ui->pending, ui->n_pending, &b);
    /* "y" copies, and begins "yy": after a while it is "y". */
    if (b)
        run_binding(ui, b);
    else
        ui->which_key = true;
    ui_paint(ui, true);
}

static void
on_prefix_timer(void *ctx, int events)
{
    struct ui *ui = ctx;

    (void)events;
    ui->prefix_timer = NULL;
    action_prefix_timeout(ui);
}

/* Digits: 1 to 6 switch views at once; a digit right after one takes that back
 * and makes a count of both, as do 7, 8, 9 and Alt with any digit. */
static bool
take_digit(struct ui *ui, uint32_t key)
{
    uint32_t code = key & INPUT_CODE;
    unsigned digit = code - '0';
    bool soon = loop_now_ms() - ui->digit_ms < UI_DIGIT_MS;

    if (code < '0' || code > '9' || ui->n_pending > 0 ||
        key & (INPUT_CTRL | INPUT_SHIFT))
        return false;
    if (ui->count > 0) {
        ui->count = ui->count * 10 + (int)digit;
        ui->count = ui->count > COUNT_MAX ? COUNT_MAX : ui->count;
        return true;
    }
    if (ui->digit_value && soon && !(key & INPUT_ALT)) {
        ui_show_tab(ui, ui->digit_tab);
        ui->count = (int)(ui->digit_value * 10 + digit);
        ui->digit_value = 0;
        return true;
    }
    ui->digit_value = 0;
    if (digit > 6 || (digit > 0 && key & INPUT_ALT)) {
        ui->count = (int)digit;
        return true;
    }
    ui->digit_tab = ui->tab;
    return false;
}

static void
unknown_key(struct ui *ui, const struct input_event *e)
{
    struct buf b;

    buf_init(&b);
    for (int i = 0; i < ui->n_pending; i++) {
        buf_puts(&b, i ? " " : "");
        input_key_label(ui->pending[i], &b);
    }
    if (ui->n_pending > 1 || e->key < INPUT_ENTER)
        ui_message(ui, MESSAGE_INFO,
                   "%s does nothing here; ? lists the keys, : all commands",
                   b.data);
    buf_fini(&b);
    forget_keys(ui);
}

static bool
is_cancel(uint32_t key)
{
    return key == INPUT_ESC || key == ('g' | INPUT_CTRL);
}

static void
view_key(struct ui *ui, const struct input_event *e)
{
    struct view *v = ui_at(ui);
    const char *context = ui_context(ui);
    bool text = keymap_is_text(context);
    const struct binding *b = NULL;

    if (!text && take_digit(ui, e->key))
        return;
    if (is_cancel(e->key) && (ui->n_pending > 0 || ui->count > 0)) {
        forget_keys(ui);
        return;
    }
    if (ui->n_pending == KEYMAP_MAX_KEYS)
        forget_keys(ui);
    ui->pending[ui->n_pending++] = e->key;
    switch (keymap_find(ui->keymap, context, ui->pending, ui->n_pending, &b)) {
    case KEYMAP_FOUND:
        run_binding(ui, b);
        break;
    case KEYMAP_PREFIX:
        loop_remove(ui->prefix_timer);
        ui->prefix_timer =
            loop_timer(ui->loop, UI_PREFIX_MS, false, on_prefix_timer, ui);
        break;
    case KEYMAP_NONE:
        if (ui->n_pending == 1 && v->class->key) {
            forget_keys(ui);
            v->busy++;
            bool used = v->class->key(v, e);

            v->busy--;
            if (used)
                break;
            ui->pending[ui->n_pending++] = e->key;
        }
        unknown_key(ui, e);
        break;
    }
}

static void
choice_key(struct ui *ui, const struct input_event *e)
{
    struct ui_choice c = ui->choice;
    uint32_t key = e->key == INPUT_ENTER ? '\r' : e->key;
    char found = key < 0x80 && key && strchr(c.keys, (int)key) ? (char)key : 0;

    if (e->kind != INPUT_KEY)
        return;
    ui->choice.on = false;
    c.done(c.ctx, found);
}

static void
paste(struct ui *ui, const struct input_event *e)
{
    struct view *v = ui_at(ui);

    v->busy++;
    bool used =
        keymap_is_text(ui_context(ui)) && v->class->key && v->class->key(v, e);

    v->busy--;
    if (!used)
        ui_message(ui, MESSAGE_INFO,
                   "%zu bytes pasted, but nothing here takes text", e->text.n);
}

void
action_key(struct ui *ui, const struct input_event *e)
{
    if (!ui->choice.on && !ui->ask.on)
        ui->line.shown = false;
    ui->which_key = false;
    if (ui->choice.on)
        choice_key(ui, e);
    else if (ui->ask.on)
        ask_key(ui, e);
    else if (ui->chooser)
        chooser_key(ui, e);
    else if (e->kind == INPUT_PASTE)
        paste(ui, e);
    else
        view_key(ui, e);
}

/* ---- the mouse ---- */

static void
mouse_in_region(struct ui *ui, struct view *v, unsigned i,
                const struct input_event *e, int x, int y)
{
    const struct view_region *r = &v->class->regions[i];
    struct list *l = r->list    ? r->list(v)
                     : r->pager ? &r->pager(v)->list
                                : NULL;
    struct input_event inside = *e;

    inside.x = x;
    inside.y = y;
    if (v->class->mouse && v->class->mouse(v, i, &inside))
        return;
    if (!l)
        return;
    if (e->mouse == MOUSE_WHEEL_DOWN || e->mouse == MOUSE_WHEEL_UP) {
        const char *way = e->mouse == MOUSE_WHEEL_DOWN ? "down" : "up";

        if (r->pager)
            pager_action(r->pager(v), way, 3);
        else
            list_action(l, way, 3);
    } else if (e->mouse == MOUSE_PRESS && !r->pager && y >= 0 &&
               l->top + (size_t)y < l->n) {
        l->at = l->top + (size_t)y;
    }
    (void)ui;
}

static void
mouse_on_chooser(struct ui *ui, const struct input_event *e)
{
    if (e->mouse == MOUSE_WHEEL_DOWN)
        list_action(&ui->chooser->list, "down", 3);
    else if (e->mouse == MOUSE_WHEEL_UP)
        list_action(&ui->chooser->list, "up", 3);
    else if (e->mouse == MOUSE_PRESS)
        chooser_close(ui, SIZE_MAX);
}

void
action_mouse(struct ui *ui, const struct input_event *e)
{
    struct view *v = ui_at(ui);

    if (e->mouse == MOUSE_DRAG || e->mouse == MOUSE_RELEASE ||
        e->mouse == MOUSE_OTHER) {
        if (e->mouse == MOUSE_DRAG && !v->class->mouse)
            ui_message(ui, MESSAGE_INFO,
                       "Shift+drag selects text; M switches the mouse off");
        if (!v->class->mouse)
            return;
    }
    if (ui->chooser) {
        mouse_on_chooser(ui, e);
        return;
    }
    if (ui->ask.on || ui->choice.on)
        return;
    if (e->y == 0 && ui->body.y > 0 && e->mouse == MOUSE_PRESS) {
        for (unsigned i = 0; ui_has_tab(i); i++)
            if (e->x >= ui->tab_x[i] && e->x < ui->tab_x[i + 1])
                show_tab_n(ui, i);
        return;
    }
    int region = frame_region_at(v, e->x - ui->body.x, e->y - ui->body.y);

    if (region < 0)
        return;
    if (e->mouse == MOUSE_PRESS &&
        !(v->class->regions[region].flags & REGION_PASSIVE))
        v->focus = (unsigned)region;
    struct rect in = frame_region_inside(v, (unsigned)region);

    v->busy++;
    mouse_in_region(ui, v, (unsigned)region, e, e->x - ui->body.x - in.x,
                    e->y - ui->body.y - in.y);
    v->busy--;
}
