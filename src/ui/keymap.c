/* ui/keymap.c -- the table of keys, and looking keys up in it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/keymap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/input.h"

/* clang-format off */
const struct key_row keymap_rows[] = {
    /* everywhere */
    {"", "1", "tab-1", "Data", ""},
    {"", "2", "tab-2", "Notebook", ""},
    {"", "3", "tab-3", "Runs", ""},
    {"", "4", "tab-4", "Registry", ""},
    {"", "5", "tab-5", "Endpoints", ""},
    {"", "6", "tab-6", "Jobs", ""},
    {"", "gt", "tab-next", "next view", ""},
    {"", "gT", "tab-prev", "view before", ""},
    {"", "<Tab>", "region-next", "next region", ""},
    {"", "<S-Tab>", "region-prev", "region before", ""},
    {"", "]", "subtab-next", "next sub-tab", ""},
    {"", "[", "subtab-prev", "sub-tab before", ""},
    {"", "<C-w>h", "region-left", "region to the left", ""},
    {"", "<C-w>j", "region-down", "region below", ""},
    {"", "<C-w>k", "region-up", "region above", ""},
    {"", "<C-w>l", "region-right", "region to the right", ""},
    {"", "<C-w>w", "region-next", "next region", ""},
    {"", "z", "zoom", "zoom the region, and back", ""},
    {"", "j", "down", "down; 12j moves twelve", ""},
    {"", "k", "up", "up", ""},
    {"", "h", "left", "left", ""},
    {"", "l", "right", "right", ""},
    {"", "<Down>", "down", "down", ""},
    {"", "<Up>", "up", "up", ""},
    {"", "<Left>", "left", "left", ""},
    {"", "<Right>", "right", "right", ""},
    {"", "gg", "top", "to the top", ""},
    {"", "G", "bottom", "to the end; 12G to the twelfth", ""},
    {"", "<Home>", "top", "to the top", ""},
    {"", "<End>", "bottom", "to the end", ""},
    {"", "<C-d>", "half-down", "half a page down", ""},
    {"", "<C-u>", "half-up", "half a page up", ""},
    {"", "<C-f>", "page-down", "a page down", ""},
    {"", "<C-b>", "page-up", "a page up", ""},
    {"", "<PgDn>", "page-down", "a page down", ""},
    {"", "<PgUp>", "page-up", "a page up", ""},
    {"", "0", "line-start", "to the start of the line", ""},
    {"", "$", "line-end", "to the end of the line", ""},
    {"", "<Enter>", "enter", "go in", ""},
    {"", "q", "back", "go back", ""},
    {"", ":", "palette", "find and run a command", ""},
    {"", "<C-p>", "palette", "find and run a command", ""},
    {"", "?", "help", "the keys for where you are", ""},
    {"", "<F1>", "help", "the keys for where you are", ""},
    {"", "/", "search", "search", ""},
    {"", "n", "search-next", "next match", ""},
    {"", "N", "search-prev", "match before", ""},
    {"", "f", "filter", "filter by an expression", ""},
    {"", "x", "actions", "what can be done here", ""},
    {"", "<Space>", "mark", "mark", ""},
    {"", "y", "copy", "copy", ""},
    {"", "yy", "copy-row", "copy the row", ""},
    {"", "yc", "copy-column", "copy the column", ""},
    {"", "yp", "copy-reference", "copy the reference", ""},
    {"", "s", "sort", "sort by this column", ""},
    {"", "S", "sort-reverse", "sort downwards", ""},
    {"", "u", "undo", "undo", ""},
    {"", "<C-r>", "redo", "redo", ""},
    {"", "e", "edit", "open in $EDITOR", ""},
    {"", "!", "shell", "a shell in the project", ""},
    {"", "E", "export", "export", ""},
    {"", "<C-c>", "interrupt", "interrupt what runs", ""},
    {"", "<C-g>", "cancel", "cancel", ""},
    {"", "<Esc>", "cancel", "cancel", ""},
    {"", "<C-l>", "redraw", "draw the screen again", ""},
    {"", "<C-z>", "suspend", "suspend; fg comes back", ""},
    {"", "M", "mouse", "mouse on or off", ""},
    {"", "T", "theme", "next theme", ""},
    {"", "Q", "quit", "quit", ""},

    /* the start screen of an empty project */
    {"start", "d", "demo", "open the demo project", "demo"},
    {"start", "o", "open", "open a dataset or notebook", "open"},
    {"start", "c", "notebook-new", "create a notebook", "new notebook"},

    {"data", "o", "open", "open a table", "open"},
    {"data", "F", "frequency", "frequency of each value", "freq"},
    {"data", "f", "filter", "filter: price > 50", "filter"},
    {"data", "m", "learn", "train a model on the table", "train"},
    {"data", "gf", "frequency-bins", "frequency of ranges", ""},
    {"data", "I", "describe", "describe every column", "describe"},
    {"data", "C", "correlate", "how columns go together", "correlate"},
    {"data", ".", "histogram", "chart of the column's values", "chart"},
    {"data", "X", "scatter", "chart of two columns", ""},
    {"data", "gb", "group", "groups and aggregates", "group"},
    {"data", "W", "pivot", "pivot", ""},
    {"data", "&", "join", "join with another table", ""},
    {"data", "gd", "duplicates", "rows that occur more than once", ""},
    {"data", "gm", "missing", "what is missing", ""},
    {"data", "gp", "missing-patterns", "what is missing together", ""},
    {"data", "gn", "missing-rows", "rows that miss anything", ""},
    {"data", "gi", "profile", "the profile as text", ""},
    {"data", "E", "export", "write to a file", ""},
    {"data", "gx", "sample", "a sample of the rows", ""},
    {"data", "<Space>", "mark", "mark the row, or the column", ""},
    {"data", "*", "mark-invert", "mark the others instead", ""},
    {"data", "s", "sort", "sort by this column", "sort"},
    {"data", "gs", "sort-then", "then sort by this column", ""},
    {"data", "gS", "sort-then-reverse", "then sort by it downwards", ""},
    {"data", ",", "keep", "only rows with this value", "keep"},
    {"data", ";", "leave-out", "only rows without this value", ""},
    {"data", "%", "share", "50% goes to the middle of the rows", ""},
    {"data", "gc", "column", "go to a column by name", ""},
    {"data", "/", "search", "search columns and headings", ""},
    {"data", "g/", "search-column", "search this column", ""},
    {"data", "=", "derive", "new column from an expression", ""},
    {"data", "t", "cast", "another type for the column", "type"},
    {"data", "R", "rename", "rename the column", ""},
    {"data", "-", "hide", "hide the column", "hide"},
    {"data", "+", "unhide", "show hidden columns again", ""},
    {"data", "H", "column-left", "move the column left", ""},
    {"data", "L", "column-right", "move the column right", ""},
    {"data", "^", "freeze", "freeze the columns up to here", ""},
    {"data", ">", "wider", "a wider column", ""},
    {"data", "<", "narrower", "a narrower column", ""},
    {"data", "_", "fit", "as wide as its values, and back", ""},
    {"data", "|", "widths", "all columns: normal, full, narrow", ""},
    {"data", "@", "target", "target column for the profile", ""},
    {"data", "U", "steps", "what was done, as Lua", ""},
    {"data", "P", "steps-notebook", "put the steps into the notebook", ""},
    {"data", "yl", "steps-copy", "copy the steps as Lua", ""},
    {"data", "w", "close", "close the table", ""},
    {"data", "a", "tables", "choose among the open tables", ""},
    {"data", "<Enter>", "enter", "what is behind the cursor", "in"},
    {"data.sheet", "<Enter>", "enter", "the rows behind the cursor", "rows"},
    {"data.sheet", "q", "back", "back to where it was made", "back"},
    {"data.plot", "h", "left", "column before; within a part to the left",
     "column"},
    {"data.plot", "l", "right", "next column; within a part to the right", ""},
    {"data.plot", "a", "plot-axis", "cycle lin / log y / log x / log-log",
     "axis"},
    {"data.plot", "c", "plot-classes", "by class of the target", "class"},
    {"data.plot", "}", "plot-finer", "more ranges", "ranges"},
    {"data.plot", "{", "plot-coarser", "fewer ranges", ""},
    {"data.plot", "+", "plot-zoom-in", "zoom in", "zoom"},
    {"data.plot", "-", "plot-zoom-out", "zoom out", ""},
    {"data.plot", "=", "plot-zoom-reset", "all of it", ""},

    {"notebook", "r", "run", "run the cell", "run"},
    {"notebook", "R", "run-next", "run and go to the next", "run+next"},
    {"notebook", "A", "run-all", "run all cells", ""},
    {"notebook", "B", "run-above", "run the cells above", ""},
    {"notebook", "i", "insert", "edit the cell", "edit"},
    {"notebook", "<Enter>", "enter", "edit the cell", ""},
    {"notebook", "o", "cell-below", "new cell below", "new below"},
    {"notebook", "O", "cell-above", "new cell above", ""},
    {"notebook", "b", "cell-below", "new cell below", ""},
    {"notebook", "a", "cell-above", "new cell above", ""},
    {"notebook", "dd", "cell-delete", "delete the cell", "delete"},
    {"notebook", "yy", "copy-row", "copy the cell", ""},
    {"notebook", "p", "cell-paste", "paste a cell below", ""},
    {"notebook", "J", "cell-down", "move the cell down", ""},
    {"notebook", "K", "cell-up", "move the cell up", ""},
    {"notebook", "m", "cell-kind", "code or text", ""},
    {"notebook", "v", "select-output", "go into the output", ""},
    {"notebook", "gd", "definition", "go to the definition", ""},
    {"notebook", "c", "clear-outputs", "clear all outputs", ""},
    {"notebook", "w", "save", "save the notebook", ""},
    {"notebook", "u", "undo", "undo", "undo"},
    {"notebook.edit", "<A-Enter>", "run", "run the cell", "run"},
    {"notebook.edit", "<C-j>", "run", "run the cell", ""},
    {"notebook.edit", "<C-Enter>", "run", "run the cell", ""},
    {"notebook.edit", "<S-Enter>", "run-next", "run and go to the next", ""},
    {"notebook.edit", "<F5>", "run", "run the cell", ""},
    {"notebook.edit", "<Tab>", "complete", "complete, or indent", ""},
    {"notebook.edit", "<Esc>", "cancel", "back to the cells", "leave"},
    {"notebook.edit", "<C-g>", "cancel", "back to the cells", ""},

    {"runs", "<Enter>", "enter", "why the model answers so", "why"},
    {"runs.why", "i", "importance", "by shares / shuffling / gain", "by"},
    {"runs.why", "q", "back", "back to the curves", "back"},
    {"runs", "<Space>", "mark", "lay the run over the chart", "overlay"},
    {"runs", "p", "pin", "pin: the run stays on the chart", "pin"},
    {"runs", "c", "compare", "compare the runs on the chart", "compare"},
    {"runs", "a", "axis-next", "cycle lin / log y / log x / log-log", "axis"},
    {"runs", "{", "smooth-less", "smoothing: less", "smooth"},
    {"runs", "}", "smooth-more", "smoothing: more", ""},
    {"runs", "t", "x-axis-next", "x: step / seconds / hour", "x-axis"},
    {"runs", "m", "metric-next", "the next metric", "metric"},
    {"runs", "v", "inspect", "inspect: h l move the crosshair", "inspect"},
    {"runs", "+", "zoom-in", "zoom the x-axis in", ""},
    {"runs", "-", "zoom-out", "zoom the x-axis out", ""},
    {"runs", "=", "zoom-reset", "the whole x-axis", ""},
    {"runs", "r", "register", "register the run's model", "register"},
    {"runs", "R", "rename", "rename the run", ""},
    {"runs", "F", "next-failure", "the next run that failed", ""},
    {"runs", "D", "delete", "delete the run", ""},

    {"registry", "t", "stage", "promote to a stage", "stage"},
    {"registry", "d", "deploy", "deploy", "deploy"},
    {"registry", "b", "rollback", "roll back", "roll back"},
    {"registry", "<Enter>", "enter", "open", "open"},
    {"registry", "a", "alias", "give an alias", "alias"},
    {"registry", "v", "verify", "verify the file of the version", ""},
    {"registry", "y", "copy", "copy the reference", "copy ref"},

    {"endpoints", "t", "try", "send a request", "try"},
    {"endpoints", "o", "on-off", "start or stop", "on/off"},
    {"endpoints", "m", "model", "another model", "model"},
    {"endpoints", "L", "log", "the log", "log"},
    {"endpoints", "y", "copy", "copy as a curl command", "curl"},
    {"endpoints", "D", "delete", "remove the endpoint", ""},

    {"jobs", "<Enter>", "enter", "the log", "log"},
    {"jobs", "K", "kill", "cancel the job", "cancel"},
    {"jobs", "F", "follow", "follow the end of the log", "follow"},

    /* a page of text laid over the screen */
    {"page", "q", "back", "close", "close"},
    {"page", "/", "search", "search", "search"},
    {"page", "y", "copy", "copy the text", "copy"},
    {NULL, NULL, NULL, NULL, NULL}};
/* clang-format on */

struct keymap {
    struct binding *rows;
    size_t n, cap;
};

static void
row_free(struct binding *b)
{
    free((char *)(uintptr_t)b->view);
    free((char *)(uintptr_t)b->command);
    free((char *)(uintptr_t)b->help);
    free((char *)(uintptr_t)b->bar);
    free((char *)(uintptr_t)b->notation);
}

static void
row_set(struct binding *b, const char *view, const char *keys,
        const char *command, const char *help, const char *bar)
{
    b->view = mem_text(view);
    b->command = mem_text(command);
    b->help = mem_text(help);
    b->bar = mem_text(bar);
    b->notation = mem_text(keys);
    b->n_keys = input_parse_keys(keys, b->keys, KEYMAP_MAX_KEYS);
}

static struct binding *
row_add(struct keymap *m)
{
    m->rows = mem_grow(m->rows, m->n, &m->cap, sizeof *m->rows);
    m->rows[m->n] = (struct binding){0};
    return &m->rows[m->n++];
}

struct keymap *
keymap_new(void)
{
    struct keymap *m = mem_new(sizeof *m);

    for (const struct key_row *r = keymap_rows; r->keys; r++)
        row_set(row_add(m), r->view, r->keys, r->command, r->help, r->bar);
    return m;
}

void
keymap_free(struct keymap *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++)
        row_free(&m->rows[i]);
    free(m->rows);
    free(m);
}

size_t
keymap_count(const struct keymap *m)
{
    return m->n;
}

const struct binding *
keymap_at(const struct keymap *m, size_t i)
{
    return &m->rows[i];
}

static bool
same_keys(const struct binding *b, const uint32_t *keys, int n)
{
    return b->n_keys == n &&
           memcmp(b->keys, keys, (size_t)n * sizeof *keys) == 0;
}

/* May a view bind these keys to this command?  Not when they mean something
 * else everywhere; text contexts take printable keys for themselves. */
static bool
check_global(const struct keymap *m, const char *view, const uint32_t *keys,
             int n, const char *command, struct error *err)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct binding *b = &m->rows[i];

        if (!*view || *b->view || !same_keys(b, keys, n) ||
            strcmp(b->command, command) == 0)
            continue;
        error_set(err, ERR_EXISTS, "%s means \"%s\" everywhere", b->notation,
                  b->help);
        return false;
    }
    return true;
}

bool
keymap_bind(struct keymap *m, const char *view, const char *keys,
            const char *command, const char *help, struct error *err)
{
    uint32_t code[KEYMAP_MAX_KEYS];
    int n = input_parse_keys(keys, code, KEYMAP_MAX_KEYS);
    struct binding *row = NULL;

    if (n <= 0)
        return error_set(err, ERR_PARSE,
                         "\"%s\" is no key; they look like a, gg, <C-w>h, "
                         "<Enter>",
                         keys);
    if (command && !check_global(m, view, code, n, command, err))
        return false;
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->rows[i].view, view) == 0 &&
            same_keys(&m->rows[i], code, n))
            row = &m->rows[i];
    if (row)
        row_free(row);
    if (command) {
        row_set(row ? row : row_add(m), view, keys, command,
                help ? help : command, "");
    } else if (row) {
        size_t after = m->n - 1 - (size_t)(row - m->rows);

        memmove(row, row + 1, after * sizeof *row);
        m->n--;
    }
    return true;
}

bool
keymap_is_text(const char *context)
{
    size_t n = strlen(context);

    return strcmp(context, "prompt") == 0 ||
           (n > 5 && strcmp(context + n - 5, ".edit") == 0);
}

static bool
types_text(uint32_t key)
{
    return key == (key & INPUT_CODE) &&
           (key < INPUT_ENTER || key == INPUT_ENTER || key == INPUT_BACKSPACE ||
            key == INPUT_TAB || (key >= INPUT_UP && key <= INPUT_DELETE));
}

/* How near the context a binding is: 3 itself, 2 its view, 1 everywhere, 0
 * not in force.  In a text context only its own rows and those global keys
 * hold that type nothing. */
static int
nearness(const struct binding *b, const char *context)
{
    const char *dot = strchr(context, '.');
    size_t n = dot ? (size_t)(dot - context) : strlen(context);
    bool text = keymap_is_text(context);

    if (strcmp(b->view, context) == 0)
        return 3;
    if (text && types_text(b->keys[0]))
        return 0;
    if (!*b->view)
        return text && b->n_keys > 1 ? 0 : 1;
    if (!text && dot && strncmp(b->view, context, n) == 0 && !b->view[n])
        return 2;
    return 0;
}

bool
keymap_in_force(const struct binding *b, const char *context)
{
    return nearness(b, context) > 0;
}

enum keymap_match
keymap_find(const struct keymap *m, const char *context, const uint32_t *keys,
            int n, const struct binding **found)
{
    int near_exact = 0, near_prefix = 0;

    *found = NULL;
    for (size_t i = 0; i < m->n; i++) {
        const struct binding *b = &m->rows[i];
        int near = nearness(b, context);

        if (near == 0 || b->n_keys < n ||
            memcmp(b->keys, keys, (size_t)n * sizeof *keys) != 0)
            continue;
        if (b->n_keys > n) {
            near_prefix = near > near_prefix ? near : near_prefix;
        } else if (near > near_exact) {
            near_exact = near;
            *found = b;
        }
    }
    /* An exact match nearer than every longer one needs no waiting. */
    if (near_exact > near_prefix)
        return KEYMAP_FOUND;
    return near_prefix ? KEYMAP_PREFIX : KEYMAP_NONE;
}

const struct binding *
keymap_for(const struct keymap *m, const char *context, const char *command)
{
    const struct binding *best = NULL;
    int near_best = 0;

    for (size_t i = 0; i < m->n; i++) {
        const struct binding *b = &m->rows[i], *now;
        int near = nearness(b, context);

        if (near <= near_best || strcmp(b->command, command) != 0)
            continue;
        /* A nearer row may have given these keys another meaning. */
        keymap_find(m, context, b->keys, b->n_keys, &now);
        if (now && strcmp(now->command, command) != 0)
            continue;
        best = b;
        near_best = near;
    }
    return best;
}
