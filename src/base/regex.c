/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"

enum { MAX_PARENS = 100, MAX_DEPTH = 250000 };

struct regex {
    pcre2_code *code;
    pcre2_match_context *limits; /* read only once made */
    unsigned n_groups;
};

static bool
compile_error(int number, PCRE2_SIZE at, struct error *err)
{
    PCRE2_UCHAR text[160] = "bad pattern";

    pcre2_get_error_message(number, text, sizeof text);
    if (number == PCRE2_ERROR_PATTERN_TOO_COMPLICATED)
        return error_set(err, ERR_LIMIT, "pattern: %s", (char *)text);
    return error_set(err, ERR_PARSE, "pattern: %s at character %zu",
                     (char *)text, at + 1);
}

static bool
compile(struct regex *r, struct str pattern, bool ignore_case,
        struct error *err)
{
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
                       PCRE2_NEVER_BACKSLASH_C;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int number = 0;
    PCRE2_SIZE at = 0;

    if (!context)
        return error_set(err, ERR_NOMEM, "no memory for a pattern");
    if (ignore_case)
        options |= PCRE2_CASELESS;
    pcre2_set_parens_nest_limit(context, MAX_PARENS);
    r->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, options, &number,
                            &at, context);
    pcre2_compile_context_free(context);
    if (!r->code)
        return compile_error(number, at, err);
    /* No JIT on this machine: the interpreter gives the same answers. */
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
    return true;
}

struct regex *
regex_new(struct str pattern, bool ignore_case, struct error *err)
{
    struct regex *r;
    uint32_t groups = 0;

    if (pattern.n > REGEX_MAX_PATTERN) {
        error_set(err, ERR_LIMIT, "pattern of %zu bytes, at most %d", pattern.n,
                  REGEX_MAX_PATTERN);
        return NULL;
    }
    if (!(r = mem_try_array(1, sizeof *r, err)))
        return NULL;
    if (!compile(r, pattern, ignore_case, err))
        goto fail;
    if (!(r->limits = pcre2_match_context_create(NULL))) {
        error_set(err, ERR_NOMEM, "no memory for a pattern");
        goto fail;
    }
    pcre2_set_match_limit(r->limits, REGEX_MAX_STEPS);
    pcre2_set_depth_limit(r->limits, MAX_DEPTH);
    pcre2_set_heap_limit(r->limits, REGEX_MAX_HEAP_KIB);
    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    r->n_groups = groups;
    return r;
fail:
    regex_free(r);
    return NULL;
}

void
regex_free(struct regex *r)
{
    if (!r)
        return;
    pcre2_match_context_free(r->limits);
    pcre2_code_free(r->code);
    free(r);
}

unsigned
regex_groups(const struct regex *r)
{
    return r->n_groups;
}

static bool
match_error(int rc, struct error *err)
{
    PCRE2_UCHAR text[160] = "search failed";

    if (rc == PCRE2_ERROR_NOMEMORY)
        return error_set(err, ERR_NOMEM, "no memory for a search");
    pcre2_get_error_message(rc, text, sizeof text);
    return error_set(err, ERR_LIMIT,
                     "the pattern needs too much backtracking (%s)",
                     (char *)text);
}

/* rc of PCRE2; false when it is an error. */
static bool
search_from(const struct regex *r, struct str s, size_t at,
            pcre2_match_data *match, int *rc, struct error *err)
{
    PCRE2_SPTR text = (PCRE2_SPTR)(s.n ? s.p : "");

    if (s.n > REGEX_MAX_TEXT)
        return error_set(err, ERR_LIMIT,
                         "a text of %zu bytes is too long to search, at most "
                         "%u",
                         s.n, (unsigned)REGEX_MAX_TEXT);
    *rc = pcre2_match(r->code, text, s.n, at, 0, match, r->limits);
    if (*rc == PCRE2_ERROR_JIT_STACKLIMIT)
        *rc =
            pcre2_match(r->code, text, s.n, at, PCRE2_NO_JIT, match, r->limits);
    return *rc >= 0 || *rc == PCRE2_ERROR_NOMATCH || match_error(*rc, err);
}

static bool
search(const struct regex *r, struct str s, pcre2_match_data *match, int *rc,
       struct error *err)
{
    return search_from(r, s, 0, match, rc, err);
}

bool
regex_find(const struct regex *r, struct str s, bool *found, unsigned group,
           struct str *out, struct error *err)
{
    pcre2_match_data *match;
    int rc;

    if (mem_fault_hit() ||
        !(match = pcre2_match_data_create_from_pattern(r->code, NULL)))
        return error_set(err, ERR_NOMEM, "no memory for a search");
    if (!search(r, s, match, &rc, err)) {
        pcre2_match_data_free(match);
        return false;
    }
    *found = rc >= 0;
    if (out) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(match);
        bool took_part = *found && group <= r->n_groups &&
                         at[2 * group] != PCRE2_UNSET &&
                         at[2 * group] <= at[2 * group + 1];

        *out = took_part ? (struct str){s.p + at[2 * group],
                                        at[2 * group + 1] - at[2 * group]}
                         : (struct str){"", 0};
    }
    pcre2_match_data_free(match);
    return true;
}

/* What a match becomes. */
static bool
put_replacement(const struct regex *r, struct str s, const PCRE2_SIZE *at,
                struct str to, struct buf *out, struct error *err)
{
    for (size_t i = 0; i < to.n; i++) {
        unsigned group;

        if (to.p[i] != '\\' || i + 1 == to.n) {
            buf_putc(out, to.p[i]);
            continue;
        }
        i++;
        if (to.p[i] < '0' || to.p[i] > '9') {
            if (to.p[i] != '\\')
                buf_putc(out, '\\');
            buf_putc(out, to.p[i]);
            continue;
        }
        group = (unsigned)(to.p[i] - '0');
        if (group > r->n_groups)
            return error_set(err, ERR_RANGE,
                             "\\%u is a group that the pattern does not have",
                             group);
        if (at[2 * group] != PCRE2_UNSET && at[2 * group] < at[2 * group + 1])
            buf_add(out, s.p + at[2 * group],
                    at[2 * group + 1] - at[2 * group]);
    }
    return true;
}

static bool
replace_all(const struct regex *r, struct str s, struct str to, size_t most,
            pcre2_match_data *match, struct buf *out, struct error *err)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(match);
    size_t from = 0, begin = out->len;
    int rc;

    for (;;) {
        size_t before = from, end;

        if (!search_from(r, s, from, match, &rc, err))
            return false;
        if (rc < 0)
            break;
        end = at[1] < at[0] ? at[0] : at[1];
        buf_add(out, s.p + before, at[0] < before ? 0 : at[0] - before);
        if (!put_replacement(r, s, at, to, out, err))
            return false;
        if (out->len - begin > most)
            return error_set(err, ERR_LIMIT, "a text of over %zu bytes", most);
        from = end;
        if (end > before && end > at[0])
            continue;
        if (from >= s.n)
            return buf_check(out, err);
        (void)str_next(s, &from);
        buf_add(out, s.p + end, from - end);
    }
    buf_add(out, s.p + from, s.n - from);
    return buf_check(out, err);
}

bool
regex_replace(const struct regex *r, struct str s, struct str to, size_t most,
              struct buf *out, struct error *err)
{
    pcre2_match_data *match;
    bool ok;

    if (mem_fault_hit() ||
        !(match = pcre2_match_data_create_from_pattern(r->code, NULL)))
        return error_set(err, ERR_NOMEM, "no memory for a search");
    ok = replace_all(r, s, to, most, match, out, err);
    pcre2_match_data_free(match);
    return ok;
}

struct regex_work {
    pcre2_match_data *match;
};

struct regex_work *
regex_work_new(const struct regex *r)
{
    struct regex_work *w = mem_new(sizeof *w);

    w->match = pcre2_match_data_create_from_pattern(r->code, NULL);
    if (!w->match)
        abort();
    return w;
}

void
regex_work_free(struct regex_work *w)
{
    if (!w)
        return;
    pcre2_match_data_free(w->match);
    free(w);
}

bool
regex_test(const struct regex *r, struct regex_work *w, struct str s,
           bool *found, struct error *err)
{
    int rc;

    if (!search(r, s, w->match, &rc, err))
        return false;
    *found = rc >= 0;
    return true;
}
