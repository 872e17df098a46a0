/* tests/unit/test_safetensors.c -- the artifact file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/safetensors.h"

/* A header and data as a file; caller frees. */
static char *
file_make(const char *head, size_t n_data, struct str *out)
{
    size_t n = strlen(head);
    char *p = calloc(1, 8 + n + n_data + 1);

    assert_non_null(p);
    for (size_t i = 0; i < 8; i++)
        p[i] = (char)((uint64_t)n >> 8 * i);
    memcpy(p + 8, head, n);
    *out = (struct str){p, 8 + n + n_data};
    return p;
}

static void
expect_corrupt(const char *head, size_t n_data, const char *message)
{
    struct error err = {0};
    struct str bytes;
    char *p = file_make(head, n_data, &bytes);
    struct st_file *f = st_parse(bytes, &err);

    if (f || err.code != ERR_CORRUPT || !strstr(err.message, message))
        print_message("# %s: got '%s', want '%s'\n", head, err.message,
                      message);
    assert_null(f);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, message));
    free(p);
}

static void
small_write(struct buf *out)
{
    static const double x[] = {1.5, -2, 3e300};
    static const uint8_t u[] = {1, 2, 3, 4, 5, 6};
    const uint64_t shape[] = {2, 3};
    struct st_writer *w = st_writer_new();
    struct error err;

    st_manifest(w, "{\"kind\":\"x\"}");
    st_add(w, "u", ST_U8, shape, 2, u);
    st_add1(w, "x", ST_F64, 3, x);
    assert_true(st_write(w, out, &err));
    st_writer_free(w);
}

/* The bytes were laid out by struct.pack, json.dumps and the rules of the
 * format in Python, not by lathe. */
static void
test_written_bytes_follow_the_format(void **state)
{
    static const char head[] =
        "{\"__metadata__\":{\"lathe\":\"{\\\"kind\\\":\\\"x\\\"}\"},"
        "\"u\":{\"dtype\":\"U8\",\"shape\":[2,3],\"data_offsets\":[0,6]},"
        "\"~pad.0\":{\"dtype\":\"U8\",\"shape\":[58],\"data_offsets\":[6,64]},"
        "\"x\":{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[64,88]}}";
    struct buf b;
    size_t n = (sizeof head - 1 + 8 + 63) / 64 * 64;

    (void)state;
    buf_init(&b);
    small_write(&b);
    assert_int_equal((uint8_t)b.data[0], (n - 8) & 255);
    assert_int_equal((uint8_t)b.data[1], (n - 8) >> 8);
    assert_memory_equal(b.data + 8, head, sizeof head - 1);
    assert_int_equal(b.data[n - 1], ' ');
    assert_int_equal(b.len, n + 88);
    assert_memory_equal(b.data + n, "\1\2\3\4\5\6\0\0", 8);
    assert_memory_equal(b.data + n + 64, "\0\0\0\0\0\0\xf8\x3f", 8);
    buf_fini(&b);
}

static void
test_what_was_written_is_read_back(void **state)
{
    struct st_tensor t;
    struct error err;
    struct buf b;
    struct st_file *f;

    (void)state;
    buf_init(&b);
    small_write(&b);
    f = st_parse((struct str){b.data, b.len}, &err);
    assert_non_null(f);
    assert_string_equal(st_get_manifest(f), "{\"kind\":\"x\"}");
    assert_true(st_need(f, "x", ST_F64, 3, &t, &err));
    assert_true(((const double *)t.data)[2] == 3e300);
    assert_true(st_need(f, "u", ST_U8, -1, &t, &err));
    assert_int_equal(t.n_dims, 2);
    assert_int_equal(t.shape[1], 3);
    assert_false(st_need(f, "u", ST_F64, -1, &t, &err));
    assert_string_equal(err.message, "tensor 'u' is U8, expected F64");
    assert_false(st_need(f, "x", ST_F64, 4, &t, &err));
    assert_string_equal(err.message, "tensor 'x' has 3 elements, expected 4");
    assert_false(st_need(f, "y", ST_F64, 4, &t, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    st_free(f);
    buf_fini(&b);
}

static void
test_a_misaligned_tensor_is_refused(void **state)
{
    struct error err;
    struct str bytes;
    struct st_tensor t;
    /* 8 + 57 bytes of header: the data begin on an odd address. */
    char *p = file_make(
        "{\"x\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}} ", 8,
        &bytes);
    struct st_file *f = st_parse(bytes, &err);

    (void)state;
    assert_non_null(f);
    assert_false(st_need(f, "x", ST_F64, 1, &t, &err));
    assert_string_equal(err.message, "tensor 'x' is not aligned");
    st_free(f);
    free(p);
}

static void
test_hostile_headers_are_refused(void **state)
{
    (void)state;
    expect_corrupt("{}", 1, "1 bytes of data");
    expect_corrupt("[]", 0, "no header");
    expect_corrupt("{\"a\":1}", 0, "not an object");
    expect_corrupt("{\"__metadata__\":{\"lathe\":1}}", 0, "not a text");
    expect_corrupt("{\"__metadata__\":[]}", 0, "not an object");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
                   "\"data_offsets\":[1,5]}}",
                   5, "begins at 1, expected 0");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
                   "\"data_offsets\":[0,4]},"
                   "\"b\":{\"dtype\":\"U8\",\"shape\":[4],"
                   "\"data_offsets\":[2,6]}}",
                   6, "begins at 2, expected 4");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
                   "\"data_offsets\":[0,4]}}",
                   5, "5 bytes of data, the tensors take 4");
    expect_corrupt("{\"a\":{\"dtype\":\"F32\",\"shape\":[4],"
                   "\"data_offsets\":[0,4]}}",
                   4, "do not agree");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
                   "\"data_offsets\":[0,9]}}",
                   4, "within the file");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
                   "\"data_offsets\":[4,0]}}",
                   4, "within the file");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
                   "\"data_offsets\":[0,4,4]}}",
                   4, "within the file");
    expect_corrupt("{\"a\":{\"dtype\":\"Q8\",\"shape\":[4],"
                   "\"data_offsets\":[0,4]}}",
                   4, "dtype 'Q8'");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[-4],"
                   "\"data_offsets\":[0,4]}}",
                   4, "bad shape");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[1.5],"
                   "\"data_offsets\":[0,4]}}",
                   4, "bad shape");
    /* 2^32 x 2^32 x 2^32 elements overflow 64 bits. */
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,"
                   "4294967296,4294967296],\"data_offsets\":[0,4]}}",
                   4, "bad shape");
    /* 2^61 doubles overflow when counted in bytes: 0 bytes would agree. */
    expect_corrupt("{\"a\":{\"dtype\":\"F64\",\"shape\":[2147483648,"
                   "1073741824],\"data_offsets\":[0,0]}}",
                   0, "do not agree");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1],"
                   "\"data_offsets\":[0,1]}}",
                   1, "5 dimensions");
    expect_corrupt("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],"
                   "\"data_offsets\":[0,1]},"
                   "\"a\":{\"dtype\":\"U8\",\"shape\":[1],"
                   "\"data_offsets\":[1,2]}}",
                   2, "a");
    expect_corrupt("{\"a\":{}}", 0, "tensor 'a'");
    expect_corrupt("{\"a\":", 0, "");
}

static void
test_a_deep_header_is_refused(void **state)
{
    enum { DEPTH = 100000 };
    char *head = malloc(DEPTH + 16);

    (void)state;
    assert_non_null(head);
    memset(head, '[', DEPTH + 15);
    memcpy(head, "{\"a\":", 5);
    head[DEPTH + 15] = '\0';
    expect_corrupt(head, 0, "");
    free(head);
}

static void
test_header_lengths_past_the_file_are_refused(void **state)
{
    char bytes[64] = "";
    struct error err;

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        memset(bytes, 0, sizeof bytes);
        bytes[i] = 127;
        bytes[8] = '{';
        assert_null(st_parse((struct str){bytes, sizeof bytes}, &err));
        assert_int_equal(err.code, ERR_CORRUPT);
    }
}

static void
test_a_file_cut_off_anywhere_is_refused(void **state)
{
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    small_write(&b);
    for (size_t n = 0; n < b.len; n++) {
        /* A copy of its own lets the sanitizer see a read past the end. */
        char *p = malloc(n + !n);

        assert_non_null(p);
        memcpy(p, b.data, n);
        assert_null(st_parse((struct str){p, n}, &err));
        assert_int_equal(err.code, ERR_CORRUPT);
        free(p);
    }
    buf_fini(&b);
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    struct error err;
    struct buf b, c;
    unsigned long n;

    (void)state;
    buf_init(&b);
    buf_init(&c);
    small_write(&b);
    for (n = 1; n < 1000; n++) {
        struct st_file *f;

        mem_fault_arm(n, false);
        f = st_parse((struct str){b.data, b.len}, &err);
        mem_fault_arm(0, false);
        if (f) {
            st_free(f);
            break;
        }
        assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 2, 999);
    for (n = 1; n < 1000; n++) {
        struct st_writer *w = st_writer_new();
        bool ok;

        buf_clear(&c);
        mem_fault_arm(n, false);
        st_manifest(w, "{}");
        st_add1(w, "x", ST_U8, 3, "abc");
        ok = st_write(w, &c, &err);
        mem_fault_arm(0, false);
        st_writer_free(w);
        if (ok)
            break;
        assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 2, 999);
    buf_fini(&b);
    buf_fini(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_bytes_follow_the_format),
        cmocka_unit_test(test_what_was_written_is_read_back),
        cmocka_unit_test(test_a_misaligned_tensor_is_refused),
        cmocka_unit_test(test_hostile_headers_are_refused),
        cmocka_unit_test(test_a_deep_header_is_refused),
        cmocka_unit_test(test_header_lengths_past_the_file_are_refused),
        cmocka_unit_test(test_a_file_cut_off_anywhere_is_refused),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
