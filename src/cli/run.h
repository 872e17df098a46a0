/* cli/run.h -- notebooks and the prompt without a screen.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_CLI_RUN_H
#define LATHE_CLI_RUN_H

#include "session/command.h"

/* Commands that need Lua; they return their exit status. */
extern const struct command run_command, repl_command;
int run_main(struct session *s, struct call *c);
int repl_main(struct session *s, struct call *c);
#endif
