/* engine/port/xml.h -- XML into a tree in memory, as far as PMML needs it.
 *
 * Elements, attributes, text, the five entities and those by number; comments
 * and processing instructions are passed over; a document type is refused.
 * Without recursion: depth is bounded by the size of the text alone, and memory
 * by a constant times it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_XML_H
#define LATHE_ENGINE_PORT_XML_H

#include "base/arena.h"
#include "base/str.h"

struct xml_attribute {
    struct str name;
    const char *value; /* terminated */
    struct xml_attribute *next;
};
struct xml {
    struct str name; /* without a prefix */
    struct xml_attribute *attribute;
    struct xml *parent, *first, *last, *next;
    struct str text; /* between tags; of the last stretch */
};

/* The root; everything lies in the arena. ERR_PARSE with the byte. */
const struct xml *
xml_parse(struct str text, struct arena *arena, struct error *err) MUST_USE;
/* The first child of that name, or the next sibling of that name; NULL. */
const struct xml *xml_child(const struct xml *x, const char *name);
const struct xml *xml_next(const struct xml *x, const char *name);
bool xml_is_blank(char c); /* a space, tab or end of a line */
const char *xml_get(const struct xml *x, const char *name); /* or NULL */
bool xml_is(const struct xml *x, const char *name);
/* s as text or as an attribute in double quotes. */
struct buf;
void xml_put(struct buf *out, const char *s);
#endif
