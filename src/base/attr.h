/* base/attr.h -- the compiler attributes lathe uses, under names of its own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_ATTR_H
#define LATHE_BASE_ATTR_H

/* The caller must look at the result. */
#define MUST_USE __attribute__((warn_unused_result))
/* Arguments from number a on are printf arguments of format number f. */
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
/* The function does not return. */
#define NORETURN __attribute__((noreturn))

/* The bytes at p will be read soon.  Any address will do. */
#define PREFETCH(p) __builtin_prefetch(p)
/* The same, later: not into the nearest cache yet. */
#define PREFETCH_FAR(p) __builtin_prefetch(p, 0, 2)

/* Into each caller, for its machine. */
#define INLINE_ALWAYS inline __attribute__((always_inline))

/* Kernels for AVX2: only in *_avx2.c twins, which are reached through a table
 * of function pointers chosen once by cpu_has_avx2(); in *_avx512.c likewise
 * by cpu_has_avx512(). */
#if defined(__x86_64__)
#define HAVE_AVX2_TWIN 1
#define TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define TARGET_CRC __attribute__((target("avx2,pclmul")))
#define TARGET_FMA __attribute__((target("avx2,fma")))
#define HAVE_AVX512_TWIN 1
#define TARGET_AVX512                                                    \
    __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw," \
                          "avx512dq,avx512vl,avx512vbmi2")))
#else
#define HAVE_AVX2_TWIN 0
#define TARGET_AVX2
#define TARGET_CRC
#define TARGET_FMA
#define HAVE_AVX512_TWIN 0
#define TARGET_AVX512
#endif
#endif
