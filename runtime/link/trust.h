// SPDX-License-Identifier: Apache-2.0
/* trust.h: only those who hold an allowed key get a word in (ZeroMQ's CURVE and ZAP).
 *
 * Every listening socket is a CURVE server; a thread of the process answers who may connect at
 * once, whatever the node computes. What is refused never reaches a socket: it gets nothing, is
 * counted, and is told to the log once. A peer that does not finish its handshake is dropped. */
#ifndef FX_LINK_TRUST_H
#define FX_LINK_TRUST_H

#include <stdatomic.h>
#include <stdint.h>

#include "link/keys.h"

enum {
	FX_TRUST_HANDSHAKE_MS = 3000, /**< within which a peer has to say who it is */
	FX_TRUST_SERVERS = 32,	      /**< most listening sockets of one process */
};

struct fx_trust;

/** For the sockets of context @p zmq. @p keys are copied. @p refused counts the peers that were
 * refused. NULL with a reason. At most one for a context. */
struct fx_trust *fx_trust_new(void *zmq, const struct fx_keys *keys, _Atomic uint64_t *refused,
			      struct fx_error *err);
/** Before @p socket is bound: it takes only peers with an allowed key. Not after the start. */
int fx_trust_server(struct fx_trust *t, void *socket, struct fx_error *err);
/** Before @p socket is connected: it shows the own key, and talks to none but the own key. */
int fx_trust_client(const struct fx_trust *t, void *socket, struct fx_error *err);
/** Begins to let peers in; before it they wait. */
int fx_trust_start(struct fx_trust *t, struct fx_error *err);
/** When all sockets are closed: ends the thread, and with it all work of the context, which is then
 * only to be terminated. Takes NULL. */
void fx_trust_free(struct fx_trust *t);

#endif
