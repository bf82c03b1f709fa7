// SPDX-License-Identifier: Apache-2.0
/* acquire/recording: play a recording: the same messages and marks in the same order. */
#include <fornix/node.h>

#include "base/clock.h"
#include "node/recording.h"

enum { OUT };			 /* index into ports[] */
enum { ORIGINAL, MAXIMAL };	 /* index into speeds[] */
enum { NAP_NS = 100 * 1000000 }; /* as long as the host waits when there is nothing yet */

enum {
	ANY_DTYPE = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F16 | FX_F32,
	ANY_KIND = FX_BLOCK | FX_TREE | FX_RECORD,
};

static const char *const speeds[] = { "original", "maximal", NULL };

struct recording {
	const char *path; /* options: set before init() */
	int speed;
	double factor;

	struct fx_recording played; /* owned, from init() to finish() */
	size_t next;
	int64_t start_ns;
};

static const struct fx_port ports[] = {
	[OUT] = { "out", FX_OUT, ANY_KIND, ANY_DTYPE, 0, false, "what was recorded" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct recording, path), .path = FX_PATH_READ,
	  .help = "folder of the recording" },
	{ FX_FIELD(struct recording, speed), .def = MAXIMAL, .choices = speeds,
	  .help = "original keeps the times at which messages came; maximal waits for nothing" },
	{ FX_FIELD(struct recording, factor), .def = 1, .min = 0.001, .max = 1000,
	  .help = "how many times as fast the original speed is played" },
	{ 0 },
};

static int recording_init(struct fx_node *node, void *state)
{
	struct recording *s = state;
	struct fx_error err = { 0 };

	if (fx_recording_open(&s->played, s->path, &err) < 0)
		return fx_fail_error(node, &err);
	if (!s->played.complete)
		fx_warn(node, "the recording %s is not complete, see its recording.json", s->path);
	return FX_OK;
}

/* Nanoseconds until the next message is due. */
static int64_t recording_wait(struct recording *s)
{
	const int64_t now = fx_now_ns();
	const double at = (double)fx_recording_ns(&s->played, s->next) / s->factor;

	if (!s->start_ns)
		s->start_ns = now;
	return s->speed == MAXIMAL ? 0 : (int64_t)at - (now - s->start_ns);
}

static int recording_send(struct fx_node *node, const struct fx_envelope *e)
{
	switch (e->kind) {
	case FX_BLOCK:
		return fx_send(node, OUT, e->message);
	case FX_TREE:
		return fx_send_tree(node, OUT, e->message);
	case FX_RECORD:
		return fx_send_record(node, OUT, e->message);
	case FX_NOTHING:
		break;
	}
	if (e->mark.kind == FX_MARK_SKIP || e->mark.kind == FX_MARK_END)
		return FX_OK; /* the host's own */
	return fx_send_mark(node, OUT, &e->mark);
}

static int recording_process(struct fx_node *node, void *state)
{
	struct recording *s = state;
	struct fx_error err = { 0 };
	struct fx_envelope e;
	int64_t wait;

	if (fx_stopping(node) || s->next >= s->played.len)
		return FX_END;
	wait = recording_wait(s);
	if (wait > NAP_NS)
		return FX_IDLE;
	if (wait > 0)
		fx_sleep_ms((wait + 999999) / 1000000);
	if (fx_recording_get(&s->played, s->next++, &e, &err) < 0)
		return fx_fail_error(node, &err);
	return recording_send(node, &e);
}

static void recording_finish(void *state)
{
	struct recording *s = state;

	fx_recording_close(&s->played);
}

FX_NODE(acquire_recording) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/recording",
	.summary = "play a recording: the same messages and marks in the same order",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct recording),
	.init = recording_init,
	.process = recording_process,
	.finish = recording_finish,
};
