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
	void *zmq, *socket;
	char endpoint[256];
	size_t height, width;
};

static inline struct detector detector_new(int type, const char *folder, const char *name)
{
	const int linger = 0;
	struct detector d = { .zmq = zmq_ctx_new(), .height = 6, .width = 10 };

	d.socket = zmq_socket(d.zmq, type);
	snprintf(d.endpoint, sizeof d.endpoint, "ipc://%s/%s", folder, name);
	zmq_setsockopt(d.socket, ZMQ_LINGER, &linger, sizeof linger);
	assert_int_equal(zmq_bind(d.socket, d.endpoint), 0);
	return d;
}

static inline void detector_free(struct detector *d)
{
	zmq_close(d->socket);
	zmq_ctx_term(d->zmq);
}

/** Until the socket knows that nobody listens: what it sends before that goes to who was killed. */
static inline void detector_alone(const struct detector *d)
{
	int events = ZMQ_POLLOUT;
	size_t size = sizeof events;

	for (int ms = 0; events & ZMQ_POLLOUT; ms++) {
		assert_true(ms < 20000);
		fx_sleep_ms(1);
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
