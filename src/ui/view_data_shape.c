/* ui/view_data_shape.c -- the columns of the table at hand: computed, hidden.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ui/ui.h"

/* "name = expression" */
static bool
split_derived(const char *text, char **name, struct str *expression,
              struct error *err)
{
    const char *eq = strchr(text, '=');
    struct str s;

    if (!eq || eq[1] == '=')
        return error_set(err, ERR_USAGE, "write it as: name = expression");
    s = str_trim((struct str){text, (size_t)(eq - text)});
    if (s.n == 0)
        return error_set(err, ERR_USAGE, "the new column needs a name");
    *expression = str_trim(str_of(eq + 1));
    *name = mem_try_text(s.p, s.n, err);
    return *name != NULL;
}

void
data_shape_derive(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct str expression;
    struct steps *s;
    struct error err;
    char *name = NULL;

    if (!call->arg || !call->arg[0] || !data_whole_table(d))
        return;
    if (!split_derived(call->arg, &name, &expression, &err)) {
        ui_error(v->ui, &err);
        return;
    }
    s = data_steps(d);
    steps_with(s, name, expression.p);
    data_change(d, s, "computing");
    free(name);
}

void
data_shape_hide(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct steps *s;

    (void)call;
    if (!t)
        return;
    if (frame_cols(t->frame) < 2) {
        ui_message(v->ui, MESSAGE_INFO, "the last column stays");
        return;
    }
    s = data_steps(d);
    steps_hide(s, data_column_name(d));
    data_change(d, s, "hiding");
}
