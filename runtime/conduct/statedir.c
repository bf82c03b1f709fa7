// SPDX-License-Identifier: Apache-2.0
/* statedir.c: the folder that outlives a run which was stopped: counters, journals, what is
 * missing. It lies in the run's output, or else in the run's own folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "conduct/run.h"

#define DRAINS "drains" /* there once sources were stopped */

enum { PATIENCE_MS = 60000, AGENTS_MS = 60000, GRAPH_MAX = 64 << 20 };

/* What must be the same in a run that goes on: a line a node, option, edge. free(). */
static char *graph_text(const struct fx_graph *g)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "fornix %d.%d, wire version %d, node contract %d\n", FX_VERSION_MAJOR,
		FX_VERSION_MINOR, FX_WIRE_VERSION, FX_NODE_ABI);
	for (size_t i = 0; i < g->nodes_len; i++) {
		const struct fx_graph_node *n = &g->nodes[i];

		fprintf(f, "node %s: %s, %d workers by %s\n", n->name, n->type->name, n->workers,
			fx_key_name(n->key));
		if (n->precision.f16 || n->precision.u8)
			fprintf(f, "%s.precision f16 %x, u8 %x\n", n->name, n->precision.f16,
				n->precision.u8);
		for (size_t k = 0; k < n->options_len; k++)
			fprintf(f, "%s.%s = %s\n", n->name, n->options[k].name,
				n->options[k].value);
		for (size_t k = 0; k < n->inputs_len; k++)
			fprintf(f, "%s.%s from %s.%s, %s\n", n->name,
				n->type->ports[n->inputs[k].port].name,
				g->nodes[n->inputs[k].from].name,
				g->nodes[n->inputs[k].from]
					.type->ports[n->inputs[k].from_port]
					.name,
				fx_policy_name(n->inputs[k].policy));
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Waits for the processes of a run whose conductor was killed: they hold the lock until they end.
 */
static int state_lock(struct fx_run *r, struct fx_error *err)
{
	const int64_t until = fx_now_ns() + PATIENCE_MS * INT64_C(1000000);
	bool told = false;

	r->state_lock = open(r->state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->state_lock < 0)
		return fx_error_set(err, FX_EIO, "%s: cannot open: %s", r->state_dir,
				    strerror(errno));
	while (flock(r->state_lock, LOCK_EX | LOCK_NB) != 0) {
		if (fx_now_ns() > until)
			return fx_error_set(
				err, FX_EINVAL,
				"%s is in use: another run writes to this output, or processes of "
				"a "
				"former one hang: wait for it, or end them (fuser -k %s)",
				r->state_dir, r->state_dir);
		if (!told && !r->options->quiet)
			fprintf(stderr, "waiting for the run that uses %s to end\n", r->state_dir);
		told = true;
		fx_sleep_ms(50);
	}
	return FX_OK;
}

/* The same for the processes of agents on other hosts. */
static int state_wait_agents(struct fx_run *r, struct fx_error *err)
{
	const int64_t until = fx_now_ns() + AGENTS_MS * INT64_C(1000000);
	char *path = fx_path_join(r->state_dir, FX_STATE_HOLD);
	const int fd = path ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
	bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;

	free(path);
	while (held && fx_now_ns() < until) {
		fx_sleep_ms(50);
		held = flock(fd, LOCK_EX | LOCK_NB) != 0;
	}
	if (fd >= 0)
		close(fd);
	if (fd < 0 || held)
		return fx_error_set(err, FX_EIO, "%s: %s", r->state_dir,
				    held ? "processes on other hosts still use it" :
					   "cannot make a file there");
	return FX_OK;
}

static int state_empty(const struct fx_run *r, struct fx_error *err)
{
	DIR *dir = opendir(r->state_dir);
	const struct dirent *e;
	int result = FX_OK;

	while (dir && result == FX_OK && (e = readdir(dir))) {
		char *path = fx_path_join(r->state_dir, e->d_name);

		if (!path)
			result = fx_error_set(err, FX_ENOMEM, "no memory");
		else if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			result = fx_remove_tree(path, err);
		free(path);
	}
	if (dir)
		closedir(dir);
	return result;
}

/* The first line in which two texts differ; cuts it out of both. False when none does. */
static bool first_difference(char *a, char *b, const char **in_a, const char **in_b)
{
	while (*a && *b) {
		char *const end_a = a + strcspn(a, "\n"), *const end_b = b + strcspn(b, "\n");
		const size_t n = (size_t)(end_a - a);

		if (n != (size_t)(end_b - b) || memcmp(a, b, n) != 0) {
			*end_a = *end_b = 0;
			break;
		}
		a = end_a + (*end_a != 0);
		b = end_b + (*end_b != 0);
	}
	*in_a = a;
	*in_b = b;
	return *a || *b;
}

/* FX_OK: the state is of this graph; FX_ENOENT: there is none. */
static int state_check(const char *path, char *now, const char *dir, struct fx_error *err)
{
	const char *was, *is;
	void *old;
	size_t size;
	int result = FX_OK;

	if (access(path, F_OK) != 0)
		return FX_ENOENT;
	result = fx_file_read(path, GRAPH_MAX, &old, &size, err);
	if (result < 0)
		return FX_EIO;
	if (first_difference(old, now, &was, &is))
		result = fx_error_set(err, FX_EINVAL,
				      "%s: the run that was stopped is of another graph: it had "
				      "\"%.200s\", this has \"%.200s\"; give the same graph and "
				      "parameters, or leave out --resume to start anew",
				      dir, was, is);
	free(old);
	return result;
}

static int state_fill(struct fx_run *r, const char *path, const char *text, struct fx_error *err)
{
	char *missing = fx_path_join(r->state_dir, "missing");
	int result = state_empty(r, err);

	if (result == FX_OK)
		result = fx_remove_tree(r->dead_dir, err);
	if (result == FX_OK)
		result = missing ? fx_make_dirs(missing, err) :
				   fx_error_set(err, FX_ENOMEM, "no memory");
	if (result == FX_OK)
		result = fx_file_write(path, text, strlen(text), err);
	free(missing);
	return result;
}

void fx__state_drains(struct fx_run *r)
{
	char *path = r->drains ? NULL : fx_path_join(r->state_dir, DRAINS);
	struct fx_error err = { 0 };

	r->drains = true;
	if (path && fx_file_write(path, "", 0, &err) < 0)
		fx_log(FX_LOG_WARN, "%s", err.text);
	free(path);
}

/* There is something to go on with: FX_OK, else FX_ENOENT. What was being stopped is not. */
static int state_resume(struct fx_run *r, const char *path, char *text, struct fx_error *err)
{
	char *drains = fx_path_join(r->state_dir, DRAINS);
	int result = state_check(path, text, r->state_dir, err);
	const bool drained = drains && result == FX_OK && access(drains, F_OK) == 0;

	free(drains);
	if (drained || result == FX_ENOENT) {
		if (!r->options->quiet)
			fprintf(stderr,
				drained ? "the run was killed while it was being stopped, when "
					  "its sources had ended: starting from the beginning\n" :
					  "nothing to go on with: starting from the beginning\n");
		return FX_ENOENT;
	}
	r->resumed = result == FX_OK;
	return result;
}

int fx__state_make(struct fx_run *r, struct fx_error *err)
{
	const char *out = r->options->out;
	char *text = graph_text(r->graph), *path = NULL;
	int result = FX_OK;

	r->state_lock = -1;
	r->state_dir = out ? fx_path_join(out, ".fornix") : fx_path_join(r->run_dir, "state");
	r->dead_dir = fx_path_join(out ? out : r->run_dir, "dead-letters");
	if (r->state_dir && r->dead_dir)
		path = fx_path_join(r->state_dir, "graph");
	if (!text || !path)
		result = fx_error_set(err, FX_ENOMEM, "no memory");
	if (result == FX_OK)
		result = fx_make_dirs(r->state_dir, err);
	if (result == FX_OK)
		result = state_lock(r, err);
	if (result == FX_OK && r->graph->hosts_len > 1)
		result = state_wait_agents(r, err);
	if (result == FX_OK && r->options->resume)
		result = state_resume(r, path, text, err);
	if (result == FX_ENOENT || (result == FX_OK && !r->resumed))
		result = state_fill(r, path, text, err);
	free(path);
	free(text);
	return result;
}

void fx__state_clean(struct fx_run *r, bool keep)
{
	struct fx_error err = { 0 };

	if (!r->state_dir)
		return;
	if (!keep && fx_remove_tree(r->state_dir, &err) < 0)
		fx_log(FX_LOG_WARN, "%s", err.text);
	if (r->state_lock >= 0)
		close(r->state_lock);
	free(r->state_dir);
	r->state_dir = NULL;
}
