/* script/kernel_state.h -- the kernel inside; for kernel.c and kernel_side.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_KERNEL_STATE_H
#define LATHE_SCRIPT_KERNEL_STATE_H

#include "script/script.h"

enum { CHUNK_NAME = 130 };

struct kernel {
    struct session *session;
    struct guard *guard;
    lua_State *L;
    lua_State *side; /* for what the loop itself calls */
    size_t used, limit;
    bool bounded; /* the limit holds: Lua runs, and catches its errors */
    size_t width;
    bool plain;
    char *folder;                       /* of the notebook */
    const struct kernel_events *events; /* of the chunk that runs */
    const char *name;                   /* of it: "churn.lua [4]" */
    struct error last;                  /* the error raised last */
    int error_line;
    char source[128]; /* chunk name, for error_line */
};

/* "churn.lua [4]" is the chunk "=churn.lua": messages name the file. */
void
kernel_name_chunk(struct kernel *k, const char *name, char out[CHUNK_NAME]);
/* Load the chunk with its last expression returned; pushes the function. */
bool
kernel_load(struct kernel *k, lua_State *L, struct str code, const char *name,
            int first_line, bool *is_call, struct error *err) MUST_USE;
#endif
