/* base/cgroup.c -- the limits a container or a batch system sets.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/cgroup.h"

#include <limits.h>
#include <string.h>

void
cgroup_walk(void (*fn)(void *ctx, const char *folder), void *ctx)
{
    char line[PATH_MAX] = "";
    FILE *f = fopen("/proc/self/cgroup", "re");
    char *at;

    if (!f)
        return;
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "0::", 3) == 0)
            break;
    fclose(f);
    if (strncmp(line, "0::", 3) != 0)
        return;
    line[strcspn(line, "\n")] = '\0';
    for (;;) {
        fn(ctx, line + 3);
        at = strrchr(line + 3, '/');
        if (!at)
            return;
        *at = '\0';
    }
}

FILE *
cgroup_open(const char *folder, const char *file)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", folder, file);
    return fopen(path, "re");
}

bool
cgroup_number(const char *folder, const char *file, const char *key,
              uint64_t *out)
{
    FILE *f = cgroup_open(folder, file);
    unsigned long long v;
    char word[64];
    bool found = false;

    if (!f)
        return false;
    if (!key)
        found = fscanf(f, "%llu", &v) == 1;
    while (key && !found && fscanf(f, "%63s %llu", word, &v) == 2)
        found = strcmp(word, key) == 0;
    fclose(f);
    if (found)
        *out = v;
    return found;
}
