/* base/digest.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

enum { CHUNK = 256 * 1024, TOKEN_MAX = 64 };

/* May be called again and from any thread; it fails only where the system has
 * no source of randomness at all. */
static void
sodium_ready(void)
{
    if (sodium_init() < 0)
        abort();
}

void
digest_bytes(const void *p, size_t len, char hex[DIGEST_HEX])
{
    unsigned char sum[crypto_hash_sha256_BYTES];

    sodium_ready();
    crypto_hash_sha256(sum, p, len);
    sodium_bin2hex(hex, DIGEST_HEX, sum, sizeof sum);
}

/* Bytes read, 0 at the end, -1 with err set. */
static ssize_t
read_some(int fd, unsigned char *p, size_t len, const char *path,
          struct error *err)
{
    ssize_t n;

    do {
        if (mem_fault_hit()) {
            errno = EIO;
            n = -1;
        } else {
            n = read(fd, p, len);
        }
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        error_errno(err, errno, "%s: read", path);
    return n;
}

bool
digest_file(const char *path, char hex[DIGEST_HEX], struct error *err)
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    unsigned char *chunk = NULL;
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    sodium_ready();
    if (!(chunk = mem_try_array(CHUNK, 1, err)))
        goto out;
    crypto_hash_sha256_init(&state);
    while ((n = read_some(fd, chunk, CHUNK, path, err)) > 0)
        crypto_hash_sha256_update(&state, chunk, (size_t)n);
    if (n == 0) {
        crypto_hash_sha256_final(&state, sum);
        sodium_bin2hex(hex, DIGEST_HEX, sum, sizeof sum);
    }
out:
    free(chunk);
    close(fd);
    return n == 0;
}

void
digest_token(size_t n, char *hex)
{
    unsigned char bytes[TOKEN_MAX];

    assert(n <= sizeof bytes);
    sodium_ready();
    randombytes_buf(bytes, n);
    sodium_bin2hex(hex, 2 * n + 1, bytes, n);
    sodium_memzero(bytes, sizeof bytes);
}
