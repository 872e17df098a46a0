/* ui/palette.c -- lists that are filtered by typing: the palette, menus, the
 * actions of a thing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/frame.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/source.h"
#include "ui/prompt.h"

/* ---- matching ---- */

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool
word_start(const char *text, size_t i)
{
    return i == 0 || strchr(" -_/.:", text[i - 1]) != NULL;
}

/* Score of `what` as letters of `text` in order, taken greedily from the
 * first letter at `from`; 0 when they are not there. */
static int
score_from(const char *text, const char *what, size_t from)
{
    int score = 1;
    size_t last = from;

    for (size_t i = from; *what; i++) {
        if (!text[i])
            return 0;
        if (lower(text[i]) != lower(*what))
            continue;
        score += word_start(text, i) ? 8 : i == last + 1 ? 5 : 1;
        if (i > last + 1)
            score -= i - last > 6 ? 3 : 1;
        last = i;
        what++;
    }
    return score > 0 ? score : 1;
}

int
chooser_score(const char *text, const char *what)
{
    int best = 0;

    if (!*what)
        return 1;
    for (size_t i = 0; text[i]; i++) {
        if (lower(text[i]) != lower(*what))
            continue;
        int score = score_from(text, what, i);

        if (score == 0)
            break; /* later starts have fewer letters left */
        score = i == 0 ? score + 4 : score;
        best = score > best ? score : best;
    }
    /* A short text that is all matched is nearer than a long one. */
    return best > 0 ? best * 8 - (int)(strlen(text) / 8) + 8 : 0;
}

static bool
holds(const char *text, const char *what)
{
    size_t n = strlen(what);

    for (; n > 0 && *text; text++)
        if (strncasecmp(text, what, n) == 0)
            return true;
    return false;
}

/* Every word typed must be somewhere. */
static int
item_score(const struct choice_item *it, const char *typed)
{
    char words[128], *save = NULL;
    int total = 0;

    if (!*typed)
        return 1;
    snprintf(words, sizeof words, "%s", typed);
    for (char *w = strtok_r(words, " ", &save); w;
         w = strtok_r(NULL, " ", &save)) {
        int score = chooser_score(it->title, w) * 4;
        int name = it->command ? chooser_score(it->command, w) * 4 : 0;

        score = name > score ? name : score;
        if (strcmp(it->key, w) == 0)
            score += 400;
        if (score == 0 && holds(it->where, w))
            score = 20;
        if (score == 0 && holds(it->help, w))
            score = 10;
        if (score == 0)
            return 0;
        total += score;
    }
    return total;
}

struct scored {
    uint32_t item;
    int score;
};

static int
by_score(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->item < y->item ? -1 : 1;
}

static void
filter(struct chooser *c)
{
    const char *typed = prompt_text();
    struct scored *found = mem_new((c->n + 1) * sizeof *found);
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        int score = item_score(&c->items[i], typed);

        if (score > 0)
            found[n++] = (struct scored){(uint32_t)i, score};
    }
    if (*typed)
        qsort(found, n, sizeof *found, by_score);
    for (size_t i = 0; i < n; i++)
        c->match[i] = found[i].item;
    c->n_match = n;
    c->list.at = c->list.top = 0;
    list_set(&c->list, n);
    free(found);
}

/* ---- life ---- */

struct chooser *
chooser_new(struct ui *ui, const char *title, const char *mode)
{
    struct chooser *c = mem_new(sizeof *c);

    c->ui = ui;
    snprintf(c->title, sizeof c->title, "%s", title);
    snprintf(c->mode, sizeof c->mode, "%s", mode);
    return c;
}

void
chooser_add(struct chooser *c, const char *title, const char *where,
            const char *key, const char *help, const char *command, int group)
{
    c->items = mem_grow(c->items, c->n, &c->cap, sizeof *c->items);
    c->items[c->n++] = (struct choice_item){
        mem_text(title),          mem_text(where ? where : ""),
        mem_text(key ? key : ""), mem_text(help ? help : ""),
        mem_text(command),        group};
}

static void
chooser_free(struct chooser *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].title);
        free(c->items[i].where);
        free(c->items[i].key);
        free(c->items[i].help);
        free(c->items[i].command);
    }
    free(c->items);
    free(c->match);
    free(c);
}

void
chooser_open(struct chooser *c)
{
    struct ui *ui = c->ui;

    ask_cancel(ui);
    if (ui->chooser)
        chooser_close(ui, SIZE_MAX);
    c->match = mem_new((c->n + 1) * sizeof *c->match);
    prompt_begin("", c->letters ? "command" : NULL);
    ui->chooser = c;
    filter(c);
    ui_touch(ui);
}

static void
remember(struct ui *ui, const char *command)
{
    size_t i = 0;
    char text[64];

    snprintf(text, sizeof text, "%s", command);
    while (i + 1 < UI_RECENT && strcmp(ui->recent[i], text) != 0)
        i++;
    memmove(ui->recent[1], ui->recent[0], i * sizeof ui->recent[0]);
    memcpy(ui->recent[0], text, sizeof text);
}

void
chooser_close(struct ui *ui, size_t chosen)
{
    struct chooser *c = ui->chooser;
    const struct choice_item *it = chosen < c->n ? &c->items[chosen] : NULL;
    char *command = it && it->command ? mem_text(it->command) : NULL;
    void (*done)(void *, size_t) = c->done;
    void *ctx = c->ctx;

    ui->chooser = NULL;
    chooser_free(c);
    if (done)
        done(ctx, chosen);
    if (command) {
        remember(ui, command);
        ui_run_command(ui, command, 0);
    }
    free(command);
    ui_touch(ui);
}

/* ---- keys ---- */

static void
accept(struct ui *ui)
{
    struct chooser *c = ui->chooser;
    char *typed = mem_text(prompt_text());
    /* Whoever has moved to an entry means that one. */
    bool line = c->letters && c->list.at == 0 && action_is_line(ui, typed);

    if (c->letters && *typed)
        prompt_remember();
    if (line) {
        chooser_close(ui, SIZE_MAX);
        ui_run_command(ui, typed, 0);
    } else if (c->n_match > 0) {
        chooser_close(ui, c->match[c->list.at]);
    } else {
        chooser_close(ui, SIZE_MAX);
        ui_message(ui, MESSAGE_WARN, "no command \"%s\"", typed);
    }
    free(typed);
}

static const char *
list_move(uint32_t key)
{
    switch (key) {
    case INPUT_UP:
    case 'p' | INPUT_CTRL:
    case 'k' | INPUT_CTRL:
    case INPUT_TAB | INPUT_SHIFT:
        return "up";
    case INPUT_DOWN:
    case 'n' | INPUT_CTRL:
    case 'j' | INPUT_CTRL:
        return "down";
    case INPUT_PAGEUP:
        return "page-up";
    case INPUT_PAGEDOWN:
        return "page-down";
    default:
        return NULL;
    }
}

/* Tab in the palette puts the command's name into the line, for arguments. */
static void
take_name(struct chooser *c)
{
    const struct choice_item *it;
    char text[128];

    if (c->n_match == 0)
        return;
    it = &c->items[c->match[c->list.at]];
    if (!it->command)
        return;
    snprintf(text, sizeof text, "%s ", it->command);
    prompt_set(text);
    filter(c);
}

static void
next_group(struct chooser *c)
{
    int group = c->n_match ? c->items[c->match[c->list.at]].group : 0;
    size_t n = c->n_match;

    for (size_t k = 1; k < n; k++) {
        size_t i = (c->list.at + k) % n;

        if (c->items[c->match[i]].group != group) {
            c->list.at = i;
            return;
        }
    }
}

void
chooser_key(struct ui *ui, const struct input_event *e)
{
    struct chooser *c = ui->chooser;
    uint32_t key = e->kind == INPUT_KEY ? e->key : 0;
    const char *move = list_move(key);

    /* Every letter filters: one that closed would hand the letters typed
     * behind it to the view, whose keys edit and delete. */
    if (!c->letters && key == '?' && !*prompt_text()) {
        chooser_close(ui, SIZE_MAX);
        return;
    }
    if (move) {
        list_action(&c->list, move, 0);
        return;
    }
    if (key == INPUT_TAB) {
        if (c->letters)
            take_name(c);
        else
            next_group(c);
        return;
    }
    switch (prompt_key(e)) {
    case PROMPT_ACCEPTED:
        accept(ui);
        break;
    case PROMPT_CANCELLED:
        chooser_close(ui, SIZE_MAX);
        break;
    case PROMPT_TYPING:
        filter(c);
        break;
    }
}

/* ---- drawing ---- */

enum { HELP_ROWS = 3 };

/* What stands where takes as many cells as it needs, and leaves the title the
 * rest of w. */
static int
where_cells(const struct chooser *c, int w)
{
    int most = c->wide || w < 40 ? 0 : w >= 56 ? w - 43 : 14, need = 0;

    for (size_t i = 0; i < c->n; i++) {
        int cells = (int)str_width(str_of(c->items[i].where)) + 2;

        need = cells > need ? cells : need;
    }
    return need < most ? need : most;
}

static void
draw_item(const struct chooser *c, const struct canvas *in, int x, int y, int w,
          size_t i, int where_w)
{
    const struct choice_item *it = &c->items[c->match[i]];
    bool on = i == c->list.at;
    int key_w = c->wide ? 15 : w >= 56 ? 10 : 0;
    int title_w = w - 3 - key_w - where_w;

    draw_cp(in, x, y, ROLE_ACCENT, on ? 0x25b8 : ' ');
    x += 2;
    if (c->wide)
        x = draw_fit(in, x, y, key_w, ROLE_KEY, DRAW_LEFT, str_of(it->key));
    draw_fit(in, x, y, title_w - 1, on ? ROLE_SELECT : ROLE_POPUP, DRAW_LEFT,
             str_of(it->title));
    x += title_w;
    if (where_w > 0)
        draw_fit(in, x, y, where_w - 1, ROLE_DIM, DRAW_LEFT, str_of(it->where));
    if (!c->wide && key_w > 0)
        draw_fit(in, x + where_w, y, key_w, ROLE_KEY, DRAW_LEFT,
                 str_of(it->key));
    if (on)
        canvas_cursor(in, x - title_w, y, false);
}

/* The rows fill columns from left to right; the list's page is all of them. */
static void
draw_items(struct chooser *c, const struct canvas *in, struct rect r)
{
    int columns = c->wide && r.w >= 110 ? 2 : 1;
    int w = r.w / columns, where_w = where_cells(c, w);
    struct list *l = &c->list;

    list_show(l, (size_t)(r.h * columns));
    for (size_t i = l->top; i < l->n && i < l->top + l->rows; i++) {
        int k = (int)(i - l->top);

        draw_item(c, in, r.x + k / r.h * w, r.y + k % r.h, w, i, where_w);
    }
    if (columns == 1)
        draw_scrollbar(in, r.x + r.w - 1, r.y, r.h, l->top, l->rows, l->n);
    l->rows = (size_t)r.h;
    if (l->n == 0)
        draw_text(in, r.x + 2, r.y, ROLE_DIM, "nothing fits what is typed");
}

static void
draw_title(const struct chooser *c, const struct canvas *in, struct rect box)
{
    char count[48];
    int n = snprintf(count, sizeof count, " %zu of %zu ", c->n_match, c->n);
    struct canvas top;
    int x;

    top = canvas_sub(in, (struct rect){box.x + 1, box.y, box.w - 2, 1});
    x = draw_printf(&top, 1, 0, ROLE_TITLE, " %s ", c->title);
    if (box.w > 40)
        draw_text(&top, top.w - n - 1, 0, ROLE_DIM, count);
    top = canvas_sub(&top, (struct rect){x, 0, top.w - x - n - 3, 1});
    prompt_draw(&top, 0, 0, ROLE_TEXT);
}

void
chooser_draw(struct ui *ui, const struct canvas *body)
{
    struct chooser *c = ui->chooser;
    int w = c->wide || body->w < 76 ? body->w : 72;
    int want = (int)(c->n_match > 0 ? c->n_match : 1) + 3 + HELP_ROWS;
    int h = c->wide || want > body->h - 2 ? body->h : want;
    struct rect box = {(body->w - w) / 2, c->wide || h == body->h ? 0 : 1, w,
                       h};
    struct canvas in = *body;
    const char *help = "";

    if (!c->wide && h == body->h && h > 18)
        box = (struct rect){box.x, 1, w, h - 2};
    in.base = ROLE_POPUP;
    in.focus = true;
    draw_box(&in, box, ROLE_BORDER, NULL, NULL);
    draw_fill(&in, (struct rect){box.x + 1, box.y + 1, box.w - 2, box.h - 2},
              ROLE_POPUP, ' ');
    struct rect rows = {box.x + 1, box.y + 1, box.w - 2, box.h - 2};

    if (rows.h > HELP_ROWS + 4) {
        struct rect foot = rect_bottom(&rows, HELP_ROWS + 1);

        if (c->n_match > 0)
            help = c->items[c->match[c->list.at]].help;
        draw_fill(&in, (struct rect){foot.x + 1, foot.y, foot.w - 2, 1},
                  ROLE_BORDER, 0x2500);
        draw_wrap(&in,
                  (struct rect){foot.x + 2, foot.y + 1, foot.w - 4, HELP_ROWS},
                  ROLE_POPUP, str_of(help));
    }
    if (rows.h > 0)
        draw_items(c, &in, rows);
    draw_title(c, &in, box);
}

/* ---- what is in the palette ---- */

static void
add_view_actions(struct chooser *c, struct view *v, const char *context,
                 int group, unsigned want)
{
    const struct view_action *a = v->class->actions;
    struct buf key;

    buf_init(&key);
    for (; a && a->name; a++) {
        if ((a->enabled && !a->enabled(v)) || (want && !(a->flags & want)))
            continue;
        buf_clear(&key);
        help_key_label(c->ui, context, a->name, &key);
        chooser_add(c, a->title, v->class->title, key.data,
                    a->help ? a->help : a->title, a->name, group);
    }
    buf_fini(&key);
}

static void
add_frame_actions(struct chooser *c, const char *context)
{
    struct buf key;

    buf_init(&key);
    for (const struct frame_action *a = frame_actions; a->name; a++) {
        if (!a->title || !action_known(c->ui, a->name))
            continue;
        buf_clear(&key);
        help_key_label(c->ui, context, a->name, &key);
        chooser_add(c, a->title, "everywhere", key.data, a->help, a->name, 2);
    }
    buf_fini(&key);
}

static void
add_commands(struct chooser *c)
{
    size_t n;
    const struct command *table = command_table(&n);
    struct buf help;

    buf_init(&help);
    for (size_t i = 0; i < n; i++) {
        const struct command *cmd = &table[i];

        if (!(cmd->flags & CMD_SCREEN) || cmd->flags & CMD_HIDDEN)
            continue;
        buf_clear(&help);
        command_synopsis(cmd, &help);
        buf_printf(&help, "\n%s", cmd->help ? cmd->help : cmd->summary);
        chooser_add(c, cmd->name, cmd->summary, "", help.data, cmd->name, 3);
    }
    buf_fini(&help);
}

/* Tables and notebooks in the project's folder. */
static void
add_files(struct chooser *c)
{
    DIR *d = opendir(session_project(c->ui->session));
    const struct dirent *e;
    char command[300];

    while (d && (e = readdir(d))) {
        const char *dot = strrchr(e->d_name, '.');
        bool lua = dot && strcmp(dot, ".lua") == 0;

        if ((!lua && !source_is_table(e->d_name)) || e->d_name[0] == '.')
            continue;
        snprintf(command, sizeof command, "open-file %s", e->d_name);
        chooser_add(c, e->d_name, "file", "",
                    lua ? "Opens the notebook." : "Opens the table.", command,
                    4);
    }
    if (d)
        closedir(d);
}

/* What was run last comes first. */
static void
recent_first(struct chooser *c)
{
    size_t to = 0;

    for (size_t r = 0; r < UI_RECENT && *c->ui->recent[r]; r++) {
        for (size_t i = to; i < c->n; i++) {
            if (strcmp(c->items[i].command, c->ui->recent[r]) != 0)
                continue;
            struct choice_item it = c->items[i];

            memmove(&c->items[to + 1], &c->items[to],
                    (i - to) * sizeof *c->items);
            c->items[to++] = it;
            break;
        }
    }
}

void
palette_open(struct ui *ui)
{
    struct chooser *c = chooser_new(ui, ":", "palette");
    struct view *v = ui_at(ui);

    c->letters = true;
    snprintf(c->hint, sizeof c->hint,
             "type to filter   Enter run   Tab complete   Esc close");
    add_view_actions(c, v, ui_context(ui), 0, 0);
    add_frame_actions(c, ui_context(ui));
    add_commands(c);
    add_files(c);
    recent_first(c);
    ui->did |= DID_PALETTE;
    chooser_open(c);
}

void
palette_actions(struct ui *ui)
{
    struct view *v = ui_at(ui);
    struct buf title;

    ui->did |= DID_ACTIONS;
    buf_init(&title);
    if (v->class->subject)
        v->class->subject(v, &title);
    struct chooser *c =
        chooser_new(ui, title.len ? title.data : v->class->title, "actions");

    buf_fini(&title);
    snprintf(c->hint, sizeof c->hint, "type to filter   Enter run   Esc close");
    add_view_actions(c, v, ui_context(ui), 0, ACTION_SUBJECT);
    if (c->n == 0)
        add_view_actions(c, v, ui_context(ui), 0, 0);
    if (c->n == 0)
        add_frame_actions(c, ui_context(ui));
    chooser_open(c);
}

/* ---- menus of views ---- */

void
ui_menu(struct ui *ui, const char *title, const struct ui_menu_item *items,
        size_t n, void (*done)(void *ctx, size_t chosen), void *ctx)
{
    struct chooser *c = chooser_new(ui, title, "choose");

    c->done = done;
    c->ctx = ctx;
    snprintf(c->hint, sizeof c->hint,
             "type to filter   Enter choose   Esc close");
    for (size_t i = 0; i < n; i++)
        chooser_add(c, items[i].title, items[i].note, NULL, items[i].help, NULL,
                    0);
    chooser_open(c);
}
