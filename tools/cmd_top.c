// SPDX-License-Identifier: Apache-2.0
/* cmd_top.c: fornix top: watch a run. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd.h"
#include "conduct/view.h"
#include "top.h"

enum { SECONDS_MAX = 3600 };

struct words {
	bool once, json;
	const char *interval;
};

static int show(const struct fx_view *v, const struct words *w, const struct top_look *a,
		const struct top_look *b)
{
	const bool clear = !w->once && !w->json && isatty(1);

	if (clear)
		printf("\033[H\033[J"); /* from the top, with nothing left below */
	if (w->json) {
		json_t *j = top_json(v, a, b);
		char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

		printf("%s\n", text ? text : "{}");
		free(text);
		json_decref(j);
	} else {
		top_print(stdout, v, a, b);
	}
	if (!clear && !w->once && !w->json)
		printf("\n");
	return fflush(stdout) == 0 ? CMD_GO : CMD_FAILED;
}

static int watch(const struct fx_view *v, const struct words *w, double seconds)
{
	struct top_look a = { 0 }, b = { 0 };
	int result = top_look(v, &a) ? CMD_GO : CMD_FAILED;

	while (result == CMD_GO) {
		fx_sleep_ms((int64_t)(seconds * 1000));
		if (!top_look(v, &b))
			result = cmd_failed("no memory");
		else
			result = show(v, w, &a, &b);
		top_look_fini(&a);
		a = b;
		b = (struct top_look){ 0 };
		if (result == CMD_GO && (w->once || !fx_view_lasts(v)))
			result = CMD_DONE;
	}
	top_look_fini(&a);
	return result;
}

int cmd_top(int argc, char **argv)
{
	struct words w = { 0 };
	const struct cmd_option options[] = {
		{ "once", &w.once, NULL, NULL, "show it once and end" },
		{ "json", &w.json, NULL, NULL, "one JSON object a line instead of tables" },
		{ "interval", NULL, &w.interval, "SECONDS", "between two looks (default 1)" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix top [RUN] [--once] [--json] [--interval SECONDS]",
		.about = "Shows what the nodes of a run do (busy, waiting for input, waiting to "
			 "send) and what\n"
			 "its edges carry, until it ends. RUN is its folder or the conductor's "
			 "pid; the only\n"
			 "run there is needs none.\n",
		.options = options,
		.max_words = 1,
	};
	struct fx_error err = { 0 };
	struct fx_view *v;
	char *end;
	double seconds;
	int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	seconds = w.interval ? strtod(w.interval, &end) : 1;
	if (w.interval &&
	    (end == w.interval || *end || !(seconds >= 0.01 && seconds <= SECONDS_MAX)))
		return cmd_wrong("--interval %s: use 0.01 to %d seconds", w.interval, SECONDS_MAX);
	v = fx_view_open(line.words_len ? line.words[0] : NULL, &err);
	if (!v)
		return cmd_wrong("%s", err.text);
	result = watch(v, &w, seconds);
	fx_view_close(v);
	return result;
}
