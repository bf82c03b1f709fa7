// SPDX-License-Identifier: Apache-2.0
/* process.c: starts and ends the processes of a run. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "conduct/run.h"

enum { PATIENCE_MS = 10000 };

extern char **environ;

char *fx__process_log(const struct fx_run *r, size_t i)
{
	const struct fx_wiring *w = &r->plan->instances[i].wiring;

	return fx_asprintf("%s/logs/%s.%u.log", r->run_dir, w->node, w->instance);
}

/* The wiring as a file that the process reads from its start; the descriptor or a code. */
static int wiring_file(const struct fx_wiring *w, struct fx_error *err)
{
	char *text = fx_wiring_to_json(w);
	const int fd = text ? memfd_create("fornix-wiring", MFD_CLOEXEC) : -1;
	int failed = text ? -errno : -ENOMEM;

	if (fd >= 0)
		failed = fx_pwrite_all(fd, text, strlen(text), 0);
	if (text)
		explicit_bzero(text, strlen(text)); /* it may hold a secret key */
	free(text);
	if (!failed)
		return fd;
	if (fd >= 0)
		close(fd);
	return fx_error_set(err, FX_EIO, "cannot write the wiring of %s: %s", w->node,
			    strerror(-failed));
}

/* Descriptors that the process inherits under the same numbers. */
static void inherit(posix_spawn_file_actions_t *a, const struct fx_wiring *w)
{
	posix_spawn_file_actions_adddup2(a, w->stats_fd, w->stats_fd);
	if (w->pool_fd >= 0)
		posix_spawn_file_actions_adddup2(a, w->pool_fd, w->pool_fd);
	for (size_t i = 0; i < w->outputs_len; i++)
		if (w->outputs[i].listen_fd >= 0)
			posix_spawn_file_actions_adddup2(a, w->outputs[i].listen_fd,
							 w->outputs[i].listen_fd);
	for (size_t i = 0; i < w->inputs_len; i++)
		for (size_t k = 0; k < w->inputs[i].lanes_len; k++)
			if (w->inputs[i].lanes[k].pool_fd >= 0)
				posix_spawn_file_actions_adddup2(a, w->inputs[i].lanes[k].pool_fd,
								 w->inputs[i].lanes[k].pool_fd);
}

/* The own environment with the thread counts of the instance in front; free() the list and its
 * first three. */
static char **environment(int threads)
{
	size_t n = 0, used = 0;
	char **env;

	while (environ[n])
		n++;
	env = fx_calloc(n + 4, sizeof *env);
	if (!env)
		return NULL;
	env[used++] = fx_asprintf("OMP_NUM_THREADS=%d", threads);
	env[used++] = fx_strdup("OPENBLAS_NUM_THREADS=1");
	env[used++] = fx_strdup("OMP_WAIT_POLICY=passive");
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "OMP_", 4) != 0 &&
		    strncmp(environ[i], "OPENBLAS_NUM", 12) != 0)
			env[used++] = environ[i];
	return env;
}

/* Signals that the node handles, but must not meet before it does; it lets them in itself. */
static void hold_signals(posix_spawnattr_t *attr)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGUSR1);
	posix_spawnattr_init(attr);
	posix_spawnattr_setsigmask(attr, &held);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK);
}

static int spawn_now(struct fx_run *r, size_t i, int wiring_fd, struct fx_error *err)
{
	const struct fx_plan_instance *inst = &r->plan->instances[i];
	char name[96], fd_text[16];
	char *log = fx__process_log(r, i);
	char **env = environment(inst->threads);
	const char *argv[] = {
		"fornix", "node", name, inst->wiring.type, "--wiring", fd_text, NULL
	};
	posix_spawn_file_actions_t a;
	posix_spawnattr_t attr;
	int failed;

	hold_signals(&attr);
	snprintf(name, sizeof name, "%s.%u", inst->wiring.node, inst->wiring.instance);
	snprintf(fd_text, sizeof fd_text, "%d", wiring_fd);
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&a, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&a, 2, log ? log : "/dev/null",
					 O_WRONLY | O_CREAT | O_APPEND, 0666);
	posix_spawn_file_actions_adddup2(&a, wiring_fd, wiring_fd);
	inherit(&a, &inst->wiring);
	posix_spawn_file_actions_adddup2(&a, r->state_lock, r->state_lock);
	failed = posix_spawn(&r->processes[i].pid, "/proc/self/exe", &a, &attr,
			     (char *const *)(uintptr_t)argv, env ? env : environ);
	posix_spawn_file_actions_destroy(&a);
	posix_spawnattr_destroy(&attr);
	for (int k = 0; env && k < 3; k++)
		free(env[k]);
	free(env);
	free(log);
	if (!failed)
		return FX_OK;
	r->processes[i].pid = 0;
	return fx_error_set(err, FX_EIO, "cannot start %s: %s", inst->wiring.node,
			    strerror(failed));
}

static int start_here(struct fx_run *r, size_t i, struct fx_error *err)
{
	struct fx_wiring *w = &r->plan->instances[i].wiring;
	int fd, result;

	w->conductor = (unsigned)getpid();
	fd = wiring_file(w, err);
	if (fd < 0)
		return fd;
	result = spawn_now(r, i, fd, err);
	close(fd);
	atomic_store(&r->stats.instances[w->index].pid, (uint32_t)r->processes[i].pid);
	if (result == FX_OK)
		fx__health_begin(r, i);
	return result;
}

int fx__process_start(struct fx_run *r, size_t i, struct fx_error *err)
{
	struct fx_plan_instance *inst = &r->plan->instances[i];
	struct fx_instance_stats *s = &r->stats.instances[i];
	const uint32_t lives = atomic_load(&s->lives);

	r->processes[i].ended = false;
	r->processes[i].restart_at_ns = 0;
	inst->wiring.epoch = lives;
	atomic_store(&s->lives, lives + 1);
	atomic_store(&s->state, FX_STATE_STARTING);
	return inst->host ? fx__hosts_start(r, i, err) : start_here(r, i, err);
}

bool fx__process_runs(const struct fx_run *r, size_t i)
{
	return r->processes[i].pid || r->processes[i].away;
}

void fx__process_signal(struct fx_run *r, size_t i, int number)
{
	if (r->processes[i].pid)
		kill(r->processes[i].pid, number);
	else if (r->processes[i].away)
		fx__hosts_signal(r, i, number);
}

/* Some process that we started has ended: one question for all of them. */
static bool any_ended(void)
{
	siginfo_t info = { 0 };

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

void fx__processes_reap(struct fx_run *r)
{
	if (!any_ended())
		return;
	for (size_t i = 0; i < r->plan->instances_len; i++) {
		struct fx_process *p = &r->processes[i];

		if (p->pid && waitpid(p->pid, &p->status, WNOHANG) == p->pid) {
			p->pid = 0;
			p->ended = true;
		}
	}
}

static size_t running(const struct fx_run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->plan->instances_len; i++)
		n += fx__process_runs(r, i);
	return n;
}

static void signal_all(struct fx_run *r, int number)
{
	for (size_t i = 0; i < r->plan->instances_len; i++)
		fx__process_signal(r, i, number);
}

/* True when all have ended in time. */
static bool wait_all(struct fx_run *r, int pause_ms, int64_t until)
{
	while (running(r) && fx_now_ns() < until) {
		fx__processes_reap(r);
		fx__hosts_pump(r);
		if (running(r))
			fx_sleep_ms(pause_ms);
	}
	return !running(r);
}

void fx__processes_end(struct fx_run *r)
{
	signal_all(r, SIGTERM);
	if (wait_all(r, 5, fx_now_ns() + PATIENCE_MS * INT64_C(1000000)))
		return;
	signal_all(r, SIGKILL);
	wait_all(r, 2, INT64_MAX);
}
