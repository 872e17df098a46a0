/* script/notebook_state.h -- what a notebook is made of; for notebook*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_NOTEBOOK_STATE_H
#define LATHE_SCRIPT_NOTEBOOK_STATE_H

#include <sys/stat.h>

#include "script/notebook.h"
#include "script/page.h"

struct override {
    char *name, *value;
};

struct notebook {
    struct kernel *kernel;
    struct session *session;
    char *path;
    char *preamble;
    struct page page;
    struct page *undo, *redo;
    size_t n_undo, n_redo;
    char saved[33]; /* hash of the file as last read or written */
    struct stat disk;
    uint64_t version;
    unsigned order;
    bool keep;

    struct item **queue; /* those from `head` on wait */
    size_t head, n_queue, cap_queue;
    struct item *running; /* or being kept after it ran */
    struct loop_watch *timer;
    bool freed; /* while a cell was running */

    struct override *overrides;
    size_t n_overrides;
    struct notebook_events events;
};

/* Something that shows has changed. */
void notebook_touched(struct notebook *n);
/* The kept outputs of a cell: key is the digest and how many cells before it
 * have the same. */
void notebook_key(const struct notebook *n, size_t at, char key[48]);
/* Its memory: nothing runs. */
void notebook_release(struct notebook *n);
#endif
