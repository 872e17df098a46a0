/* frame/source.c -- a table file of any format to a frame and back.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/arrow.h"
#include "frame/builder.h"
#include "frame/codec.h"
#include "frame/csv_value.h"
#include "frame/folder.h"
#include "frame/jsonl.h"
#include "frame/parquet.h"
#include "frame/sink.h"
#include "frame/source_part.h"

enum { FIRST_ROOM = 4 << 20 };

/* ---- which format ---- */

static const struct {
    const char *ending;
    enum source_format format;
} endings[] = {
    {".csv", SOURCE_CSV},         {".tsv", SOURCE_CSV},
    {".txt", SOURCE_CSV},         {".jsonl", SOURCE_JSONL},
    {".ndjson", SOURCE_JSONL},    {".json", SOURCE_JSONL},
    {".arrow", SOURCE_ARROW},     {".feather", SOURCE_ARROW},
    {".ipc", SOURCE_ARROW},       {".arrows", SOURCE_ARROW},
    {".parquet", SOURCE_PARQUET}, {".pq", SOURCE_PARQUET},
};

static const struct {
    const char *ending;
    enum codec codec;
} packings[] = {
    {".gz", CODEC_GZIP}, {".zst", CODEC_ZSTD}, {".lz4", CODEC_LZ4_FRAME}};

bool
source_name_ends(struct str s, const char *ending)
{
    size_t n = strlen(ending);

    return s.n > n &&
           str_eq_nocase((struct str){s.p + s.n - n, n}, str_of(ending));
}

struct str
source_plain_name(const char *path, enum codec *codec)
{
    struct str s = str_of(path);

    *codec = CODEC_NONE;
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++)
        if (source_name_ends(s, packings[i].ending)) {
            *codec = packings[i].codec;
            s.n -= strlen(packings[i].ending);
            break;
        }
    return s;
}

enum source_format
source_format_of_name(const char *path)
{
    enum codec codec;
    struct str s = source_plain_name(path, &codec);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (source_name_ends(s, endings[i].ending))
            return endings[i].format;
    return SOURCE_FIND;
}

bool
source_is_table(const char *path)
{
    return source_format_of_name(path) != SOURCE_FIND;
}

enum source_format
source_format_of(const char *path, const struct source_options *o,
                 struct str text)
{
    enum source_format f = o->format;

    if (f)
        return f;
    if (arrow_starts(text))
        return SOURCE_ARROW;
    if (str_starts(text, "PAR1"))
        return SOURCE_PARQUET;
    if ((f = source_format_of_name(path)))
        return f;
    if (str_starts(text, "\xef\xbb\xbf"))
        text = (struct str){text.p + 3, text.n - 3};
    text = str_trim(text);
    return text.n > 0 && text.p[0] == '{' ? SOURCE_JSONL : SOURCE_CSV;
}

/* ---- bytes ---- */

/* The file's bytes, with compression undone. */
struct bytes {
    struct file_map map;
    struct str text;
    char *plain;   /* NULL: there was none */
    char *decoded; /* NULL: text was UTF-8 or is no text */
};

static void
bytes_close(struct bytes *b)
{
    free(b->plain);
    free(b->decoded);
    file_map_close(&b->map);
}

/* At most `most` bytes of what is packed. */
static bool
unpack(struct bytes *b, enum codec codec, size_t most, struct progress *g,
       struct error *err)
{
    struct str packed = {b->map.data, b->map.len};
    struct codec_stream *s = codec_stream_open(codec, packed, err);
    size_t cap = 0, n = 0, got = 0;
    bool ok = s != NULL;

    progress_begin(g, "decompressing", packed.n);
    do {
        size_t room = cap ? cap * 2 : FIRST_ROOM;
        char *p;

        room = room < most ? room : most;
        ok = ok && progress_check(g, err) &&
             (p = mem_try_resize(b->plain, room, 1, err));
        if (!ok)
            break;
        b->plain = p;
        cap = room;
        ok = codec_stream_read(s, b->plain + n, cap - n, &got, err);
        n += ok ? got : 0;
        progress_set(g, codec_stream_used(s));
    } while (ok && n == cap && n < most);
    codec_stream_close(s);
    b->text = (struct str){b->plain, n};
    return ok;
}

static bool
bytes_open(struct bytes *b, const char *path, size_t most, struct progress *g,
           struct error *err)
{
    enum codec codec;

    *b = (struct bytes){0};
    if (!file_map_open(&b->map, path, g, err))
        return false;
    b->text = (struct str){b->map.data, b->map.len};
    codec = codec_sniff(b->text);
    if (codec == CODEC_NONE || unpack(b, codec, most, g, err))
        return true;
    bytes_close(b);
    return error_prefix(err, "%s: ", path);
}

/* Of text in another encoding its UTF-8. */
static bool
bytes_decode(struct bytes *b, const char *path, enum source_format format,
             enum encoding encoding, struct pool *pool, struct error *err)
{
    size_t len;

    if (format == SOURCE_ARROW || format == SOURCE_PARQUET)
        return true;
    if (!encoding_decode(b->text, encoding, pool, &b->decoded, &len, err))
        return error_prefix(err, "%s: ", path);
    if (!b->decoded)
        return true;
    b->text = (struct str){b->decoded, len};
    free(b->plain);
    b->plain = NULL;
    return true;
}

/* ---- reading ---- */

/* "column=type" for a format with types of its own. */
static bool
cast(struct frame **table, const char *text, bool loose, struct error *err)
{
    enum csv_class class;
    struct column *c = NULL;
    struct frame *f = NULL;
    size_t col, lost = 0;
    enum col_type type;
    struct str column;
    char *name;
    bool ok;

    if (!csv_type_parse(text, &column, &class, err))
        return false;
    if (class > CSV_TEXT)
        return error_set(err, ERR_USAGE,
                         "type '%s': the order of day and month is for "
                         "delimited text, expected date",
                         text);
    type = csv_type_of(class);
    name = mem_try_array(column.n + 1, 1, err);
    if (!name)
        return false;
    memcpy(name, column.p, column.n);
    if (loose && frame_find(*table, name) < 0) {
        free(name);
        return true;
    }
    if (!frame_need(*table, name, &col, err) ||
        !(c = column_cast(frame_column(*table, col), type, &lost, err)))
        goto out;
    if (lost > 0)
        error_set(err, ERR_PARSE, "column '%s': %zu value%s no %s", name, lost,
                  lost == 1 ? " is" : "s are", column_type_word(type));
    else if ((f = frame_with(*table, name, column_ref(c), err))) {
        frame_unref(*table);
        *table = f;
    }
out:
    ok = f != NULL;
    column_unref(c);
    free(name);
    return ok;
}

bool
source_note_left_out(const struct parquet_info *info, struct builder *b,
                     size_t *n, struct error *err)
{
    for (size_t i = 0; i < info->n_columns; i++) {
        const struct parquet_column *c = &info->columns[i];

        if (!c->skipped)
            continue;
        if (!builder_text(b, 1, str_of(c->name), err) ||
            !builder_text(b, 2, str_of(c->skipped), err) ||
            !builder_end_row(b, err))
            return false;
        ++*n;
    }
    return true;
}

static bool
note_left_out(struct str text, struct builder *b, size_t *n, struct error *err)
{
    struct parquet_info info;
    bool ok;

    if (!parquet_info_parse(text, &info, err))
        return false;
    ok = source_note_left_out(&info, b, n, err);
    parquet_info_fini(&info);
    return ok;
}

static bool
read_parquet(const struct bytes *b, struct pool *pool,
             struct progress *progress, struct csv_table *t, struct error *err)
{
    struct builder *rejects = csv_rejects_new(err);

    if (!rejects)
        return false;
    if (!parquet_parse(b->text, NULL, pool, progress, &t->frame, err) ||
        !note_left_out(b->text, rejects, &t->n_rejected, err)) {
        builder_free(rejects);
        return false;
    }
    return (t->rejects = builder_finish(rejects, err)) != NULL;
}

static bool
read_arrow(struct bytes *b, const char *path, struct pool *pool,
           struct progress *progress, struct csv_table *t, struct error *err)
{
    struct builder *rejects;

    if (b->plain
            ? !arrow_parse(b->text, path, pool, progress, &t->frame, err)
            : !arrow_read_map(&b->map, path, pool, progress, &t->frame, err))
        return false;
    if ((rejects = csv_rejects_new(err)) &&
        (t->rejects = builder_finish(rejects, err)))
        return true;
    return error_prefix(err, "%s: ", path);
}

/* Formats that bring their types along. */
static bool
read_typed(struct bytes *b, enum source_format format, const char *path,
           struct pool *pool, struct progress *progress, struct csv_table *out,
           struct error *err)
{
    *out = (struct csv_table){.header = true, .n_bytes = b->text.n};
    if (format == SOURCE_ARROW) {
        if (read_arrow(b, path, pool, progress, out, err))
            return true;
    } else {
        if (read_parquet(b, pool, progress, out, err))
            return true;
        error_prefix(err, "%s: ", path);
    }
    csv_table_fini(out);
    return false;
}

bool
source_cast_all(struct frame **f, const struct csv_options *o,
                struct error *err)
{
    for (size_t i = 0; o->types && o->types[i]; i++)
        if (!cast(f, o->types[i], csv_type_loose(o, i), err))
            return false;
    return true;
}

static bool
cast_all(struct csv_table *t, const char *path, const struct csv_options *o,
         struct error *err)
{
    if (source_cast_all(&t->frame, o, err))
        return true;
    csv_table_fini(t);
    return error_prefix(err, "%s: ", path);
}

static const struct source_options find_all = {.csv = {.header = -1}};

/* Tabs are a matter of course in a file of that name. */
struct csv_options
source_csv_options(const char *path, const struct source_options *o)
{
    struct csv_options c = o->csv;
    enum codec codec;

    if (!c.delimiter &&
        source_name_ends(source_plain_name(path, &codec), ".tsv"))
        c.delimiter = '\t';
    return c;
}

static bool
read_bytes(struct bytes *b, const char *path, const struct source_options *o,
           struct pool *pool, struct progress *progress, struct csv_table *out,
           struct error *err)
{
    struct jsonl_options jo = {.max_rejects = o->csv.max_rejects,
                               .grain = o->csv.grain};
    struct csv_options c = source_csv_options(path, o);
    enum source_format format = source_format_of(path, o, b->text);

    if (!bytes_decode(b, path, format, o->encoding, pool, err))
        return false;
    format = source_format_of(path, o, b->text);
    switch (format) {
    case SOURCE_JSONL:
        if (!jsonl_parse(b->text, path, &jo, pool, progress, out, err))
            return false;
        out->n_foreign = encoding_foreign_lines(b->text, &out->foreign_line);
        return cast_all(out, path, &o->csv, err);
    case SOURCE_ARROW:
    case SOURCE_PARQUET:
        return read_typed(b, format, path, pool, progress, out, err) &&
               cast_all(out, path, &o->csv, err);
    default:
        return b->plain || b->decoded
                   ? csv_parse(b->text, path, &c, pool, progress, out, err)
                   : csv_parse_map(&b->map, path, &c, pool, progress, out, err);
    }
}

/* What was read of a file that became shorter is not believed, be it a table
 * or an error. */
static bool
is_whole(const struct bytes *b, const char *path, struct csv_table *out,
         struct error *err)
{
    if (file_map_whole(&b->map, err))
        return true;
    if (out)
        csv_table_fini(out);
    return error_prefix(err, "%s: ", path);
}

static bool
read_folder(const char *path, const struct source_options *o,
            const struct progress *progress, struct csv_table *out,
            struct error *err)
{
    struct builder *rejects;

    *out = (struct csv_table){.header = true};
    if ((out->frame = folder_read(path, progress, err)) &&
        (rejects = csv_rejects_new(err)) &&
        (out->rejects = builder_finish(rejects, err)))
        return cast_all(out, path, &o->csv, err);
    csv_table_fini(out);
    return false;
}

bool
source_read(const char *path, const struct source_options *o, struct pool *pool,
            struct progress *progress, struct csv_table *out, struct error *err)
{
    struct bytes b;
    bool ok;

    if (folder_is(path))
        return read_folder(path, o ? o : &find_all, progress, out, err);
    if (!bytes_open(&b, path, SIZE_MAX, progress, err))
        return false;
    ok = read_bytes(&b, path, o ? o : &find_all, pool, progress, out, err);
    ok = is_whole(&b, path, ok ? out : NULL, err) && ok;
    bytes_close(&b);
    return ok;
}

/* Objects on lines, up to the last line that ends there: no object holds a
 * line's end.  What is wrong with these may be right with the whole. */
static bool
read_jsonl_head(struct bytes *b, const char *path,
                const struct source_options *o, struct csv_table *out,
                struct error *err)
{
    const char *end;

    if (b->text.n <= CSV_HEAD)
        return read_bytes(b, path, o, NULL, NULL, out, err);
    end = b->text.p[0] == '{' ? memrchr(b->text.p, '\n', CSV_HEAD) : NULL;
    if (!end)
        return error_set(err, ERR_LIMIT,
                         "%s: no line ends in the first %d bytes", path,
                         CSV_HEAD);
    b->text.n = (size_t)(end + 1 - b->text.p);
    if (read_bytes(b, path, o, NULL, NULL, out, err))
        return true;
    if (err->code != ERR_NOMEM)
        err->code = ERR_LIMIT;
    return false;
}

/* Of a long text in another encoding no more than a head needs: its size is
 * not known then. */
static bool
head_decode(struct bytes *b, const char *path, const struct source_options *o,
            size_t *n_bytes, struct error *err)
{
    bool all = b->text.n <= CSV_HEAD_MOST + 2;
    struct str whole = b->text;

    *n_bytes = b->plain && b->text.n > CSV_HEAD_MOST ? 0 : b->text.n;
    if (!all)
        b->text.n = CSV_HEAD_MOST + 2;
    if (!bytes_decode(b, path, source_format_of(path, o, whole), o->encoding,
                      NULL, err))
        return false;
    if (!b->decoded)
        b->text = whole;
    else
        *n_bytes = all ? b->text.n : 0;
    return true;
}

bool
source_read_head(const char *path, const struct source_options *o,
                 struct csv_table *out, size_t *n_bytes, struct error *err)
{
    struct csv_options c;
    struct stat st;
    struct bytes b;
    bool ok;

    o = o ? o : &find_all;
    if (strcmp(path, "-") == 0 ||
        (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
        return error_set(err, ERR_LIMIT, "%s: is read but once", path);
    /* More than a head ever is, so that none ends where unpacking did. */
    if (!bytes_open(&b, path, CSV_HEAD_MOST + 4, NULL, err))
        return false;
    if (!head_decode(&b, path, o, n_bytes, err)) {
        bytes_close(&b);
        return false;
    }
    c = source_csv_options(path, o);
    switch (source_format_of(path, o, b.text)) {
    case SOURCE_JSONL:
        ok = read_jsonl_head(&b, path, o, out, err);
        break;
    case SOURCE_ARROW:
    case SOURCE_PARQUET:
        ok = error_set(err, ERR_LIMIT, "%s: is read at once", path);
        break;
    default:
        ok = csv_parse_head(b.text, path, &c, 0, out, err);
    }
    ok = is_whole(&b, path, ok ? out : NULL, err) && ok;
    bytes_close(&b);
    return ok;
}

/* ---- writing ---- */

bool
source_write(const struct frame *f, const char *path, struct error *err)
{
    return sink_write(f, path, NULL, NULL, err);
}
