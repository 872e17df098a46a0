/* The commit of a repository, read from .git as git itself lays it out
 * (gitrepository-layout(7)).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/lineage.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char root[64];
static struct error err;

static int
make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/lathe-git.XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int
remove_root(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void
put(const char *name, const char *text)
{
    char *path = file_join(root, name);
    char *slash = strrchr(path, '/');

    *slash = '\0';
    assert_true(file_make_dirs(path, 0755, &err));
    *slash = '/';
    assert_true(file_replace(path, text, strlen(text), 0644, &err));
    free(path);
}

static const char *
commit_at(const char *name)
{
    static char commit[LINEAGE_COMMIT];
    char *path = file_join(root, name);
    bool ok;

    assert_true(file_make_dirs(path, 0755, &err));
    ok = lineage_commit(path, commit, &err);
    free(path);
    return ok ? commit : NULL;
}

static void
a_loose_reference_is_followed_from_a_folder_below(void **state)
{
    (void)state;
    put("loose/.git/HEAD", "ref: refs/heads/main\n");
    put("loose/.git/refs/heads/main", A "\n");
    put("loose/.git/packed-refs", B " refs/heads/main\n");
    assert_string_equal(commit_at("loose/src/deep"), A);
}

static void
a_packed_reference_is_found_by_its_whole_name(void **state)
{
    (void)state;
    put("packed/.git/HEAD", "ref: refs/heads/main\n");
    put("packed/.git/packed-refs",
        "# pack-refs with: peeled fully-peeled sorted\n" A
        " refs/heads/main2\n" A " refs/heads/mai\n" B " refs/heads/main\n^" A
        "\n");
    assert_string_equal(commit_at("packed"), B);
}

static void
a_detached_head_is_the_commit(void **state)
{
    (void)state;
    put("detached/.git/HEAD", A "\n");
    assert_string_equal(commit_at("detached"), A);
    put("sha256/.git/HEAD", A "cccccccccccccccccccccccc\n");
    assert_string_equal(commit_at("sha256"), A "cccccccccccccccccccccccc");
}

static void
a_work_tree_shares_the_references_of_its_repository(void **state)
{
    (void)state;
    put("repo/.git/HEAD", "ref: refs/heads/main\n");
    put("repo/.git/refs/heads/main", A "\n");
    put("repo/.git/refs/heads/topic", B "\n");
    put("repo/.git/worktrees/w/HEAD", "ref: refs/heads/topic\n");
    put("repo/.git/worktrees/w/commondir", "../..\n");
    put("tree/.git", "gitdir: ../repo/.git/worktrees/w\n");
    assert_string_equal(commit_at("tree"), B);
    assert_string_equal(commit_at("repo"), A);
}

static void
no_repository_and_no_commit_are_not_found(void **state)
{
    (void)state;
    assert_null(commit_at("plain"));
    assert_int_equal(err.code, ERR_NOTFOUND);
    put("empty/.git/HEAD", "ref: refs/heads/main\n");
    assert_null(commit_at("empty"));
    assert_int_equal(err.code, ERR_NOTFOUND);
}

static void
what_git_would_not_write_is_refused(void **state)
{
    static const char *const bad[] = {
        "ref: ../../../../etc/hostname\n", "ref: refs/../../HEAD\n", "hello\n",
        "", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put("bad/.git/HEAD", bad[i]);
        assert_null(commit_at("bad"));
        assert_int_equal(err.code, ERR_PARSE);
    }
    put("ring/.git/HEAD", "ref: refs/heads/a\n");
    put("ring/.git/refs/heads/a", "ref: refs/heads/a\n");
    assert_null(commit_at("ring"));
    assert_int_equal(err.code, ERR_PARSE);
    put("file/.git", "nonsense\n");
    assert_null(commit_at("file"));
    assert_int_equal(err.code, ERR_PARSE);
}

/* Against git itself, where there is one. */
static void
it_agrees_with_git_rev_parse(void **state)
{
    char command[512], want[64] = "";
    FILE *f;

    (void)state;
    snprintf(command, sizeof command,
             "cd %s && git init -q real 2>/dev/null && cd real && git "
             "-c user.name=x -c user.email=x@x commit -q --allow-empty -m x "
             "&& git branch topic && git pack-refs --all && git worktree add "
             "-q ../wt topic >/dev/null 2>&1 && git rev-parse HEAD",
             root);
    f = popen(command, "r");
    if (!f || !fgets(want, sizeof want, f)) {
        if (f)
            pclose(f);
        skip();
    }
    pclose(f);
    want[strcspn(want, "\n")] = '\0';
    assert_string_equal(commit_at("real"), want);
    assert_string_equal(commit_at("wt"), want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loose_reference_is_followed_from_a_folder_below),
        cmocka_unit_test(a_packed_reference_is_found_by_its_whole_name),
        cmocka_unit_test(a_detached_head_is_the_commit),
        cmocka_unit_test(a_work_tree_shares_the_references_of_its_repository),
        cmocka_unit_test(no_repository_and_no_commit_are_not_found),
        cmocka_unit_test(what_git_would_not_write_is_refused),
        cmocka_unit_test(it_agrees_with_git_rev_parse),
    };

    (void)cmocka_run_group_tests(tests, make_root, remove_root);
    return 0;
}
