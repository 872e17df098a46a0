/* ui/view_data_open.c -- files that become tables.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/ui.h"

struct opening {
    char *path;
    struct csv_table table;
    struct tether *view;
};

static bool
run_open(struct task *t, void *ctx, struct error *err)
{
    struct opening *o = ctx;
    struct csv_options options = {.header = -1};

    return csv_read(o->path, &options, session_pool(task_session(t)),
                    task_progress(t), &o->table, err);
}

static void
open_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct opening *o = ctx;
    struct session *s = task_session(t);
    struct view_data *d = tether_end(o->view);
    struct table *table;

    if (!ok) {
        session_message(s, MESSAGE_ERROR, "%s", err->message);
    } else {
        table =
            session_add_table(s, file_base(o->path), o->path, o->table.frame);
        table->rejects = frame_ref(o->table.rejects);
        table->n_rejected = o->table.n_rejected;
        session_touch_table(s, table);
        if (d)
            data_look_at(d, table);
        if (table->n_rejected > 0)
            session_message(s, MESSAGE_WARN,
                            "%zu rows of %s were set aside: :rejects shows "
                            "them with the reason",
                            table->n_rejected, table->name);
        csv_table_fini(&o->table);
    }
    free(o->path);
    free(o);
}

void
data_open_file(struct view_data *d, const char *path)
{
    struct opening *o = mem_new(sizeof *o);
    char title[300];

    o->path = path[0] == '/'
                  ? mem_text(path)
                  : file_join(session_project(data_session(d)), path);
    o->view = tether_hold(d->tether);
    snprintf(title, sizeof title, "open %s", file_base(path));
    task_start(data_session(d), &(struct task_spec){.title = title,
                                                    .run = run_open,
                                                    .done = open_done,
                                                    .ctx = o});
}
