/* The alerts of a printed profile.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile_page.h"

enum {
    HEAD = 22,  /* mark and kind */
    INDENT = 5, /* where the text goes when that leaves no room */
    ALONE = 3   /* alerts of one kind that get a line each */
};

static void
put_alert_head(struct page *t, const struct alert *a)
{
    buf_printf(t->out, " %s ", page_mark(a->level, t->utf8));
    page_cell(t, str_of(profile_alert_word(a->kind)), 19, false);
}

/* Cells for the text of an alert. */
static size_t
room(const struct page *t)
{
    size_t indent = t->width > HEAD + 36 ? HEAD : INDENT;

    return t->width > indent + 16 ? t->width - indent : 16;
}

/* What follows the head of an alert; a narrow page has lines of its own for
 * it. */
static void
put_alert_text(struct page *t, struct str s)
{
    bool beside = t->width > HEAD + 36;

    if (!beside) {
        page_end_line(t->out);
        buf_fill(t->out, ' ', INDENT);
    }
    page_wrapped(t, s, room(t), beside ? HEAD : INDENT);
}

static void
put_alert(struct page *t, const struct alert *a)
{
    struct buf line, scratch;

    buf_init(&line);
    buf_init(&scratch);
    if (a->col >= 0)
        buf_printf(&line, "%s: ", t->p->column[a->col].name);
    buf_puts(&line, a->text);
    put_alert_head(t, a);
    put_alert_text(t, page_clean(line.data, line.len, &scratch));
    t->out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
}

/* Many of one kind: "12 columns: a, b, c, 9 more". */
static void
put_alert_group(struct page *t, const struct alert *a, size_t n)
{
    struct buf line, scratch;
    size_t shown = 0, cells;

    buf_init(&line);
    buf_init(&scratch);
    buf_printf(&line, "%zu columns: ", n);
    cells = line.len;
    for (; shown < n; shown++) {
        const char *raw = t->p->column[a[shown].col].name;
        struct str name = page_clean(raw, str_of(raw).n, &scratch);
        size_t w = str_width(name);

        if (shown && cells + w + 12 > room(t))
            break;
        buf_printf(&line, "%s%s", shown ? ", " : "", scratch.data);
        cells += w + 2;
    }
    if (shown < n)
        buf_printf(&line, ", %zu more", n - shown);
    put_alert_head(t, a);
    put_alert_text(t, (struct str){line.data, line.len});
    t->out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
}

void
page_alerts(struct page *t)
{
    const struct profile *p = t->p;

    if (!p->n_alerts) {
        buf_puts(t->out, "no alerts\n");
        return;
    }
    page_plural(t->out, p->n_alerts, "alert");
    buf_putc(t->out, '\n');
    for (size_t i = 0, j; i < p->n_alerts; i = j) {
        const struct alert *a = &p->alert[i];

        for (j = i + 1; j < p->n_alerts && p->alert[j].kind == a->kind &&
                        p->alert[j].level == a->level &&
                        (p->alert[j].col < 0) == (a->col < 0);
             j++)
            ;
        if (j - i > ALONE && a->col >= 0)
            put_alert_group(t, a, j - i);
        else
            for (size_t k = i; k < j; k++)
                put_alert(t, &p->alert[k]);
    }
}
