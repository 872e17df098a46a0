/* ui/input.c -- the parser of what a terminal sends.
 *
 * Bytes gather in `in`; input_next() takes one event off their front, or says
 * that more must come.  What begins with ESC is looked up among the sequences
 * learnt from terminfo, then read by its grammar:
 *
 *   ESC [ P.. I.. F     CSI: parameters 30-3f, intermediates 20-2f, final
 *   ESC O F             SS3
 *   ESC ] .. BEL|ST     OSC       ESC P .. ST, ESC _ .. ST, ...   swallowed
 *   ESC c               Alt and a key
 *
 * The grammar ends a sequence without knowing it, so nothing unknown is ever
 * typed into the program.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    ESC = 0x1b,
    MAX_LEARNT = 128,
    MAX_SEQUENCE = 256, /* a longer CSI is noise */
    MAX_STRING = 4096   /* a longer OSC or DCS is noise */
};

struct learnt {
    char text[17];
    size_t len;
    uint32_t key;
};

struct input_stream {
    struct buf in;
    size_t at; /* first byte not yet used */
    struct learnt learnt[MAX_LEARNT];
    size_t n_learnt;
    struct buf paste;
    bool pasting;
    bool flushed; /* nothing more comes: an ESC is a key */
};

struct input_stream *
input_new(void)
{
    struct input_stream *in = mem_new(sizeof *in);

    buf_init(&in->in);
    buf_init(&in->paste);
    return in;
}

void
input_free(struct input_stream *in)
{
    if (!in)
        return;
    buf_fini(&in->in);
    buf_fini(&in->paste);
    free(in);
}

void
input_learn(struct input_stream *in, const char *sequence, uint32_t key)
{
    size_t len = strlen(sequence);

    /* A printable or control character is itself. */
    if (len < 2 || len > 16 || sequence[0] != ESC || in->n_learnt == MAX_LEARNT)
        return;
    struct learnt *l = &in->learnt[in->n_learnt++];

    memcpy(l->text, sequence, len + 1);
    l->len = len;
    l->key = key;
}

void
input_feed(struct input_stream *in, const void *bytes, size_t n)
{
    if (in->at == in->in.len) {
        buf_clear(&in->in);
        in->at = 0;
    } else if (in->at > 65536) {
        memmove(in->in.data, in->in.data + in->at, in->in.len - in->at);
        in->in.len -= in->at;
        in->at = 0;
    }
    buf_add(&in->in, bytes, n);
    in->flushed = false;
}

bool
input_waits(const struct input_stream *in)
{
    return in->at < in->in.len && !in->pasting;
}

void
input_flush(struct input_stream *in)
{
    in->flushed = true;
}

/* ---- single characters ---- */

static uint32_t
control_key(unsigned char c)
{
    switch (c) {
    case '\r':
        return INPUT_ENTER;
    case '\t':
        return INPUT_TAB;
    case 0x7f:
    case '\b':
        return INPUT_BACKSPACE;
    case 0:
        return ' ' | INPUT_CTRL;
    case ESC:
        return INPUT_ESC;
    default:
        return (uint32_t)(c < 27 ? c + 'a' - 1 : c + '@') | INPUT_CTRL;
    }
}

/* Length of the UTF-8 sequence that c begins; 1 for a wrong byte. */
static size_t
utf8_len(unsigned char c)
{
    return c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
}

/* The key at p[0..n); its length, or 0 when more bytes are needed. */
static size_t
plain_key(const struct input_stream *in, const char *p, size_t n, uint32_t *key)
{
    unsigned char c = (unsigned char)p[0];

    if (c < 0x20 || c == 0x7f) {
        *key = control_key(c);
        return 1;
    }
    size_t need = utf8_len(c);
    bool whole = true;

    for (size_t i = 1; i < need && i < n && whole; i++)
        whole = ((unsigned char)p[i] & 0xc0) == 0x80;
    if (whole && n < need && !in->flushed)
        return 0;
    size_t at = 0;

    *key = (uint32_t)str_next((struct str){p, n}, &at);
    return at;
}

/* ---- CSI ---- */

enum { MAX_PARAMS = 8 };
struct csi {
    char mark; /* '<', '?', '>', '=' or 0 */
    char final;
    int param[MAX_PARAMS]; /* -1: left out */
    int n;
};

/* Read p[0..n), what follows "ESC [" up to and with the final byte. */
static void
csi_read(struct csi *c, const char *p, size_t n)
{
    size_t i = 0;

    *c = (struct csi){0};
    if (n > 1 && p[0] >= '<' && p[0] <= '?')
        c->mark = p[i++];
    c->final = p[n - 1];
    c->n = 1;
    c->param[0] = -1;
    bool sub = false; /* behind a colon: a sub-parameter, not needed */

    for (; i + 1 < n; i++) {
        int *v = &c->param[c->n - 1];

        if (p[i] == ';') {
            sub = false;
            if (c->n == MAX_PARAMS)
                break;
            c->param[c->n++] = -1;
        } else if (p[i] == ':')
            sub = true;
        else if (p[i] >= '0' && p[i] <= '9' && !sub && *v < 1000000)
            *v = (*v < 0 ? 0 : *v) * 10 + (p[i] - '0');
    }
}

static uint32_t
modifiers(int param)
{
    unsigned m = param > 1 ? (unsigned)param - 1 : 0;

    return (m & 1 ? (uint32_t)INPUT_SHIFT : 0) |
           (m & 2 ? (uint32_t)INPUT_ALT : 0) |
           (m & 4 ? (uint32_t)INPUT_CTRL : 0);
}

static uint32_t
letter_key(char final)
{
    switch (final) {
    case 'A':
        return INPUT_UP;
    case 'B':
        return INPUT_DOWN;
    case 'C':
        return INPUT_RIGHT;
    case 'D':
        return INPUT_LEFT;
    case 'F':
        return INPUT_END;
    case 'H':
        return INPUT_HOME;
    case 'M':
        return INPUT_ENTER;
    case 'P':
    case 'Q':
    case 'R':
    case 'S':
        return INPUT_F1 + (uint32_t)(final - 'P');
    case 'Z':
        return INPUT_TAB | INPUT_SHIFT;
    default:
        return 0;
    }
}

static uint32_t
tilde_key(int n)
{
    static const uint32_t keys[] = {
        0,
        INPUT_HOME,
        INPUT_INSERT,
        INPUT_DELETE,
        INPUT_END,
        INPUT_PAGEUP,
        INPUT_PAGEDOWN,
        INPUT_HOME,
        INPUT_END,
        0,
        0,
        INPUT_F1,
        INPUT_F1 + 1,
        INPUT_F1 + 2,
        INPUT_F1 + 3,
        INPUT_F1 + 4,
        0,
        INPUT_F1 + 5,
        INPUT_F1 + 6,
        INPUT_F1 + 7,
        INPUT_F1 + 8,
        INPUT_F1 + 9,
        0,
        INPUT_F1 + 10,
        INPUT_F1 + 11,
    };

    return n >= 0 && n < (int)(sizeof keys / sizeof *keys) ? keys[n] : 0;
}

/* A code point with modifiers, as CSI u and modifyOtherKeys send it. */
static uint32_t
coded_key(int code, uint32_t mods)
{
    if (code == 13 || code == 57414)
        return INPUT_ENTER | mods;
    if (code == 9)
        return INPUT_TAB | mods;
    if (code == 27)
        return INPUT_ESC;
    if (code == 127 || code == 8)
        return INPUT_BACKSPACE | mods;
    if (code < 32 || code > 0x10ffff || (code >= 57344 && code <= 63743))
        return 0;
    if (mods & INPUT_SHIFT && code >= 'a' && code <= 'z' &&
        !(mods & INPUT_CTRL))
        code -= 32;
    else if (mods & INPUT_CTRL && code >= 'A' && code <= 'Z')
        code += 32;
    return (uint32_t)code | (mods & ~(uint32_t)INPUT_SHIFT);
}

static bool
mouse_event(const struct csi *c, struct input_event *e)
{
    int b = c->param[0];

    if (c->n < 3 || b < 0 || c->param[1] < 1 || c->param[2] < 1)
        return false;
    *e = (struct input_event){
        .kind = INPUT_MOUSE, .x = c->param[1] - 1, .y = c->param[2] - 1};
    e->key = (b & 4 ? (uint32_t)INPUT_SHIFT : 0) |
             (b & 8 ? (uint32_t)INPUT_ALT : 0) |
             (b & 16 ? (uint32_t)INPUT_CTRL : 0);
    if (b & 64)
        e->mouse = b & 1 ? MOUSE_WHEEL_DOWN : MOUSE_WHEEL_UP;
    else if ((b & 3) != 0)
        e->mouse = MOUSE_OTHER;
    else if (c->final == 'm')
        e->mouse = MOUSE_RELEASE;
    else
        e->mouse = b & 32 ? MOUSE_DRAG : MOUSE_PRESS;
    return true;
}

static bool
key_event(struct input_event *e, uint32_t key)
{
    if (!key)
        return false;
    *e = (struct input_event){.kind = INPUT_KEY, .key = key};
    return true;
}

/* What a whole CSI means; false: nothing to us. */
static bool
csi_event(struct input_stream *in, const struct csi *c, struct input_event *e)
{
    uint32_t mods = c->n > 1 ? modifiers(c->param[1]) : 0;

    if (c->mark == '<' && (c->final == 'M' || c->final == 'm'))
        return mouse_event(c, e);
    if (c->mark)
        return false;
    switch (c->final) {
    case 'I':
    case 'O':
        *e = (struct input_event){.kind = INPUT_FOCUS, .on = c->final == 'I'};
        return true;
    case 'n':
        *e = (struct input_event){.kind = INPUT_STATUS};
        return c->param[0] == 0;
    case 'u':
        return c->param[0] >= 0 && key_event(e, coded_key(c->param[0], mods));
    case '~':
        if (c->param[0] == 200) {
            in->pasting = true;
            buf_clear(&in->paste);
            return false;
        }
        if (c->param[0] == 27 && c->n >= 3)
            return key_event(e, coded_key(c->param[2], mods));
        return tilde_key(c->param[0]) &&
               key_event(e, tilde_key(c->param[0]) | mods);
    default:
        return letter_key(c->final) &&
               key_event(e, letter_key(c->final) | mods);
    }
}

/* ---- OSC ---- */

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* "rgb:RRRR/GGGG/BBBB", one to four digits each: the upper eight bits. */
static bool
read_rgb(struct str s, uint32_t *rgb)
{
    size_t at = str_starts(s, "rgb:") ? 4 : str_starts(s, "rgba:") ? 5 : s.n;

    *rgb = 0;
    for (int part = 0; part < 3; part++) {
        unsigned v = 0, digits = 0;

        for (; at < s.n && hex_digit(s.p[at]) >= 0 && digits < 4; at++) {
            v = v * 16 + (unsigned)hex_digit(s.p[at]);
            digits++;
        }
        if (digits == 0)
            return false;
        *rgb = *rgb << 8 | v * 255 / ((1U << 4 * digits) - 1);
        at++;
    }
    return true;
}

static bool
osc_event(struct str s, struct input_event *e)
{
    if (!str_starts(s, "10;") && !str_starts(s, "11;"))
        return false;
    *e = (struct input_event){.kind = INPUT_COLOUR, .which = 10 + s.p[1] - '0'};
    return read_rgb((struct str){s.p + 3, s.n - 3}, &e->rgb);
}

/* ---- sequences ---- */

enum take { TAKE_MORE, TAKE_EVENT, TAKE_NOTHING };

static enum take
take_learnt(const struct input_stream *in, const char *p, size_t n,
            size_t *used, struct input_event *e)
{
    const struct learnt *best = NULL;
    bool may_come = false;

    for (size_t i = 0; i < in->n_learnt; i++) {
        const struct learnt *l = &in->learnt[i];

        if (l->len <= n && memcmp(l->text, p, l->len) == 0 &&
            (!best || l->len > best->len))
            best = l;
        may_come |= l->len > n && memcmp(l->text, p, n) == 0;
    }
    if (may_come && !in->flushed)
        return TAKE_MORE;
    if (!best)
        return TAKE_NOTHING;
    *used = best->len;
    key_event(e, best->key);
    return TAKE_EVENT;
}

static enum take
take_csi(struct input_stream *in, const char *p, size_t n, size_t *used,
         struct input_event *e)
{
    size_t i = 2;
    struct csi csi;

    /* The console's F1..F5 are ESC [ [ A..E. */
    if (n > 2 && p[2] == '[') {
        if (n < 4 && !in->flushed)
            return TAKE_MORE;
        *used = n < 4 ? n : 4;
        return n >= 4 && p[3] >= 'A' && p[3] <= 'E' &&
                       key_event(e, INPUT_F1 + (uint32_t)(p[3] - 'A'))
                   ? TAKE_EVENT
                   : TAKE_NOTHING;
    }
    while (i < n && p[i] >= 0x20 && p[i] <= 0x3f && i < MAX_SEQUENCE)
        i++;
    if (i == n && !in->flushed)
        return TAKE_MORE;
    if (i == n || i == MAX_SEQUENCE || p[i] < 0x40 || p[i] > 0x7e) {
        *used = i; /* cut short by what is no part of it */
        return TAKE_NOTHING;
    }
    *used = i + 1;
    csi_read(&csi, p + 2, i - 1);
    /* X10 mouse, asked for by nobody here: three bytes follow. */
    if (csi.final == 'M' && i == 2) {
        if (n < 6 && !in->flushed)
            return TAKE_MORE;
        *used = n < 6 ? n : 6;
        return TAKE_NOTHING;
    }
    return csi_event(in, &csi, e) ? TAKE_EVENT : TAKE_NOTHING;
}

/* OSC and its kin, ended by BEL or ESC \. */
static enum take
take_string(struct input_stream *in, const char *p, size_t n, size_t *used,
            struct input_event *e)
{
    size_t i = 2;

    while (i < n && p[i] != '\a' && p[i] != ESC && i < MAX_STRING)
        i++;
    if ((i == n || (i + 1 == n && p[i] == ESC)) && !in->flushed)
        return TAKE_MORE;
    struct str body = {p + 2, i - 2};

    *used = i < n && p[i] == '\a' ? i + 1 : i;
    if (i + 1 < n && p[i] == ESC && p[i + 1] == '\\')
        *used = i + 2;
    return p[1] == ']' && osc_event(body, e) ? TAKE_EVENT : TAKE_NOTHING;
}

static enum take
take_alt(const struct input_stream *in, const char *p, size_t n, size_t *used,
         struct input_event *e)
{
    uint32_t key;
    size_t len = plain_key(in, p + 1, n - 1, &key);

    if (len == 0)
        return TAKE_MORE;
    *used = 1 + len;
    key_event(e, key | INPUT_ALT);
    return TAKE_EVENT;
}

static enum take
take_escape(struct input_stream *in, const char *p, size_t n, size_t *used,
            struct input_event *e)
{
    enum take learnt = take_learnt(in, p, n, used, e);

    if (learnt != TAKE_NOTHING)
        return learnt;
    if (n == 1) {
        *used = 1;
        if (!in->flushed)
            return TAKE_MORE;
        key_event(e, INPUT_ESC);
        return TAKE_EVENT;
    }
    /* ESC alone before another ESC. */
    if (p[1] == ESC) {
        *used = 1;
        key_event(e, INPUT_ESC);
        return TAKE_EVENT;
    }
    if (in->flushed && n == 2)
        return take_alt(in, p, n, used, e);
    switch (p[1]) {
    case '[':
        return take_csi(in, p, n, used, e);
    case 'O':
        if (n < 3)
            return TAKE_MORE;
        *used = 3;
        return letter_key(p[2]) && key_event(e, letter_key(p[2]))
                   ? TAKE_EVENT
                   : TAKE_NOTHING;
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X':
        return take_string(in, p, n, used, e);
    default:
        return take_alt(in, p, n, used, e);
    }
}

/* Inside a paste: everything up to ESC [ 201 ~. */
static bool
take_paste(struct input_stream *in, struct input_event *e)
{
    static const char end[] = "\033[201~";
    const char *p = in->in.data + in->at;
    size_t n = in->in.len - in->at;
    const char *stop = memmem(p, n, end, sizeof end - 1);
    size_t take = stop ? (size_t)(stop - p) : n;

    /* The end may be cut in two: keep what could be its beginning. */
    if (!stop)
        take = n < sizeof end - 1 ? 0 : n - (sizeof end - 2);
    if (in->paste.len < INPUT_PASTE_MAX)
        buf_add(&in->paste, p, take);
    in->at += take;
    if (!stop)
        return false;
    in->at += sizeof end - 1;
    in->pasting = false;
    *e = (struct input_event){.kind = INPUT_PASTE};
    /* Terminals send Enter for the ends of lines. */
    for (size_t i = 0; i < in->paste.len; i++)
        if (in->paste.data[i] == '\r')
            in->paste.data[i] = '\n';
    e->text = (struct str){in->paste.data, in->paste.len};
    return true;
}

bool
input_next(struct input_stream *in, struct input_event *e)
{
    while (in->at < in->in.len) {
        const char *p = in->in.data + in->at;
        size_t n = in->in.len - in->at, used = 0;
        uint32_t key;

        if (in->pasting) {
            if (take_paste(in, e))
                return true;
            if (in->pasting)
                return false;
            continue;
        }
        if (p[0] != ESC) {
            used = plain_key(in, p, n, &key);
            in->at += used;
            if (used == 0)
                return false;
            return key_event(e, key);
        }
        enum take take = take_escape(in, p, n, &used, e);

        if (take == TAKE_MORE)
            return false;
        in->at += used;
        if (take == TAKE_EVENT)
            return true;
    }
    return false;
}

/* ---- the notation ---- */

static const struct {
    const char *name, *label;
    uint32_t key;
} names[] = {
    {"Enter", "Enter", INPUT_ENTER},  {"Tab", "Tab", INPUT_TAB},
    {"Esc", "Esc", INPUT_ESC},        {"BS", "Backspace", INPUT_BACKSPACE},
    {"Space", "Space", ' '},          {"Up", "Up", INPUT_UP},
    {"Down", "Down", INPUT_DOWN},     {"Left", "Left", INPUT_LEFT},
    {"Right", "Right", INPUT_RIGHT},  {"Home", "Home", INPUT_HOME},
    {"End", "End", INPUT_END},        {"PgUp", "PgUp", INPUT_PAGEUP},
    {"PgDn", "PgDn", INPUT_PAGEDOWN}, {"Ins", "Ins", INPUT_INSERT},
    {"Del", "Del", INPUT_DELETE},     {"lt", "<", '<'},
    {"F1", "F1", INPUT_F1},           {"F2", "F2", INPUT_F1 + 1},
    {"F3", "F3", INPUT_F1 + 2},       {"F4", "F4", INPUT_F1 + 3},
    {"F5", "F5", INPUT_F1 + 4},       {"F6", "F6", INPUT_F1 + 5},
    {"F7", "F7", INPUT_F1 + 6},       {"F8", "F8", INPUT_F1 + 7},
    {"F9", "F9", INPUT_F1 + 8},       {"F10", "F10", INPUT_F1 + 9},
    {"F11", "F11", INPUT_F1 + 10},    {"F12", "F12", INPUT_F1 + 11},
};
enum { N_NAMES = sizeof names / sizeof *names };

/* "C-S-Up", "Enter", "C-w": what stands between < and >. */
static bool
parse_name(struct str s, uint32_t *key)
{
    uint32_t mods = 0;

    while (s.n > 2 && s.p[1] == '-') {
        if (s.p[0] == 'C')
            mods |= INPUT_CTRL;
        else if (s.p[0] == 'A')
            mods |= INPUT_ALT;
        else if (s.p[0] == 'S')
            mods |= INPUT_SHIFT;
        else
            return false;
        s = (struct str){s.p + 2, s.n - 2};
    }
    for (size_t i = 0; i < N_NAMES; i++) {
        if (str_is(s, names[i].name)) {
            *key = names[i].key | mods;
            return true;
        }
    }
    size_t at = 0;
    int32_t cp = str_next(s, &at);

    if (cp < 0 || at != s.n || !mods)
        return false;
    *key = (uint32_t)cp | mods;
    return true;
}

int
input_parse_keys(const char *notation, uint32_t *keys, int max)
{
    struct str s = str_of(notation);
    size_t at = 0;
    int n = 0;

    while (at < s.n) {
        const char *close =
            s.p[at] == '<' ? memchr(s.p + at, '>', s.n - at) : NULL;

        if (n == max)
            return -1;
        if (close) {
            size_t len = (size_t)(close - (s.p + at)) - 1;

            if (!parse_name((struct str){s.p + at + 1, len}, &keys[n++]))
                return -1;
            at += len + 2;
        } else
            keys[n++] = (uint32_t)str_next(s, &at);
    }
    return n;
}

static const char *
name_of(uint32_t code, bool label)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (names[i].key == code)
            return label ? names[i].label : names[i].name;
    return NULL;
}

void
input_key_name(uint32_t key, struct buf *out)
{
    uint32_t code = key & INPUT_CODE;
    const char *name = name_of(code, false);
    char utf8[4];

    if (!name && key == code) {
        buf_add(out, utf8, str_put_utf8(code, utf8));
        return;
    }
    buf_putc(out, '<');
    buf_puts(out, key & INPUT_CTRL ? "C-" : "");
    buf_puts(out, key & INPUT_ALT ? "A-" : "");
    buf_puts(out, key & INPUT_SHIFT ? "S-" : "");
    if (name)
        buf_puts(out, name);
    else
        buf_add(out, utf8, str_put_utf8(code, utf8));
    buf_putc(out, '>');
}

void
input_key_label(uint32_t key, struct buf *out)
{
    uint32_t code = key & INPUT_CODE;
    const char *name = name_of(code, true);
    char utf8[4];

    buf_puts(out, key & INPUT_CTRL ? "Ctrl-" : "");
    buf_puts(out, key & INPUT_ALT ? "Alt-" : "");
    buf_puts(out, key & INPUT_SHIFT ? "Shift-" : "");
    if (name)
        buf_puts(out, name);
    else if (key & INPUT_CTRL && code >= 'a' && code <= 'z')
        buf_putc(out, (char)(code - 32));
    else
        buf_add(out, utf8, str_put_utf8(code, utf8));
}
