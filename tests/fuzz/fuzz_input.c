/* fuzz_input -- any bytes from a terminal.
 *
 * Beyond not crashing: how the bytes were cut changes nothing, every key is a
 * character or one of ours, and pasted text drawn anywhere leaves no half of a
 * wide character behind.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ui/draw.h"
#include "ui/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
    if (!ok)
        abort();
}

static void
draw_somewhere(struct str text)
{
    struct grid *g = grid_new(11, 3);
    struct canvas all = canvas_of(g);
    struct canvas part = canvas_sub(&all, (struct rect){3, 1, 5, 1});

    draw_str(&all, -1, 0, ROLE_TEXT, text);
    draw_wrap(&all, (struct rect){0, 0, 10, 3}, ROLE_TEXT, text);
    draw_fit(&part, 0, 0, 4, ROLE_TEXT, DRAW_RIGHT, text);
    draw_str(&part, 1, 0, ROLE_TEXT, text);
    for (int i = 0; i < g->w * g->h; i++) {
        const struct glyph *c = &g->cells[i];

        check(c->width <= 2);
        check((c->width == 2) == (i % g->w + 1 < g->w && c[1].width == 0));
    }
    grid_free(g);
}

static void
note(const struct input_event *e, struct buf *out)
{
    buf_printf(out, "%d %x %d %d %d %d %x %d|", (int)e->kind, e->key,
               (int)e->mouse, e->x, e->y, e->which, e->rgb, e->on);
    if (e->kind == INPUT_KEY) {
        uint32_t code = e->key & INPUT_CODE;

        check(code <= 0x10ffff || (code >= INPUT_ENTER && code <= INPUT_F12));
        input_key_name(e->key, out);
    }
    if (e->kind == INPUT_PASTE) {
        buf_add(out, e->text.p, e->text.n);
        draw_somewhere(e->text);
    }
}

static char *
read_in_pieces(const uint8_t *data, size_t len, size_t piece)
{
    struct input_stream *in = input_new();
    struct input_event e;
    struct buf out;

    input_learn(in, "\033[11^", INPUT_F1 | INPUT_CTRL);
    buf_init(&out);
    for (size_t at = 0; at < len; at += piece) {
        input_feed(in, data + at, len - at < piece ? len - at : piece);
        while (input_next(in, &e))
            note(&e, &out);
    }
    while (input_waits(in)) {
        input_flush(in);
        while (input_next(in, &e))
            note(&e, &out);
    }
    input_free(in);
    return buf_take(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *whole, *pieces;

    if (len > 4096)
        return 0;
    whole = read_in_pieces(data, len, len + 1);
    for (size_t piece = 1; piece < 8; piece += 2) {
        pieces = read_in_pieces(data, len, piece);
        check(strcmp(whole, pieces) == 0);
        free(pieces);
    }
    free(whole);
    return 0;
}
