/* store/origin.h -- which machine and which boot a process number is of.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_ORIGIN_H
#define LATHE_STORE_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

struct origin {
    char host[65];
    char boot[65]; /* /proc/sys/kernel/random/boot_id */
};

/* This machine, now. */
void origin_get(struct origin *o);
/* Is the process (pid, start ticks) of that host and boot surely gone?
 * Processes of other machines cannot be looked at and are believed.
 *   here  of origin_get() */
bool origin_gone(const struct origin *here, const char *host, const char *boot,
                 int64_t pid, uint64_t ticks);
#endif
