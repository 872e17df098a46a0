/* ui/ask.c -- questions answered by a line of text, and the arguments a
 * command still needs.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/frame.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "ui/prompt.h"

enum { MAX_FOUND = 256 };

static void
forget_found(struct ui_ask *a)
{
    for (size_t i = 0; i < a->n_found; i++)
        free(a->found[i]);
    free(a->found);
    a->found = NULL;
    a->n_found = 0;
}

static void
finish(struct ui *ui, const char *text)
{
    struct ui_ask *a = &ui->ask;
    char *copy = mem_text(text);

    /* done() may ask the next question. */
    forget_found(a);
    a->on = false;
    a->q.done(a->q.ctx, copy);
    free(copy);
}

void
ask_cancel(struct ui *ui)
{
    if (ui->ask.on)
        finish(ui, NULL);
}

void
ui_ask(struct ui *ui, const struct ui_question *q)
{
    struct ui_ask *a = &ui->ask;

    ask_cancel(ui);
    if (ui->chooser)
        chooser_close(ui, SIZE_MAX);
    a->q = *q;
    snprintf(a->label, sizeof a->label, "%s", q->label);
    snprintf(a->hint, sizeof a->hint, "%s",
             q->hint       ? q->hint
             : q->complete ? "Enter accept   Tab complete   Esc cancel"
                           : "Enter accept   Esc cancel");
    a->has_history = q->history != NULL;
    prompt_begin(q->text, q->history);
    a->on = true;
    ui_touch(ui);
}

/* The bytes all the words share from their start. */
static size_t
common(char *const *words, size_t n)
{
    size_t len = strlen(words[0]);

    for (size_t i = 1; i < n; i++) {
        size_t k = 0;

        while (k < len && words[i][k] == words[0][k])
            k++;
        len = k;
    }
    while (len > 0 && ((unsigned char)words[0][len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void
complete(struct ui *ui)
{
    struct ui_ask *a = &ui->ask;
    const char *text = prompt_text();
    size_t begin = 0, point = prompt_point();

    forget_found(a);
    if (!a->q.complete)
        return;
    a->n_found =
        a->q.complete(a->q.ctx, str_of(text), point, &begin, &a->found);
    if (a->n_found == 0)
        return;
    size_t len = common(a->found, a->n_found);

    if (len > point - begin || a->n_found == 1) {
        char *word = mem_text(a->found[0]);

        word[len] = '\0';
        prompt_replace(begin, word);
        free(word);
    }
    if (a->n_found == 1)
        forget_found(a);
}

void
ask_key(struct ui *ui, const struct input_event *e)
{
    struct ui_ask *a = &ui->ask;

    if (e->kind == INPUT_KEY && e->key == INPUT_TAB) {
        complete(ui);
        if (a->q.changed)
            a->q.changed(a->q.ctx, prompt_text());
        return;
    }
    forget_found(a);
    switch (prompt_key(e)) {
    case PROMPT_ACCEPTED:
        if (a->has_history)
            prompt_remember();
        finish(ui, prompt_text());
        break;
    case PROMPT_CANCELLED:
        finish(ui, NULL);
        break;
    case PROMPT_TYPING:
        if (a->q.changed)
            a->q.changed(a->q.ctx, prompt_text());
        break;
    }
}

/* Completions in columns over the lower edge of the body. */
static void
draw_found(struct ui *ui, const struct canvas *body)
{
    const struct ui_ask *a = &ui->ask;
    int wide = 8, per, rows;

    for (size_t i = 0; i < a->n_found; i++) {
        int w = (int)str_width(str_of(a->found[i])) + 2;

        wide = w > wide ? w : wide;
    }
    wide = wide > body->w - 2 ? body->w - 2 : wide;
    per = wide > 0 ? (body->w - 2) / wide : 1;
    per = per > 0 ? per : 1;
    rows = ((int)a->n_found + per - 1) / per;
    rows = rows > 8 ? 8 : rows;
    rows = rows > body->h - 2 ? body->h - 2 : rows;
    if (rows < 1)
        return;
    struct canvas c = *body;
    int top = body->h - rows - 1;

    c.base = ROLE_POPUP;
    draw_fill(&c, (struct rect){0, top, c.w, rows + 1}, ROLE_POPUP, ' ');
    draw_rule(&c, top, ROLE_BORDER, "completions", NULL);
    for (int i = 0; i < (int)a->n_found && i < rows * per; i++)
        draw_fit(&c, 1 + i % per * wide, top + 1 + i / per, wide - 1,
                 ROLE_POPUP, DRAW_LEFT, str_of(a->found[i]));
}

void
ask_draw(struct ui *ui, const struct canvas *line, const struct canvas *body)
{
    struct canvas c = *line;
    int x = draw_text(&c, 1, 0, ROLE_ACCENT, ui->ask.label);

    if (ui->ask.n_found > 0)
        draw_found(ui, body);
    prompt_draw(&c, x, 0, ROLE_TEXT);
}

/* ---- completing files ---- */

static void
add_found(char **found, size_t *n, const char *dir, size_t dir_len,
          const char *name, bool folder)
{
    struct buf b;

    if (*n == MAX_FOUND)
        return;
    buf_init(&b);
    buf_add(&b, dir, dir_len);
    buf_puts(&b, name);
    buf_puts(&b, folder ? "/" : "");
    found[(*n)++] = buf_take(&b);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t
ask_complete_files(void *ctx, struct str line, size_t at, size_t *begin,
                   char ***out)
{
    char *typed = mem_new(at + 1), *folder;
    const char *slash, *base;
    const struct dirent *e;
    size_t n = 0;
    DIR *d;

    (void)ctx;
    *begin = 0;
    *out = mem_new(MAX_FOUND * sizeof **out);
    memcpy(typed, line.p, at);
    slash = strrchr(typed, '/');
    base = slash ? slash + 1 : typed;
    size_t dir_len = (size_t)(base - typed);

    folder = mem_text(dir_len ? typed : ".");
    if (dir_len)
        folder[dir_len] = '\0';
    if (strncmp(folder, "~/", 2) == 0 && getenv("HOME")) {
        char *home = file_join(getenv("HOME"), folder + 2);

        free(folder);
        folder = home;
    }
    d = opendir(folder);
    while (d && (e = readdir(d))) {
        struct stat st;
        char *path;

        if (strncmp(e->d_name, base, strlen(base)) != 0 ||
            (e->d_name[0] == '.' && base[0] != '.'))
            continue;
        path = file_join(folder, e->d_name);
        add_found(*out, &n, typed, dir_len, e->d_name,
                  stat(path, &st) == 0 && S_ISDIR(st.st_mode));
        free(path);
    }
    if (d)
        closedir(d);
    qsort(*out, n, sizeof **out, by_text);
    free(typed);
    free(folder);
    return n;
}

/* ---- the arguments of a command ---- */

struct asking {
    struct ui *ui;
    struct call *call;
    const struct arg *arg;
};

static size_t
complete_between(const char *gaps, const char *const *words, size_t n,
                 struct str line, size_t at, size_t *begin, char ***out)
{
    size_t from = at, count = 0;

    while (from > 0 && !strchr(gaps, line.p[from - 1]))
        from--;
    *begin = from;
    *out = mem_new((n + 1) * sizeof **out);
    for (size_t i = 0; i < n; i++)
        if (strncmp(words[i], line.p + from, at - from) == 0)
            (*out)[count++] = mem_text(words[i]);
    return count;
}

static size_t
complete_words(const char *const *words, size_t n, struct str line, size_t at,
               size_t *begin, char ***out)
{
    return complete_between(" ", words, n, line, at, begin, out);
}

static size_t
complete_choice(const char *choices, struct str line, size_t at, size_t *begin,
                char ***out)
{
    const char *words[32];
    char *text = mem_text(choices), *save = NULL;
    size_t n = 0;

    for (char *w = strtok_r(text, "|", &save); w && n < 32;
         w = strtok_r(NULL, "|", &save))
        words[n++] = w;
    n = complete_words(words, n, line, at, begin, out);
    free(text);
    return n;
}

size_t
ask_complete_table(void *ctx, struct str line, size_t at, size_t *begin,
                   char ***out)
{
    const char *words[COMMAND_MAX_ARGS], *last = NULL;
    size_t n = 0, from = at, before;

    while (from > 0 && line.p[from - 1] != ' ')
        from--;
    before = from;
    while (before > 0 && line.p[before - 1] == ' ')
        before--;
    for (const struct arg *a = command_reading; a->name; a++) {
        size_t len = strlen(a->name);

        words[n++] = a->name;
        if (a->kind == ARG_CHOICE && before >= len &&
            memcmp(line.p + before - len, a->name, len) == 0)
            last = a->choices;
    }
    if (last && from > 0)
        return complete_choice(last, line, at, begin, out);
    if (from == 0 ||
        strncmp(line.p + from, "--", at - from < 2 ? at - from : 2))
        return ask_complete_files(ctx, line, at, begin, out);
    return complete_words(words, n, line, at, begin, out);
}

size_t
ask_complete_words(struct ui *ui, struct str line, size_t at, size_t *begin,
                   char ***out)
{
    struct view *v = ui_at(ui);
    char **words;
    size_t n, found;

    *out = NULL;
    if (!v->class->words)
        return 0;
    n = v->class->words(v, &words);
    /* Also inside an expression: mean(pri */
    found = complete_between(" (,:/=<>", (const char *const *)words, n, line,
                             at, begin, out);
    for (size_t i = 0; i < n; i++)
        free(words[i]);
    free(words);
    return found;
}

static size_t
complete_argument(void *ctx, struct str line, size_t at, size_t *begin,
                  char ***out)
{
    const struct asking *q = ctx;

    *out = NULL;
    if (q->arg->kind == ARG_CHOICE && q->arg->choices)
        return complete_choice(q->arg->choices, line, at, begin, out);
    if (q->arg->kind == ARG_FILE || q->arg->kind == ARG_MODEL)
        return ask_complete_files(NULL, line, at, begin, out);
    return q->arg->kind == ARG_COLUMN
               ? ask_complete_words(q->ui, line, at, begin, out)
               : 0;
}

static void
answered(void *ctx, const char *text)
{
    struct asking *q = ctx;
    struct ui *ui = q->ui;
    struct call *call = q->call;
    const struct arg *arg = q->arg;
    struct error err;

    free(q);
    if (!text || !*text) {
        call_free(call);
        ui_message(ui, MESSAGE_INFO, "nothing done");
        return;
    }
    if (!call_set(call, arg->name, text, &err))
        ui_error(ui, &err);
    ask_arguments(ui, call);
}

void
ask_arguments(struct ui *ui, struct call *call)
{
    const struct command *c = call_command(call);
    const struct arg *a;
    size_t i = 0;

    while ((a = command_arg(c, i)) &&
           (!a->required || call_count(call, a->name) > 0))
        i++;
    if (!a) {
        ui_call(ui, call);
        return;
    }
    struct asking *q = mem_new(sizeof *q);
    struct ui_question question = {.history = c->name,
                                   .text = a->fallback,
                                   .hint = a->help,
                                   .complete = complete_argument,
                                   .done = answered,
                                   .ctx = q};
    char label[64];

    *q = (struct asking){ui, call, a};
    snprintf(label, sizeof label, "%.30s · %.24s: ", c->name,
             a->name + (strncmp(a->name, "--", 2) == 0 ? 2 : 0));
    question.label = label;
    ui_ask(ui, &question);
}
