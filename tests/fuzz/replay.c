/* tests/fuzz/replay.c -- run a fuzz target over its corpus, without a fuzzer.
 *
 *   fuzz_NAME [-n MUTANTS] [-s SEED] [FILE...]
 *
 * Without files: tests/fuzz/corpus/NAME/ of the source tree.  Each file is
 * given to the target as it is, cut off at many places, and in MUTANTS changed
 * forms (200 unless told); the changes depend on seed and file alone.  With
 * clang, -fsanitize=fuzzer takes the place of this file.  Prints TAP; what
 * goes wrong goes wrong by a crash or a sanitizer.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { CUTS = 200, MAX_CHANGES = 6, MAX_FILES = 1000 };

struct dice {
    uint64_t seed, stream, at;
};

static size_t
roll(struct dice *d, size_t n)
{
    return (size_t)rng_below(d->seed, d->stream, d->at++, n);
}

/* Every input lies in a block of its own size, so that a sanitizer sees a
 * read past its end. */
static void
give(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n + !n);

    if (!copy)
        exit(99);
    memcpy(copy, p, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

/* One small change of p, whose room is one byte more than n; the new
 * length. */
static size_t
change(struct dice *d, uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789-.eE\"[]{},:";
    size_t at = n ? roll(d, n) : 0, from, len;

    if (n == 0)
        return 0;
    switch (roll(d, 6)) {
    case 0:
        p[at] ^= (uint8_t)(1u << roll(d, 8));
        return n;
    case 1:
        p[at] = (uint8_t)roll(d, 256);
        return n;
    case 2:
        p[at] = (uint8_t)digits[roll(d, sizeof digits - 1)];
        return n;
    case 3: /* copy a piece over another place */
        from = roll(d, n);
        len = 1 + roll(d, 32);
        len = len > n - at ? n - at : len;
        len = len > n - from ? n - from : len;
        memmove(p + at, p + from, len);
        return n;
    case 4: /* take a byte out */
        memmove(p + at, p + at + 1, n - at - 1);
        return n - 1;
    default: /* put one in, and keep the length */
        memmove(p + at + 1, p + at, n - at - 1);
        p[at] = (uint8_t)roll(d, 256);
        return n;
    }
}

static void
run_file(const char *path, unsigned long mutants, uint64_t seed)
{
    struct error err;
    struct buf in;
    uint8_t *p;

    buf_init(&in);
    if (!file_read(path, 64 << 20, &in, &err)) {
        fprintf(stderr, "%s\n", err.message);
        exit(99);
    }
    give((const uint8_t *)in.data, in.len);
    for (size_t i = 0; i < CUTS; i++)
        give((const uint8_t *)in.data, in.len * i / CUTS);
    p = malloc(in.len + 1);
    for (unsigned long m = 0; p && m < mutants; m++) {
        struct dice d = {seed, m, 0};
        size_t n = in.len, changes = 1 + roll(&d, MAX_CHANGES);

        memcpy(p, in.data, in.len);
        while (changes-- > 0)
            n = change(&d, p, n);
        give(p, n);
    }
    free(p);
    buf_fini(&in);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of the corpus named after the program, in name order. */
static size_t
corpus(const char *self, char **out)
{
    const char *top = getenv("LATHE_SOURCE"), *name = file_base(self);
    char dir[4096];
    struct dirent *e;
    size_t n = 0;
    DIR *d;

    name += strncmp(name, "fuzz_", 5) == 0 ? 5 : 0;
    snprintf(dir, sizeof dir, "%s/tests/fuzz/corpus/%s", top ? top : ".", name);
    if (!(d = opendir(dir))) {
        perror(dir);
        exit(99);
    }
    while ((e = readdir(d)) && n < MAX_FILES)
        if (e->d_name[0] != '.')
            out[n++] = file_join(dir, e->d_name);
    closedir(d);
    qsort(out, n, sizeof *out, by_name);
    return n;
}

int
main(int argc, char **argv)
{
    static char *files[MAX_FILES];
    unsigned long mutants = 200;
    uint64_t seed = 1;
    size_t n = 0;
    int c;

    while ((c = getopt(argc, argv, "n:s:")) != -1)
        if (c == 'n')
            mutants = strtoul(optarg, NULL, 10);
        else if (c == 's')
            seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    for (int i = optind; i < argc && n < MAX_FILES; i++)
        files[n++] = mem_text(argv[i]);
    if (n == 0)
        n = corpus(argv[0], files);
    printf("1..%zu\n", n);
    for (size_t i = 0; i < n; i++) {
        run_file(files[i], mutants, seed);
        printf("ok %zu - %s\n", i + 1, file_base(files[i]));
        fflush(stdout);
        free(files[i]);
    }
    return 0;
}
