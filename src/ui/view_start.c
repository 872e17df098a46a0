/* ui/view_start.c -- the first screen: what to do with nothing open yet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "ui/frame.h"

struct view_start {
    struct view view;
    struct list list;
    bool demo; /* the sample is there */
};

/* ---- actions ---- */

static void
start_demo(struct view *v, const struct view_call *call)
{
    struct error err;
    char *path = file_data_path("samples/churn/churn.lua", &err);

    (void)call;
    if (path)
        ui_goto(v->ui, "notebook", path);
    else
        ui_error(v->ui, &err);
    free(path);
}

static bool
has_demo(struct view *v)
{
    return ((const struct view_start *)v)->demo && ui_has_tab(1);
}

static void
start_open(struct view *v, const struct view_call *call)
{
    size_t n = strlen(call->arg);
    bool notebook = n > 4 && strcmp(call->arg + n - 4, ".lua") == 0;

    ui_goto(v->ui, notebook ? "notebook" : "data", call->arg);
}

static void
start_notebook(struct view *v, const struct view_call *call)
{
    ui_goto(v->ui, "notebook", call->arg);
}

static bool
has_data(struct view *v)
{
    (void)v;
    return ui_has_tab(0);
}

static bool
has_notebook(struct view *v)
{
    (void)v;
    return ui_has_tab(1);
}

static void start_enter(struct view *v, const struct view_call *call);

static const struct view_action start_actions[] = {
    {.name = "demo",
     .title = "Open the demo project",
     .help = "A table of 7,043 customers and a notebook that goes from the raw "
             "table to a served model.",
     .run = start_demo,
     .enabled = has_demo,
     .flags = ACTION_SUBJECT},
    {.name = "open",
     .title = "Open a table or a notebook",
     .help = "csv, tsv, jsonl, parquet and arrow are tables, .lua is a "
             "notebook.",
     .takes = "file: ",
     .run = start_open,
     .enabled = has_data,
     .flags = ACTION_SUBJECT},
    {.name = "notebook-new",
     .title = "Create a notebook",
     .help = "A Lua file of cells; any editor opens it.",
     .takes = "file of the new notebook (.lua): ",
     .run = start_notebook,
     .enabled = has_notebook,
     .flags = ACTION_SUBJECT},
    {.name = "enter",
     .title = "Run what is under the cursor",
     .run = start_enter},
    {.name = NULL}};

/* Those that can run, in their order. */
static const struct view_action *
nth_action(struct view *v, size_t n)
{
    for (const struct view_action *a = start_actions; a->name; a++) {
        if (!(a->flags & ACTION_SUBJECT) || !a->enabled(v))
            continue;
        if (n-- == 0)
            return a;
    }
    return NULL;
}

static void
start_enter(struct view *v, const struct view_call *call)
{
    const struct view_start *s = (const struct view_start *)v;
    const struct view_action *a = nth_action(v, s->list.at);

    (void)call;
    if (a)
        action_run(v->ui, a->name, 0, NULL);
}

/* ---- drawing ---- */

static int
draw_heading(struct ui *ui, const struct canvas *c, int y)
{
    const char *project = file_base(session_project(ui->session));
    char tables[48] = "empty";
    int x;

    if (session_tables(ui->session) > 0)
        snprintf(tables, sizeof tables, "%zu table%s open",
                 session_tables(ui->session),
                 session_tables(ui->session) > 1 ? "s" : "");
    x = draw_text(c, 4, y, ROLE_ACCENT, "lathe " VERSION);
    x = draw_printf(c, x, y, ROLE_TEXT, " · project %s (%s)", project, tables);
    draw_printf(c, x, y, ROLE_DIM, " · %u core%s",
                pool_threads(session_pool(ui->session)),
                pool_threads(session_pool(ui->session)) == 1 ? "" : "s");
    return y + 2;
}

static int
draw_actions(struct view_start *s, const struct canvas *c, int y)
{
    struct ui *ui = s->view.ui;
    const struct view_action *a;
    struct buf key;
    size_t n = 0;

    draw_text(c, 4, y, ROLE_TITLE, "Start here");
    if (c->w >= 78)
        draw_text(c, 52, y, ROLE_DIM, "all keys work anywhere");
    y++;
    buf_init(&key);
    for (; (a = nth_action(&s->view, n)); n++, y++) {
        bool on = n == s->list.at;

        buf_clear(&key);
        help_key_label(ui, "start", a->name, &key);
        draw_cp(c, 4, y, ROLE_ACCENT, on ? 0x25b8 : ' ');
        draw_text(c, 6, y, ROLE_KEY, key.data);
        draw_text(c, 10, y, on ? ROLE_SELECT : ROLE_TEXT, a->title);
        if (on)
            canvas_cursor(c, 10, y, false);
    }
    buf_fini(&key);
    list_set(&s->list, n);
    return y + 1;
}

static int
draw_boxes(struct ui *ui, const struct canvas *c, int y)
{
    static const struct {
        unsigned did;
        const char *text;
    } things[] = {
        {DID_SWITCH, "<1> … <6> switches the view"},
        {DID_HELP, "<?> shows every key for where you are"},
        {DID_PALETTE, "<:> finds any command"},
        {DID_ENTER, "<Enter> goes in, <q> goes back"},
        {DID_ACTIONS,
         "<x> lists what you can do to the thing under the cursor"},
    };

    draw_text(c, 4, y++, ROLE_TITLE, "Five things, one minute");
    for (size_t i = 0; i < 5; i++, y++) {
        bool done = ui->did & things[i].did;

        draw_text(c, 6, y, done ? ROLE_OK : ROLE_DIM, done ? "✓" : "☐");
        draw_markup(c, 8, y, done ? ROLE_DIM : ROLE_TEXT, things[i].text);
    }
    return y + 1;
}

static void
draw_terminal(struct ui *ui, const struct canvas *c, int y)
{
    struct term_facts f;
    int x;

    if (!ui->term)
        return;
    term_facts(ui->term, &f);
    x = draw_printf(c, 4, y, ROLE_DIM, "Terminal: %s · ", f.name);
    x = f.colours ? draw_printf(c, x, y, ROLE_DIM, "%d colours", f.colours)
                  : draw_text(c, x, y, ROLE_DIM, "no colour");
    x = draw_printf(c, x, y, ROLE_DIM, " · %s · mouse %s (M)",
                    f.utf8 ? "UTF-8" : "ASCII", f.mouse ? "on" : "off");
    if (f.rtt_ms > 20)
        draw_printf(c, x, y, ROLE_DIM, " · rtt %d ms", f.rtt_ms);
    draw_printf(c, 4, y + 1, ROLE_DIM,
                "theme %s (T changes it) · y copies, over SSH too (OSC 52)",
                ui->theme.name);
    if (!attach_foreground(ui->server) && y + 4 < c->h)
        draw_text(c, 4, c->h - 1, ROLE_DIM,
                  "closing the window never stops a job; run lathe again to "
                  "come back");
}

static void
start_draw(struct view *v, const struct canvas *c)
{
    struct view_start *s = (struct view_start *)v;
    bool tall = c->h >= 16;
    int y = tall ? 1 : 0;

    if (c->h >= 8)
        y = draw_heading(v->ui, c, y);
    y = draw_actions(s, c, y);
    y = draw_boxes(v->ui, c, y);
    draw_terminal(v->ui, c, y);
}

static struct list *
start_list(struct view *v)
{
    return &((struct view_start *)v)->list;
}

static struct view *
start_open_view(struct ui *ui)
{
    struct view_start *s = mem_new(sizeof *s);
    struct error err;
    char *path = file_data_path("samples/churn/churn.lua", &err);

    s->demo = path != NULL;
    free(path);
    s->view.ui = ui;
    s->list.rows = 5;
    return &s->view;
}

static void
start_close(struct view *v)
{
    free(v);
}

static const struct view_region start_regions[] = {{.name = "start",
                                                    .draw = start_draw,
                                                    .list = start_list,
                                                    .flags = REGION_BARE},
                                                   {.name = NULL}};

const struct view_class view_start_class = {.name = "start",
                                            .title = "Start",
                                            .regions = start_regions,
                                            .actions = start_actions,
                                            .open = start_open_view,
                                            .close = start_close};
