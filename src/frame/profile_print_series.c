/* The table of a printed profile that follows its columns over time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "frame/profile_page.h"

enum { CELLS = 7, TEST_CELLS = 8 };

void
page_time(const struct profile *p, double x, struct buf *out)
{
    char text[STR_F64_MAX];

    switch (p->column[p->times->col].type) {
    case COL_DATE:
        buf_printf(out, "%g day%s", x, x == 1 ? "" : "s");
        break;
    case COL_TIMESTAMP:
        if (x >= 86400)
            buf_printf(out, "%.4g day%s", x / 86400, x == 86400 ? "" : "s");
        else
            buf_add(out, text, str_from_seconds(x, text));
        break;
    default:
        buf_printf(out, "%g", x);
    }
}

static void
put_summary(struct page *t)
{
    const struct profile_times *s = t->p->times;
    struct buf line, scratch;

    buf_init(&line);
    buf_init(&scratch);
    buf_printf(&line, "over %s: ", t->p->column[s->col].name);
    page_plural(&line, s->n, "row");
    if (!isnan(s->step)) {
        buf_puts(&line, ", mostly ");
        page_time(t->p, s->step, &line);
        buf_puts(&line, " apart, ");
        page_plural(&line, s->n_gaps, "gap");
    }
    if (s->n_gaps) {
        buf_puts(&line, " of up to ");
        page_time(t->p, s->longest, &line);
    }
    if (s->n_repeats) {
        buf_puts(&line, ", ");
        page_plural(&line, s->n_repeats, "repeated time");
    }
    buf_puts(t->out, "\n ");
    page_wrapped(t, page_clean(line.data, line.len, &scratch),
                 t->width > 3 ? t->width - 3 : 1, 2);
    t->out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
}

/* Lags that have room beside the name, the test and the season. */
static size_t
lags_shown(const struct page *t, size_t name_cells)
{
    size_t used = 1 + name_cells + TEST_CELLS + 12;
    size_t n = t->width > used ? (t->width - used) / CELLS : 0;

    return n < PROFILE_LAGS ? n : PROFILE_LAGS;
}

static void
put_head(struct page *t, size_t name_cells, size_t lags)
{
    char text[32];

    buf_putc(t->out, ' ');
    page_cell(t, STR("lag"), name_cells, false);
    for (size_t k = 0; k < lags; k++) {
        snprintf(text, sizeof text, "%zu", profile_lags[k]);
        page_cell(t, str_of(text), CELLS, true);
    }
    page_cell(t, STR("ADF p"), TEST_CELLS, true);
    buf_puts(t->out, " season\n");
}

void
page_series(struct page *t, size_t name_cells)
{
    size_t lags;

    if (!t->p->times)
        return;
    put_summary(t);
    lags = lags_shown(t, name_cells);
    put_head(t, name_cells, lags);
    for (size_t i = 0; i < t->p->n_cols; i++) {
        const struct profile_series *s = t->p->column[i].series;
        char text[32];

        if (!s)
            continue;
        buf_putc(t->out, ' ');
        page_dirty(t, t->p->column[i].name, name_cells);
        for (size_t k = 0; k < lags; k++) {
            snprintf(text, sizeof text, "%.2f", s->autocorrelation[k]);
            page_cell(t, isnan(s->autocorrelation[k]) ? STR("-") : str_of(text),
                      CELLS, true);
        }
        snprintf(text, sizeof text, "%.3f", s->adf_p);
        page_cell(t,
                  isnan(s->adf_p)     ? STR("-")
                  : s->adf_p < 0.0005 ? STR("<0.001")
                                      : str_of(text),
                  TEST_CELLS, true);
        if (s->period)
            buf_printf(t->out, " %zu rows", s->period);
        page_end_line(t->out);
    }
}
