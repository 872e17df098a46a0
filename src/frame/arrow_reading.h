/* frame/arrow_reading.h -- an Arrow file while its messages are read, what
 * arrow.c and arrow_in.c share.  Internal to arrow.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ARROW_READING_H
#define LATHE_FRAME_ARROW_READING_H

#include "frame/arrow_part.h"

enum { ARROW_BLOCK = 24 }; /* bytes of a message's place in the footer */
enum {
    ARROW_FOOTER_SCHEMA = 1,
    ARROW_FOOTER_DICTIONARIES,
    ARROW_FOOTER_BATCHES,
    ARROW_FOOTER_NOTES
};

struct arrow_reading {
    struct arrow_file file;
    struct pool *pool;
    struct progress *progress;
    size_t end; /* of a file's messages */
    struct flat footer;
    struct buf checked; /* all metadata, for our own files */
    bool one_version;   /* a dictionary that is replaced is forgotten */
    struct error *err;
};

void
arrow_reading_init(struct arrow_reading *r, struct str bytes, struct pool *pool,
                   struct progress *progress, struct error *err);
void arrow_reading_fini(struct arrow_reading *r);
/* What dictionaries brought; before they are read once more. */
void arrow_forget_dictionaries(struct arrow_reading *r);
/* The flatbuffer at the start of `in`, after its length; *used counts both.
 * An end of the stream gives an empty one. */
bool arrow_message_open(struct arrow_reading *r, struct str in, struct flat *f,
                        size_t *used) MUST_USE;
/* What it brings, a schema, dictionary or batch; `rest` begins with its body,
 * whose length is told. */
bool arrow_message_read(struct arrow_reading *r, struct flat *f,
                        struct str rest, size_t *body) MUST_USE;
int arrow_message_kind(const struct flat *f);
/* Footer and schema of the file format. */
bool arrow_file_open(struct arrow_reading *r) MUST_USE;
/* The message whose place stands at byte `at` of the footer, if it is of that
 * kind: what a batch brings lives as long as the batch. */
bool arrow_block_read(struct arrow_reading *r, size_t at, int kind) MUST_USE;
/* All batches there are as one frame; NULL when it fails. */
struct frame *arrow_decode(struct arrow_reading *r) MUST_USE;
#endif
