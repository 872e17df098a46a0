/* ui/help.c -- ?: the keys for where you are, from the table itself.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/frame.h"

#include <stdio.h>
#include <string.h>

void
binding_label(const struct binding *b, struct buf *out)
{
    for (int i = 0; i < b->n_keys; i++) {
        /* "gg" and "dd" are read as one; "Ctrl-W h" is not. */
        if (i > 0 && (b->keys[i - 1] & ~(uint32_t)INPUT_CODE))
            buf_putc(out, ' ');
        input_key_label(b->keys[i], out);
    }
}

void
help_key_label(struct ui *ui, const char *context, const char *command,
               struct buf *out)
{
    const struct binding *b = keymap_for(ui->keymap, context, command);

    if (b)
        binding_label(b, out);
}

/* The words about a command beyond what its key's line says. */
static void
long_help(struct ui *ui, const struct binding *b, struct buf *out)
{
    const struct view_action *a =
        view_action_find(ui_at(ui)->class, b->command);
    const struct frame_action *f = frame_action_find(b->command);

    buf_printf(out, "%s\nCommand  :%s",
               a && a->help   ? a->help
               : f && f->help ? f->help
                              : b->help,
               b->command);
}

/* All keys of a command in one label: "j, Down". */
static bool
merge_keys(struct ui *ui, size_t at, const char *context, struct buf *key)
{
    const struct binding *b = keymap_at(ui->keymap, at);

    for (size_t i = 0; i < keymap_count(ui->keymap); i++) {
        const struct binding *o = keymap_at(ui->keymap, i);

        if (strcmp(o->command, b->command) != 0 ||
            strcmp(o->view, b->view) != 0 || !keymap_in_force(o, context))
            continue;
        if (i < at)
            return false; /* listed there already */
        buf_puts(key, key->len ? ", " : "");
        binding_label(o, key);
    }
    return true;
}

static bool
shadowed(struct ui *ui, const struct binding *b, const char *context)
{
    const struct binding *now;

    keymap_find(ui->keymap, context, b->keys, b->n_keys, &now);
    return now != b;
}

static void
add_keys(struct chooser *c, bool here)
{
    struct ui *ui = c->ui;
    const char *context = ui_context(ui);
    struct buf key, help;

    buf_init(&key);
    buf_init(&help);
    for (size_t i = 0; i < keymap_count(ui->keymap); i++) {
        const struct binding *b = keymap_at(ui->keymap, i);

        if ((*b->view != '\0') != here || !keymap_in_force(b, context) ||
            !action_known(ui, b->command) || shadowed(ui, b, context))
            continue;
        buf_clear(&key);
        buf_clear(&help);
        if (!merge_keys(ui, i, context, &key))
            continue;
        long_help(ui, b, &help);
        chooser_add(c, b->help, here ? "here" : "everywhere", key.data,
                    help.data, b->command, here ? 0 : 1);
    }
    buf_fini(&key);
    buf_fini(&help);
}

/* The signs of the view: nothing to run. */
static void
add_signs(struct chooser *c)
{
    const struct view_sign *s = ui_at(c->ui)->class->signs;

    for (; s && s->sign; s++)
        chooser_add(c, s->meaning, "signs", s->sign, s->meaning, NULL, 0);
}

void
help_open(struct ui *ui)
{
    char title[48];
    struct chooser *c;

    snprintf(title, sizeof title, "? %s: keys here, then everywhere",
             ui_at(ui)->class->title);
    c = chooser_new(ui, title, "help");
    c->wide = true;
    snprintf(c->hint, sizeof c->hint,
             "type to filter   Enter run   Tab here/everywhere   Esc close");
    add_keys(c, true);
    add_signs(c);
    add_keys(c, false);
    ui->did |= DID_HELP;
    chooser_open(c);
}
