/* session/cmd_profile.c -- the profile of a table.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "base/file.h"
#include "frame/profile_stream.h"
#include "session/cmd.h"

static bool
is_utf8(const struct call *c)
{
    return !call_plain(c);
}

static bool
write_page(const struct profile *p, struct call *c, struct error *err)
{
    const char *path = call_text(c, "html"), *data = call_text(c, "data");
    const char *slash = strrchr(data, '/');
    struct buf page;
    bool ok;

    buf_init(&page);
    profile_html(p, slash ? slash + 1 : data, &page);
    ok = buf_check(&page, err);
    if (ok && strcmp(path, "-") == 0)
        buf_add(call_out(c), page.data, page.len);
    else if (ok)
        ok = file_replace(path, page.data, page.len, 0644, err);
    buf_fini(&page);
    return ok;
}

static bool
write_profile(const struct profile *p, struct call *c, struct error *err)
{
    struct json_writer w;

    if (call_text(c, "html") && !write_page(p, c, err))
        return false;
    if (call_json(c)) {
        cmd_json(c, &w);
        profile_json(p, &w);
        cmd_json_end(c);
    } else if (call_flag(c, "md")) {
        profile_markdown(p, call_out(c));
    } else if (!call_text(c, "html")) {
        profile_print(p, call_width(c), is_utf8(c), call_out(c));
    }
    return true;
}

static struct profile *
profile_table(struct task *t, const struct call *c,
              const struct profile_options *o, struct error *err)
{
    struct frame *f = cmd_table(t, c, call_text(c, "data"), err);
    struct profile *p = NULL;

    if (f)
        p = profile_new(f, o, task_pool(t), task_progress(t), err);
    frame_unref(f);
    return p;
}

/* A table beyond memory. */
static struct profile *
profile_file(struct task *t, const struct call *c,
             const struct profile_options *o, struct error *err)
{
    const char *path = call_text(c, "data");
    struct stream *s = cmd_stream(t, c, path, err);
    struct profile *p = s ? profile_stream(s, o, task_progress(t), err) : NULL;

    if (p)
        cmd_tell_stream(t, path, s);
    stream_close(s);
    return p;
}

/* The table that another is held against; one beyond memory as a stream. */
static bool
open_other(struct task *t, const struct call *c, struct profile_options *o,
           struct frame **whole, struct error *err)
{
    const char *path = o->against_name;

    *whole = NULL;
    if (path && stream_wanted(path, NULL))
        return (o->against_rows = cmd_stream(t, c, path, err));
    return !path || (o->against = *whole = cmd_table(t, c, path, err));
}

bool
cmd_profile(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    struct profile_options o = {.target = call_text(c, "target"),
                                .time = call_text(c, "time"),
                                .dirty = call_flag(c, "dirty"),
                                .slow = call_flag(c, "all"),
                                .redact = call_flag(c, "redact"),
                                .against_name = call_text(c, "against")};
    const char *path = call_text(c, "data");
    struct frame *other = NULL;
    struct profile *p = NULL;
    bool ok;

    (void)s;
    if (open_other(t, c, &o, &other, err))
        p = stream_wanted(path, NULL) ? profile_file(t, c, &o, err)
                                      : profile_table(t, c, &o, err);
    if (p && o.against_rows)
        cmd_tell_stream(t, o.against_name, o.against_rows);
    stream_close(o.against_rows);
    frame_unref(other);
    if (!p)
        return false;
    ok = write_profile(p, c, err);
    profile_free(p);
    return ok;
}
