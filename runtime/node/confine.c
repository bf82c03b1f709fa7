// SPDX-License-Identifier: Apache-2.0
/* confine.c: a process drops what a node does not need. */
#include "node/confine.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/datafile.h"
#include "base/file.h"
#include "node/landlock.h"
#include "node/sanitized.h"
#include "node/seccomp.h"

/* Files of others can still be opened by a node that runs as root; nothing else of root is left. */
static void drop_capabilities(void)
{
	const uint32_t keep = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH |
			      1u << CAP_FOWNER | 1u << CAP_CHOWN;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (syscall(SYS_capget, &header, data) != 0)
		return;
	data[0].effective &= keep;
	data[0].permitted &= keep;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){ 0 };
	header.version = _LINUX_CAPABILITY_VERSION_3;
	syscall(SYS_capset, &header, data);
}

/* The folder that @p path is in, made when it is not there; free(). */
static char *parent_of(const char *path)
{
	char *copy = fx_strdup(path), *end;

	if (!copy)
		return NULL;
	fx_make_parents(path, NULL);
	for (end = copy + strlen(copy); end > copy + 1 && end[-1] == '/';)
		*--end = 0;
	end = strrchr(copy, '/');
	if (!end)
		snprintf(copy, strlen(path) + 1, "%s", ".");
	else
		end[end == copy] = 0;
	return copy;
}

/* Writers make what they write beside its place, and rename it: beside a link, or where it leads.
 */
static void allow_beside(const struct fx_landlock *l, const char *path)
{
	char *parent = parent_of(path), *real = realpath(path, NULL);
	char *real_parent = real ? parent_of(real) : NULL;

	if (parent)
		fx_landlock_write(l, parent);
	if (real_parent)
		fx_landlock_write(l, real_parent);
	free(real_parent);
	free(real);
	free(parent);
}

static void allow_options(const struct fx_landlock *l, const struct fx_node *n)
{
	for (const struct fx_option *o = n->type->options; o && o->name; o++) {
		const char *path;

		if (o->type != FX_OPT_STR || o->path != FX_PATH_WRITE)
			continue;
		memcpy(&path, (const char *)n->state + o->offset, sizeof path);
		if (path && *path)
			allow_beside(l, path);
	}
}

static void allow_program(const struct fx_landlock *l)
{
	static const char *const places[] = { "/usr",
					      "/lib",
					      "/lib64",
					      "/proc",
					      "/sys/devices/system",
					      "/etc/ld.so.cache",
					      "/etc/localtime",
					      "/dev/urandom" };
	char program[PATH_MAX], *end, *models = fx_datafile_path("models");
	const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);

	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		fx_landlock_read(l, places[i]);
	program[len > 0 ? len : 0] = 0;
	end = strrchr(program, '/');
	if (end)
		*end = 0;
	fx_landlock_read(l, program);
	if (models)
		fx_landlock_read(l, models);
	free(models);
}

static int lock_files(const struct fx_wiring *w, const struct fx_node *n)
{
	const struct fx_guard *g = &w->guard;
	struct fx_landlock l;
	const int failed = fx_landlock_begin(&l, g->sandbox);

	if (failed)
		return failed;
	fx_landlock_write(&l, "/dev/null");
	fx_landlock_write(&l, w->run_dir);
	fx_landlock_write(&l, w->scratch_dir);
	fx_landlock_write(&l, w->state_dir);
	if (*g->out)
		fx_landlock_write(&l, g->out);
	if (!g->sandbox)
		allow_options(&l, n);
	else
		allow_program(&l);
	for (size_t i = 0; g->sandbox && i < g->readable_len; i++)
		fx_landlock_read(&l, g->readable[i]);
	return fx_landlock_enforce(&l);
}

/* Memory of a process with a secret key is not for debuggers and core files. */
static void hide_memory(const struct fx_guard *g)
{
	if (g->has_keys && !FX_SANITIZED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void fx_confine(const struct fx_wiring *w, const struct fx_node *n, char *text, size_t size)
{
	int files, calls;

	hide_memory(&w->guard);
	if (!w->guard.confine) {
		snprintf(text, size, "off, by --no-confine");
		return;
	}
	drop_capabilities();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(text, size, "nothing, because no_new_privs: %s", strerror(errno));
		return;
	}
	files = lock_files(w, n);
	calls = fx_seccomp_deny();
	if (!files && !calls)
		snprintf(text, size, "landlock+seccomp");
	else if (!files)
		snprintf(text, size, "landlock only, because seccomp: %s", strerror(calls));
	else if (!calls)
		snprintf(text, size, "seccomp only, because landlock: %s", strerror(files));
	else
		snprintf(text, size, "no_new_privs only, because landlock: %s, seccomp: %s",
			 strerror(files), strerror(calls));
}
