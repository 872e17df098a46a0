/* SHA-256 against the examples of FIPS 180-2, appendix B.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"

static const char ABC[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char EMPTY[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char MILLION_A[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void
bytes_have_the_published_digests(void **state)
{
    char hex[DIGEST_HEX];

    (void)state;
    digest_bytes("abc", 3, hex);
    assert_string_equal(hex, ABC);
    digest_bytes("", 0, hex);
    assert_string_equal(hex, EMPTY);
    digest_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                 hex);
    assert_string_equal(
        hex,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
a_file_longer_than_a_chunk_has_the_published_digest(void **state)
{
    char path[] = "/tmp/lathe-digest.XXXXXX", hex[DIGEST_HEX];
    static char a[1000];
    struct error err;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    memset(a, 'a', sizeof a);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(fd, a, sizeof a), sizeof a);
    assert_true(digest_file(path, hex, &err));
    assert_string_equal(hex, MILLION_A);

    mem_fault_arm(1, true);
    assert_false(digest_file(path, hex, &err));
    assert_int_equal(err.code, ERR_NOMEM);
    mem_fault_arm(2, true);
    assert_false(digest_file(path, hex, &err));
    assert_int_equal(err.code, ERR_IO);
    mem_fault_arm(0, false);
    close(fd);
    unlink(path);
    assert_false(digest_file(path, hex, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
}

static void
tokens_are_hex_and_differ(void **state)
{
    char a[33], b[33];

    (void)state;
    digest_token(16, a);
    digest_token(16, b);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_string_not_equal(a, b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_the_published_digests),
        cmocka_unit_test(a_file_longer_than_a_chunk_has_the_published_digest),
        cmocka_unit_test(tokens_are_hex_and_differ),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
