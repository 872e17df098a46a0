/* session/origin.h -- the Lua that makes a table of the session: where it came
 * from, then a line for each step (session/steps.h).
 *
 *     churn = lathe.read("churn.csv")
 *     churn = churn:where("tenure < 12")
 *
 * A table that is made from another has that one's lines before its own.
 *
 *     churn_plan = churn:frequency("plan")
 *
 * The function that starts the making takes the origin along, for the other
 * table may have changed when it is done:
 *
 *     struct origin o;
 *     origin_call(&o, t, "frequency(\"%s\")", ...);   now
 *     session_set_origin(s, made, &o);               when it is there
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_ORIGIN_H
#define LATHE_SESSION_ORIGIN_H

#include "frame/source.h"
#include "session/session.h"

/* Of a file, as the project names it, with the options that it is read by.
 * how may be NULL. */
void origin_read(struct origin *o, const char *path,
                 const struct source_options *how);
/* The same of one beyond memory. */
void origin_scan(struct origin *o, const char *path,
                 const struct source_options *how);
/* What a method gives for what shows of t: "distinct()", "group({ \"plan\" },
 * { \"count()\" })"; texts by steps_put_text(). */
void origin_call(struct origin *o, const struct table *t, const char *call);
/* The same for a method of two tables: what stands for the other is `%s`, once:
 * "join(%s, { by = \"id\" })". */
void origin_call_with(struct origin *o, const struct table *t,
                      const struct table *other, const char *call);
/* The rows that were set aside when t was read. */
void origin_rejects(struct origin *o, const struct table *t);
void origin_fini(struct origin *o);
void origin_move(struct origin *to, struct origin *from);
/* The table came so; takes what o holds. */
void session_set_origin(struct session *s, struct table *t, struct origin *o);

/* The lines that make what shows of t, each with its newline.  When nothing
 * makes it, a comment says so. */
void table_lua(const struct table *t, struct buf *out);
/* A variable for a table of this name that none of the tables has. */
char *origin_variable(const struct session *s, const char *name);
#endif
