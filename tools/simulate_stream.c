// SPDX-License-Identifier: Apache-2.0
/* simulate_stream.c: images as ZeroMQ messages, as a detector sends them. */
#include "simulate.h"

#include <errno.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"

enum { QUEUE_SIZE = 64 << 20, QUEUE_MAX = 1000, WAIT_MS = 50 };

static const int64_t PATIENCE_NS = 3000000000;

struct stream {
	struct sim_out out;
	const struct sim_options *o; /* borrowed */
	void *zmq, *socket, *monitor;
	int peers;	  /* connections that there are now */
	zmq_msg_t voxels; /* the room, when it is not compressed */
	bool has_voxels, has_peer, ended;
	int64_t patient_ns; /* until then the end is tried to be told, also when stopped */
	void *room;	    /* owned; else, and what comes of it */
	char *packed;
	size_t room_size, packed_size;
};

static const char *type_name(enum fx_dtype dtype)
{
	return dtype == FX_U8 ? "uint8" : "uint16";
}

static bool is_packed(const struct stream *s)
{
	return strcmp(s->o->compression, "lz4") == 0;
}

static void *packing_room(struct stream *s, size_t size)
{
	if (size > LZ4_MAX_INPUT_SIZE)
		return NULL;
	if (size > s->room_size) {
		free(s->room);
		free(s->packed);
		s->packed_size = (size_t)LZ4_compressBound((int)size);
		s->room = fx_alloc_aligned(size);
		s->packed = malloc(s->packed_size);
		s->room_size = s->room && s->packed ? size : 0;
	}
	return s->room_size ? s->room : NULL;
}

static void *stream_room(struct sim_out *out, size_t size)
{
	struct stream *s = (struct stream *)out;

	if (is_packed(s))
		return packing_room(s, size);
	if (s->has_voxels)
		zmq_msg_close(&s->voxels);
	s->has_voxels = zmq_msg_init_size(&s->voxels, size) == 0;
	return s->has_voxels ? zmq_msg_data(&s->voxels) : NULL;
}

static int refused(const struct stream *s, struct fx_error *err)
{
	return fx_error_set(err, FX_EIO, "%s: cannot send: %s", s->o->out, zmq_strerror(errno));
}

/* A publisher begins when somebody listens. */
static int await_peer(struct stream *s, struct fx_error *err)
{
	char word[256];

	while (!s->has_peer) {
		if (zmq_recv(s->socket, word, sizeof word, 0) > 0)
			s->has_peer = word[0] == 1;
		else if (errno != EAGAIN && errno != EINTR)
			return refused(s, err);
		else if (s->out.stop(s->out.arg))
			return FX_IDLE;
	}
	return FX_OK;
}

/* Sends one part, waiting for a peer with room for it. FX_IDLE when stopped. */
static int send_part(struct stream *s, zmq_msg_t *part, int flags, struct fx_error *err)
{
	while (zmq_msg_send(part, s->socket, flags) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return refused(s, err);
		if (s->out.stop(s->out.arg) && fx_now_ns() >= s->patient_ns)
			return FX_IDLE;
	}
	return FX_OK;
}

static int send_json(struct stream *s, json_t *j, int flags, struct fx_error *err)
{
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	const size_t len = text ? strlen(text) : 0;
	zmq_msg_t part;
	int result = FX_ENOMEM;

	json_decref(j);
	if (text && zmq_msg_init_size(&part, len) == 0) {
		memcpy(zmq_msg_data(&part), text, len);
		result = send_part(s, &part, flags, err);
		zmq_msg_close(&part);
	}
	free(text);
	return result == FX_ENOMEM ? fx_error_set(err, result, "no memory for a message") : result;
}

static json_t *header(const struct stream *s, const struct sim_frame *f)
{
	char series[40];

	snprintf(series, sizeof series, "fornix-%llu", (unsigned long long)s->o->microscope.seed);
	return json_pack("{s:s, s:I, s:I, s:i, s:I, s:[I, I], s:s, s:s}", "series", series, "frame",
			 (json_int_t)s->out.frames, "section", (json_int_t)f->section, "tile",
			 f->tile < 0 ? 0 : f->tile, "version", (json_int_t)f->version, "shape",
			 (json_int_t)f->height, (json_int_t)f->width, "dtype", type_name(f->dtype),
			 "compression", s->o->compression);
}

static int pack(struct stream *s, size_t size, struct fx_error *err)
{
	const int n = LZ4_compress_default(s->room, s->packed, (int)size, (int)s->packed_size);

	if (n <= 0 || zmq_msg_init_size(&s->voxels, (size_t)n) != 0)
		return fx_error_set(err, FX_ENOMEM, "no memory for a message");
	memcpy(zmq_msg_data(&s->voxels), s->packed, (size_t)n);
	s->has_voxels = true;
	return FX_OK;
}

static int stream_put(struct sim_out *out, const struct sim_frame *f, char name[SIM_NAME_MAX],
		      struct fx_error *err)
{
	struct stream *s = (struct stream *)out;
	int result = s->o->pub ? await_peer(s, err) : FX_OK;

	if (result == FX_OK && is_packed(s))
		result = pack(s, f->height * f->width * fx_dtype_size(f->dtype), err);
	if (result == FX_OK)
		result = send_json(s, header(s, f), ZMQ_SNDMORE, err);
	if (result != FX_OK)
		return result;
	out->bytes += zmq_msg_size(&s->voxels);
	result = send_part(s, &s->voxels, 0, err);
	zmq_msg_close(&s->voxels);
	s->has_voxels = false;
	snprintf(name, SIM_NAME_MAX, "%llu", (unsigned long long)out->frames);
	out->frames++;
	return result;
}

/* Counts connections that came and went. Waits for a while when there is no news. */
static void count_peers(struct stream *s)
{
	uint8_t event[6]; /* 16 bit of what, 32 of a value */
	char address[256];
	uint16_t what;

	while (zmq_recv(s->monitor, event, sizeof event, 0) >= (int)sizeof what) {
		zmq_recv(s->monitor, address, sizeof address, 0);
		memcpy(&what, event, sizeof what);
		s->peers += what == ZMQ_EVENT_DISCONNECTED ? -1 : 1;
	}
}

/* Stays until the peers have gone: libzmq 4.3 loses what lies in the buffers of a peer that has no
 * room for more when the connection ends. */
static void await_departure(struct stream *s)
{
	const int64_t since = fx_now_ns();
	bool told = s->o->quiet;

	do {
		count_peers(s);
		if (!told && s->peers > 0 && fx_now_ns() - since > PATIENCE_NS) {
			fprintf(stderr, "fornix simulate: all is sent; staying until the peer has "
					"gone (Ctrl-C ends it)\n");
			told = true;
		}
	} while (s->peers > 0 && !s->out.stop(s->out.arg));
}

static int stream_end(struct sim_out *out, struct fx_error *err)
{
	struct stream *s = (struct stream *)out;
	char series[40];
	int result = s->o->pub ? await_peer(s, err) : FX_OK;

	snprintf(series, sizeof series, "fornix-%llu", (unsigned long long)s->o->microscope.seed);
	if (out->frames)
		s->patient_ns = fx_now_ns() + PATIENCE_NS;
	if (result == FX_OK)
		result = send_json(s,
				   json_pack("{s:s, s:b, s:I}", "series", series, "end", 1,
					     "frames", (json_int_t)out->frames),
				   0, err);
	s->ended = result == FX_OK;
	if (s->ended)
		await_departure(s);
	return result;
}

/* Waits until all was taken; when it was stopped before its end, for nothing. */
static void stream_close(struct sim_out *out)
{
	struct stream *s = (struct stream *)out;
	const int linger = s->ended ? -1 : 0;

	if (s->has_voxels)
		zmq_msg_close(&s->voxels);
	if (s->monitor)
		zmq_close(s->monitor);
	if (s->socket) {
		zmq_setsockopt(s->socket, ZMQ_LINGER, &linger, sizeof linger);
		zmq_close(s->socket);
	}
	while (s->zmq && zmq_ctx_term(s->zmq) != 0 && errno == EINTR)
		;
	free(s->room);
	free(s->packed);
	free(s);
}

static int watch_peers(struct stream *s, struct fx_error *err)
{
	static const char place[] = "inproc://peers";
	const int wait = WAIT_MS, zero = 0;

	if (zmq_socket_monitor(s->socket, place,
			       ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED))
		return fx_error_set(err, FX_EIO, "no ZeroMQ monitor: %s", zmq_strerror(errno));
	s->monitor = zmq_socket(s->zmq, ZMQ_PAIR);
	if (!s->monitor || zmq_setsockopt(s->monitor, ZMQ_RCVTIMEO, &wait, sizeof wait) ||
	    zmq_setsockopt(s->monitor, ZMQ_LINGER, &zero, sizeof zero) ||
	    zmq_connect(s->monitor, place))
		return fx_error_set(err, FX_EIO, "no ZeroMQ monitor: %s", zmq_strerror(errno));
	return FX_OK;
}

/* Never drops: as many frames wait as make 64 MiB, at least 2. */
static int connect_peer(struct stream *s, const struct sim_layout *l, struct fx_error *err)
{
	const size_t size = l->height * l->width;
	const int one = 1, wait = WAIT_MS;
	int queue = size < QUEUE_SIZE / QUEUE_MAX ? QUEUE_MAX : (int)(QUEUE_SIZE / size), failed;

	queue = queue < 2 ? 2 : queue;
	s->zmq = zmq_ctx_new();
	s->socket = s->zmq ? zmq_socket(s->zmq, s->o->pub ? ZMQ_XPUB : ZMQ_PUSH) : NULL;
	if (!s->socket)
		return fx_error_set(err, FX_EIO, "no ZeroMQ socket: %s", zmq_strerror(errno));
	zmq_setsockopt(s->socket, ZMQ_SNDHWM, &queue, sizeof queue);
	zmq_setsockopt(s->socket, ZMQ_SNDTIMEO, &wait, sizeof wait);
	zmq_setsockopt(s->socket, ZMQ_RCVTIMEO, &wait, sizeof wait);
	zmq_setsockopt(s->socket, ZMQ_IMMEDIATE, &one, sizeof one);
	if (s->o->pub)
		zmq_setsockopt(s->socket, ZMQ_XPUB_NODROP, &one, sizeof one);
	if (watch_peers(s, err) < 0)
		return FX_EIO;
	failed = s->o->connect ? zmq_connect(s->socket, s->o->out) : zmq_bind(s->socket, s->o->out);
	return failed ? fx_error_set(err, FX_EINVAL, "%s: cannot %s: %s", s->o->out,
				     s->o->connect ? "connect" : "bind", zmq_strerror(errno)) :
			FX_OK;
}

struct sim_out *sim_stream_open(const struct sim_options *o, const struct sim_layout *l,
				struct fx_error *err)
{
	struct stream *s = fx_calloc(1, sizeof *s);

	if (!s) {
		fx_error_set(err, FX_ENOMEM, "no memory");
		return NULL;
	}
	s->o = o;
	s->out = (struct sim_out){ .room = stream_room,
				   .put = stream_put,
				   .end = stream_end,
				   .close = stream_close,
				   .names = "frames" };
	if (connect_peer(s, l, err) == FX_OK)
		return &s->out;
	stream_close(&s->out);
	return NULL;
}
