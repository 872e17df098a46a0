/* script/script.h -- what the binding files share; for script/ alone.
 *
 * Every object of the library is a userdata that holds a type and a pointer.
 * A binding makes the userdata first and fills it afterwards, so that an
 * error raised anywhere finds an owner for everything.  Functions that raise
 * are marked so; nothing that needs freeing may be held across them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_SCRIPT_H
#define LATHE_SCRIPT_SCRIPT_H

#include <lua.h>

#include "script/guard.h"
#include "script/kernel.h"
#include "session/task.h"

/* A function of the library with its manual: lathe.help() and lathe-lua(7)
 * read it. */
struct binding {
    const char *name; /* "read"; NULL ends the table */
    lua_CFunction fn;
    const char *usage; /* "lathe.read(path [, options])" */
    const char *help;  /* sentences; options one a line, indented */
};

struct object_type {
    const char *name; /* "frame" */
    const struct binding *methods;
    void (*free)(void *p);
    /* How it reads, for tostring() and as a result; one line or many. */
    void (*print)(struct kernel *k, const void *p, size_t width,
                  struct buf *out);
    /* One line, for lists of variables; NULL: the first line of print. */
    void (*brief)(const void *p, struct buf *out);
    /* The rest of an output: kind, json, frame, run. May be NULL. */
    void (*show)(struct kernel *k, const void *p, struct output *o);
    /* Value of a field that is no method: pushes one value or returns false.
     * May raise. NULL: no fields. */
    bool (*field)(lua_State *L, void *p, const char *name);
    const char *const *fields; /* their names, for completion; may be NULL */
    lua_CFunction len;         /* may be NULL */
};

struct object {
    const struct object_type *type;
    void *p; /* NULL: empty or closed */
};

/* From any lua_State of the kernel. */
struct kernel *script_kernel(lua_State *L);
struct guard *script_guard(lua_State *L);
struct session *script_session(lua_State *L);
const char *script_chunk(lua_State *L);  /* "churn.lua [4]" */
const char *script_folder(lua_State *L); /* the notebook's; "" when none */

lua_State *script_side(struct kernel *k);    /* for what the loop itself asks */
size_t script_width(const struct kernel *k); /* cells to print in */
bool script_plain(const struct kernel *k);   /* no drawing but ASCII */
/* err is about to be raised: its code is found again at the cell's end. */
void script_remember(lua_State *L, const struct error *err);

/* Raises err as a text with the place it was called from. */
int script_fail(lua_State *L, const struct error *err) NORETURN;
int script_failf(lua_State *L, enum error_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4) NORETURN;

void script_type(lua_State *L, const struct object_type *t); /* register */
struct object *
script_new(lua_State *L, const struct object_type *t); /* raises */
struct object *script_object(lua_State *L, int idx); /* NULL: not one of ours */
void *
script_test(lua_State *L, int idx, const struct object_type *t); /* or NULL */
void *
script_check(lua_State *L, int idx, const struct object_type *t); /* raises */

/* Scratch that Lua owns: freed by its collector, or by lua_settop() past it
 * and a collection.  Zeroed. Raises. */
void *script_scratch(lua_State *L, size_t size, void (*fini)(void *p));

struct buf *script_buf(lua_State *L); /* scratch; raises */

/* Run on the pool and turn the loop until it is done; raises its error, and
 * the interrupt when there was one.  A title of NULL: not listed. */
void script_call(lua_State *L, const char *title,
                 bool (*run)(struct task *t, void *ctx, struct error *err),
                 void *ctx);

/* The same, but returns false with err, which must then go to script_fail():
 * for what there is to do in between. */
bool script_try(lua_State *L, const char *title,
                bool (*run)(struct task *t, void *ctx, struct error *err),
                void *ctx, struct error *err) MUST_USE;

/* Fields of the options table at idx (none, nil: no options). Raise on a
 * wrong type; allowed names are checked by script_options(). */
void script_options(lua_State *L, int idx, const char *const *allowed);
const char *
script_opt_text(lua_State *L, int idx, const char *name, const char *fallback);
double
script_opt_number(lua_State *L, int idx, const char *name, double fallback);
int64_t
script_opt_int(lua_State *L, int idx, const char *name, int64_t fallback);
bool script_opt_bool(lua_State *L, int idx, const char *name, bool fallback);
/* A text or a list of texts: a NULL-ended array that lives as long as the
 * value pushed for it; NULL when absent.  Pushes one value. */
const char *const *script_opt_texts(lua_State *L, int idx, const char *name);
/* The same for a value at idx. */
const char *const *script_texts(lua_State *L, int idx, const char *what);
/* The same for { "n = count()", ... }, or { n = "count()", ... } in order of the
 * names; of nil "count()".  Pushes one or more. */
const char *const *script_aggregates(lua_State *L, int idx);

/* JSON text to Lua values; pushes one. Raises on bad JSON. */
void script_push_json(lua_State *L, const struct json *v);
/* A Lua value (nil, bool, number, text, tables of them, frames) as JSON.
 * Raises on what JSON cannot say. */
void script_to_json(lua_State *L, int idx, struct json_writer *w);

/* Pushes a list of the keys of the table at idx: numbers, then texts. */
void script_sorted_keys(lua_State *L, int idx);

/* Output of the running chunk. */
void script_emit(struct kernel *k, const struct output *o);
void script_emit_text(struct kernel *k, const char *text, size_t len);
/* Emit the value at idx by its type. Raises what __tostring raises. */
void script_show(lua_State *L, int idx);
/* A Lua value for people: tables with their content. Raises. */
void script_describe(lua_State *L, int idx, struct buf *out, size_t width);

const struct frame *script_frame(lua_State *L, int idx); /* or NULL */
/* Scratch for an output: released with its content.  Raises. */
struct output *script_output(lua_State *L);
/* The manual of a function of the library; nothing for others. */
void script_help(lua_State *L, int idx, struct buf *out);

/* ---- the modules ---- */
void lua_base_open(lua_State *L);  /* pcall, coroutine, print, io, os ... */
void lua_lathe_open(lua_State *L); /* the table "lathe" and all types */

/* All documented functions: i-th table and its prefix ("lathe", "frame"). */
const struct binding *script_manual(size_t i, const char **prefix);
#endif
