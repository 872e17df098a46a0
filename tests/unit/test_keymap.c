/* tests/unit/test_keymap.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/command.h"
#include "ui/frame.h"

static const struct binding *
find(const struct keymap *m, const char *context, const char *keys,
     enum keymap_match want)
{
    uint32_t code[KEYMAP_MAX_KEYS];
    const struct binding *b;
    int n = input_parse_keys(keys, code, KEYMAP_MAX_KEYS);

    assert_true(n > 0);
    assert_int_equal(keymap_find(m, context, code, n, &b), want);
    return b;
}

static bool
prints(const char *keys)
{
    return strlen(keys) == 1 || strcmp(keys, "<Enter>") == 0 ||
           strcmp(keys, "<Tab>") == 0 || strcmp(keys, "<Space>") == 0;
}

static void
test_no_view_gives_a_global_key_another_meaning(void **state)
{
    (void)state;
    for (const struct key_row *v = keymap_rows; v->keys; v++) {
        for (const struct key_row *g = keymap_rows; *v->view && g->keys; g++) {
            if (*g->view || strcmp(g->keys, v->keys) != 0 ||
                strcmp(g->command, v->command) == 0)
                continue;
            if (keymap_is_text(v->view) && prints(v->keys))
                continue;
            fail_msg("%s: %s is %s, but %s everywhere", v->view, v->keys,
                     v->command, g->command);
        }
    }
}

static const struct view_class *
class_of(const char *context)
{
    size_t n = strcspn(context, ".");

    for (size_t i = 0; view_classes[i]; i++)
        if (strlen(view_classes[i]->name) == n &&
            memcmp(view_classes[i]->name, context, n) == 0)
            return view_classes[i];
    return strcmp(context, "start") == 0 ? &view_start_class : NULL;
}

static bool
moves(const char *name)
{
    struct list l = {.n = 1};

    return list_action(&l, name, 1) || strcmp(name, "left") == 0 ||
           strcmp(name, "right") == 0 || strcmp(name, "line-start") == 0 ||
           strcmp(name, "line-end") == 0;
}

/* A row of a view names an action of that view or of the frame; a row of
 * everywhere may also name what only some views can do. */
static bool
exists(const struct key_row *row)
{
    const struct view_class *c = class_of(row->view);

    if (frame_action_find(row->command) || command_find(row->command) ||
        moves(row->command) || (c && view_action_find(c, row->command)))
        return true;
    for (size_t i = 0; !*row->view && view_classes[i]; i++)
        if (view_action_find(view_classes[i], row->command))
            return true;
    return false;
}

static void
test_every_row_names_an_action_that_exists(void **state)
{
    (void)state;
    for (const struct key_row *row = keymap_rows; row->keys; row++)
        if (!exists(row))
            fail_msg("%s: %s is %s, which does not exist", row->view, row->keys,
                     row->command);
}

static void
test_every_row_is_understood_and_stands_once(void **state)
{
    (void)state;
    for (const struct key_row *a = keymap_rows; a->keys; a++) {
        uint32_t keys[KEYMAP_MAX_KEYS];

        if (input_parse_keys(a->keys, keys, KEYMAP_MAX_KEYS) <= 0)
            fail_msg("%s: %s is no key", a->view, a->keys);
        if (!*a->help)
            fail_msg("%s: %s has no help", a->view, a->keys);
        for (const struct key_row *b = a + 1; b->keys; b++)
            if (strcmp(a->view, b->view) == 0 && strcmp(a->keys, b->keys) == 0)
                fail_msg("%s: %s stands twice", a->view, a->keys);
    }
}

static void
test_sequences_wait_for_their_second_key(void **state)
{
    struct keymap *m = keymap_new();

    (void)state;
    find(m, "runs", "g", KEYMAP_PREFIX);
    assert_string_equal(find(m, "runs", "gg", KEYMAP_FOUND)->command, "top");
    assert_string_equal(find(m, "runs", "<C-w>h", KEYMAP_FOUND)->command,
                        "region-left");
    find(m, "runs", "gz", KEYMAP_NONE);
    /* y copies, but yy may come. */
    assert_string_equal(find(m, "data", "y", KEYMAP_PREFIX)->command, "copy");
    /* A view's own y is sure of itself. */
    assert_string_equal(find(m, "registry", "y", KEYMAP_FOUND)->command,
                        "copy");
    keymap_free(m);
}

static void
test_view_comes_before_everywhere(void **state)
{
    struct keymap *m = keymap_new();

    (void)state;
    assert_string_equal(find(m, "data", "f", KEYMAP_FOUND)->help,
                        "filter: price > 50");
    assert_string_equal(find(m, "jobs", "f", KEYMAP_FOUND)->help,
                        "filter by an expression");
    keymap_free(m);
}

static void
test_text_mode_types_letters(void **state)
{
    struct keymap *m = keymap_new();

    (void)state;
    find(m, "notebook.edit", "q", KEYMAP_NONE);
    find(m, "notebook.edit", "1", KEYMAP_NONE);
    find(m, "notebook.edit", "<Up>", KEYMAP_NONE);
    find(m, "notebook.edit", "r", KEYMAP_NONE);
    assert_string_equal(
        find(m, "notebook.edit", "<A-Enter>", KEYMAP_FOUND)->command, "run");
    assert_string_equal(
        find(m, "notebook.edit", "<C-z>", KEYMAP_FOUND)->command, "suspend");
    assert_string_equal(find(m, "notebook", "r", KEYMAP_FOUND)->command, "run");
    keymap_free(m);
}

static void
test_rebinding_is_seen_at_once(void **state)
{
    struct keymap *m = keymap_new();
    struct error err;

    (void)state;
    assert_true(keymap_bind(m, "runs", "ga", "axis-next", NULL, &err));
    assert_string_equal(find(m, "runs", "ga", KEYMAP_FOUND)->command,
                        "axis-next");
    assert_true(keymap_bind(m, "runs", "a", NULL, NULL, &err));
    find(m, "runs", "a", KEYMAP_NONE);
    assert_string_equal(keymap_for(m, "runs", "axis-next")->notation, "ga");
    keymap_free(m);
}

static void
test_rebinding_a_global_key_in_a_view_is_refused(void **state)
{
    struct keymap *m = keymap_new();
    struct error err;

    (void)state;
    assert_false(keymap_bind(m, "runs", "q", "axis-next", NULL, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    assert_false(keymap_bind(m, "runs", "<Wrong>", "axis-next", NULL, &err));
    assert_int_equal(err.code, ERR_PARSE);
    assert_true(keymap_bind(m, "", "q", "quit", "quit", &err));
    assert_string_equal(find(m, "runs", "q", KEYMAP_FOUND)->command, "quit");
    keymap_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_view_gives_a_global_key_another_meaning),
        cmocka_unit_test(test_every_row_names_an_action_that_exists),
        cmocka_unit_test(test_every_row_is_understood_and_stands_once),
        cmocka_unit_test(test_sequences_wait_for_their_second_key),
        cmocka_unit_test(test_view_comes_before_everywhere),
        cmocka_unit_test(test_text_mode_types_letters),
        cmocka_unit_test(test_rebinding_is_seen_at_once),
        cmocka_unit_test(test_rebinding_a_global_key_in_a_view_is_refused),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
