/* base/budget.c -- how much memory tables may take.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/budget.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cgroup.h"

/* ---- sizes ---- */

static int
shift_of(char c)
{
    static const char units[] = "kmgt";
    const char *at = c ? strchr(units, c | 0x20) : NULL;

    return at ? (int)(at - units + 1) * 10 : 0;
}

bool
budget_parse(struct str s, uint64_t *bytes)
{
    double x;
    int shift = 0;

    s = str_trim(s);
    if (s.n > 0 && (s.p[s.n - 1] | 0x20) == 'b') {
        s.n--;
        if (s.n > 1 && (s.p[s.n - 1] | 0x20) == 'i' && shift_of(s.p[s.n - 2]))
            s.n--;
    }
    if (s.n > 0 && (shift = shift_of(s.p[s.n - 1])) > 0)
        s.n--;
    if (!str_to_f64(str_trim(s), &x) || !(x >= 0))
        return false;
    x *= (double)((uint64_t)1 << shift);
    if (!(x < 9e18))
        return false;
    *bytes = (uint64_t)x;
    return true;
}

/* ---- what there is ---- */

static uint64_t
machine_available(void)
{
    FILE *f = fopen("/proc/meminfo", "re");
    uint64_t available = UINT64_MAX;
    unsigned long long kb;
    char line[128];

    if (!f)
        return available;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1)
            available = (uint64_t)kb * 1024;
    fclose(f);
    return available;
}

/* What a cgroup holds counts without the cache of files, which is given back
 * when it is wanted. */
static void
least_left(void *ctx, const char *folder)
{
    uint64_t *least = ctx, limit, held, cached = 0;

    if (!cgroup_number(folder, "memory.max", NULL, &limit) ||
        !cgroup_number(folder, "memory.current", NULL, &held))
        return;
    if (cgroup_number(folder, "memory.stat", "inactive_file", &cached))
        held = held > cached ? held - cached : 0;
    limit = limit > held ? limit - held : 0;
    if (limit < *least)
        *least = limit;
}

uint64_t
budget_bytes(void)
{
    const char *told = getenv("LATHE_MEMORY");
    uint64_t bytes;

    if (!told || !told[0] || !budget_parse(str_of(told), &bytes)) {
        bytes = machine_available();
        cgroup_walk(least_left, &bytes);
        bytes /= 2;
    }
    return bytes > BUDGET_MIN ? bytes : BUDGET_MIN;
}
