// SPDX-License-Identifier: Apache-2.0
/* cmd_record.c: fornix record: an edge of a run into a folder. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cmd.h"
#include "conduct/view.h"
#include "edge.h"
#include "link/guests.h"
#include "node/recording.h"
#include "recording.h"

enum { WAIT_MS = 50, MESSAGES = 8, BYTES = 128 << 20 };

/* A recording while it is made. */
struct making {
	struct fx_view *view;
	struct fx_visit *visit;
	struct fx_recorder *recorder;
	struct edge edge;
	size_t ended;
	bool told;
};

static int take(struct making *m, struct fx_error *err)
{
	struct fx_visit_message got;
	int result = fx_visit_next(m->visit, WAIT_MS, &got, err);

	if (result != FX_OK)
		return result;
	result = fx_recorder_put(m->recorder, &got.envelope, err);
	if (result == FX_OK)
		fx_visit_ack(m->visit, got.from, got.envelope.seq);
	if (got.envelope.kind == FX_NOTHING && got.envelope.mark.kind == FX_MARK_END)
		m->ended++;
	fx_envelope_fini(&got.envelope);
	return result;
}

static int record(struct making *m, struct fx_error *err)
{
	int result = FX_OK;

	while (result >= 0 && m->ended < m->edge.endpoints_len && !cmd_interrupted()) {
		result = take(m, err);
		edge_tell(&m->edge, m->visit, &m->told);
		if (result == FX_IDLE && !fx_view_lasts(m->view))
			break;
	}
	return result < 0 ? result : fx_recorder_close(m->recorder, err);
}

static int record_edge(struct making *m, const char *name, const char *dir, struct fx_error *err)
{
	int result = edge_find(m->view, name, &m->edge, err);
	char *output = result == FX_OK ? fx_asprintf("%s.%s", m->edge.node, m->edge.port) : NULL;
	char *about = output ? recording_about(output, m->view->graph, m->view->params) : NULL;

	if (result == FX_OK && !about)
		result = fx_error_set(err, FX_ENOMEM, "no memory");
	if (result == FX_OK) {
		m->recorder = fx_recorder_new(dir, m->edge.parts, about, err);
		result = m->recorder ? FX_OK : err->code;
	}
	if (result == FX_OK) {
		m->visit = edge_visit(&m->edge, FX_GUEST_RECORD, MESSAGES, BYTES, err);
		result = m->visit ? record(m, err) : FX_EIO;
	}
	free(output);
	free(about);
	return result;
}

/* What was missed before it came is told; what was missed later is a failure. */
static int tell(const struct making *m, const char *dir)
{
	const struct fx_recording_sum s = fx_recorder_sum(m->recorder);

	fprintf(stderr, "%s: %" PRIu64 " messages, %" PRIu64 " bytes", dir, s.messages, s.bytes);
	if (s.missed_before)
		fprintf(stderr, "; %" PRIu64 " were sent before", s.missed_before);
	if (s.missed > s.missed_before)
		fprintf(stderr, "; %" PRIu64 " are missing", s.missed - s.missed_before);
	fprintf(stderr, "%s\n", s.ended ? "" : "; not to the end");
	return s.missed > s.missed_before ? CMD_FAILED : CMD_DONE;
}

static int make(struct making *m, const char *name, const char *dir)
{
	struct fx_error err = { 0 };
	int result = record_edge(m, name, dir, &err);

	fx_visit_free(m->visit);
	edge_fini(&m->edge);
	if (result == FX_ENOENT || result == FX_EINVAL)
		result = cmd_wrong("%s", err.text);
	else
		result = result < 0 ? cmd_failed("%s", err.text) : tell(m, dir);
	fx_recorder_free(m->recorder);
	return result;
}

int cmd_record(int argc, char **argv)
{
	const struct cmd_option options[] = { { 0 } };
	struct cmd_line line = {
		.usage = "fornix record EDGE DIR [RUN]",
		.about =
			"Records what an edge of a run (NODE.OUTPUT) carries from now on, until it "
			"ends or\n"
			"Ctrl-C. The run waits for the recorder as for any consumer. \"fornix run "
			"--record\"\n"
			"records from the first message on; \"fornix replay\" plays a "
			"recording.\n",
		.options = options,
		.min_words = 2,
		.max_words = 3,
	};
	struct making m = { .ended = 0 };
	struct fx_error err = { 0 };
	int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	cmd_catch_interrupts();
	m.view = fx_view_open(line.words_len > 2 ? line.words[2] : NULL, &err);
	if (!m.view)
		return cmd_wrong("%s", err.text);
	result = make(&m, line.words[0], line.words[1]);
	fx_view_close(m.view);
	return result;
}
