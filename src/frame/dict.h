/* frame/dict.h -- distinct texts and their codes, 0..n-1 in order of first
 * appearance.
 *
 * Built by one thread, then shared by reference count and never changed.
 * At most 2^32 - 1 texts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_DICT_H
#define LATHE_FRAME_DICT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"

#define DICT_NONE UINT32_MAX /* no such text */
struct dict;

struct dict *dict_new(struct error *err) MUST_USE;
/* A dict over texts in a mapping, of which it takes one reference, also when
 * it fails: text i is bytes[offset[i]..offset[i + 1]], offset[0] is 0, offsets
 * never fall, the texts differ and are fewer than DICT_NONE: the caller has
 * seen to it.  Instant: what dict_find() needs is made when it is first asked.
 * dict_add() is not for such a dict. */
struct dict *dict_borrow(const char *bytes, const size_t *offset, size_t n,
                         struct file_hold *hold, struct error *err) MUST_USE;
/* A dict over texts in one block, each behind its length in four bytes (little-
 * endian): a text is told by its place, which is where its first byte lies.
 * Takes the block (free(3)), also when it fails.  There is room for n texts
 * from the start, untouched until the first is added, so that adding cannot
 * fail.  dict_add() is not for such a dict. */
struct dict *
dict_over_block(char *block, size_t len, size_t n, struct error *err) MUST_USE;
/* As dict_add_many for texts at n places, which lie in the block. */
void dict_add_placed(struct dict *d, const uint32_t *place, size_t n,
                     uint32_t *codes);
/* Is the mapping that the texts lie in, if any, whole?  ERR_IO. */
bool dict_whole(const struct dict *d, struct error *err) MUST_USE;
struct dict *dict_ref(const struct dict *d);
void dict_unref(struct dict *d);
/* The code of s, added when it is new.  Copies s. */
bool dict_add(struct dict *d, struct str s, uint32_t *code,
              struct error *err) MUST_USE;
/* As dict_add for n texts in turn, faster: it waits for memory less often. */
bool dict_add_many(struct dict *d, const struct str *s, size_t n,
                   uint32_t *codes, struct error *err) MUST_USE;
/* As dict_add_many for texts whose hashes were taken before, by any thread:
 * hash[i] is dict_hash(s[i]). */
uint32_t dict_hash(struct str s);
bool dict_add_hashed(struct dict *d, const struct str *s, const uint32_t *hash,
                     size_t n, uint32_t *codes, struct error *err) MUST_USE;
/* Give back the memory that is not needed: no more texts will come soon. */
void dict_trim(struct dict *d);
/* Add all texts of `from`, in the order of their codes; map[code of from] is
 * the code in d. */
bool dict_add_all(struct dict *d, const struct dict *from, uint32_t *map,
                  struct error *err) MUST_USE;
uint32_t dict_find(const struct dict *d, struct str s); /* DICT_NONE: absent */
/* As dict_find for texts begin..end of `from`, faster: map[code] for each. */
void dict_find_range(const struct dict *d, const struct dict *from,
                     size_t begin, size_t end, uint32_t *map);
struct str dict_text(const struct dict *d, uint32_t code);
/* All texts end to end; end[code] is where each ends.  Borrowed.  false: they
 * do not lie so (dict_over_block). */
bool dict_block(const struct dict *d, struct str *block, const size_t **end);
size_t dict_count(const struct dict *d);
size_t dict_len(const struct dict *d);   /* bytes of all texts */
size_t dict_bytes(const struct dict *d); /* memory it holds */
/* Permutation: rank[code] = place of the text in bytewise order. */
bool dict_ranks(const struct dict *d, uint32_t *rank,
                const struct progress *progress, struct error *err) MUST_USE;
#endif
