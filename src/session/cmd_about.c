/* session/cmd_about.c -- version, doctor, and what expressions are made of.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "frame/expr.h"
#include "session/cmd.h"
#include "session/fit.h"

bool
cmd_version(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    (void)s;
    (void)t;
    (void)err;
    if (call_json(c))
        buf_printf(call_out(c), "{\"version\":\"%s\",\"build\":\"%s\"}\n",
                   PACKAGE_VERSION, session_build());
    else
        buf_printf(call_out(c), "%s\n", session_build());
    return true;
}

/* ---- expressions ---- */

static const struct expr_function operators[] = {
    {"or", "or  and  not", "conditions; neither true nor false is missing"},
    {"=", "=  <>  <  <=  >  >=", "comparisons; == and != do as well"},
    {"in", "x in ('a', 'b')", "is it one of these?"},
    {"between", "x between a and b", "both ends belong to it"},
    {"is", "x is null", "is it missing? also: x is not null"},
    {"matches", "text matches 'pattern'", "a Perl-compatible pattern"},
    {"+", "+  -  *  /  //  %  ^",
     "// rounds down, % is what remains, ^ a power"},
    {"'", "'text'  `a name`", "quotes for texts, backticks for odd names"},
};

static bool
is_about(const struct expr_function *f, const char *word)
{
    return !word || strcasestr(f->usage, word) || strcasestr(f->help, word);
}

static size_t
put_functions(struct call *c, const struct expr_function *f, size_t n,
              size_t width)
{
    const char *word = call_text(c, "word");
    size_t shown = 0;

    for (size_t i = 0; i < n; i++)
        if (is_about(&f[i], word)) {
            buf_printf(call_out(c), "  %-*s  ", (int)width, f[i].usage);
            command_put_words(call_out(c), f[i].help, width + 4, width + 4,
                              call_width(c));
            buf_putc(call_out(c), '\n');
            shown++;
        }
    return shown;
}

static void
put_functions_json(struct json_writer *w, const struct call *c,
                   const struct expr_function *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_about(&f[i], call_text(c, "word")))
            continue;
        json_open(w, '{');
        json_name(w, "usage");
        json_put_string(w, f[i].usage);
        json_name(w, "help");
        json_put_string(w, f[i].help);
        json_close(w, '}');
    }
}

bool
cmd_expressions(struct session *s, struct task *t, struct call *c,
                struct error *err)
{
    size_t n, width = 0, n_operators = sizeof operators / sizeof *operators;
    const struct expr_function *f = expr_functions(&n);
    struct json_writer w;

    (void)s;
    (void)t;
    if (call_json(c)) {
        cmd_json(c, &w);
        json_open(&w, '[');
        put_functions_json(&w, c, operators, n_operators);
        put_functions_json(&w, c, f, n);
        json_close(&w, ']');
        cmd_json_end(c);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        if (strlen(f[i].usage) > width)
            width = strlen(f[i].usage);
    if (put_functions(c, operators, n_operators, width) +
        put_functions(c, f, n, width))
        return true;
    return error_set(err, ERR_NOTFOUND,
                     "nothing in expressions has to do with '%s'",
                     call_text(c, "word"));
}

/* ---- doctor ---- */

enum verdict { GOOD, NOTE, BAD };

struct finding {
    const char *what;
    enum verdict verdict;
    char text[256];
};

struct findings {
    struct finding list[24];
    size_t n;
};

static void find(struct findings *f, const char *what, enum verdict v,
                 const char *fmt, ...) PRINTF_LIKE(4, 5);

static void
find(struct findings *f, const char *what, enum verdict v, const char *fmt, ...)
{
    struct finding *x = &f->list[f->n++];
    va_list ap;

    x->what = what;
    x->verdict = v;
    va_start(ap, fmt);
    vsnprintf(x->text, sizeof x->text, fmt, ap);
    va_end(ap);
}

static void
look_at_machine(struct findings *f, struct session *s)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    char memory[LISTING_WORD];

    listing_bytes((uint64_t)pages * (uint64_t)page, memory);
    find(f, "threads", GOOD, "%u (affinity, cgroup and LATHE_THREADS counted)",
         pool_threads(session_pool(s)));
    find(f, "memory", GOOD, "%s", memory);
    find(f, "vectors", GOOD, "%s", cpu_has_avx2() ? "AVX2" : "plain");
}

static bool
is_network(const char *path)
{
    static const long kinds[] = {0x6969,     0xFF534D42, 0xFE534D42, 0x517B,
                                 0x0BD00BD0, 0x47504653, 0x00C36400};
    struct statfs st;

    if (statfs(path, &st) != 0)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if ((unsigned long)st.f_type == (unsigned long)kinds[i])
            return true;
    return false;
}

static void
look_at_project(struct findings *f, struct session *s)
{
    const char *folder = session_project(s);
    struct statvfs v;
    struct error err;
    char space[LISTING_WORD];

    if (session_store(s, false, &err))
        find(f, "project", GOOD, "%s", session_dir(s));
    else if (err.code == ERR_NOTFOUND)
        find(f, "project", NOTE, "none yet: made in %s by the first training",
             folder);
    else
        find(f, "project", BAD, "%.200s", err.message);
    if (access(folder, W_OK) != 0)
        find(f, "folder", BAD, "%.200s cannot be written", folder);
    if (is_network(folder))
        find(f, "disk", NOTE,
             "a network file system: the store keeps a "
             "rollback journal, which is slower");
    if (statvfs(folder, &v) == 0) {
        uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;

        listing_bytes(free_bytes, space);
        find(f, "space", free_bytes < (uint64_t)1 << 30 ? NOTE : GOOD,
             "%s free", space);
    }
}

static void
look_at_terminal(struct findings *f)
{
    const char *term = getenv("TERM"), *codeset = nl_langinfo(CODESET);

    find(f, "terminal", GOOD, "%s%s", term && *term ? term : "none",
         isatty(STDOUT_FILENO) ? "" : " (output is not a terminal)");
    if (strcmp(codeset, "UTF-8") == 0)
        find(f, "locale", GOOD, "UTF-8");
    else
        find(f, "locale", NOTE,
             "%s: charts and boxes are drawn in ASCII; "
             "LANG=C.UTF-8 brings them back",
             codeset);
    if (getenv("NO_COLOR") && *getenv("NO_COLOR"))
        find(f, "colour", NOTE, "off: NO_COLOR is set");
}

static bool
runs(const char *const *argv, char *line, size_t size)
{
    struct error err;
    struct buf out;
    int status = 1;
    bool ok;

    buf_init(&out);
    ok = proc_capture(argv, 3000, NULL, &out, &status, &err) && status == 0;
    out.data[strcspn(out.data, "\n")] = '\0';
    snprintf(line, size, "%s", out.data);
    buf_fini(&out);
    return ok;
}

static void
look_at_programs(struct findings *f)
{
    static const char *const gnuplot[] = {"gnuplot", "--version", NULL};
    static const char *const git[] = {"git", "--version", NULL};
    char line[128];

    if (runs(gnuplot, line, sizeof line))
        find(f, "gnuplot", GOOD, "%s", line);
    else
        find(f, "gnuplot", NOTE,
             "missing: curves are drawn without it "
             "(apt-get install gnuplot-nox)");
    if (runs(git, line, sizeof line))
        find(f, "git", GOOD, "%s", line);
    else
        find(f, "git", NOTE, "missing: runs do not record the commit");
}

static void
look_at_files(struct findings *f)
{
    struct error err;
    char *themes = file_data_path("themes/dark.theme", &err);

    if (themes)
        find(f, "data", GOOD, "%.*s",
             (int)(strlen(themes) - strlen("/themes/dark.theme")), themes);
    else
        find(f, "data", BAD, "%.200s", err.message);
    free(themes);
}

/* systemd may end what a user leaves behind: a detached workbench. */
static void
look_at_logind(struct findings *f)
{
    static const char conf[] = "/etc/systemd/logind.conf";
    struct error err;
    struct buf b;

    buf_init(&b);
    if (file_read(conf, 1 << 20, &b, &err) &&
        strstr(b.data, "\nKillUserProcesses=yes"))
        find(f, "logout", NOTE,
             "KillUserProcesses=yes ends a detached "
             "workbench at logout: loginctl enable-linger, or start it with "
             "systemd-run --user --scope");
    if (getenv("SLURM_STEP_ID"))
        find(f, "slurm", NOTE,
             "inside a job step: a detached workbench ends "
             "with it; start it from sbatch instead");
    buf_fini(&b);
}

bool
cmd_doctor(struct session *s, struct task *t, struct call *c, struct error *err)
{
    static const char *const words[] = {"ok", "note", "bad"};
    struct findings f = {.n = 0};
    struct json_writer w;
    size_t bad = 0;

    (void)t;
    look_at_machine(&f, s);
    look_at_project(&f, s);
    look_at_terminal(&f);
    look_at_programs(&f);
    look_at_files(&f);
    look_at_logind(&f);
    cmd_json(c, &w);
    if (call_json(c))
        json_open(&w, '[');
    else
        buf_printf(call_out(c), "%s\n", session_build());
    for (size_t i = 0; i < f.n; i++) {
        const struct finding *x = &f.list[i];

        bad += x->verdict == BAD;
        if (call_json(c)) {
            json_open(&w, '{');
            json_name(&w, "what");
            json_put_string(&w, x->what);
            json_name(&w, "verdict");
            json_put_string(&w, words[x->verdict]);
            json_name(&w, "text");
            json_put_string(&w, x->text);
            json_close(&w, '}');
        } else {
            buf_printf(call_out(c), "  %-5s %-9s %s\n", words[x->verdict],
                       x->what, x->text);
        }
    }
    if (call_json(c)) {
        json_close(&w, ']');
        cmd_json_end(c);
    }
    return bad == 0 ||
           error_set(err, ERR_STATE, "%zu of %zu checks failed", bad, f.n);
}
