// SPDX-License-Identifier: Apache-2.0
/* run.c: runs the command fornix as a process of its own. */
#include "support/test.h"

#include "support/run.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"

extern char **environ;

enum { TEXT_MAX = 16 << 20, LEAVE_S = 120, TICK_MS = 10 };

static char *must(char *text)
{
	if (!text)
		fail_msg("no memory");
	return text;
}

static bool is_over(int64_t start_ns, int seconds)
{
	return fx_now_ns() - start_ns > seconds * INT64_C(1000000000);
}

/* Names in a folder that begin with @p start, sorted, one a line; free(). */
static char *names_in(const char *folder, const char *start)
{
	struct dirent **names = NULL;
	const int n = scandir(folder, &names, NULL, alphasort);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' &&
		    strncmp(names[i]->d_name, start, strlen(start)) == 0)
			fprintf(f, "%s\n", names[i]->d_name);
		free(names[i]);
	}
	free(names);
	fclose(f);
	return text;
}

struct test_place *test_place_new(void)
{
	struct test_place *p = calloc(1, sizeof *p);

	assert_non_null(p);
	p->dir = test_tmp_dir();
	p->tmp = must(fx_path_join(p->dir, "tmp"));
	assert_int_equal(fx_make_dirs(p->tmp, NULL), FX_OK);
	p->before = names_in("/dev/shm", "fornix");
	return p;
}

/* What /proc/PID/NAME holds, NULs as @p gap; NULL when the process has gone. free(). */
static char *proc_text(const char *pid, const char *name, char gap)
{
	char *path = must(fx_asprintf("/proc/%s/%s", pid, name)), *text = calloc(1, 1 << 17);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1, got;
	size_t len = 0;

	while (fd >= 0 && text && (got = read(fd, text + len, (1 << 17) - 1 - len)) > 0)
		n = (ssize_t)(len += (size_t)got);
	for (ssize_t i = 0; i + 1 < n; i++)
		if (!text[i])
			text[i] = gap;
	if (fd >= 0)
		close(fd);
	free(path);
	if (n > 0)
		return text;
	free(text);
	return NULL;
}

/* Counts the processes of @p p whose command line holds @p words; one of them to *pid. */
static int processes(const struct test_place *p, const char *words, pid_t *pid)
{
	char *mark = must(fx_asprintf("TMPDIR=%s\n", p->tmp));
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		char *env = isdigit((unsigned char)e->d_name[0]) ?
				    proc_text(e->d_name, "environ", '\n') :
				    NULL;
		char *line = env && strstr(env, mark) ? proc_text(e->d_name, "cmdline", ' ') : NULL;

		if (line && strstr(line, words)) {
			n++;
			if (pid)
				*pid = (pid_t)strtol(e->d_name, NULL, 10);
		}
		free(env);
		free(line);
	}
	closedir(d);
	free(mark);
	return n;
}

bool test_process_has_child(pid_t parent)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	bool any = false;

	assert_non_null(d);
	while (!any && (e = readdir(d))) {
		char *stat = isdigit((unsigned char)e->d_name[0]) ?
				     proc_text(e->d_name, "stat", ' ') :
				     NULL;
		const char *behind = stat ? strrchr(stat, ')') : NULL;

		/* behind the name: the state, and the parent */
		any = behind && strlen(behind) > 4 && strtol(behind + 4, NULL, 10) == parent;
		free(stat);
	}
	closedir(d);
	return any;
}

int test_place_processes(const struct test_place *p)
{
	return processes(p, "", NULL);
}

pid_t test_place_process(const struct test_place *p, const char *words)
{
	pid_t pid = 0;

	processes(p, words, &pid);
	return pid;
}

pid_t test_place_await(const struct test_place *p, const char *words)
{
	const int64_t start = fx_now_ns();
	pid_t pid;

	while (!(pid = test_place_process(p, words)) && !is_over(start, TEST_RUN_PATIENCE_S))
		fx_sleep_ms(1);
	if (!pid)
		fail_msg("no process \"%s\" has come", words);
	return pid;
}

/* None of its threads runs, nor will before it is told to go on. */
static bool stands(pid_t pid)
{
	char *path = must(fx_asprintf("/proc/%d/task", (int)pid));
	DIR *d = opendir(path);
	struct dirent *e;
	bool all = d != NULL;

	while (all && (e = readdir(d))) {
		char *name = must(fx_asprintf("%d/task/%s", (int)pid, e->d_name));
		char *stat =
			isdigit((unsigned char)e->d_name[0]) ? proc_text(name, "stat", 0) : NULL;
		const char *state = stat ? strrchr(stat, ')') : NULL;

		all = !state || (state[1] == ' ' && state[2] == 'T');
		free(stat);
		free(name);
	}
	if (d)
		closedir(d);
	free(path);
	return all;
}

void test_stop(pid_t pid)
{
	const int64_t start = fx_now_ns();

	if (kill(pid, SIGSTOP) != 0)
		fail_msg("process %d has gone", (int)pid);
	while (!stands(pid)) {
		if (is_over(start, TEST_RUN_PATIENCE_S))
			fail_msg("process %d does not stand", (int)pid);
		fx_sleep_ms(1);
	}
}

pid_t test_place_hold(const struct test_place *p, const char *words)
{
	const pid_t pid = test_place_await(p, words);

	test_stop(pid);
	return pid;
}

/* Fails unless each folder in TMPDIR holds a folder "logs" and nothing else. */
static void check_logs(const struct test_place *p, char *runs)
{
	for (char *name = runs, *next; *name; name = next) {
		char *folder, *in;

		next = name + strcspn(name, "\n");
		*next++ = 0;
		folder = must(fx_path_join(p->tmp, name));
		in = names_in(folder, "");
		if (strcmp(in, "logs\n") != 0)
			fail_msg("left behind in %s: %s", folder, in);
		free(in);
		free(folder);
	}
}

static void check_clean(const struct test_place *p, bool logs)
{
	const int64_t start = fx_now_ns();
	char *runs, *after = names_in("/dev/shm", "fornix");
	int n;

	while ((n = test_place_processes(p)) && !is_over(start, LEAVE_S))
		fx_sleep_ms(TICK_MS);
	if (n)
		fail_msg("%d processes left behind", n);
	runs = names_in(p->tmp, "");
	if (*runs && !logs)
		fail_msg("left behind in TMPDIR: %s", runs);
	check_logs(p, runs);
	free(runs);
	assert_string_equal(after, p->before);
	free(after);
}

void test_place_clean(const struct test_place *p)
{
	check_clean(p, false);
}

void test_place_clean_but_logs(const struct test_place *p)
{
	check_clean(p, true);
}

void test_place_free(struct test_place *p)
{
	pid_t pid;

	while ((pid = test_place_process(p, ""))) {
		kill(pid, SIGKILL);
		fx_sleep_ms(TICK_MS);
	}
	fx_remove_tree(p->dir, NULL);
	free(p->before);
	free(p->tmp);
	free(p->dir);
	free(p);
}

int test_place_setup(void **state)
{
	*state = test_place_new();
	return 0;
}

int test_place_teardown(void **state)
{
	test_place_free(*state);
	return 0;
}

/* The environment with TMPDIR set; free() the list. */
static char **environment(char *tmp)
{
	size_t n = 0, used = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof *env);
	assert_non_null(env);
	env[used++] = tmp;
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "TMPDIR=", 7) != 0)
			env[used++] = environ[i];
	return env;
}

static void spawn_now(struct test_run *r, const char *const *argv)
{
	char *tmp = must(fx_asprintf("TMPDIR=%s", r->place->tmp));
	char **env = environment(tmp);
	posix_spawn_file_actions_t a;
	posix_spawnattr_t attr;
	int failed;

	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&a, 1, r->out_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	posix_spawn_file_actions_addopen(&a, 2, r->err_path, O_WRONLY | O_CREAT | O_APPEND, 0666);
	failed = posix_spawn(&r->pid, argv[0], &a, &attr, (char *const *)(uintptr_t)argv, env);
	posix_spawn_file_actions_destroy(&a);
	posix_spawnattr_destroy(&attr);
	free(env);
	free(tmp);
	if (failed)
		fail_msg("cannot start %s: %s", argv[0], strerror(failed));
}

struct test_run *test_run_start(struct test_place *p, const char *const *words)
{
	const char *program = getenv("FORNIX_BIN"), *argv[TEST_RUN_WORDS_MAX + 2] = { 0 };
	struct test_run *r = calloc(1, sizeof *r);

	assert_non_null(r);
	argv[0] = program ? program : "build/bin/fornix";
	for (int i = 0; words[i]; i++) {
		assert_true(i < TEST_RUN_WORDS_MAX);
		argv[i + 1] = words[i];
	}
	r->place = p;
	r->out_path = must(fx_asprintf("%s/stdout-%d", p->dir, p->runs));
	r->err_path = must(fx_asprintf("%s/stderr-%d", p->dir, p->runs));
	p->runs++;
	spawn_now(r, argv);
	return r;
}

static char *text_of(const char *path)
{
	void *text = NULL;
	size_t size;

	return fx_file_read(path, TEXT_MAX, &text, &size, NULL) == FX_OK ? text :
									   must(fx_strdup(""));
}

/* True when it has ended, now or before. */
static bool has_ended(struct test_run *r)
{
	int status;

	if (!r->pid)
		return true;
	if (waitpid(r->pid, &status, WNOHANG) != r->pid)
		return false;
	r->pid = 0;
	r->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

static void give_up(struct test_run *r)
{
	char *said = text_of(r->err_path);

	kill(-r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	r->pid = 0;
	fail_msg("still running after %d s; it said: %s", TEST_RUN_PATIENCE_S, said);
	free(said);
}

void test_run_wait(struct test_run *r)
{
	const int64_t start = fx_now_ns();

	while (!has_ended(r)) {
		if (is_over(start, TEST_RUN_PATIENCE_S))
			give_up(r);
		else
			fx_sleep_ms(TICK_MS);
	}
	r->out = text_of(r->out_path);
	r->err = text_of(r->err_path);
}

char *test_run_await(struct test_run *r, const char *text)
{
	const int64_t start = fx_now_ns();

	for (;;) {
		const bool ended = has_ended(r);
		char *said = text_of(r->err_path);

		if (strstr(said, text))
			return said;
		if (ended)
			fail_msg("ended with %d without \"%s\": %s", r->code, text, said);
		else if (is_over(start, TEST_RUN_PATIENCE_S))
			give_up(r);
		free(said);
		fx_sleep_ms(TICK_MS);
	}
}

void test_run_free(struct test_run *r)
{
	if (r->pid) {
		kill(-r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	}
	free(r->out_path);
	free(r->err_path);
	free(r->out);
	free(r->err);
	free(r);
}

struct test_run *test_run(struct test_place *p, const char *const *words)
{
	struct test_run *r = test_run_start(p, words);

	test_run_wait(r);
	return r;
}

void test_run_expect(struct test_place *p, int code, const char *const *words)
{
	struct test_run *r = test_run(p, words);

	if (r->code != code)
		fail_msg("ended with %d, not %d, and said: %s", r->code, code, r->err);
	test_run_free(r);
}

const char *test_run_sentence(const char *said)
{
	static const char *const more[] = {
		"  its log: /",
		"what was done is kept: the same command with --resume goes on\n",
	};
	const char *end = strchr(said, '\n'), *line = end ? end + 1 : "";

	for (size_t i = 0; i < sizeof more / sizeof *more; i++)
		if (strncmp(line, more[i], strlen(more[i])) == 0 && strchr(line, '\n'))
			line = strchr(line, '\n') + 1;
	if (strncmp(said, "fornix: ", 8) != 0 || !end || *line)
		fail_msg("not one sentence: %s", said);
	return end;
}

const char *test_word(const char *name, const char *folder, const char *file)
{
	static char places[64][512];
	static unsigned next;
	char *place = places[next++ % 64];

	snprintf(place, sizeof places[0], "%s=%s/%s", name, folder, file);
	return place;
}
