/* engine/neural/image.c -- pictures as pixels.
 *
 * Both libraries report errors by leaving: libpng by longjmp through its own
 * buffer, libjpeg by a function that must not return, which jumps likewise.
 * What must be released lives in a struct outside of the function that is
 * left, so that no local of it is needed after the jump.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/image.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* jpeglib.h wants FILE, jerror.h wants jpeglib.h. */
#include <jpeglib.h>

#include <jerror.h>
#include <png.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

enum {
    CHUNK_BYTES = 8 << 20, /* of one PNG chunk that is no picture */
    JPEG_MEMORY = 256 << 20,
    JPEG_SCANS = 64 /* of a progressive one */
};

/* A picture as it was decoded. */
struct picture {
    uint32_t w, h, c;
    uint8_t *pixel; /* owned */
};

static bool
picture_room(struct picture *p, uint64_t w, uint64_t h, uint32_t c,
             struct error *err)
{
    if (w == 0 || h == 0 || w > IMAGE_MAX_SIDE || h > IMAGE_MAX_SIDE ||
        w * h > IMAGE_MAX_PIXELS)
        return error_set(err, ERR_LIMIT,
                         "a picture of %llu x %llu pixels, expected at most "
                         "%d on a side and %d in all",
                         (unsigned long long)w, (unsigned long long)h,
                         IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS);
    p->w = (uint32_t)w;
    p->h = (uint32_t)h;
    p->c = c;
    p->pixel = mem_try_unset((size_t)(w * h), c, err);
    return p->pixel != NULL;
}

/* ---- PNG ---- */

struct png_reading {
    struct str left;
    struct picture *to;
    png_bytep *line; /* owned */
    struct error *err;
    bool told; /* err is filled */
};

static void
png_take(png_structp png, png_bytep out, size_t n)
{
    struct png_reading *r = png_get_io_ptr(png);

    if (n > r->left.n)
        png_error(png, "it ends too early");
    memcpy(out, r->left.p, n);
    r->left = (struct str){r->left.p + n, r->left.n - n};
}

static void
png_fail(png_structp png, png_const_charp why)
{
    struct png_reading *r = png_get_error_ptr(png);

    if (!r->told)
        error_set(r->err, ERR_PARSE, "a damaged PNG: %.100s", why);
    r->told = true;
    png_longjmp(png, 1);
}

static void
png_hush(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

/* Every kind of PNG as grey or red, green and blue of 8 bits. */
static void
png_simplify(png_structp png, png_infop info)
{
    png_set_expand(png);
    png_set_scale_16(png);
    if (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA ||
        png_get_valid(png, info, PNG_INFO_tRNS)) {
        png_color_16 black = {0};

        png_set_background(png, &black, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1);
    }
    (void)png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static bool
png_run(png_structp png, png_infop info, struct png_reading *r)
{
    uint32_t c;

    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_read_fn(png, r, png_take);
    png_set_user_limits(png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(png, CHUNK_BYTES);
    png_set_chunk_cache_max(png, 64);
    png_read_info(png, info);
    png_simplify(png, info);
    c = png_get_channels(png, info);
    if (c != 1 && c != 3)
        png_error(png, "neither grey nor coloured");
    if (!picture_room(r->to, png_get_image_width(png, info),
                      png_get_image_height(png, info), c, r->err) ||
        !(r->line = mem_try_array(r->to->h, sizeof *r->line, r->err))) {
        r->told = true;
        return false;
    }
    for (uint32_t y = 0; y < r->to->h; y++)
        r->line[y] = r->to->pixel + (size_t)y * r->to->w * c;
    png_read_image(png, r->line);
    png_read_end(png, NULL);
    return true;
}

static bool
png_picture(struct str bytes, struct picture *to, struct error *err)
{
    struct png_reading r = {.left = bytes, .to = to, .err = err};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, png_fail, png_hush);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool ok = info && png_run(png, info, &r);

    if (!ok && !r.told)
        error_set(err, ERR_NOMEM, "no memory for a PNG");
    png_destroy_read_struct(&png, &info, NULL);
    free(r.line);
    return ok;
}

/* ---- JPEG ---- */

struct jpeg_reading {
    struct jpeg_error_mgr manager; /* first: what libjpeg hands back */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct d;
    jmp_buf leave;
    struct error *err;
    bool told;
};

static void
jpeg_fail(j_common_ptr c)
{
    struct jpeg_reading *r = (struct jpeg_reading *)c->err;
    char why[JMSG_LENGTH_MAX];

    if (!r->told) {
        c->err->format_message(c, why);
        error_set(r->err,
                  c->err->msg_code == JERR_OUT_OF_MEMORY ? ERR_NOMEM
                                                         : ERR_PARSE,
                  "a damaged JPEG: %.150s", why);
    }
    r->told = true;
    longjmp(r->leave, 1);
}

/* A picture that ends early is filled with grey by libjpeg, with a warning. */
static void
jpeg_note(j_common_ptr c, int level)
{
    if (level < 0 && (c->err->msg_code == JWRN_JPEG_EOF ||
                      c->err->msg_code == JWRN_HIT_MARKER))
        jpeg_fail(c);
}

static void
jpeg_watch(j_common_ptr c)
{
    struct jpeg_reading *r = (struct jpeg_reading *)c->err;

    if (r->d.input_scan_number <= JPEG_SCANS)
        return;
    if (!r->told)
        error_set(r->err, ERR_LIMIT, "a JPEG of over %d scans", JPEG_SCANS);
    r->told = true;
    longjmp(r->leave, 1);
}

/* The least of 1/8, 1/4, 1/2 and 1 that is not smaller than wanted. */
static unsigned
jpeg_eighths(const struct jpeg_decompress_struct *d, struct image_size want)
{
    unsigned n = 1;

    while (n < 8 && (d->image_width * n / 8 < want.w ||
                     d->image_height * n / 8 < want.h))
        n *= 2;
    return n;
}

static bool
jpeg_run(struct jpeg_reading *r, struct str bytes, struct image_size want,
         struct picture *to)
{
    struct jpeg_decompress_struct *d = &r->d;

    if (setjmp(r->leave))
        return false;
    jpeg_create_decompress(d);
    d->mem->max_memory_to_use = JPEG_MEMORY;
    d->progress = &r->progress;
    jpeg_mem_src(d, (const unsigned char *)bytes.p, bytes.n);
    (void)jpeg_read_header(d, TRUE);
    if ((uint64_t)d->image_width * d->image_height > IMAGE_MAX_PIXELS) {
        r->told = true;
        return picture_room(to, d->image_width, d->image_height, 1, r->err) &&
               false;
    }
    d->out_color_space =
        d->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    d->scale_num = jpeg_eighths(d, want);
    d->scale_denom = 8;
    (void)jpeg_start_decompress(d);
    if (!picture_room(to, d->output_width, d->output_height,
                      (uint32_t)d->output_components, r->err)) {
        r->told = true;
        return false;
    }
    while (d->output_scanline < d->output_height) {
        JSAMPROW line = to->pixel + (size_t)d->output_scanline * to->w * to->c;

        (void)jpeg_read_scanlines(d, &line, 1);
    }
    (void)jpeg_finish_decompress(d);
    return true;
}

static bool
jpeg_picture(struct str bytes, struct image_size want, struct picture *to,
             struct error *err)
{
    struct jpeg_reading r = {.err = err};
    bool ok;

    r.d.err = jpeg_std_error(&r.manager);
    r.manager.error_exit = jpeg_fail;
    r.manager.emit_message = jpeg_note;
    r.progress.progress_monitor = jpeg_watch;
    ok = jpeg_run(&r, bytes, want, to);
    if (!ok && !r.told)
        error_set(err, ERR_PARSE, "a damaged JPEG");
    jpeg_destroy_decompress(&r.d);
    return ok;
}

/* ---- size ---- */

/* The pixels of a side that one of the result is the mean of. */
struct span {
    uint32_t first, n;
};

/* weight: room for `most` of each of `to`. */
static void
spans_make(uint32_t from, uint32_t to, uint32_t most, struct span *span,
           float *weight)
{
    double scale = (double)from / (double)to, reach = scale > 1 ? scale : 1;

    for (uint32_t i = 0; i < to; i++) {
        double middle = (i + 0.5) * scale, sum = 0;
        double low = floor(middle - reach + 0.5);
        double high = floor(middle + reach + 0.5);
        float *w = weight + (size_t)i * most;
        uint32_t n;

        low = low < 0 ? 0 : low;
        high = high > from ? from : high;
        n = (uint32_t)(high - low);
        n = n > most ? most : n;
        span[i] = (struct span){(uint32_t)low, n};
        for (uint32_t k = 0; k < n; k++) {
            double v = 1 - fabs(low + k + 0.5 - middle) / reach;

            w[k] = (float)(v > 0 ? v : 0);
            sum += (double)w[k];
        }
        for (uint32_t k = 0; k < n; k++)
            w[k] = (float)((double)w[k] / sum);
    }
}

static uint32_t
span_most(uint32_t from, uint32_t to)
{
    double scale = (double)from / (double)to;

    return (uint32_t)(2 * (scale > 1 ? scale : 1)) + 3;
}

/* Lines of `n` numbers, `step` numbers from one pixel to the next, become
 * lines of to->w pixels: along the other side by the same function. */
struct stretching {
    const struct span *span;
    const float *weight;
    uint32_t most, to;
    size_t c;
};

static void
stretch_line(const struct stretching *s, const float *x, size_t step,
             float *out, size_t out_step)
{
    for (uint32_t i = 0; i < s->to; i++) {
        const float *w = s->weight + (size_t)i * s->most;

        for (size_t c = 0; c < s->c; c++)
            out[i * out_step + c] = 0;
        for (uint32_t k = 0; k < s->span[i].n; k++)
            for (size_t c = 0; c < s->c; c++)
                out[i * out_step + c] +=
                    w[k] * x[(s->span[i].first + k) * step + c];
    }
}

/* As many numbers a pixel as wanted: Rec. 601 luma, or grey three times. */
static void
line_colours(const uint8_t *p, uint32_t n, uint32_t c, uint32_t want,
             float *out)
{
    for (uint32_t i = 0; i < n; i++, p += c, out += want) {
        float grey = c == 1 ? (float)p[0]
                            : 0.299f * (float)p[0] + 0.587f * (float)p[1] +
                                  0.114f * (float)p[2];

        for (uint32_t k = 0; k < want; k++)
            out[k] = want == 1 || c == 1 ? grey : (float)p[k];
    }
}

struct resize {
    struct span *across, *down;
    float *weight_across, *weight_down;
    float *line;   /* of the picture */
    float *narrow; /* (picture's h, want.w, want.c) */
    float *column;
};

static void
resize_fini(struct resize *r)
{
    free(r->across);
    free(r->down);
    free(r->weight_across);
    free(r->weight_down);
    free(r->line);
    free(r->narrow);
    free(r->column);
}

static bool
resize_init(struct resize *r, const struct picture *p, struct image_size want,
            struct error *err)
{
    size_t across = (size_t)span_most(p->w, want.w) * want.w;
    size_t down = (size_t)span_most(p->h, want.h) * want.h;
    size_t line = (size_t)want.w * want.c;

    return (r->across = mem_try_array(want.w, sizeof *r->across, err)) &&
           (r->down = mem_try_array(want.h, sizeof *r->down, err)) &&
           (r->weight_across = mem_try_array(across, sizeof(float), err)) &&
           (r->weight_down = mem_try_array(down, sizeof(float), err)) &&
           (r->line =
                mem_try_array((size_t)p->w * want.c, sizeof(float), err)) &&
           (r->narrow = mem_try_array(p->h * line, sizeof(float), err)) &&
           (r->column = mem_try_array(want.h * line, sizeof(float), err));
}

static bool
fit_size(const struct picture *p, struct image_size want, uint8_t *out,
         struct error *err)
{
    size_t line = (size_t)want.w * want.c, n = line * want.h;
    struct resize r = {0};
    bool ok = resize_init(&r, p, want, err);

    if (ok) {
        struct stretching s = {r.across, r.weight_across,
                               span_most(p->w, want.w), want.w, want.c};
        struct stretching d = {r.down, r.weight_down, span_most(p->h, want.h),
                               want.h, line};

        spans_make(p->w, want.w, s.most, r.across, r.weight_across);
        spans_make(p->h, want.h, d.most, r.down, r.weight_down);
        for (uint32_t y = 0; y < p->h; y++) {
            line_colours(p->pixel + (size_t)y * p->w * p->c, p->w, p->c, want.c,
                         r.line);
            stretch_line(&s, r.line, want.c, r.narrow + y * line, want.c);
        }
        stretch_line(&d, r.narrow, line, r.column, line);
        for (size_t i = 0; i < n; i++) {
            float v = r.column[i] + 0.5f;

            out[i] = v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
        }
    }
    resize_fini(&r);
    return ok;
}

bool
image_decode(struct str bytes, struct image_size want, uint8_t *out,
             struct error *err)
{
    struct picture p = {0};
    bool ok;

    if (bytes.n >= 8 && memcmp(bytes.p, "\x89PNG\r\n\x1a\n", 8) == 0)
        ok = png_picture(bytes, &p, err);
    else if (bytes.n >= 3 && memcmp(bytes.p, "\xff\xd8\xff", 3) == 0)
        ok = jpeg_picture(bytes, want, &p, err);
    else
        ok = error_set(err, ERR_PARSE, "neither a PNG nor a JPEG");
    ok = ok && fit_size(&p, want, out, err);
    free(p.pixel);
    return ok;
}

/* ---- where the bytes are ---- */

static int
base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool
base64_take(struct str s, struct buf *out, struct error *err)
{
    uint32_t bits = 0, n = 0;

    while (s.n > 0 && s.p[s.n - 1] == '=')
        s.n--;
    for (size_t i = 0; i < s.n; i++) {
        int v = base64_value(s.p[i]);

        if (v < 0)
            return error_set(err, ERR_PARSE,
                             "a picture whose base64 has another character at "
                             "%zu",
                             i + 1);
        bits = bits << 6 | (uint32_t)v;
        n += 6;
        if (n >= 8) {
            n -= 8;
            buf_putc(out, (char)(bits >> n & 0xff));
        }
    }
    return buf_check(out, err);
}

static bool
read_data(struct str text, struct image_size want, uint8_t *out,
          struct error *err)
{
    const char *comma = memchr(text.p, ',', text.n);
    struct buf bytes;
    struct str head, body;
    bool ok;

    head = (struct str){text.p, comma ? (size_t)(comma - text.p) : 0};
    if (!comma || head.n < 7 || memcmp(head.p + head.n - 7, ";base64", 7) != 0)
        return error_set(err, ERR_PARSE,
                         "a picture in text, expected "
                         "data:image/png;base64,...");
    body = (struct str){comma + 1, text.n - head.n - 1};
    if (body.n / 4 > IMAGE_MAX_BYTES / 3)
        return error_set(err, ERR_LIMIT, "a picture of over %d bytes",
                         IMAGE_MAX_BYTES);
    buf_init(&bytes);
    ok = base64_take(body, &bytes, err) &&
         image_decode((struct str){bytes.data, bytes.len}, want, out, err);
    buf_fini(&bytes);
    return ok;
}

bool
image_read(struct str place, struct image_size want, uint8_t *out,
           struct error *err)
{
    struct buf bytes;
    struct stat st;
    char *path;
    bool ok;

    if (str_starts(place, "data:"))
        return read_data(place, want, out, err);
    if (place.n == 0)
        return error_set(err, ERR_RANGE, "a picture is missing");
    if (!(path = mem_try_text(place.p, place.n, err)))
        return false;
    buf_init(&bytes);
    /* Of a pipe there is no end to wait for. */
    ok = stat(path, &st) == 0
             ? S_ISREG(st.st_mode) ||
                   error_set(err, ERR_IO, "%s: not a regular file", path)
             : error_errno(err, errno, "%s", path);
    ok = ok && file_read(path, IMAGE_MAX_BYTES, &bytes, err);
    if (ok &&
        !image_decode((struct str){bytes.data, bytes.len}, want, out, err))
        ok = error_prefix(err, "%s: ", path);
    buf_fini(&bytes);
    free(path);
    return ok;
}
