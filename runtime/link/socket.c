// SPDX-License-Identifier: Apache-2.0
/* socket.c: the ZeroMQ sockets of links. */
#include "link/socket.h"

#include <errno.h>
#include <zmq.h>

void *fx__socket_new(void *zmq, int type, int64_t max, struct fx_error *err)
{
	void *s = zmq_socket(zmq, type);
	const int zero = 0;

	if (!s) {
		fx_error_set(err, FX_EIO, "cannot make a socket: %s", zmq_strerror(errno));
		return NULL;
	}
	zmq_setsockopt(s, ZMQ_SNDHWM, &zero, sizeof zero);
	zmq_setsockopt(s, ZMQ_RCVHWM, &zero, sizeof zero);
	zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero);
	zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &max, sizeof max);
	return s;
}
