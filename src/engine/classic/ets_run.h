/* engine/classic/ets_run.h -- exponential smoothing as a state space, for
 * ets*.c alone.
 *
 * All forms share one recursion over the additive error e = y - forecast; that
 * errors are multiplicative changes the likelihood only.
 * Source: Hyndman, Koehler, Ord, Snyder, "Forecasting with exponential
 *         smoothing", Springer 2008, tables 2.1 to 2.3 and chapters 5, 6.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_ETS_RUN_H
#define LATHE_ENGINE_CLASSIC_ETS_RUN_H

#include "base/error.h"
#include "base/pool.h"
#include "base/progress.h"

enum ets_part { ETS_NONE, ETS_ADD, ETS_MUL };
enum { ETS_MAX_PERIOD = 1000 };

struct ets_form {
    enum ets_part error, trend, season; /* error: not ETS_NONE */
    bool damped;
    size_t period; /* 1: no season */
};

struct ets_state {
    double alpha, beta, gamma, phi;
    double level, trend;
    double *season; /* period, owned: that of time t at t % period */
};
bool
ets_state_init(struct ets_state *s, size_t period, struct error *err) MUST_USE;
void ets_state_fini(struct ets_state *s);

/* Log likelihood of y from the state, which moves on to behind the last value;
 * -infinity where a multiplicative part leaves the positive numbers.  fitted:
 * the forecasts one step ahead, or NULL; *sse: of the errors, relative ones
 * where they are multiplicative. */
double ets_run(const struct ets_form *f, struct ets_state *s, const double *y,
               size_t n, double *fitted, double *sse);
/* Free numbers of a form, with the variance. */
size_t ets_count(const struct ets_form *f);
/* The next n forecasts from time t on, without error. */
void ets_ahead(const struct ets_form *f, const struct ets_state *s, size_t t,
               size_t n, double *out);
/* One step with the error that was drawn; the value. */
double
ets_step(const struct ets_form *f, struct ets_state *s, size_t t, double error);

/* The most likely parameters and first state. */
bool ets_fit(const struct ets_form *f, const double *y, size_t n,
             struct pool *pool, struct progress *progress,
             struct ets_state *first, double *llf, struct error *err) MUST_USE;
#endif
