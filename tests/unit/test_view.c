/* tests/unit/test_view.c -- lists, pagers, and what the views' tables promise.
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

static void
test_list_keeps_its_cursor_in_range(void **state)
{
    struct list l = {0};

    (void)state;
    list_set(&l, 10);
    list_show(&l, 4);
    assert_true(list_action(&l, "down", 3));
    list_show(&l, 4);
    assert_int_equal(l.at, 3);
    assert_int_equal(l.top, 0);
    list_action(&l, "down", 99);
    list_show(&l, 4);
    assert_int_equal(l.at, 9);
    assert_int_equal(l.top, 6);
    list_set(&l, 2);
    list_show(&l, 4);
    assert_int_equal(l.at, 1);
    assert_int_equal(l.top, 0);
    list_set(&l, 0);
    list_action(&l, "down", 1);
    list_action(&l, "up", 1);
    list_action(&l, "bottom", 0);
    assert_int_equal(l.at, 0);
    assert_false(list_action(&l, "sideways", 1));
}

static void
test_counts_name_a_row(void **state)
{
    struct list l = {0};

    (void)state;
    list_set(&l, 100);
    list_show(&l, 10);
    list_action(&l, "bottom", 12);
    assert_int_equal(l.at, 11);
    list_action(&l, "bottom", 0);
    assert_int_equal(l.at, 99);
    list_action(&l, "top", 0);
    assert_int_equal(l.at, 0);
    list_action(&l, "page-down", 2);
    assert_int_equal(l.at, 18);
}

static void
test_pager_cuts_lines_and_finds_text(void **state)
{
    static const char text[] = "one\r\ntwo\n\nFour and more";
    struct pager p;

    (void)state;
    pager_init(&p);
    pager_set(&p, text, strlen(text));
    assert_int_equal(p.list.n, 4);
    assert_true(str_is(pager_line(&p, 0), "one"));
    assert_true(str_is(pager_line(&p, 2), ""));
    assert_true(str_is(pager_line(&p, 3), "Four and more"));
    assert_true(str_is(pager_line(&p, 4), ""));
    assert_true(pager_search(&p, "four", 1));
    assert_int_equal(p.list.at, 3);
    assert_false(pager_search(&p, "five", 1));
    pager_fini(&p);
}

static void
test_pager_follows_its_end_until_moved(void **state)
{
    struct pager p;

    (void)state;
    pager_init(&p);
    p.follow = true;
    pager_set(&p, "a\nb\n", 4);
    assert_int_equal(p.list.at, 1);
    pager_set(&p, "a\nb\nc\n", 6);
    assert_int_equal(p.list.at, 2);
    list_show(&p.list, 2);
    pager_action(&p, "up", 1);
    assert_false(p.follow);
    pager_set(&p, "a\nb\nc\nd\n", 8);
    assert_int_not_equal(p.list.at, 3);
    pager_fini(&p);
}

static const struct view_class *
class_of(const char *context)
{
    size_t n = strcspn(context, ".");

    for (size_t i = 0; view_classes[i]; i++)
        if (strncmp(view_classes[i]->name, context, n) == 0 &&
            !view_classes[i]->name[n])
            return view_classes[i];
    return strncmp(context, "start", n) == 0 ? &view_start_class : NULL;
}

static bool
is_movement(const char *name)
{
    struct list l = {.n = 1};

    return list_action(&l, name, 1) || strcmp(name, "left") == 0 ||
           strcmp(name, "right") == 0 || strncmp(name, "line-", 5) == 0;
}

static void
test_every_key_of_a_view_does_something(void **state)
{
    (void)state;
    for (const struct key_row *r = keymap_rows; r->keys; r++) {
        const struct view_class *c = *r->view ? class_of(r->view) : NULL;

        if (!c || view_action_find(c, r->command) ||
            frame_action_find(r->command) || is_movement(r->command) ||
            command_find(r->command))
            continue;
        fail_msg("%s: %s runs \"%s\", which does not exist", r->view, r->keys,
                 r->command);
    }
}

static void
test_every_action_can_be_found_and_read(void **state)
{
    (void)state;
    for (size_t i = 0; view_classes[i]; i++) {
        const struct view_class *c = view_classes[i];

        assert_true(view_regions(c) > 0);
        for (const struct view_action *a = c->actions; a && a->name; a++) {
            if (!a->title || !*a->title || !a->run)
                fail_msg("%s: %s has no title or does nothing", c->name,
                         a->name);
        }
    }
    for (const struct frame_action *a = frame_actions; a->name; a++)
        if (!a->help || !a->run)
            fail_msg("%s has no help or does nothing", a->name);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_keeps_its_cursor_in_range),
        cmocka_unit_test(test_counts_name_a_row),
        cmocka_unit_test(test_pager_cuts_lines_and_finds_text),
        cmocka_unit_test(test_pager_follows_its_end_until_moved),
        cmocka_unit_test(test_every_key_of_a_view_does_something),
        cmocka_unit_test(test_every_action_can_be_found_and_read),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
