/* fuzz_theme -- any bytes as a theme file.
 *
 * Beyond not crashing: whatever it says, every look is one the terminal has.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "ui/theme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const int sizes[] = {256, 16, 8, 0};
    struct buf warnings;
    struct theme t;

    buf_init(&warnings);
    theme_default(&t);
    theme_parse(&t, (const char *)data, len, &warnings);
    for (size_t i = 0; i < 4; i++) {
        for (unsigned r = 0; r < ROLE_COUNT; r++) {
            struct look l =
                theme_look(&t, r, r % 3 ? ROLE_TEXT : ROLE_BAR, sizes[i]);

            if (l.fg < -1 || l.fg >= sizes[i] + (sizes[i] == 0) || l.bg < -1 ||
                l.bg >= sizes[i] + (sizes[i] == 0) || l.attrs > 15)
                abort();
        }
    }
    buf_fini(&warnings);
    return 0;
}
