// SPDX-License-Identifier: Apache-2.0
/* frames.c: messages of a detector from a ZeroMQ socket. */
#include "node/frames.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/alloc.h"

/* Reached from this machine alone. */
static bool is_local(const char *endpoint)
{
	const char *address = endpoint + 6;

	if (strncmp(endpoint, "ipc://", 6) == 0)
		return true;
	if (strncmp(endpoint, "tcp://", 6) != 0)
		return false;
	return strncmp(address, "localhost:", 10) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
	       (strncmp(address, "127.", 4) == 0 && address[strspn(address, "0123456789.")] == ':');
}

/* Frames are large and come without end: their memory is used again, and not given back and got
 * anew, which costs more than to copy them. */
static void keep_memory(void)
{
	mallopt(M_MMAP_MAX, 0);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_ARENA_MAX, 1);
}

int fx_frames_open(struct fx_frames *f, const struct fx_frames_config *c, struct fx_error *err)
{
	const int zero = 0;
	int failed;

	keep_memory();

	if (c->bind && !c->exposed && !is_local(c->endpoint))
		return fx_error_set(
			err, FX_EINVAL,
			"%s could be reached from other machines: bind to 127.0.0.1, or "
			"say exposed: true",
			c->endpoint);
	f->zmq = zmq_ctx_new();
	f->socket = f->zmq ? zmq_socket(f->zmq, c->subscribe ? ZMQ_SUB : ZMQ_PULL) : NULL;
	if (!f->socket) {
		fx_frames_close(f);
		return fx_error_set(err, FX_EIO, "cannot make a socket: %s", zmq_strerror(errno));
	}
	zmq_setsockopt(f->socket, ZMQ_RCVHWM, &c->queue, sizeof c->queue);
	zmq_setsockopt(f->socket, ZMQ_LINGER, &zero, sizeof zero);
	zmq_setsockopt(f->socket, ZMQ_MAXMSGSIZE, &c->largest, sizeof c->largest);
	if (c->subscribe)
		zmq_setsockopt(f->socket, ZMQ_SUBSCRIBE, c->topic, strlen(c->topic));
	failed = c->bind ? zmq_bind(f->socket, c->endpoint) : zmq_connect(f->socket, c->endpoint);
	if (failed) {
		failed = errno;
		fx_frames_close(f);
		return fx_error_set(err, FX_EIO, "cannot %s %s: %s",
				    c->bind ? "bind" : "connect to", c->endpoint,
				    zmq_strerror(failed));
	}
	return FX_OK;
}

void fx_frames_close(struct fx_frames *f)
{
	if (f->socket)
		zmq_close(f->socket);
	if (f->zmq)
		zmq_ctx_term(f->zmq);
	memset(f, 0, sizeof *f);
}

/* Receives all parts; those above FX_FRAME_PARTS are counted and dropped. */
static size_t receive_parts(void *socket, zmq_msg_t parts[FX_FRAME_PARTS])
{
	size_t n = 0;
	bool more = true;

	for (; more; n++) {
		zmq_msg_t beyond, *to = n < FX_FRAME_PARTS ? &parts[n] : &beyond;

		zmq_msg_init(to);
		if (zmq_msg_recv(to, socket, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(to);
			return n;
		}
		more = zmq_msg_more(to) != 0;
		if (to == &beyond)
			zmq_msg_close(to);
	}
	return n;
}

static int keep_voxels(struct fx_frame *frame, zmq_msg_t *part, struct fx_error *err)
{
	zmq_msg_t *kept = malloc(sizeof *kept);

	if (!kept)
		return fx_error_set(err, FX_ENOMEM, "no memory for a frame");
	zmq_msg_init(kept);
	zmq_msg_move(kept, part);
	frame->voxels = kept;
	return FX_OK;
}

int fx_frames_next(struct fx_frames *f, int wait_ms, struct fx_frame *frame, struct fx_error *err)
{
	zmq_pollitem_t item = { .socket = f->socket, .events = ZMQ_POLLIN };
	zmq_msg_t parts[FX_FRAME_PARTS];
	struct iovec views[FX_FRAME_PARTS];
	size_t len, kept;
	int result;

	memset(frame, 0, sizeof *frame);
	if (zmq_poll(&item, 1, wait_ms) <= 0)
		return FX_IDLE;
	len = receive_parts(f->socket, parts);
	kept = len < FX_FRAME_PARTS ? len : FX_FRAME_PARTS;
	for (size_t i = 0; i < kept; i++)
		views[i] = (struct iovec){ zmq_msg_data(&parts[i]), zmq_msg_size(&parts[i]) };
	if (!len)
		return FX_IDLE;
	result = len > FX_FRAME_PARTS ? fx_error_set(err, FX_ETYPE, "a message of %zu parts", len) :
					fx_frameheader_parse(views, len, &frame->header, err);
	if (result == FX_OK && frame->header.kind == FX_FRAME_IMAGE)
		result = keep_voxels(frame, &parts[frame->header.part], err);
	for (size_t i = 0; i < kept; i++)
		zmq_msg_close(&parts[i]);
	return result;
}

const void *fx_frame_bytes(const struct fx_frame *frame, size_t *size)
{
	zmq_msg_t *m = frame->voxels;

	*size = zmq_msg_size(m);
	return zmq_msg_data(m);
}

void fx_frame_fini(struct fx_frame *frame)
{
	if (frame->voxels)
		zmq_msg_close(frame->voxels);
	free(frame->voxels);
	memset(frame, 0, sizeof *frame);
}

/* Place of the first that is not before @p section. */
static size_t queue_place(const struct fx_frame_queue *a, int64_t section)
{
	size_t i = 0;

	while (i < a->len && a->held[i].header.section < section)
		i++;
	return i;
}

bool fx_frame_queue_put(struct fx_frame_queue *a, struct fx_frame *frame)
{
	const int64_t section = frame->header.section;
	const size_t i = queue_place(a, section);

	if (section < a->next)
		return false;
	if (i < a->len && a->held[i].header.section == section) {
		struct fx_frame *old = &a->held[i];

		if (frame->refused[0] ||
		    (!old->refused[0] && old->header.version >= frame->header.version))
			return false;
		fx_frame_fini(old);
	} else {
		if (!fx_grow(&a->held, &a->cap, a->len + 1, sizeof *a->held))
			return false;
		memmove(&a->held[i + 1], &a->held[i], (a->len - i) * sizeof *a->held);
		a->len++;
	}
	a->held[i] = *frame;
	memset(frame, 0, sizeof *frame);
	if (section >= a->highest)
		a->highest = section + 1;
	return true;
}

int fx_frame_queue_next(struct fx_frame_queue *a, bool ending, struct fx_frame *frame)
{
	const bool there = a->len && a->held[0].header.section == a->next;
	const int64_t behind = a->highest - 1 - a->next; /* later ones have come this far */

	if (there && (ending || behind >= a->hold)) {
		*frame = a->held[0];
		memmove(a->held, a->held + 1, --a->len * sizeof *a->held);
		return FX_OK;
	}
	if (!there && behind > 0 && (ending || behind > a->reorder))
		return FX_ENOENT;
	return ending && !a->len ? FX_END : FX_IDLE;
}

void fx_frame_queue_fini(struct fx_frame_queue *a)
{
	for (size_t i = 0; i < a->len; i++)
		fx_frame_fini(&a->held[i]);
	free(a->held);
	a->held = NULL;
	a->len = a->cap = 0;
}
