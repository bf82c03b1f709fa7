// SPDX-License-Identifier: Apache-2.0
/* inspector/feedback: lets good sections pass in order and asks for bad ones again. */
#include <fornix/node.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernels/gate.h"
#include "node/asking.h"
#include "node/verdicts.h"
#include "node/versions.h"

enum { ATTEMPTS, QUALITY, IMAGE, REQUESTS }; /* index into ports[] */
enum { MISSING, PASS };			     /* index into ways[] */

static const char *const ways[] = { "missing", "pass", NULL };

struct feedback {
	const char *file, *publish; /* options */
	double memory;
	int attempts, deadline, patience, hold, otherwise;

	struct fx_asking asking;     /* owned, from init() to finish() */
	struct fx_gate gate;	     /* owned, from OPEN to finish() */
	struct fx_versions images;   /* owned, the same: judged or not */
	struct fx_verdicts verdicts; /* owned: what came before its image */
	size_t judged;		     /* of images: their verdict came */
};

static const struct fx_port ports[] = {
	[ATTEMPTS] = { "attempts", FX_IN, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16, 0, false,
		       "every version of a section as soon as it is there, in order of arrival" },
	[QUALITY] = { "quality", FX_IN, FX_RECORD, 0, 0, false,
		      "what inspector/quality says of these" },
	[IMAGE] = { "image", FX_OUT, FX_BLOCK, FX_U8 | FX_U16, 0, false,
		    "good sections as 2-D tiles, in order" },
	[REQUESTS] = { "requests", FX_OUT, FX_RECORD, 0, 0, false,
		       "a record \"request\" for everything that is to be imaged again" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct feedback, attempts), .def = 2, .min = 0, .max = 100,
	  .help = "a section is asked for again at most so often" },
	{ FX_FIELD(struct feedback, deadline), .def = 24, .min = 1, .max = 100000,
	  .help = "and never once so many sections came after it was asked for first" },
	{ FX_FIELD(struct feedback, patience), .def = 12, .min = 1, .max = 100000,
	  .help = "it is asked for again when so many sections came without an answer" },
	{ FX_FIELD(struct feedback, hold), .def = 32, .min = 1, .max = 4096,
	  .help = "sections that wait behind one that is asked for, at most" },
	{ FX_FIELD(struct feedback, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "sections that wait beyond this lie in scratch files" },
	{ FX_FIELD(struct feedback, otherwise), .def = MISSING, .choices = ways,
	  .help = "what becomes of a section that stays bad: missing, or it passes as it is" },
	{ FX_FIELD(struct feedback, file), .path = FX_PATH_WRITE, .def_str = "",
	  .help = "file of requests, a line of JSON each; empty is none" },
	{ FX_FIELD(struct feedback, publish), .def_str = "",
	  .help = "where a ZeroMQ PUB socket tells requests, tcp://127.0.0.1:PORT; empty is "
		  "nowhere" },
	{ 0 },
};

static int feedback_init(struct fx_node *node, void *state)
{
	struct feedback *s = state;

	return fx_asking_open(&s->asking, node, s->file, s->publish);
}

static int feedback_prepare(struct feedback *s, const struct fx_mark *m, struct fx_error *err)
{
	const struct fx_gate_rules rules = { .attempts = (unsigned)s->attempts,
					     .deadline = s->deadline,
					     .patience = s->patience,
					     .hold = s->hold,
					     .pass = s->otherwise == PASS };

	fx_gate_init(&s->gate, &rules, m->region.lo[0]);
	return fx_versions_open(&s->images, m, s->memory, (size_t)s->hold + 1, err);
}

static int feedback_open(struct fx_node *node, struct feedback *s, const struct fx_mark *m)
{
	struct fx_error err = { 0 };
	int failed;

	if (s->images.coming.size)
		return fx_fail(node, FX_EINVAL, "the stream of sections is opened twice");
	if (feedback_prepare(s, m, &err) < 0)
		return fx_fail_error(node, &err);
	failed = fx_send_mark(node, IMAGE, m);
	return failed < 0 ? failed : fx_send_mark(node, REQUESTS, m);
}

static int feedback_ask(struct fx_node *node, struct feedback *s, const struct fx_gate_move *m)
{
	const struct fx_gate_section *g = &m->section;
	const struct fx_request ask = { m->z, g->region, g->reason, g->asked, g->deadline };
	const int failed = fx_asking_ask(&s->asking, node, &ask);

	return failed < 0 ? failed : fx_send_record(node, REQUESTS, fx_asking_record(&ask));
}

static int feedback_close(struct fx_node *node, const struct feedback *s,
			  const struct fx_gate_move *m)
{
	const bool lost = m->section.state == FX_GATE_LOST, bad = m->section.state == FX_GATE_BAD;
	char reason[256];

	snprintf(reason, sizeof reason, "%.100s%s%s", bad ? m->section.reason : "",
		 bad  ? ": " :
		 lost ? "" :
			"no image of it came: ",
		 m->why);
	return fx_versions_lost(&s->images, node, IMAGE, m->z, lost ? m->section.reason : reason);
}

/* Does what the gate says, and drops images that cannot pass any more. */
static int feedback_step(struct fx_node *node, struct feedback *s, bool ended)
{
	struct fx_gate_move m;
	int failed = FX_OK;

	do {
		m = fx_gate_step(&s->gate, ended);
		if (m.act == FX_GATE_ASK)
			failed = feedback_ask(node, s, &m);
		else if (m.act == FX_GATE_PASS)
			failed = fx_versions_send(&s->images, node, IMAGE, m.z, m.section.kept);
		else if (m.act == FX_GATE_CLOSE)
			failed = feedback_close(node, s, &m);
	} while (m.act != FX_GATE_WAIT && failed >= 0);
	for (size_t i = s->judged; i-- > 0;)
		if (!fx_gate_keeps(&s->gate, s->images.all[i].z, s->images.all[i].number)) {
			fx_versions_drop(&s->images, &s->images.all[i]);
			s->judged--;
		}
	return failed;
}

/* The next image and the next verdict belong together: so it does not matter which came first. */
static int feedback_judge(struct fx_node *node, struct feedback *s)
{
	const struct fx_version *one = &s->images.all[s->judged];
	struct fx_verdict_of v = s->verdicts.all[0];
	int failed;

	if (v.z != one->z || v.missing != one->missing)
		return fx_fail(node, FX_EINVAL,
			       "section %" PRId64 " came, but the verdict is on section %" PRId64
			       ": connect quality to what judges attempts",
			       one->z, v.z);
	fx_verdicts_shift(&s->verdicts);
	if (one->missing) {
		failed = fx_gate_lost(&s->gate, one->z, one->reason);
	} else {
		const struct fx_gate_verdict judged = { one->number, v.good, v.badness, v.region,
							v.reason };

		failed = fx_gate_judged(&s->gate, &judged);
	}
	s->judged++;
	if (failed < 0)
		return fx_fail(node, failed,
			       "section %" PRId64 " comes far behind section %" PRId64, v.z,
			       s->gate.latest);
	return feedback_step(node, s, false);
}

static int feedback_pair(struct fx_node *node, struct feedback *s)
{
	int failed = FX_OK;

	while (failed >= 0 && s->images.len > s->judged && s->verdicts.len)
		failed = feedback_judge(node, s);
	return failed;
}

static int feedback_process(struct fx_node *node, void *state)
{
	struct feedback *s = state;
	const unsigned port = fx_waiting(node, QUALITY) == FX_NOTHING ? ATTEMPTS : QUALITY;
	struct fx_record *r;
	int failed = FX_OK;

	if (fx_waiting(node, port) == FX_BLOCK)
		return fx_versions_put(&s->images, node, port);
	r = fx_take_record(node, port);
	if (port == ATTEMPTS && strcmp(r->kind, "attempt") == 0)
		failed = fx_versions_add(&s->images, node, r->region.lo[0], NULL);
	else if (port == QUALITY && !fx_again(node) && fx_verdicts_add(&s->verdicts, r) < 0)
		failed = fx_fail(node, FX_ETYPE, "a record \"quality\" without a verdict");
	fx_record_free(r);
	return failed < 0 || fx_again(node) ? failed : feedback_pair(node, s);
}

static int feedback_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct feedback *s = state;
	const bool missing = m->kind == FX_MARK_MISSING;
	int failed = FX_OK;

	if (m->kind == FX_MARK_OPEN)
		return port == ATTEMPTS && !fx_again(node) ? feedback_open(node, s, m) : FX_OK;
	if (port == QUALITY && (fx_again(node) || !missing))
		return FX_OK;
	if (port == ATTEMPTS && !s->images.coming.size)
		return fx_fail(node, FX_EINVAL, "a mark comes before the stream is opened");
	for (int64_t z = m->region.lo[0]; z < m->region.hi[0] && failed >= 0; z++) {
		if (port == ATTEMPTS)
			failed = fx_versions_add(&s->images, node, z, missing ? m->reason : NULL);
		else if (fx_verdicts_miss(&s->verdicts, z) < 0)
			failed = fx_fail(node, FX_ENOMEM, "no memory for a verdict");
	}
	return failed < 0 || fx_again(node) ? failed : feedback_pair(node, s);
}

static int feedback_drain(struct fx_node *node, void *state)
{
	struct feedback *s = state;

	return feedback_step(node, s, true);
}

static int feedback_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct feedback *s = state;
	const uint64_t judged = s->judged;

	fx_pack_bool(to, s->images.coming.size != 0);
	fx_verdicts_pack(&s->verdicts, to);
	fx_pack_put(to, &s->asking.next, sizeof s->asking.next);
	if (!s->images.coming.size)
		return FX_OK;
	fx_gate_pack(&s->gate, to);
	fx_pack_put(to, &judged, sizeof judged);
	fx_versions_save(&s->images, node, to);
	return FX_OK;
}

static int feedback_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct feedback *s = state;
	const struct fx_mark *open = fx_opened(node, ATTEMPTS);
	uint64_t judged, asked;
	bool opened;
	int failed;

	if (fx_unpack_bool(from, &opened) < 0 || (opened && !open))
		return FX_ETYPE;
	failed = fx_verdicts_unpack(&s->verdicts, from);
	if (failed < 0 || fx_unpack_get(from, &asked, sizeof asked) < 0 ||
	    fx_asking_resume(&s->asking, asked) < 0)
		return failed < 0 ? failed : FX_ETYPE;
	if (!opened)
		return FX_OK;
	if (feedback_prepare(s, open, NULL) < 0)
		return FX_ETYPE;
	failed = fx_gate_unpack(&s->gate, from);
	if (failed == FX_OK)
		failed = fx_unpack_get(from, &judged, sizeof judged);
	if (failed == FX_OK)
		failed = fx_versions_load(&s->images, from);
	if (failed == FX_OK && judged > s->images.len)
		failed = FX_ETYPE;
	if (failed == FX_OK)
		s->judged = (size_t)judged;
	return failed;
}

static void feedback_finish(void *state)
{
	struct feedback *s = state;

	fx_asking_close(&s->asking);
	fx_gate_fini(&s->gate);
	fx_versions_fini(&s->images);
	fx_verdicts_fini(&s->verdicts);
}

FX_NODE(inspector_feedback) = {
	.abi = FX_NODE_ABI,
	.name = "inspector/feedback",
	.summary = "let good sections pass in order and ask for bad ones again",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct feedback),
	.init = feedback_init,
	.process = feedback_process,
	.mark = feedback_mark,
	.drain = feedback_drain,
	.finish = feedback_finish,
	.save = feedback_save,
	.load = feedback_load,
};
