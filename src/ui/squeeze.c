/* ui/squeeze.c -- fewer bytes for the same frame.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/squeeze.h"

/* The length of the SGR sequence (or of "to ASCII", ESC ( B, which says
 * nothing where no other set is ever chosen) at p; 0: something else. */
static size_t
sgr_at(const char *p, size_t n)
{
    size_t i = 2;

    if (n < 3 || p[0] != '\033')
        return 0;
    if (p[1] == '(')
        return p[2] == 'B' ? 3 : 0;
    if (p[1] != '[')
        return 0;
    while (i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == ';'))
        i++;
    return i < n && p[i] == 'm' ? i + 1 : 0;
}

void
squeeze_sgr(struct buf *b)
{
    struct buf out, run;

    buf_init(&out);
    buf_init(&run);
    for (size_t at = 0; at < b->len;) {
        size_t n = sgr_at(b->data + at, b->len - at);
        bool any = false;

        if (n == 0) {
            buf_putc(&out, b->data[at++]);
            continue;
        }
        buf_clear(&run);
        for (; n > 0; n = sgr_at(b->data + at, b->len - at)) {
            const char *p = b->data + at;

            at += n;
            if (p[1] == '(')
                continue;
            if (p[2] == 'm' || (p[2] == '0' && (p[3] == 'm' || p[3] == ';')))
                buf_clear(&run);
            else if (run.len > 0 || any)
                buf_putc(&run, ';');
            buf_add(&run, p + 2, n - 3);
            any = true;
        }
        if (any)
            buf_printf(&out, "\033[%sm", run.len ? run.data : "");
    }
    buf_clear(b);
    buf_add(b, out.data, out.len);
    buf_fini(&out);
    buf_fini(&run);
}

static bool
is_blank(const struct glyph *g)
{
    return g->ch[0] == ' ' && !g->ch[1] && g->width == 1;
}

void
squeeze_blanks(struct glyph *cells, int w, const struct theme *theme,
               int colours)
{
    for (int x = 0, end; x < w; x = end) {
        end = x + 1;
        if (!is_blank(&cells[x]))
            continue;
        while (end < w && is_blank(&cells[end]))
            end++;
        const struct glyph *before = x > 0 ? &cells[x - 1] : NULL;
        const struct glyph *after = end < w ? &cells[end] : NULL;
        bool inside =
            end - x <= 2 && before && after && before->role == after->role &&
            before->base == after->base && before->attrs == after->attrs;

        for (int i = x; i < end; i++) {
            struct glyph *g = &cells[i];
            struct look l = theme_look(theme, g->role, g->base, colours);
            struct look to =
                inside ? theme_look(theme, before->role, before->base, colours)
                       : theme_look(theme, g->base, g->base, colours);
            unsigned seen = THEME_UNDER | THEME_REV;
            unsigned attrs = inside ? before->attrs : 0;

            if (l.bg != to.bg || (l.attrs | g->attrs) & seen ||
                (to.attrs | attrs) & seen)
                continue;
            g->role = inside ? before->role : g->base;
            g->base = inside ? before->base : g->base;
            g->attrs = (uint8_t)attrs;
        }
    }
}
