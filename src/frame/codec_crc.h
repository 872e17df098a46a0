/* frame/codec_crc.h -- most of a CRC-32 at once.  Internal to codec.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CODEC_CRC_H
#define LATHE_FRAME_CODEC_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CRC_FOLD_LEAST = 64, CRC_FOLD_LEN = 16 };

bool crc_can_fold(void); /* has this machine the instructions? */
/* The first bytes of the n (CRC_FOLD_LEAST at least) at p as CRC_FOLD_LEN
 * bytes: these in their place give the same CRC, when its register is 0 before
 * them.  Returns how many bytes they stand for. */
size_t crc_fold(const uint8_t *p, size_t n, uint8_t *out);
#endif
