// SPDX-License-Identifier: Apache-2.0
/* launch.c: starts the agent of a host by what the site has. */
#include "conduct/launch.h"

#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

extern char **environ;

enum { WORDS_MAX = 64 };

struct words {
	char **list;
	size_t len;
	bool failed;
};

/* Takes @p word. */
static void add(struct words *w, char *word)
{
	w->failed = w->failed || !word || w->len >= WORDS_MAX;
	if (w->failed)
		free(word);
	else
		w->list[w->len++] = word;
}

static void add_each(struct words *w, const char *text)
{
	while (*(text += strspn(text, " \t"))) {
		const size_t len = strcspn(text, " \t");

		add(w, fx_asprintf("%.*s", (int)len, text));
		text += len;
	}
}

/* fornix on the host as a shell there takes it: what the graph says, else where it is here. */
static char *program(const struct fx_graph_host *h)
{
	char path[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (*h->command)
		return fx_strdup(h->command);
	if (n <= 0)
		return fx_strdup("fornix");
	path[n] = 0;
	return fx_asprintf(h->launcher == FX_LAUNCH_SSH ? "'%s'" : "%s", path);
}

static void add_ssh(struct words *w, const struct fx_graph_host *h)
{
	add_each(w, "ssh -T -o BatchMode=yes -o ServerAliveInterval=5 -o ServerAliveCountMax=6");
	add_each(w, h->options);
	add(w, fx_strdup("--"));
	add(w, fx_strdup(*h->login ? h->login : h->address));
	add(w, program(h));
}

static void add_slurm(struct words *w, const struct fx_graph_host *h)
{
	add_each(w, "srun --nodes=1 --ntasks=1 --overlap --unbuffered --kill-on-bad-exit=0");
	if (*h->login)
		add(w, fx_asprintf("--nodelist=%s", h->login));
	add_each(w, h->options);
	if (*h->command)
		add_each(w, h->command);
	else
		add(w, program(h));
}

/* Into a pod that runs. */
static void add_kubernetes(struct words *w, const struct fx_graph_host *h)
{
	add_each(w, "kubectl exec -i");
	add_each(w, h->options);
	add(w, fx_strdup(h->login));
	add(w, fx_strdup("--"));
	if (*h->command)
		add_each(w, h->command);
	else
		add(w, program(h));
}

char **fx_launch_words(const struct fx_graph_host *h)
{
	struct words w = { .list = fx_calloc(WORDS_MAX + 1, sizeof *w.list) };

	if (!w.list)
		return NULL;
	if (h->launcher == FX_LAUNCH_SSH)
		add_ssh(&w, h);
	else if (h->launcher == FX_LAUNCH_SLURM)
		add_slurm(&w, h);
	else if (h->launcher == FX_LAUNCH_KUBERNETES)
		add_kubernetes(&w, h);
	else if (*h->command)
		add_each(&w, h->command);
	else
		add(&w, program(h));
	add(&w, fx_strdup("agent"));
	if (!w.failed)
		return w.list;
	for (size_t i = 0; i < w.len; i++)
		free(w.list[i]);
	free(w.list);
	return NULL;
}

static void words_free(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

char *fx_launch_text(const struct fx_graph_host *h)
{
	char **words = fx_launch_words(h), *text = words ? fx_strdup(words[0]) : NULL;

	for (size_t i = 1; text && words[i]; i++) {
		char *longer = fx_asprintf("%s %s", text, words[i]);

		free(text);
		text = longer;
	}
	words_free(words);
	return text;
}

static int spawn(char **words, const char *log, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t a;
	int failed;

	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_adddup2(&a, in, 0);
	posix_spawn_file_actions_adddup2(&a, out, 1);
	posix_spawn_file_actions_addopen(&a, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
	failed = posix_spawnp(pid, words[0], &a, NULL, words, environ);
	posix_spawn_file_actions_destroy(&a);
	return failed;
}

pid_t fx_launch(const struct fx_graph_host *h, const char *log, int *to, int *from,
		struct fx_error *err)
{
	char **words = fx_launch_words(h);
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, failed = 0;
	pid_t pid = FX_EIO;

	if (!words)
		return fx_error_set(err, FX_ENOMEM, "no memory to start %s", h->name);
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		fx_error_set(err, FX_EIO, "cannot make a pipe to host %s", h->name);
	else if ((failed = spawn(words, log, in[0], out[1], &pid)))
		pid = fx_error_set(err, FX_EIO, "host %s: cannot start %s: %s", h->name, words[0],
				   strerror(failed));
	words_free(words);
	if (in[0] >= 0)
		close(in[0]);
	if (out[1] >= 0)
		close(out[1]);
	*to = in[1];
	*from = out[0];
	if (pid > 0)
		return pid;
	if (*to >= 0)
		close(*to);
	if (*from >= 0)
		close(*from);
	return FX_EIO;
}
