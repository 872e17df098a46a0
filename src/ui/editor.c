/* ui/editor.c -- the text of a cell under edit.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/editor.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyword.h"
#include "base/mem.h"

struct step {
    char *text;
    size_t len, at;
};

struct stack {
    struct step step[EDITOR_UNDO];
    size_t n;
};

struct editor {
    struct buf text;
    size_t at;
    int want; /* cell column that up and down keep, -1: as it is */
    bool lua, changed;
    bool typing; /* the last edit was a typed word character */
    struct stack undo, redo;
};

struct editor *
editor_new(const char *text, size_t len, bool lua)
{
    struct editor *e = mem_new(sizeof *e);

    buf_init(&e->text);
    buf_add(&e->text, text, len);
    e->at = 0;
    e->want = -1;
    e->lua = lua;
    return e;
}

static void
stack_clear(struct stack *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->step[i].text);
    s->n = 0;
}

void
editor_free(struct editor *e)
{
    if (!e)
        return;
    stack_clear(&e->undo);
    stack_clear(&e->redo);
    buf_fini(&e->text);
    free(e);
}

struct str
editor_text(const struct editor *e)
{
    return (struct str){e->text.data, e->text.len};
}

bool
editor_changed(const struct editor *e)
{
    return e->changed;
}

size_t
editor_at(const struct editor *e)
{
    return e->at;
}

void
editor_set_at(struct editor *e, size_t at)
{
    e->at = at < e->text.len ? at : e->text.len;
    e->want = -1;
}

/* ---- lines ---- */

static size_t
line_start(const struct editor *e, size_t at)
{
    while (at > 0 && e->text.data[at - 1] != '\n')
        at--;
    return at;
}

static size_t
line_end(const struct editor *e, size_t at)
{
    while (at < e->text.len && e->text.data[at] != '\n')
        at++;
    return at;
}

int
editor_lines(const struct editor *e)
{
    int n = 1;

    for (size_t i = 0; i < e->text.len; i++)
        n += e->text.data[i] == '\n';
    return n;
}

void
editor_cursor(const struct editor *e, int *line, int *column)
{
    size_t start = line_start(e, e->at);

    *line = 0;
    for (size_t i = 0; i < start; i++)
        *line += e->text.data[i] == '\n';
    *column = (int)str_width((struct str){e->text.data + start, e->at - start});
}

void
editor_place(struct editor *e, int line, int column)
{
    size_t at = 0;

    for (; line > 0 && at < e->text.len; at++)
        line -= e->text.data[at] == '\n';
    e->at = at + str_fit((struct str){e->text.data + at, line_end(e, at) - at},
                         column > 0 ? (size_t)column : 0, NULL);
}

static size_t
before(const struct editor *e, size_t at)
{
    if (at == 0)
        return 0;
    for (at--; at > 0 && ((unsigned char)e->text.data[at] & 0xc0) == 0x80;)
        at--;
    return at;
}

static size_t
after(const struct editor *e, size_t at)
{
    if (at < e->text.len)
        str_next(editor_text(e), &at);
    return at;
}

/* ---- undo ---- */

static void
push(struct stack *s, const struct editor *e)
{
    struct step *step;

    if (s->n == EDITOR_UNDO) {
        free(s->step[0].text);
        memmove(s->step, s->step + 1, (EDITOR_UNDO - 1) * sizeof *s->step);
        s->n--;
    }
    step = &s->step[s->n++];
    step->len = e->text.len;
    step->at = e->at;
    step->text = mem_new(step->len + 1);
    memcpy(step->text, e->text.data, step->len);
}

/* Before a change; `word`: it continues the typing of a word. */
static void
remember(struct editor *e, bool word)
{
    if (!(word && e->typing))
        push(&e->undo, e);
    e->typing = word;
    e->changed = true;
    e->want = -1;
    stack_clear(&e->redo);
}

static bool
restore(struct editor *e, struct stack *from, struct stack *to)
{
    struct step *step;

    if (from->n == 0)
        return false;
    push(to, e);
    step = &from->step[--from->n];
    buf_clear(&e->text);
    buf_add(&e->text, step->text, step->len);
    e->at = step->at;
    e->typing = false;
    e->changed = true;
    free(step->text);
    return true;
}

bool
editor_undo(struct editor *e)
{
    return restore(e, &e->undo, &e->redo);
}

bool
editor_redo(struct editor *e)
{
    return restore(e, &e->redo, &e->undo);
}

/* ---- changes ---- */

/* Put p in place of the bytes from..to. */
static void
splice(struct editor *e, size_t from, size_t to, const char *p, size_t len)
{
    struct buf b;

    buf_init(&b);
    buf_add(&b, e->text.data, from);
    buf_add(&b, p, len);
    buf_add(&b, e->text.data + to, e->text.len - to);
    buf_fini(&e->text);
    e->text = b;
    e->at = from + len;
}

void
editor_insert(struct editor *e, const char *p, size_t len)
{
    remember(e, false);
    splice(e, e->at, e->at, p, len);
}

void
editor_replace(struct editor *e, size_t from, const char *p, size_t len)
{
    remember(e, false);
    splice(e, from, e->at, p, len);
}

static void
erase(struct editor *e, size_t from, size_t to)
{
    if (from == to)
        return;
    remember(e, false);
    splice(e, from, to, "", 0);
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || (c & 0x80);
}

static bool
ends_with_word(struct str s, const char *word)
{
    size_t n = strlen(word);

    return s.n >= n && memcmp(s.p + s.n - n, word, n) == 0 &&
           (s.n == n || !is_word(s.p[s.n - n - 1]));
}

static bool
starts_with_word(struct str s, const char *word)
{
    size_t n = strlen(word);

    return str_starts(s, word) && (s.n == n || !is_word(s.p[n]));
}

/* Does a line open a block that the next one is inside of? */
static bool
opens_block(struct str line)
{
    static const char *const words[] = {"then", "do", "else", "repeat"};
    const char *comment = memmem(line.p, line.n, "--", 2);

    if (comment)
        line.n = (size_t)(comment - line.p);
    line = str_trim(line);
    if (line.n == 0)
        return false;
    if (line.p[line.n - 1] == '{' || line.p[line.n - 1] == '(')
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (ends_with_word(line, words[i]))
            return true;
    return line.p[line.n - 1] == ')' && memmem(line.p, line.n, "function", 8) &&
           !memmem(line.p, line.n, " end", 4);
}

static bool
closes_block(struct str line)
{
    static const char *const words[] = {"end", "else", "elseif", "until"};

    line = str_trim(line);
    if (line.n > 0 && (line.p[0] == '}' || line.p[0] == ')'))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (starts_with_word(line, words[i]))
            return true;
    return false;
}

static size_t
indent_of(const struct editor *e, size_t start)
{
    size_t n = 0;

    while (start + n < e->text.len && e->text.data[start + n] == ' ')
        n++;
    return n;
}

static void
new_line(struct editor *e)
{
    size_t start = line_start(e, e->at);
    struct str line = {e->text.data + start, e->at - start};
    size_t indent = indent_of(e, start);
    char text[256] = "\n";

    if (indent > e->at - start)
        indent = e->at - start;
    if (e->lua && opens_block(line))
        indent += EDITOR_INDENT;
    if (indent > sizeof text - 2)
        indent = sizeof text - 2;
    memset(text + 1, ' ', indent);
    editor_insert(e, text, indent + 1);
}

/* "end" just completed on a line of its own: one step to the left. */
static void
settle_indent(struct editor *e)
{
    size_t start = line_start(e, e->at);
    size_t indent = indent_of(e, start), above, want;
    struct str line = {e->text.data + start, line_end(e, start) - start};

    if (!e->lua || start == 0 || !closes_block(line) ||
        str_trim(line).n != e->at - start - indent)
        return;
    above = line_start(e, start - 1);
    want = indent_of(e, above);
    if (!opens_block((struct str){e->text.data + above, start - 1 - above}))
        want = want >= EDITOR_INDENT ? want - EDITOR_INDENT : 0;
    if (indent > want) {
        size_t at = e->at - (indent - want);

        splice(e, start, start + indent - want, "", 0);
        e->at = at;
    }
}

static void
type(struct editor *e, uint32_t cp)
{
    char utf8[4];
    size_t n = str_put_utf8(cp, utf8);

    remember(e, n > 1 || is_word(utf8[0]));
    splice(e, e->at, e->at, utf8, n);
    settle_indent(e);
}

static void
backspace(struct editor *e)
{
    size_t start = line_start(e, e->at), n = e->at - start;

    /* Within the indentation: back to the step before. */
    if (n > 0 && indent_of(e, start) >= n) {
        erase(e, e->at - ((n - 1) % EDITOR_INDENT + 1), e->at);
        return;
    }
    erase(e, before(e, e->at), e->at);
}

static size_t
word_left(const struct editor *e)
{
    size_t at = e->at;

    while (at > 0 && !is_word(e->text.data[at - 1]))
        at--;
    while (at > 0 && is_word(e->text.data[at - 1]))
        at--;
    return at;
}

static size_t
word_right(const struct editor *e)
{
    size_t at = e->at;

    while (at < e->text.len && !is_word(e->text.data[at]))
        at++;
    while (at < e->text.len && is_word(e->text.data[at]))
        at++;
    return at;
}

static void
move_lines(struct editor *e, int by)
{
    int line, column;

    editor_cursor(e, &line, &column);
    if (e->want < 0)
        e->want = column;
    line += by;
    if (line < 0)
        line = 0;
    if (line >= editor_lines(e))
        line = editor_lines(e) - 1;
    editor_place(e, line, e->want);
}

static bool
move(struct editor *e, uint32_t key)
{
    int want = -1;

    switch (key) {
    case INPUT_LEFT:
        e->at = before(e, e->at);
        break;
    case INPUT_RIGHT:
        e->at = after(e, e->at);
        break;
    case INPUT_LEFT | INPUT_CTRL:
    case 'b' | INPUT_ALT:
        e->at = word_left(e);
        break;
    case INPUT_RIGHT | INPUT_CTRL:
    case 'f' | INPUT_ALT:
        e->at = word_right(e);
        break;
    case INPUT_UP:
        move_lines(e, -1);
        want = e->want;
        break;
    case INPUT_DOWN:
        move_lines(e, 1);
        want = e->want;
        break;
    case INPUT_PAGEUP:
        move_lines(e, -10);
        want = e->want;
        break;
    case INPUT_PAGEDOWN:
        move_lines(e, 10);
        want = e->want;
        break;
    case INPUT_HOME:
    case 'a' | INPUT_CTRL:
        e->at = line_start(e, e->at);
        break;
    case INPUT_END:
    case 'e' | INPUT_CTRL:
        e->at = line_end(e, e->at);
        break;
    case INPUT_HOME | INPUT_CTRL:
        e->at = 0;
        break;
    case INPUT_END | INPUT_CTRL:
        e->at = e->text.len;
        break;
    default:
        return false;
    }
    e->want = want;
    e->typing = false;
    return true;
}

static bool
change(struct editor *e, uint32_t key)
{
    switch (key) {
    case INPUT_ENTER:
        new_line(e);
        return true;
    case INPUT_BACKSPACE:
        backspace(e);
        return true;
    case INPUT_DELETE:
    case 'd' | INPUT_CTRL:
        erase(e, e->at, after(e, e->at));
        return true;
    case 'k' | INPUT_CTRL:
        erase(e, e->at,
              e->at == line_end(e, e->at) ? after(e, e->at)
                                          : line_end(e, e->at));
        return true;
    case 'u' | INPUT_CTRL:
        erase(e, line_start(e, e->at), e->at);
        return true;
    case 'w' | INPUT_CTRL:
        erase(e, word_left(e), e->at);
        return true;
    case '_' | INPUT_CTRL:
    case 'u' | INPUT_ALT:
        editor_undo(e);
        return true;
    case 'r' | INPUT_ALT:
        editor_redo(e);
        return true;
    default:
        return false;
    }
}

bool
editor_key(struct editor *e, const struct input_event *ev)
{
    if (ev->kind == INPUT_PASTE) {
        editor_insert(e, ev->text.p, ev->text.n);
        return true;
    }
    if (ev->kind != INPUT_KEY)
        return false;
    if (move(e, ev->key) || change(e, ev->key))
        return true;
    if (ev->key >= 0x20 && ev->key < 0x110000 && ev->key != 0x7f) {
        type(e, ev->key);
        return true;
    }
    return false;
}

/* ---- colours ---- */

/* End of "[==[ ... ]==]" that begins at `at`; `at` when none begins there. */
static size_t
long_bracket(struct str s, size_t at)
{
    size_t level = 0, i = at;

    if (i >= s.n || s.p[i] != '[')
        return at;
    for (i++; i < s.n && s.p[i] == '='; i++)
        level++;
    if (i >= s.n || s.p[i] != '[')
        return at;
    for (i++; i < s.n; i++) {
        size_t k = 0;

        if (s.p[i] != ']')
            continue;
        while (k < level && i + 1 + k < s.n && s.p[i + 1 + k] == '=')
            k++;
        if (k == level && i + 1 + k < s.n && s.p[i + 1 + k] == ']')
            return i + k + 2;
    }
    return s.n;
}

static size_t
comment_end(struct str s, size_t at)
{
    size_t end = long_bracket(s, at + 2);

    if (end > at + 2)
        return end;
    while (at < s.n && s.p[at] != '\n')
        at++;
    return at;
}

static size_t
string_end(struct str s, size_t at)
{
    char quote = s.p[at];

    for (at++; at < s.n && s.p[at] != '\n'; at++) {
        if (s.p[at] == '\\' && at + 1 < s.n)
            at++;
        else if (s.p[at] == quote)
            return at + 1;
    }
    return at;
}

static size_t
number_end(struct str s, size_t at)
{
    while (at < s.n && (is_word(s.p[at]) || s.p[at] == '.' ||
                        ((s.p[at] == '-' || s.p[at] == '+') &&
                         (s.p[at - 1] == 'e' || s.p[at - 1] == 'E'))))
        at++;
    return at;
}

static uint8_t
word_role(struct str s, size_t at, size_t end)
{
    struct str w = {s.p + at, end - at};

    if (keyword_is(w))
        return ROLE_CODE_KEY;
    if (str_is(w, "lathe") ||
        (end < s.n && (s.p[end] == '(' || s.p[end] == '{')) ||
        (end + 1 < s.n && s.p[end] == ' ' &&
         (s.p[end + 1] == '{' || s.p[end + 1] == '"') && at > 0 &&
         (s.p[at - 1] == '.' || s.p[at - 1] == ':')))
        return ROLE_CODE_NAME;
    return ROLE_TEXT;
}

void
lua_colours(struct str s, uint8_t *out)
{
    size_t at = 0;

    while (at < s.n) {
        size_t end = at + 1;
        uint8_t role = ROLE_TEXT;
        char c = s.p[at];

        if (c == '-' && at + 1 < s.n && s.p[at + 1] == '-') {
            end = comment_end(s, at);
            role = ROLE_CODE_COM;
        } else if (c == '"' || c == '\'') {
            end = string_end(s, at);
            role = ROLE_CODE_STR;
        } else if (c == '[' && long_bracket(s, at) > at) {
            end = long_bracket(s, at);
            role = ROLE_CODE_STR;
        } else if (c >= '0' && c <= '9') {
            end = number_end(s, at + 1);
            role = ROLE_CODE_NUM;
        } else if (is_word(c)) {
            while (end < s.n && is_word(s.p[end]))
                end++;
            role = word_role(s, at, end);
        }
        memset(out + at, role, end - at);
        at = end;
    }
}
