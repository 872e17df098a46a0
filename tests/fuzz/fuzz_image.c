/* tests/fuzz/fuzz_image.c -- foreign bytes as a picture.
 *
 * The first byte chooses the size that is wanted.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "engine/neural/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct image_size sizes[] = {
        {1, 1, 1}, {8, 8, 3}, {3, 40, 1}, {64, 64, 3}};
    static uint8_t out[64 * 64 * 3];
    struct error err;

    if (len == 0)
        return 0;
    if (!image_decode((struct str){(const char *)data + 1, len - 1},
                      sizes[data[0] % 4], out, &err) &&
        err.message[0] == '\0')
        abort();
    return 0;
}
