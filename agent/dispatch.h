/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dispatch - message kind -> handler, and who may ask for it. */
#ifndef MEALY_DISPATCH_H
#define MEALY_DISPATCH_H

#include <ev.h>

#include "sockets.h"

/* Answers 'request', now or later, exactly once. */
void dispatch(struct request *request);

/* Handlers, by file. */
void handle_deployments(struct request *rq); /* handle_show.c */
void handle_switch(struct request *rq);
void handle_ports(struct request *rq);
void handle_tables(struct request *rq);
void handle_counters(struct request *rq); /* handle_counter.c */
void handle_reset_counters(struct request *rq);
void handle_globals(struct request *rq); /* handle_global.c */
void handle_set_global(struct request *rq);
void handle_groups(struct request *rq);
void handle_meters(struct request *rq);
void handle_reset_meter(struct request *rq);
void handle_dump(struct request *rq); /* handle_flow.c */
void handle_flow(struct request *rq);
void handle_entries(struct request *rq); /* handle_entry.c */
void handle_get_entries(struct request *rq);
void handle_bundle(struct request *rq); /* handle_bundle.c */
void handle_bundles(struct request *rq);
void bundles_on_due(struct ev_loop *loop, ev_timer *timer, int events);
void handle_forget_port(struct request *rq); /* handle_port.c */
void handle_subscribe(struct request *rq);   /* handle_packet.c */
void handle_packet_out(struct request *rq);
void handle_trace(struct request *rq);

#endif
