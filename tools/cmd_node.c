// SPDX-License-Identifier: Apache-2.0
/* cmd_node.c: fornix node: one node of a graph in this process; the conductor starts it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd.h"
#include "node/host.h"

enum { WIRING_MAX = 64 << 20 };

static struct fx_wiring *read_wiring(const char *fd_text, struct fx_error *err)
{
	const int fd = (int)strtol(fd_text, NULL, 10);
	struct fx_wiring *w = NULL;
	struct stat st;
	char *text;

	if (fd < 3 || fstat(fd, &st) != 0 || st.st_size > WIRING_MAX || st.st_size <= 0) {
		fx_error_set(err, FX_EINVAL, "descriptor %s has no wiring: run a graph instead",
			     fd_text);
		return NULL;
	}
	text = malloc((size_t)st.st_size);
	if (text && fx_pread_all(fd, text, (size_t)st.st_size, 0) == 0)
		w = fx_wiring_from_json(text, (size_t)st.st_size, err);
	else
		fx_error_set(err, FX_EIO, "cannot read the wiring");
	if (text)
		explicit_bzero(text, (size_t)st.st_size); /* it may hold a secret key */
	free(text);
	close(fd);
	return w;
}

/* When the conductor dies, its nodes end; it may have died before this was said. */
static bool tie_to(const struct fx_wiring *w)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == (pid_t)w->conductor;
}

static int run_node(const char *fd_text)
{
	struct fx_error err = { 0 };
	struct fx_wiring *w = read_wiring(fd_text, &err);
	struct fx_registry *r = w ? cmd_registry() : NULL;
	const struct fx_node_type *type = r ? fx_registry_find(r, w->type, &err) : NULL;
	int result = FX_EINVAL;

	if (w)
		fx_log_setup(FX_LOG_INFO, w->node);
	if (type && tie_to(w))
		result = fx_host_run(w, type);
	else if (!type)
		fx_log(FX_LOG_ERROR, "%s", err.text);
	fx_registry_free(r);
	fx_wiring_free(w);
	return result == FX_OK ? CMD_DONE : CMD_FAILED;
}

int cmd_node(int argc, char **argv)
{
	const char *wiring = NULL;
	const struct cmd_option options[] = {
		{ "wiring", NULL, &wiring, "FD", "descriptor to read the wiring from" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix node NAME TYPE --wiring FD",
		.about = "One node of a graph in this process. \"fornix run\" starts it; NAME and "
			 "TYPE\n"
			 "are there so that ps and top show them.\n",
		.options = options,
		.min_words = 2,
		.max_words = 2,
	};
	const int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	if (!wiring)
		return cmd_wrong("fornix node is started by \"fornix run\"; there is no --wiring");
	prctl(PR_SET_NAME, line.words[0]); /* else top shows "exe" */
	return run_node(wiring);
}
