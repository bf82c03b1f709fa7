// SPDX-License-Identifier: Apache-2.0
/* acquire/zmq: take frames of a detector from a ZeroMQ socket as a stream of sections. */
#include <fornix/node.h>

#include <string.h>

#include "base/clock.h"
#include "node/framestream.h"

enum { IMAGE, ATTEMPTS }; /* index into ports[] */
enum { PULL, SUB };	  /* index into sockets[] */
enum { WAIT_MS = 20 };

static const char *const sockets[] = { "pull", "sub", NULL };

struct zmq {
	const char *endpoint, *topic; /* options: set before init() */
	struct fx_vec voxel;
	double tile, largest, silence;
	int socket, queue, first, count, hold, reorder;
	bool bind, exposed;

	struct fx_frames frames;      /* owned, from init() to finish() */
	struct fx_framestream stream; /* owned, the same */
	int64_t heard_ns;	      /* when something last came */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_OUT, FX_BLOCK, FX_U8 | FX_U16, 1 << FX_IMAGE, false,
		    "sections as tiles, in order" },
	[ATTEMPTS] = { "attempts", FX_OUT, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16, 1 << FX_IMAGE,
		       false, "each version of a section as it comes, then a record" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct zmq, endpoint), .help = "where frames are, as tcp://192.168.0.9:9999" },
	{ FX_FIELD(struct zmq, socket), .def = PULL, .choices = sockets,
	  .help = "pull takes from a PUSH socket, sub from a PUB socket" },
	{ FX_FIELD(struct zmq, topic), .def_str = "",
	  .help = "with sub: what messages have to begin with" },
	{ FX_FIELD(struct zmq, bind), .help = "listen at endpoint instead of connecting to it" },
	{ FX_FIELD(struct zmq, exposed),
	  .help = "with bind: also where other machines, whoever they are, can send frames" },
	{ FX_FIELD(struct zmq, queue), .def = 8, .min = 1, .max = 100000,
	  .help = "messages that wait in the socket at most: what a kill can lose" },
	{ FX_FIELD(struct zmq, largest), .def = 256, .min = 0.001, .max = 2047, .unit = "MiB",
	  .help = "larger frames are refused" },
	{ FX_FIELD(struct zmq, voxel), .def_str = "8 8 8", .unit = "nm", .min = 1e-3, .max = 1e9,
	  .help = "voxel size z y x" },
	{ FX_FIELD(struct zmq, tile), .def = 4, .min = 0.001, .max = 64, .unit = "MiB",
	  .help = "most that is sent at once" },
	{ FX_FIELD(struct zmq, first), .min = -1, .max = INT32_MAX,
	  .help = "number of the first section; -1 is the first that comes" },
	{ FX_FIELD(struct zmq, count), .max = FX_FRAME_JUMP,
	  .help = "end after this many sections; 0 is the end of the series" },
	{ FX_FIELD(struct zmq, reorder), .def = 4, .max = 1024,
	  .help = "a section is missing when one more than this much later has come" },
	{ FX_FIELD(struct zmq, hold), .max = 1024,
	  .help = "wait for a newer version until a section this much later has come" },
	{ FX_FIELD(struct zmq, silence), .max = 1e7, .unit = "s",
	  .help = "end when nothing has come for this long after the first; 0 is never" },
	{ 0 },
};

static int zmq_init(struct fx_node *node, void *state)
{
	struct zmq *s = state;
	struct fx_error err = { 0 };
	const struct fx_frames_config config = {
		.endpoint = s->endpoint,
		.subscribe = s->socket == SUB,
		.topic = s->topic,
		.bind = s->bind,
		.exposed = s->exposed,
		.queue = s->queue,
		.largest = (int64_t)(s->largest * (1 << 20)),
	};

	s->stream = (struct fx_framestream){ .image = IMAGE,
					     .attempts = ATTEMPTS,
					     .tile = s->tile,
					     .first = s->first,
					     .count = s->count,
					     .queue = { .hold = s->hold, .reorder = s->reorder } };
	memcpy(s->stream.voxel_nm, s->voxel.v, sizeof s->stream.voxel_nm);
	if (fx_framestream_init(&s->stream, node) < 0)
		return FX_EIO;
	return fx_frames_open(&s->frames, &config, &err) < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int zmq_message(struct fx_node *node, struct zmq *s, struct fx_frame *f)
{
	const char *ours = s->stream.open.reason, *series = f->header.series;

	if (s->stream.opened && series[0] && ours[0] && strcmp(ours, series) != 0)
		return fx_fail(node, FX_EINVAL,
			       "series \"%s\" begins, and \"%s\" has not ended: a run takes one "
			       "series",
			       series, ours);
	if (f->header.kind == FX_FRAME_END)
		return fx_framestream_ends(&s->stream, node, f->header.frames);
	return f->header.kind == FX_FRAME_IMAGE ? fx_framestream_image(&s->stream, node, f) : FX_OK;
}

static int zmq_receive(struct fx_node *node, struct zmq *s)
{
	struct fx_error err = { 0 };
	struct fx_frame f = { 0 };
	int result = fx_frames_next(&s->frames, WAIT_MS, &f, &err);
	const int64_t now = fx_now_ns();

	if (result == FX_IDLE) {
		if (s->stream.opened && s->silence > 0 &&
		    (double)(now - s->heard_ns) > s->silence * 1e9)
			return fx_framestream_ends(&s->stream, node, -1);
		return FX_IDLE;
	}
	s->heard_ns = now;
	if (result == FX_ENOMEM)
		return fx_fail_error(node, &err);
	if (result < 0) {
		s->stream.refused++;
		fx_warn(node, "a message is not read: %s", err.text);
		return FX_OK;
	}
	result = zmq_message(node, s, &f);
	fx_frame_fini(&f);
	return result;
}

static int zmq_process(struct fx_node *node, void *state)
{
	struct zmq *s = state;
	int result;

	if (fx_stopping(node))
		return FX_END;
	if (!s->stream.live) {
		s->heard_ns = fx_now_ns();
		return fx_framestream_replay(&s->stream, node);
	}
	result = fx_framestream_next(&s->stream, node);
	return result == FX_IDLE ? zmq_receive(node, s) : result;
}

static int zmq_drain(struct fx_node *node, void *state)
{
	struct zmq *s = state;

	return fx_framestream_drain(&s->stream, node);
}

static int zmq_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct zmq *s = state;

	(void)node;
	fx_framestream_save(&s->stream, to);
	return FX_OK;
}

static int zmq_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct zmq *s = state;

	(void)node;
	return fx_framestream_load(&s->stream, from);
}

static void zmq_finish(void *state)
{
	struct zmq *s = state;

	fx_frames_close(&s->frames);
	fx_framestream_fini(&s->stream);
}

FX_NODE(acquire_zmq) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/zmq",
	.summary = "take frames of a detector from a ZeroMQ socket as a stream of sections",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct zmq),
	.init = zmq_init,
	.process = zmq_process,
	.drain = zmq_drain,
	.finish = zmq_finish,
	.save = zmq_save,
	.load = zmq_load,
};
