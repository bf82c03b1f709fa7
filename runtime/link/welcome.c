// SPDX-License-Identifier: Apache-2.0
/* welcome.c: what an output tells who has come to it. */
#include "link/welcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include <fornix/log.h>

#include "link/seal.h"

enum { REFUSALS_TOLD = 32 };

bool fx__welcome(void *socket, const struct fx_outlet_config *c, const void *route, size_t size)
{
	struct fx_control w = { .kind = FX_CONTROL_WELCOME,
				.instance = c->instance,
				.epoch = c->epoch };
	void *bytes;
	size_t bytes_size;
	bool there;

	snprintf(w.node, sizeof w.node, "%s", c->node);
	snprintf(w.port, sizeof w.port, "%s", c->port);
	if (fx_control_encode(&w, &bytes, &bytes_size, NULL) < 0)
		return true;
	fx__seal_add(&bytes, &bytes_size, NULL, 0, NULL);
	there = zmq_send(socket, route, size, ZMQ_SNDMORE) >= 0 &&
		zmq_send(socket, bytes, bytes_size, 0) >= 0;
	free(bytes);
	return there;
}

void fx__refuse(void *socket, const struct fx_outlet_config *c, unsigned *refusals, void *route,
		void *body, const char *why)
{
	const int version = fx_wire_version(zmq_msg_data(body), zmq_msg_size(body));
	const char *from = zmq_msg_data(route);
	char peer[64] = "";

	if ((*refusals)++ >= REFUSALS_TOLD)
		return;
	for (size_t i = 0; i < zmq_msg_size(route) && i + 1 < sizeof peer; i++)
		peer[i] = '!' <= from[i] && from[i] <= '~' ? from[i] : '?';
	fx_log(FX_LOG_WARN, "refused a control message of %s to %s.%s: %s%s", peer, c->node,
	       c->port, why, *refusals == REFUSALS_TOLD ? "; no more are told" : "");
	if (version >= 0 && version != FX_WIRE_VERSION)
		fx__welcome(socket, c, from, zmq_msg_size(route));
}
