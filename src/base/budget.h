/* base/budget.h -- how much memory tables may take.
 *
 * LATHE_MEMORY ("512M", "8 GiB", bytes), else half of what is available: the
 * machine's MemAvailable, or what is left of the narrowest memory limit of our
 * cgroup, whichever is less.  Found anew at each call, at the cost of a few
 * small reads in /proc and /sys.  A table that would take more is streamed
 * (frame/stream.h).
 * Threads: any.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_BUDGET_H
#define LATHE_BASE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

enum { BUDGET_MIN = 64 << 20 }; /* bytes; no less is worked with */

uint64_t budget_bytes(void);
/* "1500", "64k", "512M", "1.5 GB", "2GiB": powers of 1024, the B and iB may be
 * left out, case does not count.  False when s is not wholly such a size. */
bool budget_parse(struct str s, uint64_t *bytes) MUST_USE;
#endif
