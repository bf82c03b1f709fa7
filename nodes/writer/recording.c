// SPDX-License-Identifier: Apache-2.0
/* writer/recording: record a stream, to be played again by acquire/recording. */
#include <fornix/node.h>

#include "node/recording.h"

enum { IN }; /* index into ports[] */

enum {
	ANY_DTYPE = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F16 | FX_F32,
	ANY_KIND = FX_BLOCK | FX_TREE | FX_RECORD,
};

struct recording {
	const char *path, *about; /* options: set before init() */

	struct fx_recorder *recorder; /* owned, from init() to finish() */
	uint64_t seq;
};

static const struct fx_port ports[] = {
	[IN] = { "in", FX_IN, ANY_KIND, ANY_DTYPE, 0, false, "anything" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct recording, path), .path = FX_PATH_WRITE,
	  .help = "folder to record into" },
	{ FX_FIELD(struct recording, about), .def_str = "",
	  .help = "JSON object that is kept with the recording" },
	{ 0 },
};

static int recording_init(struct fx_node *node, void *state)
{
	struct recording *s = state;
	struct fx_error err = { 0 };

	s->recorder = fx_recorder_new(s->path, 1, s->about, &err);
	return s->recorder ? FX_OK : fx_fail_error(node, &err);
}

static int recording_put(struct fx_node *node, struct recording *s, struct fx_envelope *e)
{
	struct fx_error err = { 0 };
	int result;

	e->seq = s->seq++;
	result = fx_recorder_put(s->recorder, e, &err);
	fx_envelope_fini(e);
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int recording_process(struct fx_node *node, void *state)
{
	struct fx_envelope e = { .kind = fx_waiting(node, IN) };

	if (e.kind == FX_BLOCK)
		e.message = fx_take(node, IN);
	else if (e.kind == FX_TREE)
		e.message = fx_take_tree(node, IN);
	else
		e.message = fx_take_record(node, IN);
	return recording_put(node, state, &e);
}

static int recording_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct fx_envelope e = { .kind = FX_NOTHING, .mark = *m };

	(void)port;
	return recording_put(node, state, &e);
}

static int recording_drain(struct fx_node *node, void *state)
{
	struct recording *s = state;
	struct fx_envelope end = { .kind = FX_NOTHING, .mark = { .kind = FX_MARK_END } };
	struct fx_error err = { 0 };
	const int result = recording_put(node, s, &end);

	if (result < 0)
		return result;
	return fx_recorder_close(s->recorder, &err) < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static void recording_finish(void *state)
{
	struct recording *s = state;

	fx_recorder_free(s->recorder);
}

FX_NODE(writer_recording) = {
	.abi = FX_NODE_ABI,
	.name = "writer/recording",
	.summary = "record a stream, to be played again by acquire/recording",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct recording),
	.init = recording_init,
	.process = recording_process,
	.mark = recording_mark,
	.drain = recording_drain,
	.finish = recording_finish,
};
