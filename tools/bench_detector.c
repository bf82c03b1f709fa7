// SPDX-License-Identifier: Apache-2.0
/* bench_detector.c: a detector in a process of its own, for fornix bench frames. */
#include "bench_detector.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bench.h"

enum { READY = 4 /* different frames that are sent in turn */, ON_THE_WAY = 2 };

/* What the process tells when it has sent all. */
struct report {
	double seconds, setup_s;
};

static double own_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static void keep_frame(void *voxels, void *hint)
{
	(void)voxels;
	(void)hint;
}

static bool send_frame(void *socket, const struct bench_detector *d, int n, void *voxels)
{
	char head[200];
	const int len = snprintf(head, sizeof head,
				 "{\"series\":\"bench\",\"frame\":%d,\"shape\":[%zu,%zu],"
				 "\"dtype\":\"uint8\",\"compression\":\"none\"}",
				 n, d->side, d->side);
	zmq_msg_t m;

	if (zmq_send(socket, head, (size_t)len, ZMQ_SNDMORE) < 0 ||
	    zmq_msg_init_data(&m, voxels, d->side * d->side, keep_frame, NULL) != 0)
		return false;
	return zmq_msg_send(&m, socket, 0) >= 0;
}

static bool send_all(void *socket, const struct bench_detector *d, void *const *ready,
		     struct report *r)
{
	int64_t warm_ns = 0;
	char end[80];

	for (int n = 0; n < d->frames; n++) {
		if (n == d->warm)
			warm_ns = fx_now_ns();
		if (!send_frame(socket, d, n, ready[n % READY]))
			return false;
	}
	r->seconds = (double)(fx_now_ns() - warm_ns) * 1e-9;
	snprintf(end, sizeof end, "{\"series\":\"bench\",\"end\":true,\"frames\":%d}", d->frames);
	return zmq_send(socket, end, strlen(end), 0) >= 0;
}

static bool listen_anywhere(void *socket, char *endpoint, size_t size)
{
	const int hwm = ON_THE_WAY;

	zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
	return zmq_bind(socket, "tcp://127.0.0.1:*") == 0 &&
	       zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0;
}

/* The process: tells where it listens, sends, tells how long that took, and stays until the other
 * end of @p stay is closed: what lies in the buffers of a peer is lost with the connection. */
static bool detect(const struct bench_detector *d, void *const *ready, int tell, int stay)
{
	void *zmq = zmq_ctx_new(), *socket = zmq_socket(zmq, ZMQ_PUSH);
	char endpoint[sizeof d->endpoint] = "", byte;
	struct report r = { .setup_s = own_cpu_s() };
	bool ok = socket && listen_anywhere(socket, endpoint, sizeof endpoint) &&
		  write(tell, endpoint, sizeof endpoint) == sizeof endpoint &&
		  send_all(socket, d, ready, &r) && write(tell, &r, sizeof r) == sizeof r;

	ok = read(stay, &byte, 1) == 0 && ok;
	zmq_close(socket);
	zmq_ctx_term(zmq);
	return ok;
}

static void free_frames(void *ready[READY])
{
	for (int i = 0; i < READY; i++)
		free(ready[i]);
}

static bool make_frames(struct bench_detector *d, void *ready[READY])
{
	const size_t size = d->side * d->side;

	for (int i = 0; i < READY; i++) {
		ready[i] = fx_alloc_aligned(size);
		if (!ready[i])
			return false;
		bench_write(ready[i], size, (uint64_t)i << 40);
	}
	d->expect = 0;
	for (int i = 0; i < READY; i++)
		d->expect += bench_read(ready[i], size) *
			     (uint64_t)((d->frames + READY - 1 - i) / READY);
	return true;
}

bool bench_detector_start(struct bench_detector *d)
{
	void *ready[READY] = { NULL };
	int told[2] = { -1, -1 }, stay[2] = { -1, -1 };
	const bool ok =
		make_frames(d, ready) && pipe2(told, O_CLOEXEC) == 0 && pipe2(stay, O_CLOEXEC) == 0;

	d->pid = ok ? fork() : -1;
	if (d->pid == 0) {
		close(told[0]);
		close(stay[1]);
		_exit(detect(d, ready, told[1], stay[0]) ? 0 : 1);
	}
	if (told[1] >= 0)
		close(told[1]);
	if (stay[0] >= 0)
		close(stay[0]);
	free_frames(ready);
	d->told = told[0];
	d->stay = stay[1];
	return d->pid > 0 && read(d->told, d->endpoint, sizeof d->endpoint) == sizeof d->endpoint;
}

bool bench_detector_end(struct bench_detector *d, bool well)
{
	struct report r = { 0 };
	struct rusage u = { .ru_maxrss = 0 };
	int status = -1;
	bool ok = well && d->pid > 0 && read(d->told, &r, sizeof r) == sizeof r;

	if (!ok && d->pid > 0)
		kill(d->pid, SIGKILL); /* it may wait for a peer that has gone */
	if (d->stay >= 0)
		close(d->stay);
	if (d->told >= 0)
		close(d->told);
	if (d->pid > 0 && (wait4(d->pid, &status, 0, &u) != d->pid || status != 0))
		ok = false;
	d->seconds = r.seconds;
	d->setup_s = r.setup_s;
	d->cpu_s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		   (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6 - r.setup_s;
	return ok;
}

bool bench_detector_drain(const struct bench_detector *d, uint64_t *sum)
{
	void *zmq = zmq_ctx_new(), *socket = zmq_socket(zmq, ZMQ_PULL);
	const int hwm = 2 * ON_THE_WAY;
	bool ok = socket && zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm) == 0 &&
		  zmq_connect(socket, d->endpoint) == 0;

	*sum = 0;
	for (int n = 0; ok && n < 2 * d->frames; n++) {
		zmq_msg_t m;

		zmq_msg_init(&m);
		ok = zmq_msg_recv(&m, socket, 0) >= 0;
		if (ok && n % 2)
			*sum += bench_read(zmq_msg_data(&m), zmq_msg_size(&m));
		zmq_msg_close(&m);
	}
	if (socket)
		zmq_close(socket);
	zmq_ctx_term(zmq);
	return ok;
}
