/* store/origin.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/origin.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/proc.h"

void
origin_get(struct origin *o)
{
    struct utsname names;
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    *o = (struct origin){.host = ""};
    if (uname(&names) == 0)
        snprintf(o->host, sizeof o->host, "%s", names.nodename);
    if (!f)
        return;
    if (fgets(o->boot, sizeof o->boot, f))
        o->boot[strcspn(o->boot, "\n")] = '\0';
    fclose(f);
}

bool
origin_gone(const struct origin *here, const char *host, const char *boot,
            int64_t pid, uint64_t ticks)
{
    if (strcmp(here->host, host) != 0)
        return false;
    return strcmp(here->boot, boot) != 0 || !proc_alive((pid_t)pid, ticks);
}
