/* ui/view.h -- what a screen is: the contract between the frame and its views.
 *
 * The frame (ui.c) owns the terminal, the tabs, the message line, the bar, the
 * palette, help, prompts, and moves the focus.  A view owns what it shows.
 *
 * A view is one `const struct view_class` and a struct whose FIRST member is
 * `struct view`:
 *
 *     struct view_jobs { struct view view; struct list list; ... };
 *     const struct view_class view_jobs_class = {
 *         .name = "jobs", .title = "Jobs", .regions = regions,
 *         .actions = actions, .open = jobs_open, .close = jobs_close,
 *         .layout = jobs_layout, .changed = jobs_changed };
 *
 * and one line in view.c's table.  Its keys are rows of keymap.c with its name
 * as context, naming its actions.  See view_start.c for a small whole one.
 *
 * REGIONS.  A view is made of regions: rectangles with a title rule, of which
 * one has the keys.  layout() places them in the body when there is room; the
 * frame draws rules and titles, moves the focus (Tab, Ctrl-W, mouse), zooms
 * (z), and in a small terminal shows one region at a time ([ ] change it).
 * Regions that layout() does not place are reached the same way, save those
 * that have nothing to show: has() says so.
 *
 * DRAWING.  draw() reads state and fills its canvas; it runs at most once a
 * frame, never blocks, never allocates by user data size, never starts work.
 * Only what the region shows may be touched: a sheet of a million rows draws
 * forty.  Long work is a task (session/task.h) whose done() changes the state
 * and calls ui_touch().
 *
 * RE-ENTRY.  Everything runs on the main thread, but an action may turn the
 * loop (task_call, a Lua cell), and keys are handled meanwhile: an action that
 * does must expect any state of its view to have changed when it returns, save
 * that the view is not closed while one of its actions is on the stack.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_VIEW_H
#define LATHE_UI_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "ui/draw.h"
#include "ui/input.h"

struct ui;
struct view;

/* ---- a cursor in n things, of which some rows show ---- */
struct list {
    size_t n;    /* things; the owner keeps it true with list_set() */
    size_t at;   /* under the cursor; 0 when n is 0 */
    size_t top;  /* first one shown */
    size_t rows; /* shown at once: list_show() sets it while drawing */
};
void list_set(struct list *l, size_t n); /* keeps the cursor in range */
/* Call when drawing: scrolls so that the cursor shows in `rows`. */
void list_show(struct list *l, size_t rows);
/* "down", "up", "top", "bottom", "half-down", "half-up", "page-down",
 * "page-up" by count; true when it is one of those. */
bool list_action(struct list *l, const char *action, int count);

/* ---- the text of a log, a card, a help page ---- */
struct pager {
    struct list list; /* lines */
    size_t left;      /* cells scrolled to the right */
    bool follow;      /* stay at the end while text comes */
    struct buf text;
    size_t *starts; /* of lines */
    size_t cap;
};
void pager_init(struct pager *p);
void pager_fini(struct pager *p);
void pager_set(struct pager *p, const char *text, size_t len);
void pager_draw(struct pager *p, const struct canvas *c, const char *match);
bool pager_action(struct pager *p, const char *action, int count);
/* Move to the next line that holds text (no case); dir 1 or -1. */
bool pager_search(struct pager *p, const char *text, int dir);
struct str pager_line(const struct pager *p, size_t i);

/* ---- actions ---- */
struct view_call {
    int count;       /* the count typed before the key; 0: none */
    const char *arg; /* of actions that take one; else NULL */
};
struct view_action {
    const char *name;  /* "axis-next": what keymap.c and lathe.cmd() say */
    const char *title; /* the palette: "Axis: next" */
    const char *help;  /* a paragraph for the palette; may be NULL */
    const char *takes; /* prompted for when not NULL: "smoothing 0..0.99: ";
                          behind a newline what the bar says meanwhile, whose
                          "Tab completes" is of the view's words */
    void (*run)(struct view *v, const struct view_call *call);
    /* May be NULL: always. False leaves it out of x and the palette, and a
     * message says so when its key is pressed. */
    bool (*enabled)(struct view *v);
    unsigned flags;
};
enum {
    ACTION_SUBJECT = 1
}; /* acts on the thing under the cursor: listed by x */

/* ---- signs ---- */
/* What ? says about a sign of the view. */
struct view_sign {
    const char *sign;    /* "▲" */
    const char *meaning; /* "better than the version before" */
};

/* ---- regions ---- */
struct view_region {
    const char *name; /* "chart": its title when title() is NULL */
    void (*draw)(struct view *v, const struct canvas *c);
    /* Left and right part of the title rule. */
    void (*title)(struct view *v, struct buf *left, struct buf *right);
    /* The cursor the movement keys move here.  NULL: none, or the view's own
     * action() does it. */
    struct list *(*list)(struct view *v);
    struct pager *(*pager)(struct view *v);
    unsigned flags;
};
enum {
    REGION_BARE = 1,   /* no title rule (the start screen) */
    REGION_PASSIVE = 2 /* never takes the keys; left out in small terminals */
};
enum { VIEW_MAX_REGIONS = 12 };

/* What layout() fills: body is the space there is, the rule row and the line
 * to the left of a region included in its rectangle. */
struct layout {
    struct rect body;
    struct rect placed[VIEW_MAX_REGIONS]; /* w = 0: not placed */
};
void layout_place(struct layout *l, unsigned region, struct rect r);

/* ---- views ---- */
enum copy_what { COPY_THING, COPY_ROW, COPY_COLUMN, COPY_REFERENCE };

struct view_class {
    const char *name;                  /* "runs": context in keymap.c */
    const char *title;                 /* "Runs": its tab */
    const struct view_region *regions; /* ends with name NULL */
    const struct view_action *actions; /* ends with name NULL; may be NULL */
    const struct view_sign *signs;     /* ends with sign NULL; may be NULL */
    size_t min_w, min_h; /* below: one region at a time; 0: 60x12 */

    struct view *(*open)(struct ui *ui); /* aborts on memory; never NULL */
    void (*close)(struct view *v);
    void (*layout)(struct view *v, struct layout *l); /* NULL: region 0 fills */
    /* The regions of this frame have their rectangles, in v->layout, also when
     * one has them all: ask here for what is made to measure, a chart. */
    void (*placed)(struct view *v);
    /* Is there anything for the region to show now?  One without is neither
     * reached nor counted; layout() leaves it out.  NULL: always. */
    bool (*has)(const struct view *v, unsigned region);
    /* Session topics (session.h) that changed.  The frame repaints after it. */
    void (*changed)(struct view *v, unsigned topics);
    /* The view came on screen or left it: start and stop polling here. A view
     * that is not shown uses no time. */
    void (*shown)(struct view *v, bool on);
    /* Go to a thing: "run-042", "churn.csv", "churn/3". */
    bool (*show)(struct view *v, const char *what, struct error *err);
    /* The context of the keys now; NULL: the view's name. */
    const char *(*context)(struct view *v);
    /* In a text context: keys and pastes no binding took.  True: used. */
    bool (*key)(struct view *v, const struct input_event *e);
    /* Mouse in a region, cells from its top left.  True: used.  Without it a
     * press moves the region's list cursor, the wheel scrolls. */
    bool (*mouse)(struct view *v, unsigned region, const struct input_event *e);
    /* Actions by name that are not in the table: movement in two dimensions
     * ("left", "right", "line-start", "line-end", "down", ...), before the
     * region's list gets it.  True: used. */
    bool (*action)(struct view *v, const char *name,
                   const struct view_call *call);
    /* After the title in the tab: "●1", "1▶ 2…".  Left empty: none. */
    void (*badge)(struct view *v, struct buf *out);
    /* The thing under the cursor, for the title of x and for prompts. */
    void (*subject)(struct view *v, struct buf *out);
    /* Text for y, yy, yc, yp.  False: nothing there. */
    bool (*copy)(struct view *v, enum copy_what what, struct buf *out);
    /* / n N: move to the next match; text stays valid while it is the search.
     * NULL: the focused region's pager is searched. */
    bool (*search)(struct view *v, const char *text, int dir);
    /* f: a filter expression was given ("" clears); err->message is shown. */
    bool (*filter)(struct view *v, const char *text, struct error *err);
    const char *(*filter_text)(struct view *v); /* the one in force */
    /* What to begin with when this action asks for what it takes. */
    void (*suggest)(struct view *v, const char *action, struct buf *out);
    /* Words for completing prompts of this view: column names. May be NULL. */
    size_t (*words)(struct view *v, char ***out);
    /* q: leave an inner state (a zoom of its own, an inspect mode).  False:
     * nothing to leave. */
    bool (*back)(struct view *v);
};

struct view {
    const struct view_class *class;
    struct ui *ui;
    unsigned focus;       /* region with the keys */
    bool zoom;            /* only it is shown */
    struct layout layout; /* of the last frame */
    unsigned busy;        /* actions on the stack */
    bool doomed;          /* to be closed when they are back */
};

unsigned view_regions(const struct view_class *c);
const struct view_action *
view_action_find(const struct view_class *c, const char *name);

extern const struct view_class view_data_class, view_notebook_class,
    view_runs_class, view_registry_class, view_endpoints_class, view_jobs_class;
/* The tabs in their order; ends with NULL. */
extern const struct view_class *const view_classes[];
#endif
