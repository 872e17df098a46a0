/* ui/view_endpoints.h -- the Endpoints view: its state, and what its parts
 * share.  Private to view_endpoints*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_VIEW_ENDPOINTS_H
#define LATHE_UI_VIEW_ENDPOINTS_H

#include "base/loop.h"
#include "serve/endpoint.h"
#include "session/plot.h"
#include "ui/loader.h"
#include "ui/view.h"

enum { ENDPOINTS_HISTORY = 300 }; /* polls kept: five minutes */
enum {
    ENDPOINTS_REGION_LIST,
    ENDPOINTS_REGION_CHART,
    ENDPOINTS_REGION_DRIFT,
    ENDPOINTS_REGION_DETAIL
};

/* What one poll brings. */
struct endpoints_poll {
    struct deployment_list list;
    struct endpoint_status *status; /* one for each */
};

/* What is remembered of one endpoint between polls. */
struct endpoints_track {
    char name[ENDPOINT_NAME_MAX + 1];
    double time[ENDPOINTS_HISTORY], p50[ENDPOINTS_HISTORY],
        p99[ENDPOINTS_HISTORY];
    size_t n;        /* polls kept, oldest first */
    uint64_t cpu_us; /* at the last poll */
    int64_t cpu_at_ms;
    int64_t cpu_pid;
    double cpu_percent; /* NaN: not known yet */
};

struct view_endpoints {
    struct view view;
    struct tether *tether; /* of the requests under way */
    struct loader *loader;
    struct plotter *plotter;
    struct endpoints_poll poll;
    struct endpoints_track *track;
    size_t n_tracks;
    struct list list, features;
    const struct endpoint_feature **drift; /* of the poll, the worst first */
    struct pager answer;                   /* of the last request */
    bool loaded;
    char error[ERROR_MESSAGE_MAX];
    struct loop_watch *timer;
    struct plot_image image;
    int want_w, want_h;
    char pending[320];
    char current[ENDPOINT_NAME_MAX + 1];
};

static inline struct view_endpoints *
endpoints_mine(struct view *v)
{
    return (struct view_endpoints *)v;
}

/* ---- view_endpoints.c ---- */
const struct deployment *endpoints_at_cursor(const struct view_endpoints *e);
const struct endpoint_status *
endpoints_status_at_cursor(const struct view_endpoints *e);

/* ---- view_endpoints_poll.c ---- */
/* While the view is shown it asks every endpoint once a second; hidden, it
 * asks nothing. */
void endpoints_poll_init(struct view_endpoints *e);
void endpoints_poll_fini(struct view_endpoints *e);
void endpoints_poll_run(struct view_endpoints *e, bool on);
/* NULL: nothing is known of it yet. */
struct endpoints_track *
endpoints_track_of(struct view_endpoints *e, const char *name);

/* ---- view_endpoints_draw.c ---- */
void endpoints_ask_chart(struct view_endpoints *e);
/* Order the inputs of the endpoint under the cursor anew. */
void endpoints_rank_drift(struct view_endpoints *e);
/* The cursor moved: the chart follows. */
void endpoints_moved(struct view_endpoints *e);
void endpoints_list_draw(struct view *v, const struct canvas *c);
void endpoints_list_title(struct view *v, struct buf *left, struct buf *right);
void endpoints_chart_draw(struct view *v, const struct canvas *c);
void endpoints_chart_title(struct view *v, struct buf *left, struct buf *right);
void endpoints_drift_draw(struct view *v, const struct canvas *c);
void endpoints_drift_title(struct view *v, struct buf *left, struct buf *right);
void endpoints_detail_draw(struct view *v, const struct canvas *c);
void
endpoints_detail_title(struct view *v, struct buf *left, struct buf *right);
#endif
