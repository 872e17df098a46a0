/* tests/unit/test_image.c -- pictures as pixels.
 *
 * Expected pixels: Pillow 9.4, resize((w, h), BILINEAR) of the same files, on
 * black where they are transparent (tests/data/images/FILE.SIZE.MODE).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/neural/image.h"
#include "frame/folder.h"
#include "tests/lib/close.h"

static void
load(const char *name, struct buf *out)
{
    const char *source = getenv("LATHE_SOURCE");
    struct error err;
    char *dir = file_join(source ? source : ".", "tests/data/images");
    char *path = file_join(dir, name);

    buf_init(out);
    assert_ok(file_read(path, IMAGE_MAX_BYTES, out, &err), err);
    free(path);
    free(dir);
}

static struct str
view(const struct buf *b)
{
    return (struct str){b->data, b->len};
}

static void
expect_pixels(const char *name, const char *suffix, struct image_size size,
              int room)
{
    char expected[64];
    uint8_t got[256];
    struct buf file, want;
    struct error err;

    snprintf(expected, sizeof expected, "%s.%s", name, suffix);
    load(name, &file);
    load(expected, &want);
    assert_int_equal(want.len, size.h * size.w * size.c);
    assert_ok(image_decode(view(&file), size, got, &err), err);
    for (size_t i = 0; i < want.len; i++) {
        int d = (int)got[i] - (int)(uint8_t)want.data[i];

        if (d > room || d < -room)
            fail_msg("%s: number %zu is %d, want %d", expected, i, got[i],
                     (uint8_t)want.data[i]);
    }
    buf_fini(&file);
    buf_fini(&want);
}

static void
test_pixels_agree_with_pillow(void **state)
{
    static const char *const names[] = {
        "rgb.png",        "grey.png",        "palette.png",
        "interlaced.png", "grey16.png",      "grey.jpg",
        "colour.jpg",     "progressive.jpg", "alpha.png"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        /* Pillow rounds between the sides, and before the luma; and it does
         * not decode at less. */
        int room = strstr(names[i], ".jpg") ? 6 : 2;

        expect_pixels(names[i], "4x5.RGB", (struct image_size){5, 4, 3}, room);
        expect_pixels(names[i], "11x3.L", (struct image_size){3, 11, 1}, room);
    }
}

static void
test_a_large_jpeg_is_decoded_at_less(void **state)
{
    uint8_t small[3], large[24 * 20 * 3];
    struct buf file;
    struct error err;

    (void)state;
    load("colour.jpg", &file);
    assert_ok(
        image_decode(view(&file), (struct image_size){1, 1, 3}, small, &err),
        err);
    assert_ok(
        image_decode(view(&file), (struct image_size){20, 24, 3}, large, &err),
        err);
    /* About a ramp's mean: the last of the blocks of 8 is filled up. */
    assert_in_range(small[0], 105, 150);
    assert_in_range(small[1], 105, 150);
    assert_true(large[0] < 20 && large[23 * 3] > 235);
    buf_fini(&file);
}

static void
test_what_is_no_picture_is_refused(void **state)
{
    static const struct {
        const char *bytes, *why;
    } cases[] = {{"", "neither"},
                 {"GIF89a", "neither"},
                 {"\x89PNG\r\n\x1a\n", "a damaged PNG"},
                 {"\xff\xd8\xff", "a damaged JPEG"},
                 {"\xff\xd8\xff\xd9", "a damaged JPEG"}};
    uint8_t out[3];
    struct buf file;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(image_decode(str_of(cases[i].bytes),
                                  (struct image_size){1, 1, 3}, out, &err));
        assert_int_equal(err.code, ERR_PARSE);
        assert_non_null(strstr(err.message, cases[i].why));
    }
    load("huge.png", &file);
    assert_false(
        image_decode(view(&file), (struct image_size){1, 1, 3}, out, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    buf_fini(&file);
}

static void
test_a_picture_that_breaks_off_is_refused(void **state)
{
    static const char *const names[] = {"rgb.png", "interlaced.png",
                                        "colour.jpg", "progressive.jpg",
                                        "palette.png"};
    uint8_t out[27];
    struct buf file;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        load(names[i], &file);
        for (size_t n = 0; n + 2 < file.len; n++)
            if (image_decode((struct str){file.data, n},
                             (struct image_size){3, 3, 3}, out, &err))
                fail_msg("%s of %zu bytes was taken", names[i], n);
        buf_fini(&file);
    }
}

static void
test_no_changed_byte_does_harm(void **state)
{
    static const char *const names[] = {"rgb.png", "palette.png", "alpha.png",
                                        "colour.jpg", "progressive.jpg"};
    uint8_t out[27];
    struct buf file;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        load(names[i], &file);
        for (size_t n = 0; n < file.len; n++) {
            char was = file.data[n];

            for (int v = 0; v < 3; v++) {
                file.data[n] = (char)(v == 0 ? 0 : v == 1 ? 0xff : was ^ 0x10);
                if (!image_decode(view(&file), (struct image_size){3, 3, 3},
                                  out, &err))
                    assert_true(err.message[0] != 0);
            }
            file.data[n] = was;
        }
        buf_fini(&file);
    }
}

static void
test_text_holds_a_picture(void **state)
{
    /* 1 x 1, red 10, green 20, blue 30. */
    static const char red[] =
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1Pe"
        "AAAADElEQVR4nGPgEpEDAABoAD1UCKP3AAAAAElFTkSuQmCC";
    static const struct {
        const char *text, *why;
    } bad[] = {{"data:", "expected data:image"},
               {"data:image/png,abc", "expected data:image"},
               {"data:;base64,a*bc", "another character at 2"},
               {"data:;base64,", "neither"},
               {"data:;base64,aGVsbG8=", "neither"}};
    uint8_t out[3];
    struct error err;

    (void)state;
    assert_ok(image_read(str_of(red), (struct image_size){1, 1, 3}, out, &err),
              err);
    assert_int_equal(out[0], 10);
    assert_int_equal(out[1], 20);
    assert_int_equal(out[2], 30);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(image_read(str_of(bad[i].text),
                                (struct image_size){1, 1, 3}, out, &err));
        assert_non_null(strstr(err.message, bad[i].why));
    }
}

static void
test_a_place_without_a_picture_is_told(void **state)
{
    static const struct {
        const char *path;
        enum error_code code;
    } cases[] = {{"", ERR_RANGE},
                 {"/nowhere/x.png", ERR_NOTFOUND},
                 {"/", ERR_IO},
                 {"/dev/zero", ERR_IO}};
    uint8_t out[3];
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(image_read(str_of(cases[i].path),
                                (struct image_size){1, 1, 3}, out, &err));
        assert_int_equal(err.code, cases[i].code);
    }
}

static void
test_every_failing_allocation_is_told(void **state)
{
    static const char *const names[] = {"rgb.png", "progressive.jpg"};
    uint8_t out[27];
    struct buf file;
    struct error err;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        bool ok = false;
        unsigned long n = 1;

        load(names[i], &file);
        for (; n < 100 && !ok; n++) {
            mem_fault_arm(n, false);
            ok = image_decode(view(&file), (struct image_size){3, 3, 3}, out,
                              &err);
            mem_fault_arm(0, false);
            if (!ok)
                assert_int_equal(err.code, ERR_NOMEM);
        }
        assert_in_range(n, 5, 99);
        buf_fini(&file);
    }
}

static void
test_a_folder_is_a_table_of_its_pictures(void **state)
{
    const char *source = getenv("LATHE_SOURCE");
    char *dir = file_join(source ? source : ".", "tests/data");
    char *images = file_join(dir, "images");
    struct error err;
    struct frame *f = folder_read(images, NULL, &err);

    (void)state;
    assert_ok(f != NULL, err);
    /* No subfolder: no class. */
    assert_int_equal(frame_rows(f), 10);
    assert_int_equal(column_missing(frame_column(f, 1)), 10);
    frame_unref(f);
    f = folder_read(dir, NULL, &err);
    assert_ok(f != NULL, err);
    assert_int_equal(frame_rows(f), 10);
    for (size_t i = 0; i < 10; i++)
        assert_true(str_is(column_text(frame_column(f, 1), i), "images"));
    frame_unref(f);
    free(images);
    free(dir);
    assert_null(folder_read("/proc/self/fd", NULL, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_null(folder_read("/nowhere", NULL, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_agree_with_pillow),
        cmocka_unit_test(test_a_large_jpeg_is_decoded_at_less),
        cmocka_unit_test(test_what_is_no_picture_is_refused),
        cmocka_unit_test(test_a_picture_that_breaks_off_is_refused),
        cmocka_unit_test(test_no_changed_byte_does_harm),
        cmocka_unit_test(test_text_holds_a_picture),
        cmocka_unit_test(test_a_place_without_a_picture_is_told),
        cmocka_unit_test(test_every_failing_allocation_is_told),
        cmocka_unit_test(test_a_folder_is_a_table_of_its_pictures),
    };

    (void)cmocka_run_group_tests_name("image", tests, NULL, NULL);
    return 0;
}
