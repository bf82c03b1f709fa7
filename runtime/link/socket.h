// SPDX-License-Identifier: Apache-2.0
/* socket.h: the ZeroMQ sockets of links. */
#ifndef FX_LINK_SOCKET_H
#define FX_LINK_SOCKET_H

#include <stdint.h>

#include <fornix/error.h>

/** A socket of @p type without high-water marks (credit bounds what is under way), that waits for
 * nothing when it is closed and refuses frames above @p max bytes. zmq_close(). NULL with FX_EIO.
 */
void *fx__socket_new(void *zmq, int type, int64_t max, struct fx_error *err);

#endif
