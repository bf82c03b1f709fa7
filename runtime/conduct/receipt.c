// SPDX-License-Identifier: Apache-2.0
/* receipt.c: the ledger of a run, and where its data came from. */
#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "conduct/run.h"
#include "wire/wire.h"

/* JSON text of what a node or the system said: bytes that are not UTF-8, as in the name of a file,
 * become question marks. */
static json_t *said(const char *text)
{
	json_t *j = json_string(text);
	char *copy = j ? NULL : fx_strdup(text);

	for (char *p = copy; p && *p; p++)
		if (*p & 0x80)
			*p = '?';
	if (copy)
		j = json_string(copy);
	free(copy);
	return j;
}

/* An edge's counters, summed over its lanes. */
struct ledger {
	uint64_t sent, delivered, acked, unwanted, resent, duplicates, dropped, missing, bytes;
	uint64_t framed, coded[FX_STATS_CODECS], rate;
};

static struct ledger edge_ledger(const struct fx_run *r, const struct fx_plan_edge *e)
{
	struct ledger l = { 0 };

	for (size_t i = 0; i < e->producers * e->consumers; i++) {
		struct fx_lane_stats *s = &r->stats.lanes[e->first + i];

		l.sent += atomic_load(&s->sent);
		l.delivered += atomic_load(&s->delivered);
		l.acked += atomic_load(&s->acked);
		l.unwanted += atomic_load(&s->unwanted);
		l.resent += atomic_load(&s->resent);
		l.duplicates += atomic_load(&s->duplicates);
		l.dropped += atomic_load(&s->dropped);
		l.missing += atomic_load(&s->missing);
		l.bytes += atomic_load(&s->bytes);
		l.framed += atomic_load(&s->framed);
		for (int c = 0; c < FX_STATS_CODECS; c++)
			l.coded[c] += atomic_load(&s->coded[c]);
		if (atomic_load(&s->rate) > l.rate)
			l.rate = atomic_load(&s->rate);
	}
	return l;
}

/* How the payloads travelled that did not lie in shared memory. */
static json_t *frames_json(const struct ledger *l)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "bytes", (json_int_t)l->framed, "stored",
			 (json_int_t)l->coded[FX_CODEC_STORED], "lz4",
			 (json_int_t)l->coded[FX_CODEC_LZ4], "zstd",
			 (json_int_t)l->coded[FX_CODEC_ZSTD], "link_bytes_per_second",
			 (json_int_t)l->rate);
}

static json_t *edges_json(const struct fx_run *r, bool *adds_up)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->plan->edges_len; i++) {
		const struct fx_plan_edge *e = &r->plan->edges[i];
		const struct ledger l = edge_ledger(r, e);
		char from[160], to[160];

		*adds_up = *adds_up && l.sent == l.acked + l.dropped &&
			   l.delivered + l.duplicates + l.unwanted >= l.acked;
		snprintf(from, sizeof from, "%s.%s", r->graph->nodes[e->from].name, e->from_port);
		snprintf(to, sizeof to, "%s.%s", r->graph->nodes[e->to].name, e->to_port);
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
				  "from", from, "to", to, "sent", (json_int_t)l.sent, "delivered",
				  (json_int_t)l.delivered, "acked", (json_int_t)l.acked, "unwanted",
				  (json_int_t)l.unwanted, "resent", (json_int_t)l.resent,
				  "duplicates", (json_int_t)l.duplicates, "dropped",
				  (json_int_t)l.dropped, "missing", (json_int_t)l.missing, "bytes",
				  (json_int_t)l.bytes, "frames", frames_json(&l)));
	}
	return list;
}

/* Adds to @p list what is not in it: a later life says again what a former one said, and several
 * may say of one region why it is missing. */
static void add_once(json_t *list, json_t *item)
{
	const json_t *region = json_object_get(item, "region");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *other = json_array_get(list, i);

		if (json_equal(other, item) ||
		    (region && json_equal(json_object_get(other, "region"), region))) {
			json_decref(item);
			return;
		}
	}
	json_array_append_new(list, item);
}

/* Adds what one source has noted: lines of six coordinates and a reason. */
static void missing_of(const char *path, json_t *list)
{
	struct fx_error err = { 0 };
	void *text;
	size_t size;

	if (fx_file_read(path, 64 << 20, &text, &size, &err) < 0) {
		fx_log(FX_LOG_ERROR, "%s", err.text);
		json_array_append_new(list, json_pack("{s:o}", "reason", said(err.text)));
		return;
	}
	for (char *line = text, *next; *line; line = next) {
		json_int_t v[6];
		int used = 0;

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		if (sscanf(line, "%lld %lld %lld %lld %lld %lld %n", &v[0], &v[1], &v[2], &v[3],
			   &v[4], &v[5], &used) != 6)
			continue;
		add_once(list,
			 json_pack("{s:{s:[I,I,I], s:[I,I,I]}, s:o}", "region", "lo", v[0], v[1],
				   v[2], "hi", v[3], v[4], v[5], "reason", said(line + used)));
	}
	free(text);
}

static json_t *missing_json(const struct fx_run *r)
{
	json_t *list = json_array();
	char *folder = fx_path_join(r->state_dir, "missing");
	struct dirent **names = NULL;
	const int n = folder ? scandir(folder, &names, NULL, alphasort) : 0;

	for (int i = 0; i < n; i++) {
		char *path =
			names[i]->d_name[0] == '.' ? NULL : fx_path_join(folder, names[i]->d_name);

		if (path)
			missing_of(path, list);
		free(path);
		free(names[i]);
	}
	free(names);
	free(folder);
	return list;
}

char *fx__missing_text(const struct fx_run *r)
{
	json_t *list = missing_json(r);
	const size_t n = json_array_size(list);
	json_int_t lo = 0, hi = 0;
	const char *reason = "";
	char *text = NULL;

	if (n &&
	    json_unpack(json_array_get(list, 0), "{s:{s:[I], s:[I]}, s:s}", "region", "lo", &lo,
			"hi", &hi, "reason", &reason) == 0 &&
	    hi - lo > 1)
		text = fx_asprintf("%zu %s missing; first sections %lld to %lld: %s", n,
				   n > 1 ? "pieces are" : "piece is", (long long)lo,
				   (long long)hi - 1, reason);
	else if (n)
		text = fx_asprintf("%zu %s missing; first section %lld: %s", n,
				   n > 1 ? "sections are" : "section is", (long long)lo, reason);
	json_decref(list);
	return text;
}

static int exit_code(const struct fx_process *p)
{
	return WIFSIGNALED(p->status) ? 128 + WTERMSIG(p->status) : WEXITSTATUS(p->status);
}

/* What a process has told by fx_progress(), by unit. */
static json_t *progress_json(struct fx_instance_stats *s)
{
	json_t *progress = json_object();
	const uint32_t n = atomic_load(&s->gauges_len);

	for (uint32_t i = 0; i < n; i++)
		json_object_set_new(progress, s->gauges[i].unit,
				    json_real(atomic_load(&s->gauges[i].done)));
	return progress;
}

static json_t *nodes_json(const struct fx_run *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->plan->instances_len; i++) {
		const struct fx_wiring *w = &r->plan->instances[i].wiring;
		struct fx_instance_stats *s = &r->stats.instances[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s*, s:i, s:i, s:i, s:i, s:I, s:I, s:f, s:f, s:f, "
				  "s:I, s:I, s:I, s:o, s:o}",
				  "node", w->node, "type", w->type, "host", fx__hosts_name(r, i),
				  "instance", (int)w->instance, "restarts",
				  (int)r->processes[i].restarts, "moves",
				  (int)r->processes[i].moves, "exit", exit_code(&r->processes[i]),
				  "refused", (json_int_t)atomic_load(&s->refused), "warnings",
				  (json_int_t)atomic_load(&s->warnings), "busy_seconds",
				  (double)atomic_load(&s->busy_ns) * 1e-9, "cpu_seconds",
				  (double)atomic_load(&s->cpu_ns) * 1e-9, "work_seconds",
				  (double)atomic_load(&s->work_ns) * 1e-9, "peak_rss_bytes",
				  (json_int_t)atomic_load(&s->peak_rss_bytes), "journal_bytes",
				  (json_int_t)atomic_load(&s->journal_bytes), "journal_raw_bytes",
				  (json_int_t)atomic_load(&s->journal_raw_bytes), "progress",
				  progress_json(s), "error", said(s->error)));
	}
	return list;
}

static json_t *dead_letters_json(const struct fx_run *r)
{
	json_t *list = json_array();
	size_t len;
	char **paths = fx__dead_letters(r, &len);

	for (size_t k = 0; k < len; k++) {
		json_array_append_new(list, said(paths[k]));
		free(paths[k]);
	}
	free(paths);
	return list;
}

char *fx__receipt_text(const struct fx_run *r, bool *complete)
{
	bool adds_up = true;
	json_t *edges = edges_json(r, &adds_up), *missing = missing_json(r);
	json_t *dead = dead_letters_json(r), *all;
	char *text;

	*complete = adds_up && !json_array_size(missing) && !json_array_size(dead) &&
		    !r->failure[0] && !r->interrupted;
	all = json_pack("{s:b, s:b, s:b, s:o, s:f, s:f, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:o}",
			"complete", *complete, "adds_up", adds_up, "interrupted", r->interrupted,
			"failure", said(r->failure), "started_seconds", r->started_s, "seconds",
			r->seconds, "voxels", (json_int_t)fx__run_voxels(r), "credit_bytes",
			(json_int_t)r->plan->credit_bytes, "confined", fx__trust_text(r), "lag",
			fx_lag_json(&r->lag), "edges", edges, "missing", missing, "dead_letters",
			dead, "nodes", nodes_json(r));
	text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
	json_decref(all);
	return text;
}

char *fx__provenance_text(const struct fx_run *r)
{
	json_t *params = json_object(), *sources = json_array(), *all;
	char date[32], version[32], *text;
	const time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &tm);
	snprintf(version, sizeof version, "%d.%d.%d", FX_VERSION_MAJOR, FX_VERSION_MINOR,
		 FX_VERSION_PATCH);
	for (size_t i = 0; i < r->graph->params_len; i++)
		if (r->graph->params[i].value)
			json_object_set_new(params, r->graph->params[i].name,
					    said(r->graph->params[i].value));
	for (size_t i = 0; i < r->graph->params_len; i++)
		if (r->graph->params[i].value && strcmp(r->graph->params[i].name, "sections") == 0)
			json_array_append_new(sources, said(r->graph->params[i].value));
	all = json_pack("{s:s, s:[], s:[{s:s, s:s, s:{s:s, s:s, s:o, s:o}}], s:o}", "description",
			"made by fornix", "owners", "processing", "by", "fornix", "date", date,
			"method", "task", "fornix run", "version", version, "graph",
			said(r->graph->file), "params", params, "sources", sources);
	text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
	json_decref(all);
	return text;
}
