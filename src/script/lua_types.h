/* script/lua_types.h -- the types of the library and what one binding file
 * needs of another; for script/lua_*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_LUA_TYPES_H
#define LATHE_SCRIPT_LUA_TYPES_H

#include "engine/model.h"
#include "frame/builder.h"
#include "frame/source.h"
#include "script/script.h"

extern const struct object_type frame_type, scan_type, profile_type, model_type,
    estimator_type, evaluation_type, explanation_type, cv_type;
extern const struct binding lua_read_functions[], lua_model_functions[],
    lua_frame_methods[], lua_scan_functions[], lua_scan_methods[],
    lua_profile_methods[], lua_estimator_methods[], lua_model_methods[],
    lua_evaluation_methods[], lua_evaluation_functions[], lua_cv_methods[];
/* Adds a function for each family to the table at the top of the stack. */
void lua_fit_open(lua_State *L);

/* A frame in Lua: it, and the name of the file it came from. */
struct lua_frame {
    struct frame *frame;
    char *name;
    struct frame *rejects; /* of lathe.read; may be NULL */
};
struct lua_frame *script_check_frame(lua_State *L, int idx); /* raises */
/* Pushes an empty one, to be filled by a job: whatever is raised meanwhile, the
 * frame has an owner. */
struct lua_frame *script_new_frame(lua_State *L, const char *name);
/* Pushes a frame; takes a reference of its own. */
void script_push_frame(lua_State *L, const struct frame *f, const char *name);
/* The options of reading in the table at idx, or none; raises.  The texts are
 * Lua's. */
void script_reading(lua_State *L, int idx, struct source_options *out);
/* A word about fields that are not UTF-8, if there are any. */
void script_tell_foreign(struct session *s, const char *path,
                         const struct csv_table *t);
/* The last argument, { name = "text", ... }, in order of the names; returns how
 * many there are.  Both lists are NULL-ended and live as long as the call; a
 * value that is no text is told as not being `what`. */
size_t script_pairs(lua_State *L, int idx, const char *what,
                    const char ***names, const char ***texts);
/* The file a frame came from; "" when unknown. */
const char *script_frame_name(lua_State *L, int idx);

/* lua_profile.c: the method of frames and scans. */
int lua_profile(lua_State *L);
/* lua_scan.c: a path and what is done to its rows. */
struct scan;
struct scan *script_scan(lua_State *L, int idx); /* or NULL */
const char *script_scan_path(const struct scan *s);
/* For a task, which closes the stream; when that is read, what there is to tell
 * of its file. */
struct stream *script_scan_open(const struct scan *s, struct task *t,
                                struct error *err) MUST_USE;
void
script_scan_tell(const struct scan *s, struct task *t, const struct stream *in);
/* lua_overview.c: methods of frames and profiles that give a table about one.
 */
int lua_frame_frequency(lua_State *L);
int lua_frame_describe(lua_State *L);
int lua_frame_relations(lua_State *L);
int lua_frame_missing(lua_State *L);
int lua_frame_patterns(lua_State *L);
int lua_frame_duplicates(lua_State *L);
int lua_profile_describe(lua_State *L);
int lua_profile_relations(lua_State *L);

/* lua_loss.c: the function in a field of the options at idx as a loss, NULL
 * when there is none; raises.  It stays on the stack, where the fit that is
 * given it must run from by script_try(). */
const struct train_loss *script_loss(lua_State *L, int idx, const char *name);

/* A fitted model in Lua. */
struct lua_model {
    struct model *model;
    char run[33];          /* "" when it was loaded from a file */
    char *metrics;         /* summary_flat() of the last evaluation, or NULL */
    struct file_map bytes; /* of a loaded one */
};
struct lua_model *script_model(lua_State *L, int idx); /* raises */
/* lua_explain.c: the method of models. */
int lua_model_explain(lua_State *L);
/* A family and its parameters. */
struct estimator {
    const struct family *family;
    struct params *params;
};
/* A Lua value as params_set() reads it; may push one. */
const char *lua_param_text(lua_State *L, int idx);
/* Options that fit and cv share; what they need stays on the stack. */
void lua_fit_options(lua_State *L, int idx, struct model_options *o);
int lua_estimator_cv(lua_State *L); /* lua_cv.c: the method of estimators */
/* Pushes one without a model, to be filled by a job. */
struct lua_model *script_new_model(lua_State *L);
/* lua_port.c */
int lua_model_export(lua_State *L);
int lua_lathe_import(lua_State *L);
/* lua_evaluation.c: the method of models. */
int lua_model_evaluate(lua_State *L);
const struct evaluation *script_evaluation(lua_State *L, int idx); /* or NULL */
#endif
