/* base/mem.h -- checked allocation and the fault points of the tests.
 *
 * Memory sized by the user's data: mem_try_*, which fail with ERR_NOMEM.
 * Small fixed objects: mem_new, which aborts.  All memory is zeroed but
 * mem_try_unset()'s, and is released by free(3), the aligned included.
 *
 * Threads: all functions may be called from any thread.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_MEM_H
#define LATHE_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { MEM_ALIGN = 64 }; /* column buffers: a cache line */

/* *out = a * b; false when it overflows. */
bool mem_mul(size_t a, size_t b, size_t *out) MUST_USE;
/* n * size zeroed bytes (at least one); NULL with ERR_NOMEM. */
void *mem_try_array(size_t n, size_t size, struct error *err) MUST_USE;
/* As mem_try_array, for what is read and written at random all over, such as a
 * table of hashes: its pages are all there at once.  Otherwise a first read
 * maps a page of zeros, the write after it another one, and all threads wait
 * for that. */
void *mem_try_table(size_t n, size_t size, struct error *err) MUST_USE;
/* As mem_try_array, aligned to MEM_ALIGN and rounded up to it. The padding is
 * zero and may be read. */
void *mem_try_aligned(size_t n, size_t size, struct error *err) MUST_USE;
/* The same for blocks of some MiB that are walked through and looked up in at
 * random: from the first byte on in pages of 2 MiB where the system has them,
 * but for what is left over at the end. */
void *mem_try_paged(size_t n, size_t size, struct error *err) MUST_USE;
/* As mem_try_aligned with only the padding zeroed, for what the caller fills at once: a
 * large buffer is then first touched by the threads that fill it. */
void *mem_try_unset(size_t n, size_t size, struct error *err) MUST_USE;
/* Change to n * size bytes; what is new is NOT zeroed.  On failure the old
 * block stays valid. */
void *
mem_try_resize(void *p, size_t n, size_t size, struct error *err) MUST_USE;
/* Room for one element behind the n there are in a list that holds *cap: p
 * itself, or a block of twice as many, and then *cap is set.  What is new is
 * NOT zeroed; on failure list and *cap stay as they were.
 *     more = mem_try_grow(l->item, l->n, &l->cap, sizeof *more, err); */
void *mem_try_grow(void *p, size_t n, size_t *cap, size_t size,
                   struct error *err) MUST_USE;
/* A copy of len bytes with a zero byte after them. */
char *mem_try_text(const char *p, size_t len, struct error *err) MUST_USE;

/* Small fixed objects: abort when there is no memory. */
void *mem_new(size_t size) MUST_USE;
/* As mem_try_grow, for lists that no one's data makes long. */
void *mem_grow(void *p, size_t n, size_t *cap, size_t size) MUST_USE;
char *mem_text(const char *s) MUST_USE; /* strdup that aborts; NULL -> NULL */

/* Free memory that the program keeps for later goes back to the system: for
 * the end of a piece of work that took much. */
void mem_give_back(void);

/* For tests: the n-th fallible call from now on fails (1 is the next), and so
 * do all after it when `sticky`; 0 switches it off.  Files (base/file) count
 * their reads, writes and fsyncs here too. */
void mem_fault_arm(unsigned long n, bool sticky);
/* Should this fallible call fail?  Called once by each. */
bool mem_fault_hit(void);
bool mem_fault_armed(void); /* it did not come to that so far */
#endif
