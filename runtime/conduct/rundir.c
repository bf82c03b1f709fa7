// SPDX-License-Identifier: Apache-2.0
/* rundir.c: the folder that a run has for logs, sockets and scratch files while it lasts. */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "conduct/door.h"
#include "conduct/run.h"
#include "conduct/view.h"

#define PREFIX "fornix-"

enum { RANDOM_LEN = 6, TMP_LEN_MAX = 60 /* socket paths are limited */ };

const char *fx_run_tmp(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp && strlen(tmp) < TMP_LEN_MAX ? tmp : "/tmp";
}

/* Descriptor of a folder that this process now holds locked; -1 when it cannot. */
static int lock_dir(const char *path)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Removes the folder of a run whose conductor was killed: it has scratch, and no one locks it. */
static void sweep_one(const char *path)
{
	char *scratch = fx_path_join(path, "scratch");
	struct stat st;
	const bool ours = scratch && fx_is_dir(scratch) && lstat(path, &st) == 0 &&
			  S_ISDIR(st.st_mode) && st.st_uid == geteuid();
	const int lock = ours ? lock_dir(path) : -1;

	if (lock >= 0) {
		fx_remove_tree(path, NULL);
		close(lock);
	}
	free(scratch);
}

bool fx_run_dir_name(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
	       strlen(name) == strlen(PREFIX) + RANDOM_LEN;
}

static int is_run_dir(const struct dirent *e)
{
	return fx_run_dir_name(e->d_name);
}

static void sweep(void)
{
	struct dirent **names = NULL;
	const int n = scandir(fx_run_tmp(), &names, is_run_dir, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = fx_path_join(fx_run_tmp(), names[i]->d_name);

		if (path)
			sweep_one(path);
		free(path);
		free(names[i]);
	}
	free(names);
}

int fx__run_dir_make(struct fx_run *r, struct fx_error *err)
{
	static const char *const folders[] = { "logs", "guests", "scratch" };
	char *path = fx_asprintf("%s/" PREFIX "XXXXXX", fx_run_tmp());
	int result = FX_OK;

	sweep();
	if (!path || !mkdtemp(path)) {
		free(path);
		return fx_error_set(err, FX_EIO,
				    "cannot make a folder for the run under %s: %s; set TMPDIR to "
				    "another",
				    fx_run_tmp(), strerror(errno));
	}
	r->run_dir = path;
	r->run_lock = lock_dir(path); /* before there is scratch: no other run sweeps it away */
	for (int i = 0; i < 3 && result == FX_OK; i++) {
		path = fx_path_join(r->run_dir, folders[i]);
		result = path ? fx_make_dirs(path, err) : fx_error_set(err, FX_ENOMEM, "no memory");
		free(path);
	}
	return result;
}

void fx__run_dir_clean(struct fx_run *r, bool keep_logs)
{
	static const char *const names[] = { "state", "guests", "scratch", FX_RUN_FILE, FX_DOOR };
	struct fx_error err = { 0 };

	if (!r->run_dir)
		return;
	if (r->run_lock >= 0)
		close(r->run_lock);
	if (!keep_logs && fx_remove_tree(r->run_dir, &err) < 0)
		fx_log(FX_LOG_WARN, "%s", err.text);
	for (size_t i = 0; keep_logs && i < sizeof names / sizeof *names; i++) {
		char *path = fx_path_join(r->run_dir, names[i]);

		if (path)
			fx_remove_tree(path, NULL);
		free(path);
	}
	for (size_t i = 0; keep_logs && r->plan && i < r->plan->instances_len; i++)
		for (size_t k = 0; k < r->plan->instances[i].wiring.outputs_len; k++) {
			const char *e = r->plan->instances[i].wiring.outputs[k].endpoint;

			if (e && strncmp(e, "ipc://", 6) == 0) /* none: it could not move */
				fx_remove_tree(e + 6, NULL);
		}
	free(r->run_dir);
	r->run_dir = NULL;
}
