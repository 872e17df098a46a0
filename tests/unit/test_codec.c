/* The packed forms of one sentence were made by gzip, zlib, zstd, lz4 and
 * brotli's own programs, and by hyparquet-writer 0.17 for snappy.
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
#include "frame/codec.h"
#include "frame/codec_snappy.h"

static const char SENTENCE[] =
    "a penny saved is a penny earned, a penny saved is a penny earned";
enum { SENTENCE_LEN = sizeof SENTENCE - 1, PACKED_MAX = 256 };

static const struct {
    enum codec kind;
    const char *hex;
} packed[] = {
    {CODEC_SNAPPY,
     "4040612070656e6e79207361766564206973201111186561726e65642c15105a2100"},
    {CODEC_GZIP, "1f8b08000000000002ff4b542848cdcbab54284e2c4b4d51c82c5648840a"
                 "a42616e5a5a6e8c0f938140000b1d3749540000000"},
    {CODEC_GZIP, "789c4b542848cdcbab54284e2c4b4d51c82c5648840aa42616e5a5a6e8c0"
                 "f938140000dcfa16b5"},
    {CODEC_ZSTD, "28b52ffd04581d0100c0612070656e6e7920736176656420697320656172"
                 "6e65642c0300445530539b44cc258e5f103b"},
    {CODEC_LZ4, "f402612070656e6e79207361766564206973201100756561726e65642c10"
                "000e21005061726e6564"},
    {CODEC_LZ4_FRAME,
     "04224d18684040000000000000005c28000000f402612070656e6e7920736176656420697"
     "3201100756561726e65642c10000e21005061726e656400000000"},
    {CODEC_LZ4_HADOOP,
     "0000004000000028f402612070656e6e79207361766564206973201100756561726e65642"
     "c10000e21005061726e6564"},
    {CODEC_BROTLI, "1b3f00f8059c63a94ab796c1ad72dede8dd4b20b319a0010604849d0a6"
                   "7d5d7bd0e19a312f"},
};
enum { N_PACKED = sizeof packed / sizeof *packed };

static struct str
unhex(const char *hex, char out[PACKED_MAX])
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n; i++) {
        char pair[] = {hex[2 * i], hex[2 * i + 1], '\0'};

        out[i] = (char)strtoul(pair, NULL, 16);
    }
    return (struct str){out, n};
}

static void
what_other_programs_packed_is_read(void **state)
{
    struct error err;
    char room[PACKED_MAX], got[SENTENCE_LEN];

    (void)state;
    for (size_t i = 0; i < N_PACKED; i++) {
        struct str in = unhex(packed[i].hex, room);

        assert_true(
            codec_decompress(packed[i].kind, in, got, SENTENCE_LEN, &err));
        assert_memory_equal(got, SENTENCE, SENTENCE_LEN);
    }
}

static void
another_length_than_told_is_an_error(void **state)
{
    struct error err;
    char room[PACKED_MAX], got[SENTENCE_LEN + 1];

    (void)state;
    for (size_t i = 0; i < N_PACKED; i++) {
        struct str in = unhex(packed[i].hex, room);

        assert_false(
            codec_decompress(packed[i].kind, in, got, SENTENCE_LEN - 1, &err));
        assert_int_equal(err.code, ERR_PARSE);
        assert_false(
            codec_decompress(packed[i].kind, in, got, SENTENCE_LEN + 1, &err));
        assert_int_equal(err.code, ERR_PARSE);
    }
}

/* Each in a block of its own size, so that a sanitizer sees a read past it. */
static void
data_cut_short_is_an_error(void **state)
{
    struct error err;
    char room[PACKED_MAX], got[SENTENCE_LEN];

    (void)state;
    for (size_t i = 0; i < N_PACKED; i++) {
        struct str in = unhex(packed[i].hex, room);

        /* lz4 frames and gzip members have an end of their own. */
        for (size_t n = 0; n < in.n; n++) {
            char *cut = malloc(n + !n);

            memcpy(cut, in.p, n);
            assert_false(codec_decompress(packed[i].kind, (struct str){cut, n},
                                          got, SENTENCE_LEN, &err));
            free(cut);
        }
    }
}

/* Text, runs, noise and long repeats, which take the different paths. */
static char *
sample(size_t n)
{
    char *p = malloc(n + !n);

    for (size_t i = 0; i < n; i++) {
        size_t zone = i / 5000 % 4;

        p[i] = zone == 0   ? SENTENCE[i % SENTENCE_LEN]
               : zone == 1 ? 'x'
               : zone == 2 ? (char)rng_below(1, 1, i, 256)
                           : (char)('a' + i % 3);
    }
    return p;
}

static const enum codec written[] = {CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP,
                                     CODEC_ZSTD, CODEC_LZ4,    CODEC_LZ4_FRAME};
enum { N_WRITTEN = sizeof written / sizeof *written };

static void
what_is_packed_comes_back(void **state)
{
    static const size_t sizes[] = {0,     1,     3,      15,    16,
                                   17,    100,   4999,   65535, 65536,
                                   65537, 70000, 131072, 300000};
    struct error err;

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t k = 0; k < N_WRITTEN; k++) {
            size_t n = sizes[s];
            char *p = sample(n), *got = malloc(n + !n);
            struct buf b;

            buf_init(&b);
            assert_true(
                codec_compress(written[k], 0, (struct str){p, n}, &b, &err));
            assert_true(codec_decompress(
                written[k], (struct str){b.data, b.len}, got, n, &err));
            assert_memory_equal(got, p, n);
            if (n == 300000 && written[k] != CODEC_NONE)
                assert_true(b.len < n / 2);
            buf_fini(&b);
            free(p);
            free(got);
        }
}

static void
brotli_is_only_read(void **state)
{
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_false(codec_compress(CODEC_BROTLI, 0, STR("a"), &b, &err));
    assert_int_equal(err.code, ERR_STATE);
    buf_fini(&b);
}

/* Two members in a row, read 1, 7, ... bytes at a time. */
static void
a_stream_gives_all_members_piece_by_piece(void **state)
{
    static const enum codec kinds[] = {CODEC_NONE, CODEC_GZIP, CODEC_ZSTD,
                                       CODEC_LZ4_FRAME};
    static const size_t steps[] = {1, 7, 4096, 1 << 20};
    enum { N = 30000 };
    struct error err;
    char *p = sample(N);

    (void)state;
    for (size_t k = 0; k < 4; k++) {
        struct buf b, all;

        buf_init(&b);
        for (int twice = 0; twice < 2; twice++)
            assert_true(
                codec_compress(kinds[k], 0, (struct str){p, N}, &b, &err));
        assert_int_equal(codec_sniff((struct str){b.data, b.len}), kinds[k]);
        for (size_t s = 0; s < 4; s++) {
            char *step = malloc(steps[s]);
            struct codec_stream *in =
                codec_stream_open(kinds[k], (struct str){b.data, b.len}, &err);
            size_t got;

            assert_non_null(in);
            buf_init(&all);
            do {
                assert_true(codec_stream_read(in, step, steps[s], &got, &err));
                buf_add(&all, step, got);
            } while (got == steps[s]);
            assert_int_equal(all.len, 2 * N);
            assert_memory_equal(all.data, p, N);
            assert_memory_equal(all.data + N, p, N);
            assert_int_equal(codec_stream_used(in), b.len);
            assert_true(codec_stream_read(in, step, steps[s], &got, &err));
            assert_int_equal(got, 0);
            codec_stream_close(in);
            buf_fini(&all);
            free(step);
        }
        buf_fini(&b);
    }
    free(p);
}

static void
a_stream_cut_short_is_an_error(void **state)
{
    static const enum codec kinds[] = {CODEC_GZIP, CODEC_ZSTD, CODEC_LZ4_FRAME};
    struct error err;
    char got[2 * SENTENCE_LEN];

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct buf b;
        size_t n;

        buf_init(&b);
        assert_true(codec_compress(kinds[k], 0, STR(SENTENCE), &b, &err));
        for (size_t cut = 0; cut < b.len; cut++) {
            struct codec_stream *s =
                codec_stream_open(kinds[k], (struct str){b.data, cut}, &err);

            assert_non_null(s);
            assert_false(codec_stream_read(s, got, sizeof got, &n, &err));
            assert_int_equal(err.code, ERR_PARSE);
            codec_stream_close(s);
        }
        buf_fini(&b);
    }
}

static void
gzip_padding_is_ignored(void **state)
{
    struct error err;
    char got[2 * SENTENCE_LEN];
    struct codec_stream *s;
    struct buf b;
    size_t n;

    (void)state;
    buf_init(&b);
    assert_true(codec_compress(CODEC_GZIP, 0, STR(SENTENCE), &b, &err));
    buf_fill(&b, '\0', 512);
    s = codec_stream_open(CODEC_GZIP, (struct str){b.data, b.len}, &err);
    assert_non_null(s);
    assert_true(codec_stream_read(s, got, sizeof got, &n, &err));
    assert_int_equal(n, SENTENCE_LEN);
    codec_stream_close(s);
    buf_fini(&b);
}

/* A copy from before the first byte, of no distance, past the end. */
static void
hostile_snappy_is_refused(void **state)
{
    char out[64];

    (void)state;
    assert_true(snappy_decode(STR("\x05\x00"
                                  "a"
                                  "\x01\x01"),
                              out, 5));
    assert_memory_equal(out, "aaaaa", 5);
    assert_false(snappy_decode(STR("\x05\x00"
                                   "a"
                                   "\x01\x02"),
                               out, 5));
    assert_false(snappy_decode(STR("\x05\x00"
                                   "a"
                                   "\x01\x00"),
                               out, 5));
    assert_false(snappy_decode(STR("\x04\x00"
                                   "a"
                                   "\x01\x01"),
                               out, 4));
    assert_false(snappy_decode(STR("\x05\xfc\xff\xff\xff\xff"
                                   "a"),
                               out, 5));
    assert_false(snappy_decode(STR("\xff\xff\xff\xff\xff\xff"), out, 5));
    assert_false(snappy_decode(STR(""), out, 0));
    assert_true(snappy_decode(STR("\0"), out, 0));
}

static void
every_allocation_may_fail(void **state)
{
    char room[PACKED_MAX], got[SENTENCE_LEN];
    struct error err;

    (void)state;
    for (size_t i = 0; i < N_PACKED; i++) {
        struct str in = unhex(packed[i].hex, room);
        bool ok = false;

        for (unsigned long n = 1; !ok && n < 20; n++) {
            mem_fault_arm(n, false);
            ok = codec_decompress(packed[i].kind, in, got, SENTENCE_LEN, &err);
            mem_fault_arm(0, false);
            assert_true(ok || err.code == ERR_NOMEM);
        }
        assert_true(ok);
    }
}

/* The format's description, a byte at a time. */
static bool
slow_snappy(const unsigned char *p, size_t n, unsigned char *out, size_t len)
{
    size_t at = 0, i = 0, shift = 0, told = 0;

    do {
        if (i == n || shift > 28)
            return false;
        told |= (size_t)(p[i] & 0x7f) << shift;
        shift += 7;
    } while (p[i++] & 0x80);
    while (i < n) {
        size_t kind = p[i] & 3, length = (p[i] >> 2) + 1u, offset = 0, bytes;

        bytes = kind == 0 ? (length > 60 ? length - 60 : 0)
                          : (size_t)1 << (kind - 1);
        if (n - i - 1 < bytes)
            return false;
        for (size_t k = 0; k < bytes; k++)
            offset |= (size_t)p[i + 1 + k] << (8 * k);
        if (kind == 1) {
            length = 4 + (p[i] >> 2 & 7);
            offset |= (size_t)(p[i] >> 5) << 8;
        }
        i += 1 + bytes;
        if (kind == 0 && bytes > 0)
            length = offset + 1;
        if (length > len - at || (kind == 0 && length > n - i) ||
            (kind > 0 && (offset == 0 || offset > at)))
            return false;
        for (; length > 0; length--, at++)
            out[at] = kind == 0 ? p[i++] : out[at - offset];
    }
    return told == len && at == len;
}

/* Random elements, most of them right; returns how many bytes they are. */
static size_t
random_snappy(uint64_t seed, unsigned char *p, size_t most, size_t *len)
{
    size_t n = 3, made = 0, end = 20 + rng_below(seed, 0, 0, most - 200);

    for (uint64_t k = 1; n < end; k++) {
        size_t kind = made ? rng_below(seed, 1, k, 5) : 0;
        size_t length = 1 + rng_below(seed, 2, k, k % 9 ? 20 : 64);
        size_t reach = made < 2000 ? made : 2000;
        size_t offset = 1 + (reach ? rng_below(seed, 3, k, reach) : 0);

        if (seed % 16 == 0 && k == 40)
            offset = made + 1;
        if (kind == 1)
            length = 4 + length % 8;
        else if (kind == 0 && length > 60)
            length = 61 + rng_below(seed, 4, k, 90);
        if (kind == 0 && length > 60) {
            p[n++] = 60 << 2;
            p[n++] = (unsigned char)(length - 1);
        } else if (kind == 1) {
            p[n++] = (unsigned char)(offset >> 8 << 5 | (length - 4) << 2 | 1);
            p[n++] = (unsigned char)offset;
        } else {
            kind = kind > 1 ? 2 + kind % 2 : 0;
            p[n++] = (unsigned char)((length - 1) << 2 | kind);
            for (size_t i = 0; kind && i < (kind == 2 ? 2 : 4); i++)
                p[n++] = (unsigned char)(offset >> (8 * i));
        }
        for (size_t i = 0; kind == 0 && i < length; i++)
            p[n++] = (unsigned char)rng_below(seed, 5, k * 256 + i, 256);
        made += length;
    }
    *len = made;
    p[0] = (unsigned char)(made | 0x80);
    p[1] = (unsigned char)(made >> 7 | 0x80);
    p[2] = (unsigned char)(made >> 14);
    return n;
}

static void
snappy_is_read_as_its_description_says(void **state)
{
    enum { N = 3000, MOST = 1500, OUT = 1 << 16 };
    static unsigned char in[MOST], want[OUT], got[OUT];
    size_t n_right = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N; seed++) {
        size_t len, n = random_snappy(seed, in, MOST, &len);
        unsigned char *exact; /* so that a sanitizer sees what lies beyond */
        bool right;

        if (seed % 3 == 0)
            in[3 + rng_below(seed, 6, 0, n - 3)] ^=
                (unsigned char)(1 + rng_below(seed, 7, 0, 255));
        exact = malloc(n);
        assert_non_null(exact);
        memcpy(exact, in, n);
        memset(want, 0, len);
        right = slow_snappy(exact, n, want, len);
        n_right += right;
        assert_int_equal(
            snappy_decode((struct str){(char *)exact, n}, got, len), right);
        if (right)
            assert_memory_equal(got, want, len);
        free(exact);
    }
    assert_in_range(n_right, N / 2, N - N / 20);
}

/* Bit by bit, as in ISO 3309. */
static uint32_t
slow_crc(const unsigned char *p, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < 8 * n; i++) {
        uint32_t bit = (crc ^ p[i / 8] >> (i % 8)) & 1;

        crc = crc >> 1 ^ (bit ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

static void
a_checksum_is_that_of_the_standard_at_every_length(void **state)
{
    enum { N = 700 };
    static unsigned char bytes[N];

    (void)state;
    assert_int_equal(codec_crc32(STR("123456789")), 0xcbf43926);
    for (size_t i = 0; i < N; i++)
        bytes[i] = (unsigned char)rng_below(8, 1, i, 256);
    for (size_t n = 0; n < N - 3; n++) {
        struct str in = {(const char *)bytes + n % 3, n};

        assert_int_equal(codec_crc32(in), slow_crc(bytes + n % 3, n));
        setenv("LATHE_NO_AVX2", "1", 1);
        assert_int_equal(codec_crc32(in), slow_crc(bytes + n % 3, n));
        unsetenv("LATHE_NO_AVX2");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_other_programs_packed_is_read),
        cmocka_unit_test(another_length_than_told_is_an_error),
        cmocka_unit_test(data_cut_short_is_an_error),
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(brotli_is_only_read),
        cmocka_unit_test(a_stream_gives_all_members_piece_by_piece),
        cmocka_unit_test(a_stream_cut_short_is_an_error),
        cmocka_unit_test(gzip_padding_is_ignored),
        cmocka_unit_test(hostile_snappy_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(snappy_is_read_as_its_description_says),
        cmocka_unit_test(a_checksum_is_that_of_the_standard_at_every_length),
    };

    (void)cmocka_run_group_tests_name("codec", tests, NULL, NULL);
    return 0;
}
