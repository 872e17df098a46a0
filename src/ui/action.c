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
#include "base/torn.h"
#include "script/kernel.h"
#include "session/task.h"
#include "ui/tether.h"

enum { COUNT_MAX = 1000000, WORDS_MAX = 64 };

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

static size_t
complete_taken(void *ctx, struct str line, size_t at, size_t *begin,
               char ***out)
{
    const struct taking *t = ctx;

    return ask_complete_words(t->ui, line, at, begin, out);
}

static void
ask_for(struct ui *ui, const char *name, const char *takes, int count)
{
    struct view *v = ui_at(ui);
    struct buf text;
    struct taking *t = mem_new(sizeof *t);
    const char *hint = strchr(takes, '\n');
    char label[80];
    struct ui_question q = {.label = label,
                            .hint = hint ? hint + 1 : NULL,
                            .history = name,
                            .done = taken,
                            .ctx = t};

    snprintf(label, sizeof label, "%.*s", (int)strcspn(takes, "\n"), takes);

    if (strcmp(name, "open") == 0 && strcmp(takes, "file: ") == 0)
        q.complete = ask_complete_table;
    else if (strncmp(takes, "file", 4) == 0)
        q.complete = ask_complete_files;
    else if (strncmp(takes, "column", 6) == 0 || strstr(takes, "Tab completes"))
        q.complete = complete_taken;
    t->ui = ui;
    t->count = count;
    snprintf(t->name, sizeof t->name, "%s", name);
    buf_init(&text);
    if (v->class->suggest)
        v->class->suggest(v, name, &text);
    q.text = text.data;
    ui_ask(ui, &q);
    buf_fini(&text);
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
    ui_enter_view(v);
    used = run_in_view(ui, v, name, &call);
    ui_leave_view(v);
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
    bool line;

    while (len > 0 && out->data[len - 1] == '\n')
        len--;
    line = !memchr(out->data, '\n', len) &&
           str_width((struct str){out->data, len}) < (size_t)ui->grid->w;
    if (len > 0 && line)
        ui_message(ui, MESSAGE_INFO, "%.*s", (int)len, out->data);
    else
        ui_message(ui, MESSAGE_INFO, "%s: done", name);
    if (!line)
        ui_page(ui, name, out->data, len);
}

struct running {
    struct tether *ui;
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
    struct ui *ui = tether_end(r->ui);

    (void)t;
    if (ui && ok)
        show_output(ui, call_command(r->call)->name, call_out(r->call));
    else if (ui)
        ui_error(ui, err);
    call_free(r->call);
    free(r);
}

void
ui_call(struct ui *ui, struct call *call)
{
    const struct command *c = call_command(call);
    unsigned mark = torn_mark();
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

        *r = (struct running){tether_hold(ui->tether), call};
        task_start(ui->session, &spec);
        ui_message(ui, MESSAGE_INFO, "%s: running", c->name);
        return;
    }
    if (c->run(ui->session, NULL, call, &err) && torn_check(mark, false, &err))
        show_output(ui, c->name, call_out(call));
    else
        ui_error(ui, &err);
    call_free(call);
}

int
ui_split_words(const char *line, char *store, char **words, int max)
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
    int n = ui_split_words(line, store, words, WORDS_MAX), used = 0;
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
action_is_line(struct ui *ui, const char *line)
{
    char *words[WORDS_MAX], *store = mem_new(strlen(line) + WORDS_MAX + 1);
    int n = ui_split_words(line, store, words, WORDS_MAX), used;
    struct error err;
    bool is = n > 0 && (action_known(ui, alias(words[0])) ||
                        command_match(n, (const char *const *)words, &used,
                                      &err) != NULL);

    free(store);
    return is;
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
    bool digit = strncmp(b->command, "tab-", 4) == 0;

    if (ui->n_digits > 1 && is_movement(b->command)) {
        count = (int)ui->digit_value;
        ui_show_tab(ui, ui->digit_tab);
    }
    if (!digit)
        ui->n_digits = 0;
    /* The binding may be gone when the action comes back. */
    snprintf(command, sizeof command, "%s", b->command);
    forget_keys(ui);
    ui_run_command(ui, command, count);
    ui->moved = is_movement(command);
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

static bool
digits_fresh(const struct ui *ui)
{
    return ui->n_digits > 0 && loop_now_ms() - ui->digit_ms < UI_DIGIT_MS;
}

/* Digits: 1 to 6 switch views at once.  Two and more of them, quickly followed
 * by a movement (see run_binding) or by a digit that is no view, were a count:
 * back to where they began. 7, 8, 9 and Alt with any digit begin one. */
static bool
take_digit(struct ui *ui, uint32_t key)
{
    uint32_t code = key & INPUT_CODE;
    unsigned digit = code - '0';
    bool fresh = digits_fresh(ui);

    if (code < '0' || code > '9' || ui->n_pending > 0 ||
        key & (INPUT_CTRL | INPUT_SHIFT))
        return false;
    if (ui->count > 0) {
        ui->count = ui->count * 10 + (int)digit;
        ui->count = ui->count > COUNT_MAX ? COUNT_MAX : ui->count;
        return true;
    }
    if (digit > 0 && digit <= UI_TABS && !(key & INPUT_ALT)) {
        if (!fresh || ui->digit_value > COUNT_MAX / 10)
            ui->n_digits = ui->digit_value = 0;
        if (ui->n_digits++ == 0)
            ui->digit_tab = ui->tab;
        ui->digit_value = ui->digit_value * 10 + digit;
        ui->digit_ms = loop_now_ms();
        return false;
    }
    if (fresh) {
        ui_show_tab(ui, ui->digit_tab);
        ui->count = (int)(ui->digit_value * 10 + digit);
    } else if (digit > 0) {
        ui->count = (int)digit;
    }
    ui->n_digits = 0;
    return ui->count > 0;
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
    if ((e->key < '0' || e->key > '9') && !digits_fresh(ui))
        ui->n_digits = 0;
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
            ui_enter_view(v);
            bool used = v->class->key(v, e);

            ui_leave_view(v);
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
    if (!found && strchr(c.keys, 'n') && !is_cancel(key) &&
        key != ('c' | INPUT_CTRL)) {
        ui->choice.again = true;
        return;
    }
    ui->choice.on = false;
    c.done(c.ctx, found);
}

static void
paste(struct ui *ui, const struct input_event *e)
{
    struct view *v = ui_at(ui);

    ui_enter_view(v);
    bool used =
        keymap_is_text(ui_context(ui)) && v->class->key && v->class->key(v, e);

    ui_leave_view(v);
    if (!used)
        ui_message(ui, MESSAGE_INFO,
                   "%zu bytes pasted, but nothing here takes text", e->text.n);
}

void
action_key(struct ui *ui, const struct input_event *e)
{
    ui->moved = false;
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
                action_show_tab(ui, i);
        return;
    }
    int region = frame_region_at(v, e->x - ui->body.x, e->y - ui->body.y);

    if (region < 0)
        return;
    if (e->mouse == MOUSE_PRESS &&
        !(v->class->regions[region].flags & REGION_PASSIVE))
        v->focus = (unsigned)region;
    struct rect in = frame_region_inside(v, (unsigned)region);

    ui_enter_view(v);
    mouse_in_region(ui, v, (unsigned)region, e, e->x - ui->body.x - in.x,
                    e->y - ui->body.y - in.y);
    ui_leave_view(v);
}
