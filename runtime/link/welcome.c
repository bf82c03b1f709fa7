// SPDX-License-Identifier: Apache-2.0
/* welcome.c: what an output tells who has come to it. */
#include "link/welcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "link/seal.h"

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
