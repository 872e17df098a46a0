/* ui/frame_action.c -- the frame's own actions, by name.
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

/* ---- moving about ---- */

void
action_show_tab(struct ui *ui, unsigned n)
{
    ui->did |= DID_SWITCH;
    ui_show_tab(ui, n);
}

static void
do_tab(struct ui *ui, const struct frame_call *c)
{
    action_show_tab(ui, (unsigned)c->value);
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
        action_show_tab(ui, (unsigned)c->count - 1);
    else if (n > 0)
        action_show_tab(ui, (ui->tab + n + (unsigned)(c->value + 1) - 1) % n);
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

static bool
is_notebook(const char *path)
{
    size_t n = strlen(path);

    return n > 4 && strcmp(path + n - 4, ".lua") == 0;
}

static void
do_open_file(struct ui *ui, const struct frame_call *c)
{
    char *path = c->arg[0] == '/'
                     ? mem_text(c->arg)
                     : file_join(session_project(ui->session), c->arg);

    ui_goto(ui, is_notebook(path) ? "notebook" : "data", path);
    free(path);
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
    {"open-file", "Open a file", "A table or a notebook.",
     "file: ", do_open_file, NULL, 0},
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
