// SPDX-License-Identifier: Apache-2.0
/* cmd_tap.c: fornix tap: watch the messages of an edge of a run, or save its blocks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "cmd.h"
#include "conduct/view.h"
#include "edge.h"
#include "formats/npywrite.h"
#include "letterline.h"
#include "link/guests.h"
#include "link/turn.h"

enum { WAIT_MS = 50, MESSAGES = 32, BYTES = 64 << 20 };

struct words {
	const char *save, *count;
};

/* A tap while it lasts. */
struct tap {
	struct fx_view *view;
	struct fx_visit *visit;
	const char *save; /* folder, or NULL */
	uint64_t most;	  /* of lines, or of saved blocks; 0: no end */
	uint64_t lines, saved, first, last, seen;
	struct edge edge;
	size_t ended;
	bool told;
};

static int save_block(struct tap *t, const struct fx_envelope *e, struct fx_error *err)
{
	char *path = fx_asprintf("%s/%08" PRIu64 ".npy", t->save, e->seq);
	const int result = path ? fx_npy_write(path, e->message, err) :
				  fx_error_set(err, FX_ENOMEM, "no memory");

	if (result == FX_OK) {
		t->saved++;
		printf("  %s", path);
	}
	free(path);
	return result;
}

static int take(struct tap *t, const struct fx_envelope *e, struct fx_error *err)
{
	const bool mark = e->kind == FX_NOTHING;
	int result = FX_OK;

	if (!(mark && e->mark.kind == FX_MARK_OPEN) && t->edge.parts <= 1) {
		t->first = t->seen && t->first < e->seq ? t->first : e->seq;
		t->last = t->seen && t->last > e->seq ? t->last : e->seq;
		t->seen++;
	}
	if (mark && e->mark.kind == FX_MARK_END && ++t->ended < t->edge.endpoints_len)
		return FX_OK; /* the stream ends once for all of its workers */
	if (mark && e->mark.kind != FX_MARK_END && !fx_turn_counts(e->seq, t->edge.parts))
		return FX_OK; /* and all its parts tell the same marks */
	letter_line(stdout, e);
	if (t->save && e->kind == FX_BLOCK)
		result = save_block(t, e, err);
	printf("\n");
	t->lines++;
	return result < 0 || fflush(stdout) == 0 ? result :
						   fx_error_set(err, FX_EIO, "cannot write");
}

static bool is_over(const struct tap *t)
{
	return t->ended == t->edge.endpoints_len ||
	       (t->most && (t->save ? t->saved : t->lines) >= t->most);
}

static int listen_to(struct tap *t, struct fx_error *err)
{
	int result = FX_OK;

	letter_line_head(stdout);
	while (result >= 0 && !is_over(t)) {
		struct fx_visit_message m;

		result = fx_visit_next(t->visit, WAIT_MS, &m, err);
		edge_tell(&t->edge, t->visit, &t->told);
		if (result == FX_IDLE && !fx_view_lasts(t->view))
			return FX_OK;
		if (result != FX_OK)
			continue;
		result = take(t, &m.envelope, err);
		fx_visit_ack(t->visit, m.from, m.envelope.seq);
		fx_envelope_fini(&m.envelope);
	}
	return result < 0 ? result : FX_OK;
}

static int tap_edge(struct tap *t, const char *name, struct fx_error *err)
{
	int result = edge_find(t->view, name, &t->edge, err);

	if (result == FX_OK && t->save)
		result = fx_make_dirs(t->save, err);
	if (result == FX_OK) {
		t->visit = edge_visit(&t->edge, FX_GUEST_TAP, MESSAGES, t->save ? BYTES : 0, err);
		result = t->visit ? listen_to(t, err) : FX_EIO;
		fx_visit_free(t->visit);
	}
	edge_fini(&t->edge);
	if (t->seen && t->last - t->first + 1 > t->seen)
		fprintf(stderr, "%" PRIu64 " messages passed by: the run does not wait for a tap\n",
			t->last - t->first + 1 - t->seen);
	return result;
}

int cmd_tap(int argc, char **argv)
{
	struct words w = { 0 };
	const struct cmd_option options[] = {
		{ "save", NULL, &w.save, "DIR", "save every block as DIR/NUMBER.npy" },
		{ "count", NULL, &w.count, "N", "end after N lines, or after N saved blocks" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix tap EDGE [RUN] [--save DIR] [--count N]",
		.about = "Prints one line for every message that an edge of a run carries from now "
			 "on. EDGE is\n"
			 "NODE.OUTPUT, or NODE.OUTPUT:CONSUMER. RUN is as for fornix top. The run "
			 "does "
			 "not wait for a\n"
			 "tap: what comes while it is busy passes it by.\n",
		.options = options,
		.min_words = 1,
		.max_words = 2,
	};
	struct tap t = { .first = 0 };
	struct fx_error err = { 0 };
	char *end = NULL;
	int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	t.save = w.save;
	t.most = w.count ? strtoull(w.count, &end, 10) : 0;
	if (w.count && (*w.count == '-' || end == w.count || *end || !t.most))
		return cmd_wrong("--count %s: use a whole number above 0", w.count);
	t.view = fx_view_open(line.words_len > 1 ? line.words[1] : NULL, &err);
	if (!t.view)
		return cmd_wrong("%s", err.text);
	result = tap_edge(&t, line.words[0], &err);
	fx_view_close(t.view);
	if (result == FX_ENOENT)
		return cmd_wrong("%s", err.text);
	return result < 0 ? cmd_failed("%s", err.text) : CMD_DONE;
}
