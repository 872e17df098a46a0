/* Text of other encodings.  What bytes mean is what Python's codecs say.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/encoding.h"

static struct str
decoded(struct str text, enum encoding e, struct pool *pool, char **hold)
{
    struct error err;
    size_t len;

    if (!encoding_decode(text, e, pool, hold, &len, &err))
        fail_msg("%s", err.message);
    return (struct str){*hold ? *hold : text.p, len};
}

static void
assert_decodes(struct str text, enum encoding e, struct str want)
{
    char *hold;
    struct str got = decoded(text, e, NULL, &hold);

    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    free(hold);
}

/* ''.join(map(chr, range(0x80, 0xa0))) and bytes(range(0x80, 0xa0)) of
 * Python's latin-1 and cp1252, where the five bytes that the latter leaves open
 * are those of WHATWG's table. */
static void
high_bytes_are_the_letters_of_their_encoding(void **state)
{
    static const char high[] =
        "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f"
        "\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f";
    static const char windows[] = "€\xc2\x81‚ƒ„…†‡ˆ‰Š‹Œ\xc2\x8d"
                                  "Ž\xc2\x8f\xc2\x90‘’“”•–—˜™š›œ\xc2\x9džŸ";

    (void)state;
    assert_decodes(STR(high), ENCODING_WINDOWS_1252, STR(windows));
    assert_decodes(STR("\x80\x9f"), ENCODING_LATIN1, STR("\xc2\x80\xc2\x9f"));
    assert_decodes(STR("Jos\xe9 \xdf\xff"), ENCODING_LATIN1, STR("José ßÿ"));
    assert_decodes(STR("Jos\xe9 \xdf\xff"), ENCODING_WINDOWS_1252,
                   STR("José ßÿ"));
}

static void
text_that_is_ascii_stays_where_it_is(void **state)
{
    static const char text[] = "a,b\n1,2\nlonger than a step of thirty-two\n";
    char *hold;

    (void)state;
    for (int e = ENCODING_FIND; e <= ENCODING_WINDOWS_1252; e++) {
        struct str got = decoded(STR(text), (enum encoding)e, NULL, &hold);

        assert_null(hold);
        assert_ptr_equal(got.p, text);
        assert_int_equal(got.n, sizeof text - 1);
    }
}

static void
utf16_is_known_by_its_mark(void **state)
{
    (void)state;
    assert_decodes(STR("\xff\xfe"
                       "a\0\xe9\0\n\0"),
                   ENCODING_FIND, STR("aé\n"));
    assert_decodes(STR("\xfe\xff\0a\0\xe9\0\n"), ENCODING_FIND, STR("aé\n"));
    assert_decodes(STR("a\0\xac\x20"), ENCODING_UTF16, STR("a€"));
    /* U+1F600, a pair. */
    assert_decodes(STR("\xff\xfe\x3d\xd8\x00\xde"), ENCODING_FIND, STR("😀"));
}

/* b'...'.decode('utf-16-le', 'replace') */
static void
halves_without_a_partner_are_replaced(void **state)
{
    (void)state;
    assert_decodes(STR("\x3d\xd8"
                       "a\0"),
                   ENCODING_UTF16,
                   STR("\xef\xbf\xbd"
                       "a"));
    assert_decodes(STR("\x00\xde"
                       "a\0"),
                   ENCODING_UTF16,
                   STR("\xef\xbf\xbd"
                       "a"));
    assert_decodes(STR("a\0b"), ENCODING_UTF16, STR("a\xef\xbf\xbd"));
    assert_decodes(STR("\x3d\xd8"), ENCODING_UTF16, STR("\xef\xbf\xbd"));
}

/* Chunks are cut at 256 KiB: pairs lie across every cut. */
static void
threads_do_not_change_the_text(void **state)
{
    enum { N = 1200001 };
    struct pool *pool = pool_new(3);
    char *text = malloc(2 * N), *hold[2];
    struct str got[2];
    size_t n = 2;

    (void)state;
    assert_non_null(text);
    text[0] = 'x';
    text[1] = 0;
    for (; n + 4 <= 2 * N; n += 4)
        memcpy(text + n, "\x3d\xd8\x00\xde", 4);
    got[0] = decoded((struct str){text, n}, ENCODING_UTF16, NULL, &hold[0]);
    got[1] = decoded((struct str){text, n}, ENCODING_UTF16, pool, &hold[1]);
    assert_int_equal(got[0].n, n - 1);
    assert_true(str_eq(got[0], got[1]));
    assert_true(encoding_foreign(got[0]) == got[0].n);
    free(hold[0]);
    free(hold[1]);
    for (size_t i = 0; i < N; i++)
        text[i] = (char)(rng_at(5, 0, i) >> 56);
    got[0] =
        decoded((struct str){text, N}, ENCODING_WINDOWS_1252, NULL, &hold[0]);
    got[1] =
        decoded((struct str){text, N}, ENCODING_WINDOWS_1252, pool, &hold[1]);
    assert_true(str_eq(got[0], got[1]));
    free(hold[0]);
    free(hold[1]);
    free(text);
    pool_free(pool);
}

/* Table 3-7 of the Unicode standard, at its edges. */
static void
what_is_not_utf8_is_found(void **state)
{
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80", 13},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8},
        {"a\x80", 1},
        {"a\xc1\xbf", 1},
        {"a\xe0\x9f\xbf", 1},
        {"a\xed\xa0\x80", 1},
        {"a\xf0\x8f\xbf\xbf", 1},
        {"a\xf4\x90\x80\x80", 1},
        {"a\xf5\x80\x80\x80", 1},
        {"ab\xe2\x82", 2},
        {"ab\xc3", 2},
        {"ab\xe2\x82z", 2},
        {"0123456789012345678901234567890123456789\xe9", 40},
        {"0123456789012345678901234567890é23456789\xe9 and more", 41},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(encoding_foreign(str_of(cases[i].text)), cases[i].at);
}

static void
random_bytes_are_judged_as_utf8proc_does(void **state)
{
    char text[48];

    (void)state;
    for (uint64_t round = 0; round < 200000; round++) {
        size_t n = rng_at(7, 1, round) % sizeof text, at = 0;
        struct str s = {text, n};

        for (size_t i = 0; i < n; i++) {
            uint64_t r = rng_at(7, 2 + i, round);

            /* Mostly what may continue something. */
            text[i] = (char)(r % 4 ? 0x80 | (r >> 8 & 0x7f) : r >> 8 & 0x7f);
        }
        while (at < n) {
            size_t from = at;

            /* U+FFFD itself has three bytes, what is bad is passed alone. */
            if (str_next(s, &at) == 0xfffd && at - from == 1) {
                at = from;
                break;
            }
        }
        assert_int_equal(encoding_foreign(s), at);
    }
}

static void
names_of_encodings_are_found_or_the_nearest_told(void **state)
{
    enum encoding e;
    struct error err;

    (void)state;
    assert_true(encoding_parse("latin1", &e, &err));
    assert_int_equal(e, ENCODING_LATIN1);
    assert_true(encoding_parse("utf-16", &e, &err));
    assert_int_equal(e, ENCODING_UTF16);
    assert_false(encoding_parse("windows-1253", &e, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "did you mean 'windows-1252'?"));
    assert_false(encoding_parse("", &e, &err));
}

static void
every_lack_of_memory_is_an_error(void **state)
{
    struct error err;
    char *out = NULL;
    size_t len;
    bool ok = false;

    (void)state;
    for (unsigned n = 1; !ok; n++) {
        assert_true(n < 100);
        mem_fault_arm(n, false);
        ok = encoding_decode(STR("\xe9t\xe9"), ENCODING_LATIN1, NULL, &out,
                             &len, &err);
        mem_fault_arm(0, false);
        assert_true(ok || err.code == ERR_NOMEM);
        assert_true(ok || !out);
    }
    assert_int_equal(len, 5);
    free(out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(high_bytes_are_the_letters_of_their_encoding),
        cmocka_unit_test(text_that_is_ascii_stays_where_it_is),
        cmocka_unit_test(utf16_is_known_by_its_mark),
        cmocka_unit_test(halves_without_a_partner_are_replaced),
        cmocka_unit_test(threads_do_not_change_the_text),
        cmocka_unit_test(what_is_not_utf8_is_found),
        cmocka_unit_test(random_bytes_are_judged_as_utf8proc_does),
        cmocka_unit_test(names_of_encodings_are_found_or_the_nearest_told),
        cmocka_unit_test(every_lack_of_memory_is_an_error),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
