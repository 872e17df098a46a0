/* cli/workbench.h -- `lathe`, `lathe FILE...`, attach, detach, ps.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_CLI_WORKBENCH_H
#define LATHE_CLI_WORKBENCH_H

#include "session/command.h"

/* open, attach, detach, ps: for help and completion; they have no run(). */
extern const struct command workbench_commands[];
extern const size_t n_workbench_commands;
/* Are these words (after the program's name) for the workbench?  No words are
 * when standard input and output are a terminal. */
bool workbench_wants(int argc, const char *const *argv);
/* Before any thread is started. Returns the exit status. */
int workbench_main(int argc, const char *const *argv);
#endif
