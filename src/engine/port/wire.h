/* engine/port/wire.h -- protocol buffers on the wire: fields in, fields out.
 * Source: the encoding chapter of the protocol buffers documentation.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_WIRE_H
#define LATHE_ENGINE_PORT_WIRE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t u;       /* WIRE_VARINT, WIRE_64, WIRE_32 */
    struct str bytes; /* WIRE_BYTES: borrowed */
};

/* The next field of *rest, which moves on.  *more is false at the end. */
bool wire_next(struct str *rest, struct wire_field *out, bool *more,
               struct error *err) MUST_USE;
/* The next varint of packed ones. */
bool wire_varint(struct str *rest, uint64_t *out, struct error *err) MUST_USE;
float wire_float(uint64_t u);
double wire_double(uint64_t u);

void wire_put_int(struct buf *b, uint32_t field, uint64_t v);
void wire_put_float(struct buf *b, uint32_t field, float v);
void wire_put_bytes(struct buf *b, uint32_t field, const void *p, size_t len);
void wire_put_text(struct buf *b, uint32_t field, const char *s);
/* A message that was put together in its own buffer. */
void wire_put_message(struct buf *b, uint32_t field, const struct buf *m);
void wire_put_varint(struct buf *b, uint64_t v); /* within packed ones */
#endif
