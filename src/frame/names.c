/* frame/names.c -- column names for a table from outside.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/names.h"

#include <string.h>

#include "base/buf.h"

static void
put_name(struct str wanted, size_t col, struct buf *out)
{
    wanted = str_trim(wanted);
    if (wanted.n == 0)
        buf_printf(out, "column_%zu", col + 1);
    for (size_t i = 0; i < wanted.n; i++)
        if (wanted.p[i])
            buf_putc(out, wanted.p[i]);
        else
            buf_puts(out, "\xef\xbf\xbd");
}

char *
names_unique(struct str wanted, size_t col, struct dict *taken,
             struct error *err)
{
    size_t n = dict_count(taken), len;
    uint32_t code;
    struct buf b;

    buf_init(&b);
    put_name(wanted, col, &b);
    len = b.len;
    for (unsigned i = 2; buf_check(&b, err); i++) {
        if (!dict_add(taken, (struct str){b.data, b.len}, &code, err))
            break;
        if (code == n)
            return buf_take(&b);
        b.len = len;
        buf_printf(&b, "_%u", i);
    }
    buf_fini(&b);
    return NULL;
}
