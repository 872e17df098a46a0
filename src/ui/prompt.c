/* ui/prompt.c -- readline without a terminal.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

enum { HISTORY_MAX = 500, HISTORY_FILE_MAX = 1 << 20 };

/* readline's own state is global, so is what goes with it. */
static struct {
    bool ready;
    bool accepted;
    char *line;       /* when accepted */
    struct buf bytes; /* on their way to readline */
    size_t at;
    char history[32];
    struct buf file; /* "name\ttext\n", oldest first */
    bool loaded;
    size_t left; /* cells scrolled out */
} prompt;

static int
next_byte(FILE *f)
{
    (void)f;
    if (prompt.at < prompt.bytes.len)
        return (unsigned char)prompt.bytes.data[prompt.at++];
    return EOF;
}

/* readline would ask the stream, which has nothing to do with it. */
static int
bytes_wait(void)
{
    return prompt.at < prompt.bytes.len;
}

static void
no_redisplay(void)
{
}

/* readline empties its buffer after this: keep the line. */
static void
accepted(char *line)
{
    prompt.accepted = true;
    rl_callback_handler_remove();
    free(prompt.line);
    prompt.line = line;
}

/* Commands that wait for more keys show that in a prompt of readline's own,
 * which there is not; and a sequence begun in a search crashes readline 8.2. */
static void
unbind_waiting(void)
{
    static rl_command_func_t *const waiting[] = {
        rl_reverse_search_history, rl_forward_search_history,
        rl_noninc_reverse_search,  rl_noninc_forward_search,
        rl_digit_argument,         rl_universal_argument,
        rl_quoted_insert,          rl_char_search,
        rl_backward_char_search,   rl_call_last_kbd_macro,
    };

    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++) {
        rl_unbind_function_in_map(waiting[i], emacs_standard_keymap);
        rl_unbind_function_in_map(waiting[i], emacs_meta_keymap);
    }
    rl_unbind_key('x' & 31);
}

static void
start_readline(void)
{
    FILE *nothing = fopen("/dev/null", "r+e");

    rl_prep_term_function = NULL;
    rl_deprep_term_function = NULL;
    rl_getc_function = next_byte;
    rl_input_available_hook = bytes_wait;
    rl_redisplay_function = no_redisplay;
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    rl_readline_name = "lathe";
    rl_instream = nothing;
    rl_outstream = nothing;
    rl_initialize();
    /* Esc cancels here, so there is no way to vi's command mode. */
    rl_variable_bind("editing-mode", "emacs");
    rl_variable_bind("bell-style", "none");
    rl_bind_key('\t', rl_insert);
    unbind_waiting();
    rl_bind_key('r' & 31, rl_history_search_backward);
    rl_bind_key('s' & 31, rl_history_search_forward);
    /* Nobody would see the question, nor the list. */
    rl_variable_bind("completion-query-items", "0");
    rl_variable_bind("page-completions", "off");
    prompt.ready = true;
}

/* ---- former answers ---- */

static char *
history_path(bool make)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    struct error err;
    char *dir;

    if (state && *state == '/')
        dir = file_join(state, "lathe");
    else if (home && *home == '/')
        dir = file_join(home, ".local/state/lathe");
    else
        return NULL;
    char *path = file_join(dir, "history");

    if (make && !file_make_dirs(dir, 0700, &err)) {
        free(path);
        path = NULL;
    }
    free(dir);
    return path;
}

static void
load_file(void)
{
    char *path = history_path(false);
    struct error err;

    prompt.loaded = true;
    buf_init(&prompt.file);
    if (path && file_exists(path) &&
        !file_read(path, HISTORY_FILE_MAX, &prompt.file, &err))
        buf_clear(&prompt.file);
    free(path);
}

static void
load_history(void)
{
    size_t name = strlen(prompt.history);
    const char *p;

    rl_clear_history(); /* and the undo lists of entries that were edited */
    stifle_history(HISTORY_MAX);
    if (!name)
        return;
    if (!prompt.loaded)
        load_file();
    for (p = prompt.file.data; *p;) {
        size_t len = strcspn(p, "\n");

        if (len > name && strncmp(p, prompt.history, name) == 0 &&
            p[name] == '\t') {
            char *text = mem_new(len - name);

            memcpy(text, p + name + 1, len - name - 1);
            add_history(text);
            free(text);
        }
        p += len + (p[len] == '\n');
    }
    using_history();
}

void
prompt_remember(void)
{
    const char *text = prompt_text();
    struct buf line;
    struct error err;
    char *path;

    history_set_pos(history_length);
    const HIST_ENTRY *last = previous_history();

    if (!*prompt.history || !*text || strpbrk(text, "\n\r") ||
        (last && strcmp(last->line, text) == 0))
        return;
    buf_init(&line);
    buf_printf(&line, "%s\t%s\n", prompt.history, text);
    buf_add(&prompt.file, line.data, line.len);
    path = history_path(true);
    /* A lost history line is not worth a message. */
    if (path && !file_append(path, line.data, line.len, &err))
        err.message[0] = '\0';
    free(path);
    buf_fini(&line);
}

/* ---- typing ---- */

/* A search, a number or half a key sequence that waits for more keys points
 * into the line and the history: it ends before either changes. */
static void
end_pending(void)
{
    rl_callback_sigcleanup();
}

void
prompt_begin(const char *text, const char *history)
{
    if (!prompt.ready)
        start_readline();
    snprintf(prompt.history, sizeof prompt.history, "%s",
             history ? history : "");
    end_pending();
    rl_callback_handler_remove();
    load_history();
    rl_callback_handler_install("", accepted);
    prompt.accepted = false;
    prompt.left = 0;
    prompt_set(text ? text : "");
}

void
prompt_close(void)
{
    if (!prompt.ready)
        return;
    end_pending();
    rl_callback_handler_remove();
    rl_clear_history();
    rl_replace_line("", 1);
    fclose(rl_instream);
    rl_instream = rl_outstream = NULL;
    free(prompt.line);
    buf_fini(&prompt.bytes);
    if (prompt.loaded)
        buf_fini(&prompt.file);
    memset(&prompt, 0, sizeof prompt);
}

const char *
prompt_text(void)
{
    if (prompt.accepted)
        return prompt.line ? prompt.line : "";
    return rl_line_buffer ? rl_line_buffer : "";
}

size_t
prompt_point(void)
{
    return prompt.accepted ? strlen(prompt_text()) : (size_t)rl_point;
}

void
prompt_set(const char *text)
{
    end_pending();
    rl_replace_line(text, 1);
    rl_point = rl_end;
}

void
prompt_replace(size_t begin, const char *text)
{
    end_pending();
    if (begin > (size_t)rl_point)
        return;
    rl_delete_text((int)begin, rl_point);
    rl_point = (int)begin;
    rl_insert_text(text);
}

/* What readline expects for a key; nothing for those it has no use for. */
static void
put_key(uint32_t key)
{
    static const struct {
        uint32_t key;
        const char *bytes;
    } keys[] = {
        {INPUT_ENTER, "\r"},
        {INPUT_BACKSPACE, "\177"},
        {INPUT_LEFT, "\033[D"},
        {INPUT_RIGHT, "\033[C"},
        {INPUT_UP, "\033[A"},
        {INPUT_DOWN, "\033[B"},
        {INPUT_HOME, "\001"},
        {INPUT_END, "\005"},
        {INPUT_LEFT | INPUT_CTRL, "\033b"},
        {INPUT_RIGHT | INPUT_CTRL, "\033f"},
        {INPUT_LEFT | INPUT_ALT, "\033b"},
        {INPUT_RIGHT | INPUT_ALT, "\033f"},
        {INPUT_BACKSPACE | INPUT_ALT, "\033\177"},
    };
    uint32_t code = key & INPUT_CODE;
    char utf8[4];

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i].key == key) {
            buf_puts(&prompt.bytes, keys[i].bytes);
            return;
        }
    }
    if (code >= INPUT_ENTER || key & INPUT_SHIFT)
        return;
    if (key & INPUT_ALT)
        buf_putc(&prompt.bytes, '\033');
    if (key & INPUT_CTRL) {
        if (code >= 'a' && code <= 'z')
            buf_putc(&prompt.bytes, (char)(code & 31));
        return;
    }
    buf_add(&prompt.bytes, utf8, str_put_utf8(code, utf8));
}

static void
put_paste(struct str text)
{
    struct buf clean;

    buf_init(&clean);
    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i];

        buf_putc(&clean, ch == '\n' || ch == '\t' ? ' ' : ch);
    }
    for (size_t i = 0; i < clean.len; i++)
        if ((unsigned char)clean.data[i] < ' ')
            clean.data[i] = ' ';
    end_pending();
    rl_insert_text(clean.data);
    buf_fini(&clean);
}

enum prompt_state
prompt_key(const struct input_event *e)
{
    if (e->kind == INPUT_PASTE) {
        put_paste(e->text);
        return PROMPT_TYPING;
    }
    if (e->kind != INPUT_KEY)
        return PROMPT_TYPING;
    if (e->key == INPUT_ESC || e->key == ('c' | INPUT_CTRL) ||
        e->key == ('g' | INPUT_CTRL) ||
        (e->key == INPUT_BACKSPACE && rl_end == 0))
        return PROMPT_CANCELLED;
    /* Delete, and Ctrl-D, which at an empty line would mean its end. */
    if (e->key == INPUT_DELETE || e->key == ('d' | INPUT_CTRL)) {
        end_pending();
        if (rl_point < rl_end)
            rl_delete(1, 0);
        return PROMPT_TYPING;
    }
    buf_clear(&prompt.bytes);
    prompt.at = 0;
    put_key(e->key);
    while (prompt.at < prompt.bytes.len && !prompt.accepted)
        rl_callback_read_char();
    return prompt.accepted ? PROMPT_ACCEPTED : PROMPT_TYPING;
}

void
prompt_draw(const struct canvas *c, int x, int y, unsigned style)
{
    const char *text = prompt_text();
    int room = c->w - x - 1;
    size_t before = str_width((struct str){text, prompt_point()});
    struct str shown = str_of(text);

    if (room < 1)
        return;
    if (before < prompt.left)
        prompt.left = before;
    if (before > prompt.left + (size_t)room)
        prompt.left = before - (size_t)room;
    if (prompt.left > 0) {
        size_t n = str_fit(shown, prompt.left, NULL);

        shown = (struct str){shown.p + n, shown.n - n};
    }
    draw_fill(c, (struct rect){x, y, c->w - x, 1}, style, ' ');
    draw_str(c, x, y, style, shown);
    canvas_cursor(c, x + (int)(before - prompt.left), y, true);
}
