/* base/digest.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { CHUNK = 256 * 1024, TOKEN_MAX = 64 };

static void
to_hex(const uint8_t *bytes, size_t n, char *hex)
{
    base16_encode_update(hex, n, bytes);
    hex[2 * n] = '\0';
}

static void
finish(struct sha256_ctx *state, char hex[DIGEST_HEX])
{
    uint8_t sum[SHA256_DIGEST_SIZE];

    sha256_digest(state, sizeof sum, sum);
    to_hex(sum, sizeof sum, hex);
}

void
digest_bytes(const void *p, size_t len, char hex[DIGEST_HEX])
{
    struct sha256_ctx state;

    sha256_init(&state);
    sha256_update(&state, len, p);
    finish(&state, hex);
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
    struct sha256_ctx state;
    unsigned char *chunk = NULL;
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    if (!(chunk = mem_try_array(CHUNK, 1, err)))
        goto out;
    sha256_init(&state);
    while ((n = read_some(fd, chunk, CHUNK, path, err)) > 0)
        sha256_update(&state, (size_t)n, chunk);
    if (n == 0)
        finish(&state, hex);
out:
    free(chunk);
    close(fd);
    return n == 0;
}

void
digest_token(size_t n, char *hex)
{
    uint8_t bytes[TOKEN_MAX];

    assert(n <= sizeof bytes);
    /* It fails only where the system has no source of randomness at all. */
    if (getentropy(bytes, n) != 0)
        abort();
    to_hex(bytes, n, hex);
    explicit_bzero(bytes, n);
}
