// SPDX-License-Identifier: Apache-2.0
/* detector.h: a detector that sends frames over ZeroMQ. Include after support/test.h. */
#ifndef FX_TESTS_DETECTOR_H
#define FX_TESTS_DETECTOR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"

struct detector {
	void *zmq, *socket, *events; /* events: when a peer has gone */
	char endpoint[256];
	size_t height, width;
};

static inline struct detector detector_new(int type, const char *folder, const char *name)
{
	const int linger = 0, patience = 60000;
	struct detector d = { .zmq = zmq_ctx_new(), .height = 6, .width = 10 };

	d.socket = zmq_socket(d.zmq, type);
	snprintf(d.endpoint, sizeof d.endpoint, "ipc://%s/%s", folder, name);
	zmq_setsockopt(d.socket, ZMQ_LINGER, &linger, sizeof linger);
	assert_int_equal(zmq_socket_monitor(d.socket, "inproc://events",
					    ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED),
			 0);
	d.events = zmq_socket(d.zmq, ZMQ_PAIR);
	zmq_setsockopt(d.events, ZMQ_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(zmq_connect(d.events, "inproc://events"), 0);
	assert_int_equal(zmq_bind(d.socket, d.endpoint), 0);
	return d;
}

static inline void detector_free(struct detector *d)
{
	zmq_close(d->events);
	zmq_close(d->socket);
	zmq_ctx_term(d->zmq);
}

/** The next that a peer did: ZMQ_EVENT_ACCEPTED or ZMQ_EVENT_DISCONNECTED; 0 when there is nothing,
 * with @p flags 0 after a minute. */
static inline int detector_event(const struct detector *d, int flags)
{
	uint8_t event[6]; /* 16 bit of what, 32 of a value */
	char address[256];
	uint16_t what;

	if (zmq_recv(d->events, event, sizeof event, flags) < 0)
		return 0;
	zmq_recv(d->events, address, sizeof address, 0);
	memcpy(&what, event, sizeof what);
	return what;
}

/** Behind the death of its only peer: until the socket knows of it, as what it sends before that
 * goes to who was killed. Another peer may have come by then. */
static inline void detector_alone(const struct detector *d)
{
	int what = 0, events = ZMQ_POLLOUT;
	size_t size = sizeof events;

	while (what != ZMQ_EVENT_DISCONNECTED) {
		what = detector_event(d, 0);
		assert_int_not_equal(what, 0);
	}
	for (int ms = 0; events & ZMQ_POLLOUT && what != ZMQ_EVENT_ACCEPTED; ms++) {
		assert_true(ms < 60000);
		fx_sleep_ms(1);
		what = detector_event(d, ZMQ_DONTWAIT);
		assert_int_equal(zmq_getsockopt(d->socket, ZMQ_EVENTS, &events, &size), 0);
	}
}

static inline void detector_text(const struct detector *d, const char *text, bool more)
{
	const size_t len = strlen(text);

	assert_int_equal(zmq_send(d->socket, text, len, more ? ZMQ_SNDMORE : 0), (int)len);
}

/** Voxel i of frame n of version v. */
static inline uint8_t detector_voxel(long n, long v, size_t i)
{
	return (uint8_t)(n * 40 + v * 7 + (long)i);
}

/** One frame as fornix simulate sends it; @p rest: more members, such as ",\"section\":3". */
static inline void detector_frame(const struct detector *d, long n, long version, const char *rest)
{
	const size_t len = d->height * d->width;
	uint8_t *voxels = malloc(len);
	char text[256];

	assert_non_null(voxels);
	for (size_t i = 0; i < len; i++)
		voxels[i] = detector_voxel(n, version, i);
	snprintf(text, sizeof text,
		 "{\"series\":\"a\",\"frame\":%ld,\"version\":%ld,\"shape\":[%zu,%zu],\"dtype\":"
		 "\"uint8\",\"compression\":\"none\"%s}",
		 n, version, d->height, d->width, rest);
	detector_text(d, text, true);
	assert_int_equal(zmq_send(d->socket, voxels, len, 0), (int)len);
	free(voxels);
}

static inline void detector_end(const struct detector *d, long frames)
{
	char text[80];

	snprintf(text, sizeof text, "{\"series\":\"a\",\"end\":true,\"frames\":%ld}", frames);
	detector_text(d, text, false);
}

#endif
