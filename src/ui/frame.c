/* ui/frame.c -- tabs, regions, message line, bar, which-key: what is around
 * the views.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MIN_W = 60, MIN_H = 12, WIDE = 110 };

/* ---- regions ---- */

static bool
takes_keys(const struct view *v, unsigned region)
{
    return !(v->class->regions[region].flags & REGION_PASSIVE) &&
           (!v->class->has || v->class->has(v, region));
}

static bool
is_small(const struct view *v)
{
    size_t min_w = v->class->min_w ? v->class->min_w : MIN_W;
    size_t min_h = v->class->min_h ? v->class->min_h : MIN_H;

    return (size_t)v->layout.body.w < min_w || (size_t)v->layout.body.h < min_h;
}

/* How many regions can have the keys. */
static unsigned
key_regions(const struct view *v)
{
    unsigned n = 0;

    for (unsigned i = 0; i < view_regions(v->class); i++)
        n += takes_keys(v, i);
    return n;
}

bool
frame_single(const struct view *v)
{
    return key_regions(v) > 1 &&
           (v->zoom || is_small(v) || !v->layout.placed[v->focus].w);
}

static void
lay_out(struct view *v, int w, int h)
{
    struct layout *l = &v->layout;

    memset(l, 0, sizeof *l);
    l->body = (struct rect){0, 0, w, h};
    if (v->focus >= view_regions(v->class))
        v->focus = 0;
    if (!takes_keys(v, v->focus)) /* what it showed is gone */
        frame_next_region(v, 1);
    if (v->class->layout && !is_small(v) && !v->zoom)
        v->class->layout(v, l);
    if (!v->class->layout || frame_single(v)) {
        memset(l->placed, 0, sizeof l->placed);
        l->placed[v->focus] = l->body;
    }
    if (v->class->placed)
        v->class->placed(v);
}

struct rect
frame_region_inside(const struct view *v, unsigned region)
{
    struct rect r = v->layout.placed[region];

    if (!(v->class->regions[region].flags & REGION_BARE))
        rect_top(&r, 1);
    if (r.x > 0)
        rect_left(&r, 1);
    return r;
}

int
frame_region_at(struct view *v, int x, int y)
{
    for (unsigned i = 0; i < view_regions(v->class); i++) {
        struct rect r = v->layout.placed[i];

        if (x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h)
            return (int)i;
    }
    return -1;
}

static bool
reachable(const struct view *v, unsigned region, bool single)
{
    return takes_keys(v, region) && (single || v->layout.placed[region].w > 0);
}

void
frame_next_region(struct view *v, int dir)
{
    unsigned n = view_regions(v->class);
    /* From the last placed one on to those that need a screen of their own. */
    bool single = frame_single(v);

    for (unsigned k = 1; k < n; k++) {
        unsigned i = (v->focus + (dir > 0 ? k : n - k)) % n;

        if (reachable(v, i, single)) {
            v->focus = i;
            return;
        }
    }
}

/* To the nearest region whose middle lies in that direction. */
void
frame_move_focus(struct view *v, int dx, int dy)
{
    struct rect from = v->layout.placed[v->focus];
    int best = -1, least = 0;

    if (frame_single(v)) {
        frame_next_region(v, dx + dy);
        return;
    }
    for (unsigned i = 0; i < view_regions(v->class); i++) {
        struct rect to = v->layout.placed[i];
        int ax = 2 * to.x + to.w - 2 * from.x - from.w;
        int ay = 2 * to.y + to.h - 2 * from.y - from.h;
        int along = dx ? ax * dx : ay * dy;
        int aside = dx ? abs(ay) * 2 : abs(ax);

        if (i == v->focus || !reachable(v, i, false) || along <= 0)
            continue;
        if (best < 0 || along + aside < least) {
            best = (int)i;
            least = along + aside;
        }
    }
    if (best >= 0)
        v->focus = (unsigned)best;
}

/* " · 1/2 [ ]" behind what is said, where other regions are: where there is
 * little room it goes before news, and before the end of a long title. */
static void
say_place(struct view *v, unsigned i, size_t width, struct buf *left,
          struct buf *right)
{
    enum { RULE = 7, SWITCH = 10 }; /* cells around both, and of itself */
    unsigned at = 0;
    struct buf cut;
    size_t room;

    for (unsigned k = 0; k <= i; k++)
        at += takes_keys(v, k);
    if (str_width((struct str){right->data, right->len}) + SWITCH > width / 3)
        buf_clear(right);
    buf_printf(right, "%s%u/%u [ ]", right->len ? " · " : "", at,
               key_regions(v));
    room = str_width((struct str){right->data, right->len}) + RULE;
    room = width > room ? width - room : 0;
    if (str_width((struct str){left->data, left->len}) <= room)
        return;
    buf_init(&cut);
    buf_plain(&cut, left->data, left->len, room);
    buf_clear(left);
    buf_add(left, cut.data, cut.len);
    buf_fini(&cut);
}

static void
region_title(struct view *v, unsigned i, int width, struct buf *left,
             struct buf *right)
{
    const struct view_region *r = &v->class->regions[i];

    if (r->title)
        r->title(v, left, right);
    else
        buf_puts(left, r->name);
    if (frame_single(v) && width > 0)
        say_place(v, i, (size_t)width, left, right);
}

static void
draw_region(struct view *v, unsigned i, const struct canvas *body)
{
    const struct view_region *r = &v->class->regions[i];
    struct rect at = v->layout.placed[i];
    struct canvas outer = canvas_sub(body, at);
    bool focus = i == v->focus && key_regions(v) > 1;
    struct buf left, right;

    if (at.w <= 0 || at.h <= 0)
        return;
    if (at.x > 0)
        draw_vline(&outer, 0, 0, at.h, ROLE_BORDER);
    if (!(r->flags & REGION_BARE)) {
        struct rect top = {at.x > 0 ? 1 : 0, 0, at.w - (at.x > 0), 1};
        struct canvas rule = canvas_sub(&outer, top);

        buf_init(&left);
        buf_init(&right);
        region_title(v, i, rule.w, &left, &right);
        draw_rule(&rule, 0, focus ? ROLE_FOCUS : ROLE_BORDER, left.data,
                  right.data);
        buf_fini(&left);
        buf_fini(&right);
        if (at.x > 0)
            draw_cp(&outer, 0, 0, ROLE_BORDER, 0x253c);
    }
    struct canvas inside = canvas_sub(body, frame_region_inside(v, i));

    inside.focus = i == v->focus && body->focus;
    r->draw(v, &inside);
}

/* Where rules and lines meet, put the character that joins them. */
enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8 };

static unsigned
arms(const struct canvas *c, int x, int y)
{
    int gx = c->at.x + x, gy = c->at.y + y;

    if (x < 0 || y < 0 || x >= c->w || y >= c->h)
        return 0;
    const struct glyph *g = &c->grid->cells[gy * c->grid->w + gx];

    if (g->role != ROLE_BORDER && g->role != ROLE_FOCUS)
        return 0;
    switch (g->ch[0]) {
    case 0x2500:
        return LEFT | RIGHT;
    case 0x2502:
        return UP | DOWN;
    case 0x252c:
        return LEFT | RIGHT | DOWN;
    case 0x2534:
        return LEFT | RIGHT | UP;
    case 0x251c:
        return UP | DOWN | RIGHT;
    case 0x2524:
        return UP | DOWN | LEFT;
    case 0x253c:
        return UP | DOWN | LEFT | RIGHT;
    default:
        return 0;
    }
}

static void
join(const struct canvas *c, int x, int y)
{
    static const uint16_t shape[16] = {
        0x2500, 0x2502, 0x2502, 0x2502, 0x2500, 0x2518, 0x2510, 0x2524,
        0x2500, 0x2514, 0x250c, 0x251c, 0x2500, 0x2534, 0x252c, 0x253c};
    unsigned has = (arms(c, x, y - 1) & DOWN ? UP : 0U) |
                   (arms(c, x, y + 1) & UP ? DOWN : 0U) |
                   (arms(c, x - 1, y) & RIGHT ? LEFT : 0U) |
                   (arms(c, x + 1, y) & LEFT ? RIGHT : 0U);

    draw_cp(c, x, y, ROLE_BORDER, shape[has]);
}

static void
draw_view(struct ui *ui, struct view *v, const struct canvas *body)
{
    unsigned n = view_regions(v->class);

    (void)ui;
    lay_out(v, body->w, body->h);
    for (unsigned i = 0; i < n; i++)
        draw_region(v, i, body);
    for (unsigned i = 0; i < n; i++) {
        struct rect r = v->layout.placed[i];

        if (r.w <= 0 || r.x <= 0)
            continue;
        if (!(v->class->regions[i].flags & REGION_BARE))
            join(body, r.x, r.y);
        /* The rule of a region below may end at this line. */
        for (int y = r.y + 1; y <= r.y + r.h; y++)
            if (arms(body, r.x, y) && (arms(body, r.x - 1, y) & RIGHT ||
                                       arms(body, r.x + 1, y) & LEFT))
                join(body, r.x, y);
    }
}

/* ---- tabs ---- */

static unsigned
tab_style(bool on)
{
    return on ? ROLE_TAB_ON : ROLE_TAB;
}

static int
draw_tab(struct ui *ui, const struct canvas *c, int x, unsigned i, bool names)
{
    const struct view_class *class = view_classes[i];
    bool on = i == ui->tab &&
              (ui->n_pushed == 0 || ui->pushed[0]->class != &view_start_class);
    unsigned style = tab_style(on);
    struct buf badge;

    x = draw_printf(c, x, 0, style, " %u", i + 1);
    if (names || on)
        x = draw_printf(c, x, 0, style, " %s", class->title);
    buf_init(&badge);
    if (ui->tabs[i] && class->badge)
        class->badge(ui->tabs[i], &badge);
    if (badge.len > 0)
        x = draw_printf(c, x, 0, style, "%s%s", c->w >= WIDE ? " " : "",
                        badge.data);
    buf_fini(&badge);
    return draw_text(c, x, 0, style, " ");
}

/* "~/churn" for "/home/ann/churn". */
static void
short_path(const char *path, struct buf *out)
{
    const char *home = getenv("HOME");
    size_t n = home ? strlen(home) : 0;

    if (n > 1 && strncmp(path, home, n) == 0 &&
        (path[n] == '/' || path[n] == '\0'))
        buf_printf(out, "~%s", path + n);
    else
        buf_puts(out, path);
}

static void
tabs_right(struct ui *ui, struct buf *out)
{
    struct term_facts facts;
    char host[64] = "";

    term_facts(ui->term, &facts);
    gethostname(host, sizeof host - 1);
    buf_printf(out, "%s", host);
    if (facts.rtt_ms > 20)
        buf_printf(out, " · rtt %d ms", facts.rtt_ms);
}

static void
draw_tabs(struct ui *ui, const struct canvas *c)
{
    bool wide = c->w >= WIDE, names = c->w >= 70;
    struct buf b;
    int x;

    draw_fill(c, (struct rect){0, 0, c->w, 1}, ROLE_TAB, ' ');
    x = c->w >= 50 ? draw_text(c, 0, 0, ROLE_TAB | DRAW_BOLD, " lathe ") : 0;
    buf_init(&b);
    if (wide) {
        short_path(session_project(ui->session), &b);
        x = draw_fit(c, x, 0, 20, ROLE_TAB, DRAW_LEFT, str_of(b.data)) + 1;
    }
    for (unsigned i = 0; i < UI_TABS && view_classes[i]; i++) {
        ui->tab_x[i] = x;
        x = draw_tab(ui, c, x, i, names) + (wide ? 1 : 0);
        ui->tab_x[i + 1] = x;
    }
    buf_clear(&b);
    if (wide)
        tabs_right(ui, &b);
    else
        buf_puts(&b, "? help");
    int n = (int)str_width(str_of(b.data));

    if (x + n + 2 <= c->w)
        draw_text(c, c->w - n - 1, 0, ROLE_TAB, b.data);
    buf_fini(&b);
}

/* ---- the bar ---- */

static void
mode_word(struct ui *ui, struct buf *out)
{
    const char *context = ui_context(ui);
    const char *dot = strrchr(context, '.');
    const char *word = ui->ask.on    ? "prompt"
                       : ui->chooser ? ui->chooser->mode
                       : dot         ? dot + 1
                                     : context;

    for (const char *p = word; *p && *p != ' ' && *p != ':'; p++)
        buf_putc(out, (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p));
}

static int
bar_item(const struct canvas *c, int x, const char *key, const char *word)
{
    int need = (int)str_width(str_of(key)) + (int)str_width(str_of(word)) + 3;

    if (x + need > c->w)
        return x;
    x = draw_text(c, x, 0, ROLE_BAR_KEY, key);
    x = draw_printf(c, x, 0, ROLE_BAR, " %s  ", word);
    return x;
}

static int
bar_keys(struct ui *ui, const struct canvas *c, int x)
{
    const char *context = ui_context(ui);
    struct buf label;

    buf_init(&label);
    /* What holds here alone comes before what holds in all of the view. */
    for (size_t pass = 0, n = keymap_count(ui->keymap); pass < 2 * n; pass++) {
        const struct binding *b = keymap_at(ui->keymap, pass % n);

        if (!*b->bar || !keymap_in_force(b, context) ||
            (strcmp(b->view, context) == 0) != (pass < n) ||
            !action_known(ui, b->command))
            continue;
        buf_clear(&label);
        binding_label(b, &label);
        x = bar_item(c, x, label.data, b->bar);
    }
    buf_fini(&label);
    return x;
}

static bool
has_subject_actions(struct ui *ui)
{
    const struct view_action *a = ui_at(ui)->class->actions;

    for (; a && a->name; a++)
        if (a->flags & ACTION_SUBJECT)
            return true;
    return false;
}

static void
draw_bar(struct ui *ui, const struct canvas *c)
{
    struct canvas left = *c;
    struct buf mode;
    int x;

    draw_fill(c, (struct rect){0, 0, c->w, 1}, ROLE_BAR, ' ');
    if (c->w >= 90) {
        time_t now = (time_t)(loop_wall_ms() / 1000);
        struct tm tm;
        char clock[8];

        localtime_r(&now, &tm);
        strftime(clock, sizeof clock, "%H:%M", &tm);
        draw_text(c, c->w - 6, 0, ROLE_BAR, clock);
        left = canvas_sub(c, (struct rect){0, 0, c->w - 8, 1});
    }
    buf_init(&mode);
    mode_word(ui, &mode);
    x = draw_printf(&left, 0, 0, ROLE_BAR_MODE, " %s ", mode.data);
    x = draw_text(&left, x, 0, ROLE_BAR, " ");
    buf_fini(&mode);
    if (ui->ask.on) {
        draw_text(&left, x, 0, ROLE_BAR, ui->ask.hint);
        return;
    }
    if (ui->chooser) {
        draw_text(&left, x, 0, ROLE_BAR, ui->chooser->hint);
        return;
    }
    if (keymap_is_text(ui_context(ui))) {
        bar_keys(ui, &left, x);
        return;
    }
    /* The last place is for what a newcomer needs. */
    bool subject = has_subject_actions(ui);
    int rest = subject ? 31 : 20;
    struct canvas keys =
        canvas_sub(&left, (struct rect){0, 0, left.w - rest, 1});

    if (keys.w < x + 10) {
        x = bar_keys(ui, &left, x);
        return;
    }
    x = bar_keys(ui, &keys, x);
    if (subject)
        x = bar_item(&left, x, "x", "actions");
    x = bar_item(&left, x, ":", "commands");
    bar_item(&left, x, "?", "keys");
}

/* ---- the message line ---- */

static void
draw_pending(struct ui *ui, const struct canvas *c)
{
    struct buf b;

    if (!ui->count && !ui->n_pending)
        return;
    buf_init(&b);
    if (ui->count)
        buf_printf(&b, "%d", ui->count);
    for (int i = 0; i < ui->n_pending; i++)
        input_key_name(ui->pending[i], &b);
    int n = (int)str_width(str_of(b.data));

    draw_text(c, c->w - n - 1, 0, ROLE_ACCENT, b.data);
    buf_fini(&b);
}

static void
draw_message(struct ui *ui, const struct canvas *line,
             const struct canvas *body)
{
    static const unsigned roles[] = {ROLE_TEXT, ROLE_WARN, ROLE_ERROR};

    if (ui->choice.on) {
        draw_markup(line,
                    ui->choice.again
                        ? draw_text(line, 1, 0, ROLE_ERROR, "please answer: ")
                        : 1,
                    0, ROLE_WARN, ui->choice.text);
        return;
    }
    if (ui->ask.on) {
        ask_draw(ui, line, body);
        return;
    }
    if (ui->line.shown) {
        int x = 1;

        if (ui->line.level == MESSAGE_ERROR)
            x = draw_text(line, x, 0, ROLE_ERROR, "✗ ");
        else if (ui->line.level == MESSAGE_WARN)
            x = draw_text(line, x, 0, ROLE_WARN, "▲ ");
        draw_fit(line, x, 0, line->w - x, roles[ui->line.level], DRAW_LEFT,
                 str_of(ui->line.text));
    }
    draw_pending(ui, line);
}

/* ---- which-key ---- */

static bool
continues(const struct ui *ui, const struct binding *b, const char *context)
{
    return b->n_keys > ui->n_pending && keymap_in_force(b, context) &&
           memcmp(b->keys, ui->pending,
                  (size_t)ui->n_pending * sizeof *b->keys) == 0;
}

static void
draw_which_key(struct ui *ui, const struct canvas *body)
{
    const char *context = ui_context(ui);
    struct buf label;
    int n = 0, w = body->w < 44 ? body->w : 44;

    for (size_t i = 0; i < keymap_count(ui->keymap); i++) {
        const struct binding *b = keymap_at(ui->keymap, i);

        n += continues(ui, b, context) && action_known(ui, b->command);
    }
    if (n == 0)
        return;
    if (n > body->h - 2)
        n = body->h - 2;
    struct rect box = {body->w - w, body->h - n - 2, w, n + 2};
    struct canvas c = *body;
    int y = box.y + 1;

    c.base = ROLE_POPUP;
    buf_init(&label);
    for (int i = 0; i < ui->n_pending; i++) {
        buf_puts(&label, i ? " " : "");
        input_key_label(ui->pending[i], &label);
    }
    draw_box(&c, box, ROLE_BORDER, label.data, NULL);
    for (size_t i = 0; i < keymap_count(ui->keymap) && n > 0; i++) {
        const struct binding *b = keymap_at(ui->keymap, i);

        if (!continues(ui, b, context) || !action_known(ui, b->command))
            continue;
        buf_clear(&label);
        input_key_label(b->keys[ui->n_pending], &label);
        draw_fit(&c, box.x + 2, y, 6, ROLE_KEY, DRAW_LEFT, str_of(label.data));
        draw_fit(&c, box.x + 9, y, w - 11, ROLE_POPUP, DRAW_LEFT,
                 str_of(b->help));
        y++;
        n--;
    }
    buf_fini(&label);
}

/* ---- all of it ---- */

void
frame_draw(struct ui *ui)
{
    struct canvas all = canvas_of(ui->grid);
    struct rect rest = {0, 0, all.w, all.h};
    struct rect none = {0, 0, 0, 0};
    struct rect tabs = all.h >= 5 ? rect_top(&rest, 1) : none;
    struct rect bar = all.h >= 3 ? rect_bottom(&rest, 1) : none;
    struct rect line = all.h >= 2 ? rect_bottom(&rest, 1) : none;
    struct canvas body = canvas_sub(&all, rest);
    struct canvas message = canvas_sub(&all, line);
    struct canvas part;

    grid_clear(ui->grid);
    ui->body = rest;
    if (tabs.h) {
        part = canvas_sub(&all, tabs);
        draw_tabs(ui, &part);
    }
    canvas_cursor(&body, 0, 0, false);
    draw_view(ui, ui_at(ui), &body);
    if (ui->chooser)
        chooser_draw(ui, &body);
    if (ui->which_key)
        draw_which_key(ui, &body);
    if (line.h)
        draw_message(ui, &message, &body);
    if (bar.h) {
        part = canvas_sub(&all, bar);
        draw_bar(ui, &part);
    }
}
