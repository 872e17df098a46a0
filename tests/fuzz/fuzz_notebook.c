/* A notebook of any bytes is written back as it was read; what its cells
 * assign is found without reading past them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "script/expression.h"
#include "script/percent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cell_texts t;
    struct buf out;

    if (memchr(data, '\0', size))
        return 0; /* notebook_open() refuses those */
    percent_parse((struct str){(const char *)data, size}, &t);
    buf_init(&out);
    percent_write(&t, &out);
    assert(out.len == size && (!size || memcmp(out.data, data, size) == 0));
    for (size_t i = 0; i < t.n; i++) {
        char **names = expression_assigned(t.text[i]->source, t.text[i]->len);

        for (char **p = names; *p; p++)
            free(*p);
        free(names);
    }
    buf_fini(&out);
    cell_texts_fini(&t);
    return 0;
}
