/* ui/frame.h -- the frame's own state; for ui.c, frame.c, action.c, ask.c,
 * palette.c and help.c alone.  Views include ui.h.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_FRAME_H
#define LATHE_UI_FRAME_H

#include "ui/attach.h"
#include "ui/draw.h"
#include "ui/input.h"
#include "ui/keymap.h"
#include "ui/term.h"
#include "ui/theme.h"
#include "ui/ui.h"
#include "ui/view.h"

enum {
    UI_TABS = 6,
    UI_PUSHED = 8,      /* views laid over the tabs */
    UI_FOLLOW_MS = 60,  /* what follows a cursor waits for more keys */
    UI_PACE_MS = 250,   /* between frames that no key asked for */
    UI_PREFIX_MS = 400, /* until which-key shows */
    UI_DIGIT_MS = 300,  /* "1", "2", "j" within it is 12 down */
    UI_INFO_MS = 5000,  /* information leaves the message line */
    UI_FAR_MS = 30000,  /* a longer task rings when nobody looked */
    UI_WORTH_MS = 2000, /* a task so old makes quitting ask */
    UI_LOOK = 20,       /* tasks looked at */
    UI_RECENT = 8
};

/* The five things of the start screen. */
enum ui_did {
    DID_SWITCH = 1,
    DID_HELP = 2,
    DID_PALETTE = 4,
    DID_ENTER = 8,
    DID_ACTIONS = 16
};

struct ui_line { /* the message line */
    enum message_level level;
    char text[512];
    bool shown;
};

struct ui_choice { /* a question of one key */
    bool on;
    char text[256];
    char keys[8]; /* with 'n' among them, all other keys are no answer */
    bool again;   /* one of those was pressed */
    void (*done)(void *ctx, char key); /* 0: none of them */
    void *ctx;
};

struct ui_ask {
    bool on;
    char label[64], hint[96];
    bool has_history;
    struct ui_question q;
    char **found; /* completions on show */
    size_t n_found;
};

struct chooser;

struct ui {
    struct session *session;
    struct tether *tether; /* of the commands under way */
    struct kernel *kernel;
    struct loop *loop;
    struct attach_server *server;
    struct ui_options options;

    /* What the terminal shows */
    struct term *term; /* NULL: detached */
    struct input_stream *input;
    struct loop_watch *reading, *writing;
    struct loop_watch *esc_timer, *paint_timer, *message_timer, *prefix_timer;
    struct grid *grid;
    struct theme theme;
    bool theme_fixed; /* chosen by someone, not by the background */
    bool focused;     /* the terminal has the window system's focus */
    bool dirty;
    bool moved;        /* the last keys only moved the cursor: see ui_paint() */
    struct grid *echo; /* the frame before, while a new one is drawn */
    struct view *echo_view; /* what it showed, and how */
    struct layout echo_layout;
    int64_t painted_ms; /* the last frame nobody asked for */
    int64_t slow_us;    /* the slowest frame so far, for :facts */
    char where[64];

    /* Views */
    struct view *tabs[UI_TABS]; /* NULL: not opened yet */
    unsigned tab;
    struct view *pushed[UI_PUSHED];
    unsigned n_pushed;
    struct view *shown;     /* told so by shown() */
    int tab_x[UI_TABS + 1]; /* where they were drawn; for the mouse */
    struct rect body;

    /* Keys */
    struct keymap *keymap;
    uint32_t pending[KEYMAP_MAX_KEYS];
    int n_pending;
    int count;
    bool which_key;
    int64_t digit_ms; /* of the last digit that switched the tab */
    unsigned n_digits, digit_tab, digit_value; /* so far, from which tab */

    struct ui_line line;
    struct ui_choice choice;
    struct ui_ask ask;
    struct chooser *chooser; /* palette, menu or help */
    char recent[UI_RECENT][64];
    char search[128];
    unsigned did;
    unsigned seen_tasks; /* id of the newest task that has rung */

    unsigned depth; /* calls of views on the stack */
    bool quit;
    int status;
};

/* ---- ui.c ---- */
struct view *ui_at(struct ui *ui);     /* the view with the keys */
const char *ui_context(struct ui *ui); /* its context */
void ui_paint(struct ui *ui, bool asked);
void ui_tell_shown(struct ui *ui);   /* which view is on the screen */
void ui_watch_output(struct ui *ui); /* wait for it to take bytes? */
void ui_show_tab(struct ui *ui, unsigned tab);
void ui_enter_view(struct view *v); /* around each call of an action */
void ui_leave_view(struct view *v);
void ui_pop(struct ui *ui); /* the topmost pushed view */
void ui_set_theme(struct ui *ui, const char *name);
bool ui_has_tab(unsigned tab);
void ui_choose(struct ui *ui, const char *text, const char *keys,
               void (*done)(void *ctx, char key), void *ctx);
/* "2 tasks run": what to ask about before all ends; false: nothing. */
bool ui_runs(struct ui *ui, char *what, size_t size);
void ui_end(struct ui *ui); /* quit, whatever runs */

/* ---- screen.c ---- */
void ui_leave_terminal(struct ui *ui, bool restore);
void ui_suspend_here(struct ui *ui);
void ui_set_theme(struct ui *ui, const char *name);
void screen_serve(struct ui *ui); /* terminals may come from now on */

/* ---- action.c ---- */
void action_key(struct ui *ui, const struct input_event *e);
void action_mouse(struct ui *ui, const struct input_event *e);
bool action_run(struct ui *ui, const char *name, int count, const char *arg);
/* Can this action or command run now?  Those that cannot are not shown. */
bool action_known(struct ui *ui, const char *name);
/* ":theme light", "runs ls --json": do its first words name something? */
bool action_is_line(struct ui *ui, const char *line);
struct frame_call {
    int count;
    const char *arg;
    int value; /* of the table's row: which tab, which way */
};
struct frame_action {
    const char *name, *title, *help, *takes; /* title NULL: only by its key */
    void (*run)(struct ui *ui, const struct frame_call *c);
    /* Does it mean something now?  NULL: always. */
    bool (*known)(struct ui *ui, const struct frame_action *f);
    int value;
};
extern const struct frame_action frame_actions[]; /* ends with name NULL */
const struct frame_action *frame_action_find(const char *name);
void action_prefix_timeout(struct ui *ui);
void action_show_tab(struct ui *ui, unsigned n); /* as a key does */

/* ---- frame.c ---- */
void frame_draw(struct ui *ui);
/* The region at a cell of the body, or -1. */
int frame_region_at(struct view *v, int x, int y);
/* Its inside (without rule and line), in the body's cells. */
struct rect frame_region_inside(const struct view *v, unsigned region);
void frame_move_focus(struct view *v, int dx, int dy);
void frame_next_region(struct view *v, int dir);
bool frame_single(const struct view *v); /* one region at a time? */

/* ---- ask.c ---- */
void ask_key(struct ui *ui, const struct input_event *e);
void ask_cancel(struct ui *ui);
void
ask_draw(struct ui *ui, const struct canvas *line, const struct canvas *body);
/* Ask for what a call still needs, then run it.  Takes call. */
void ask_arguments(struct ui *ui, struct call *call);
/* Of the words of the view at hand: columns. */
size_t ask_complete_words(struct ui *ui, struct str line, size_t at,
                          size_t *begin, char ***out);
/* A table and how to read it: files, then --delimiter and the like. */
size_t ask_complete_table(void *ctx, struct str line, size_t at, size_t *begin,
                          char ***out);
size_t ask_complete_files(void *ctx, struct str line, size_t at, size_t *begin,
                          char ***out);

/* ---- palette.c, help.c ---- */
struct choice_item {
    char *title, *where, *key, *help;
    char *command; /* what to run; or NULL */
    int group;
};
struct chooser {
    struct ui *ui;
    char title[64];
    char mode[16]; /* the word in the bar */
    char hint[96];
    struct choice_item *items;
    size_t n, cap;
    uint32_t *match; /* indexes of items, best first */
    size_t n_match;
    struct list list;
    bool letters;                           /* ? is text, not "close" */
    bool wide;                              /* columns over the whole body */
    void (*done)(void *ctx, size_t chosen); /* menus */
    void *ctx;
};
struct chooser *chooser_new(struct ui *ui, const char *title, const char *mode);
void
chooser_add(struct chooser *c, const char *title, const char *where,
            const char *key, const char *help, const char *command, int group);
void chooser_open(struct chooser *c);
void chooser_close(struct ui *ui, size_t chosen);
void chooser_key(struct ui *ui, const struct input_event *e);
void chooser_draw(struct ui *ui, const struct canvas *body);
/* How well `what` fits `text`; 0: not at all. */
int chooser_score(const char *text, const char *what);
void palette_open(struct ui *ui);
void palette_actions(struct ui *ui); /* x */
void help_open(struct ui *ui);
/* The keys of a command in the context, for reading ("Ctrl-W h"). */
void help_key_label(struct ui *ui, const char *context, const char *command,
                    struct buf *out);
void binding_label(const struct binding *b, struct buf *out);

/* ---- view_start.c ---- */
extern const struct view_class view_start_class;
/* ---- page.c ---- */
struct view *
page_new(struct ui *ui, const char *title, const char *text, size_t len);
#endif
