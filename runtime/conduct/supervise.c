// SPDX-License-Identifier: Apache-2.0
/* supervise.c: what becomes of a process that fails or dies: told at once, or started again. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "conduct/hosts.h"
#include "conduct/run.h"

enum { BACKOFF_MS = 100, BACKOFF_MAX_MS = 10000, TAIL_MAX = 4096 };

enum fx_run_state fx__run_state(const struct fx_run *r, size_t i)
{
	return (enum fx_run_state)atomic_load(&r->stats.instances[i].state);
}

int64_t fx__budget_take(struct fx_budget *b, const struct fx_restarts *limits, int64_t now_ns)
{
	int64_t wait_ms = BACKOFF_MS;
	unsigned kept = 0;

	for (unsigned k = 0; k < b->len; k++)
		if (now_ns - b->at_ns[k] < limits->window_s * INT64_C(1000000000))
			b->at_ns[kept++] = b->at_ns[k];
	b->len = kept;
	if (b->len >= limits->most || b->len >= FX_RESTARTS_MAX)
		return -1;
	for (unsigned k = 0; k < b->len && wait_ms < BACKOFF_MAX_MS; k++)
		wait_ms *= 2;
	b->at_ns[b->len++] = now_ns;
	return wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
}

/* The end of a file, as text. */
static void read_tail(const char *path, char tail[TAIL_MAX + 1])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	tail[0] = 0;
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		const off_t from = st.st_size > TAIL_MAX ? st.st_size - TAIL_MAX : 0;
		const size_t size = (size_t)(st.st_size - from);

		tail[fx_pread_all(fd, tail, size, from) == 0 ? size : 0] = 0;
	}
	close(fd);
}

/* What is said in a line of fx_log() that tells of an error; NULL in any other. */
static char *error_words(char *line)
{
	char *words = line[0] && line[1] && line[2] == ':' ? strstr(line, " error: ") : NULL;

	return words ? words + strlen(" error: ") : NULL;
}

void fx__last_words(const char *path, char *text, size_t size)
{
	char tail[TAIL_MAX + 1], *next, *last = NULL, *error = NULL;

	read_tail(path, tail);
	for (char *line = tail; *line; line = next) {
		char *words;

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		words = error_words(line);
		error = words ? words : error;
		last = *line ? line : last;
	}
	last = error ? error : last;
	snprintf(text, size, "%s", last ? last : "");
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
}

static const struct fx_graph_node *node_of(const struct fx_run *r, size_t i)
{
	return &r->graph->nodes[r->plan->instances[i].node];
}

static void fail_run(struct fx_run *r, size_t i, const char *what)
{
	const char *host = fx__hosts_name(r, i);
	char *log = fx__process_log(r, i);

	if (!r->failure[0])
		snprintf(r->failure, sizeof r->failure, "%s (%s%s%s): %s\n  its log: %s",
			 node_of(r, i)->name, node_of(r, i)->type->name, host ? " on " : "",
			 host ? host : "", what, log ? log : "?");
	free(log);
}

static void ending_text(const struct fx_process *p, char *text, size_t size)
{
	const int status = p->status;

	if (p->killed[0])
		snprintf(text, size, "%s", p->killed);
	else if (WIFSIGNALED(status))
		snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, size, "ended with exit code %d", WEXITSTATUS(status));
}

/* An end that a program brings upon itself, and will again. */
static bool own_doing(int status)
{
	static const int faults[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };

	for (size_t k = 0; WIFSIGNALED(status) && k < sizeof faults / sizeof *faults; k++)
		if (WTERMSIG(status) == faults[k])
			return true;
	return !WIFSIGNALED(status);
}

/* How it ended, when, and what it said last. */
static void fail_with_words(struct fx_run *r, size_t i, const char *how, const char *when)
{
	const bool away = r->plan->instances[i].host != 0;
	char words[320] = "", text[700];
	char *log = fx__process_log(r, i);

	if (away)
		snprintf(words, sizeof words, "%s", r->processes[i].words);
	else if (log)
		fx__last_words(log, words, sizeof words);
	snprintf(text, sizeof text, "%s%s%s%s", how, when, *words ? "; it said last: " : "", words);
	fail_run(r, i, text);
	free(log);
}

static void start_again(struct fx_run *r, size_t i, const char *how)
{
	struct fx_process *p = &r->processes[i];
	const struct fx_restarts usual = { FX_RESTARTS, FX_RESTART_WINDOW_S };
	const struct fx_restarts *asked = &r->options->restarts;
	const struct fx_restarts *limits = asked->window_s ? asked : &usual;
	const int64_t now = fx_now_ns(), wait_ms = fx__budget_take(&p->budget, limits, now);
	char when[96];

	if (wait_ms < 0) {
		snprintf(when, sizeof when, ", after it was started again %u times within %u s",
			 limits->most, limits->window_s);
		fail_with_words(r, i, how, when);
		return;
	}
	fx_log(FX_LOG_WARN, "%s.%u %s; starting it again in %" PRIi64 " ms", node_of(r, i)->name,
	       r->plan->instances[i].wiring.instance, how, wait_ms);
	p->restarts++;
	p->restart_at_ns = now + wait_ms * 1000000;
}

/* A process has ended before its time. */
static void handle_end(struct fx_run *r, size_t i)
{
	const bool starting = fx__run_state(r, i) == FX_STATE_STARTING;
	char how[400], text[480];

	ending_text(&r->processes[i], how, sizeof how);
	if (r->processes[i].hopeless) {
		fail_run(r, i, how);
	} else if (starting && own_doing(r->processes[i].status)) {
		fail_with_words(r, i, how, " while it started");
	} else if (starting || node_of(r, i)->type->stateless || !r->options->at_most_once) {
		const bool itself = own_doing(r->processes[i].status) || r->processes[i].killed[0];

		if (starting || !itself || fx__poison_note(r, i, how))
			start_again(r, i, how);
		else
			fail_with_words(r, i, how, ", as too many other messages did to it");
	} else {
		snprintf(text, sizeof text, "%s; what it held is lost and the run cannot go on",
			 how);
		fail_run(r, i, text);
	}
	r->processes[i].ended = false;
}

/* Whether the agent of its host has gone: fx__hosts_move() will find another host for what failed
 * to start there. */
static bool is_adrift(const struct fx_run *r, size_t i)
{
	const unsigned host = r->plan->instances[i].host;

	return r->hosts && host && r->hosts->hosts[host].channel.closed;
}

void fx__supervise(struct fx_run *r, size_t i)
{
	struct fx_process *p = &r->processes[i];
	struct fx_error err = { 0 };
	char words[900];

	if (p->pid) /* of others the agents look after */
		fx__health_look(r, i);
	if (fx__run_state(r, i) == FX_STATE_FAILED) {
		fx__health_words(r, i, words, sizeof words);
		fail_run(r, i, words);
	} else if (p->ended && !fx__hosts_joined(r, i, &err)) {
		handle_end(r, i);
	}
	if (!err.code && p->restart_at_ns && fx_now_ns() >= p->restart_at_ns)
		fx__process_start(r, i, &err);
	if (err.code && !is_adrift(r, i))
		fail_run(r, i, err.text);
}
