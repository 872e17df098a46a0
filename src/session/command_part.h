/* session/command_part.h -- arguments as they are written, for command*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_COMMAND_PART_H
#define LATHE_SESSION_COMMAND_PART_H

#include "session/command.h"

/* "--target", not "data". */
bool command_is_option(const struct arg *a);
/* What stands for an argument's value: "DATA", "COLUMN", "a|b". */
void command_put_value(struct buf *out, const struct arg *a);
#endif
