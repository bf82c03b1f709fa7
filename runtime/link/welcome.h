// SPDX-License-Identifier: Apache-2.0
/* welcome.h: what an output tells who has come to it. */
#ifndef FX_LINK_WELCOME_H
#define FX_LINK_WELCOME_H

#include "link/outlet.h"

/* Sends a WELCOME of the output of @p c by the ROUTER @p socket. False when it tells (by
 * ZMQ_ROUTER_MANDATORY) that the peer is not there any more. */
bool fx__welcome(void *socket, const struct fx_outlet_config *c, const void *route, size_t size);
/* Says why a control message (@p route and @p body: zmq_msg_t) was refused, and shows a peer of
 * another version which one is spoken here. Not without end: whoever sends rubbish fills neither
 * the log nor a queue. @p refusals counts them. */
void fx__refuse(void *socket, const struct fx_outlet_config *c, unsigned *refusals, void *route,
		void *body, const char *why);

#endif
