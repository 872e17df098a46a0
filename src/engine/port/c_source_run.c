/* engine/port/c_source_run.c -- compile what was written and ask it.
 *
 * The driver includes the source, reads rows as doubles from a file, levels by
 * their numbers, and writes the answers as doubles to another.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "engine/port/c_source_state.h"

enum { COMPILE_MS = 120 * 1000, RUN_MS = 60 * 1000 };

enum part { SOURCE, PROGRAM, ROWS, ANSWERS, N_PARTS };

struct place {
    char *dir, *path[N_PARTS];
};

static bool
place_make(struct place *s, struct error *err)
{
    static const char *const names[] = {"model.c", "model", "rows", "answers"};
    const char *tmp = getenv("TMPDIR");

    memset(s, 0, sizeof *s);
    s->dir = file_join(tmp && *tmp ? tmp : "/tmp", "lathe-c.XXXXXX");
    if (!mkdtemp(s->dir)) {
        free(s->dir);
        s->dir = NULL;
        return error_set(err, ERR_IO, "no folder for files between");
    }
    for (size_t i = 0; i < N_PARTS; i++)
        s->path[i] = file_join(s->dir, names[i]);
    return true;
}

static void
place_remove(struct place *s)
{
    for (size_t i = 0; i < N_PARTS && s->dir; i++) {
        (void)unlink(s->path[i]);
        free(s->path[i]);
    }
    if (s->dir)
        (void)rmdir(s->dir);
    free(s->dir);
}

/* Those of inputs that are any text, which the source does not know. */
static void
put_levels(const struct portable_input *in, size_t c, struct buf *out)
{
    if (!in->open)
        return;
    buf_printf(out, "static const char *const level%zu[] = {", c);
    for (size_t k = 0; k < in->n_levels; k++) {
        c_source_text(out, in->levels[k]);
        buf_puts(out, ",\n");
    }
    buf_puts(out, "};\n");
}

static void
put_driver(const struct portable *p, const char *prefix, struct buf *out)
{
    size_t n = p->graph->n_cols;

    for (size_t c = 0; c < n; c++)
        put_levels(&p->input[c], c, out);
    buf_printf(out,
               "\n#include <stdio.h>\n"
               "int\nmain(int argc, char **argv)\n{\n"
               "    FILE *in = fopen(argv[1], \"rb\");\n"
               "    FILE *answers = fopen(argv[2], \"wb\");\n"
               "    static double x[%zu], out[%zu];\n"
               "    static struct %s_row row;\n\n"
               "    if (argc != 3 || !in || !answers)\n        return 1;\n"
               "    while (fread(x, sizeof x, 1, in) == 1) {\n",
               n, portable_width(p), prefix);
    for (size_t c = 0; c < n; c++) {
        buf_puts(out, "        row.");
        c_source_member(p, c, out);
        if (p->input[c].n_levels)
            buf_printf(out,
                       " = isnan(x[%zu]) ? 0 : level%zu[(unsigned)x[%zu]];\n",
                       c, c, c);
        else
            buf_printf(out, " = x[%zu];\n", c);
    }
    buf_printf(out,
               "        %s_predict(&row, out);\n"
               "        if (fwrite(out, sizeof out, 1, answers) != 1)\n"
               "            return 1;\n"
               "    }\n"
               "    return fclose(answers) != 0;\n}\n",
               prefix);
}

static bool
write_source(const struct portable *p, const char *prefix, struct str source,
             const char *path, struct error *err)
{
    struct buf text;
    bool ok;

    buf_init(&text);
    buf_add(&text, source.p, source.n);
    put_driver(p, prefix, &text);
    ok = buf_check(&text, err) &&
         file_replace(path, text.data, text.len, 0600, err);
    buf_fini(&text);
    return ok;
}

/* Row by row; codes of levels as they are. */
static bool
write_rows(const struct probe *q, const char *path, struct error *err)
{
    double *x = mem_try_array(q->n * q->n_cols, sizeof *x, err);
    bool ok;

    for (size_t c = 0; c < q->n_cols && x; c++)
        for (size_t r = 0; r < q->n; r++)
            x[r * q->n_cols + c] = q->x[c * q->n + r];
    ok = x && file_replace(path, x, q->n * q->n_cols * sizeof *x, 0600, err);
    free(x);
    return ok;
}

static bool
run(const char *const *argv, int64_t ms, const struct progress *stop,
    struct error *err)
{
    struct buf said;
    int status = 0;
    bool ok;

    buf_init(&said);
    ok = proc_capture(argv, ms, stop, &said, &status, err) &&
         (status == 0 || error_set(err, ERR_STATE,
                                   "%s ended with status %d: nothing was "
                                   "written",
                                   argv[0], status));
    buf_fini(&said);
    return ok;
}

static bool
compile_and_run(const struct place *s, const struct progress *stop,
                struct error *err)
{
    const char *const compile[] = {
        "cc", "-std=c99",       "-O1",           "-w",  "-ffp-contract=off",
        "-o", s->path[PROGRAM], s->path[SOURCE], "-lm", NULL};
    const char *const ask[] = {s->path[PROGRAM], s->path[ROWS],
                               s->path[ANSWERS], NULL};

    return run(compile, COMPILE_MS, stop, err) && run(ask, RUN_MS, stop, err);
}

static bool
has_compiler(void)
{
    const char *const argv[] = {"cc", "--version", NULL};
    struct error ignored;

    return run(argv, RUN_MS, NULL, &ignored);
}

static bool
read_answers(const char *path, size_t n, double **out, struct error *err)
{
    struct buf b;
    bool ok;

    buf_init(&b);
    ok = file_read(path, n * sizeof **out, &b, err) &&
         (b.len == n * sizeof **out ||
          error_set(err, ERR_STATE, "the program did not answer every row")) &&
         (*out = mem_try_array(n, sizeof **out, err));
    if (ok)
        memcpy(*out, b.data, b.len);
    buf_fini(&b);
    return ok;
}

bool
c_source_run(const struct c_source_trial *t, double **out, struct error *err)
{
    const struct probe *q = t->probe;
    struct place s;
    bool ok;

    *out = NULL;
    if (!has_compiler())
        return true;
    ok = place_make(&s, err) &&
         write_source(t->of, t->prefix, t->source, s.path[SOURCE], err) &&
         write_rows(q, s.path[ROWS], err) &&
         compile_and_run(&s, t->stop, err) &&
         read_answers(s.path[ANSWERS], q->n * portable_width(t->of), out, err);
    place_remove(&s);
    return ok;
}
