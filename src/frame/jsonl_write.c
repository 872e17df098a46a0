/* frame/jsonl_write.c -- a frame to JSON lines.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/file.h"
#include "frame/jsonl.h"

bool
jsonl_write(const struct frame *f, const char *path, struct error *err)
{
    struct buf b;
    bool ok;

    buf_init(&b);
    frame_json_lines(f, 0, frame_rows(f), &b);
    ok = buf_check(&b, err) ? file_replace(path, b.data, b.len, 0666, err)
                            : error_prefix(err, "%s: ", path);
    buf_fini(&b);
    return ok;
}
