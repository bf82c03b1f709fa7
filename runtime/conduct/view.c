// SPDX-License-Identifier: Apache-2.0
/* view.c: a run of another process, looked at from outside. */
#include "conduct/view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

enum { FILE_MAX = 16 << 20, INSTANCES_MAX = 65536 };

/* Before the lock is tried there must be the file, which a run writes when it has the lock: else
 * the try would keep a run that begins from taking it. */
static bool run_lasts(const char *dir)
{
	char *file = fx_path_join(dir, FX_RUN_FILE);
	int fd = -1;
	bool lasts = false;

	if (file && access(file, R_OK) == 0)
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		lasts = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
		close(fd);
	}
	free(file);
	return lasts;
}

static int is_run(const struct dirent *e)
{
	return fx_run_dir_name(e->d_name);
}

size_t fx_view_runs(char *dirs[FX_VIEW_RUNS_MAX])
{
	struct dirent **names = NULL;
	const int n = scandir(fx_run_tmp(), &names, is_run, alphasort);
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		char *dir = fx_path_join(fx_run_tmp(), names[i]->d_name);

		if (dir && len < FX_VIEW_RUNS_MAX && run_lasts(dir))
			dirs[len++] = dir;
		else
			free(dir);
		free(names[i]);
	}
	free(names);
	return len;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static size_t number_of(const json_t *o, const char *name)
{
	const json_int_t v = json_integer_value(json_object_get(o, name));

	return v > 0 ? (size_t)v : 0;
}

static int view_counters(struct fx_view *v, struct fx_error *err)
{
	const json_t *c = json_object_get(v->file, "counters");
	const size_t lanes = number_of(c, "lanes");

	if (number_of(c, "instance_size") != sizeof(struct fx_instance_stats) ||
	    number_of(c, "lane_size") != sizeof(struct fx_lane_stats))
		return fx_error_set(err, FX_ETYPE, "%s is a run of another release of fornix",
				    v->dir);
	for (size_t i = 0; i < v->edges_len; i++)
		if (v->edges[i].first > lanes || v->edges[i].lanes > lanes - v->edges[i].first)
			return fx_error_set(err, FX_ETYPE, "%s/%s is damaged", v->dir, FX_RUN_FILE);
	if (v->instances_len > INSTANCES_MAX || lanes > INSTANCES_MAX * 64u)
		return fx_error_set(err, FX_ETYPE, "%s/%s is damaged", v->dir, FX_RUN_FILE);
	return fx_stats_view(&v->stats, text_of(c, "path"), v->instances_len, lanes, err);
}

static int view_fill(struct fx_view *v, struct fx_error *err)
{
	const json_t *nodes = json_object_get(v->file, "nodes"),
		     *edges = json_object_get(v->file, "edges");

	v->pid = (pid_t)number_of(v->file, "pid");
	v->graph = text_of(v->file, "graph");
	v->transport = text_of(v->file, "transport");
	v->params = json_object_get(v->file, "params");
	v->start_ns = (int64_t)number_of(v->file, "start_ns");
	v->instances_len = json_array_size(nodes);
	v->edges_len = json_array_size(edges);
	v->instances = fx_calloc(v->instances_len, sizeof *v->instances);
	v->edges = fx_calloc(v->edges_len, sizeof *v->edges);
	if (!v->instances || !v->edges)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	for (size_t i = 0; i < v->instances_len; i++) {
		const json_t *n = json_array_get(nodes, i);

		v->instances[i] = (struct fx_view_instance){
			.node = text_of(n, "node"),
			.type = text_of(n, "type"),
			.instance = (unsigned)number_of(n, "instance"),
			.instances = (unsigned)number_of(n, "instances"),
			.outputs = json_object_get(n, "outputs"),
		};
	}
	for (size_t i = 0; i < v->edges_len; i++) {
		const json_t *e = json_array_get(edges, i);

		v->edges[i] = (struct fx_view_edge){ .from = text_of(e, "from"),
						     .from_port = text_of(e, "from_port"),
						     .to = text_of(e, "to"),
						     .to_port = text_of(e, "to_port"),
						     .first = number_of(e, "first"),
						     .lanes = number_of(e, "lanes"),
						     .parts = (unsigned)number_of(e, "parts") };
	}
	return view_counters(v, err);
}

static struct fx_view *view_read(char *dir, struct fx_error *err)
{
	struct fx_view *v = calloc(1, sizeof *v);
	char *path = fx_path_join(dir, FX_RUN_FILE);
	void *text = NULL;
	size_t size = 0;
	int result = v && path ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory");

	if (result == FX_OK)
		result = fx_file_read(path, FILE_MAX, &text, &size, err);
	free(path);
	if (!v) {
		free(dir);
		return NULL;
	}
	v->dir = dir;
	v->file = result == FX_OK ? json_loadb(text, size, 0, NULL) : NULL;
	free(text);
	if (result == FX_OK && !json_is_object(v->file))
		result = fx_error_set(err, FX_ETYPE, "%s/%s is damaged", dir, FX_RUN_FILE);
	if (result == FX_OK)
		result = view_fill(v, err);
	if (result == FX_OK)
		return v;
	fx_view_close(v);
	return NULL;
}

/* The folder of the run whose conductor is @p pid; free(). */
static char *dir_of(pid_t pid)
{
	char *dirs[FX_VIEW_RUNS_MAX], *found = NULL;
	const size_t n = fx_view_runs(dirs);

	for (size_t i = 0; i < n; i++) {
		char *path = found ? NULL : fx_path_join(dirs[i], FX_RUN_FILE);
		json_t *j = path ? json_load_file(path, 0, NULL) : NULL;

		free(path);
		if (!found && (pid_t)number_of(j, "pid") == pid)
			found = dirs[i];
		else
			free(dirs[i]);
		json_decref(j);
	}
	return found;
}

/* The only run; or a text that lists them. */
static char *only_run(struct fx_error *err)
{
	char *dirs[FX_VIEW_RUNS_MAX], *only = NULL, list[400] = "";
	const size_t n = fx_view_runs(dirs);
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		const int len = snprintf(list + used, sizeof list - used, " %s", dirs[i]);

		used = len < 0 || used + (size_t)len >= sizeof list ? used : used + (size_t)len;
		list[used] = 0;
		if (n == 1)
			only = dirs[i];
		else
			free(dirs[i]);
	}
	if (!n)
		fx_error_set(err, FX_ENOENT, "there is no run in %s (TMPDIR)", fx_run_tmp());
	else if (n > 1)
		fx_error_set(err, FX_ENOENT, "there are %zu runs, name one of them:%s", n, list);
	return only;
}

struct fx_view *fx_view_open(const char *run, struct fx_error *err)
{
	char *end = NULL, *dir;
	const long pid = run ? strtol(run, &end, 10) : 0;
	const bool is_pid = run && *run && !*end && pid > 0;

	if (!run)
		dir = only_run(err);
	else
		dir = is_pid ? dir_of((pid_t)pid) : fx_strdup(run);
	if (!dir && run)
		fx_error_set(err, FX_ENOENT, "there is no run of process %s in %s (TMPDIR)", run,
			     fx_run_tmp());
	return dir ? view_read(dir, err) : NULL;
}

void fx_view_close(struct fx_view *v)
{
	if (!v)
		return;
	fx_stats_unmap(&v->stats);
	json_decref(v->file);
	free(v->instances);
	free(v->edges);
	free(v->dir);
	free(v);
}

bool fx_view_lasts(const struct fx_view *v)
{
	return run_lasts(v->dir);
}

const char *fx_view_guests(const struct fx_view *v, size_t i, const char *port)
{
	return json_string_value(json_object_get(v->instances[i].outputs, port));
}
