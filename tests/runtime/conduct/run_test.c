// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/run.c: a run does not depend on what its caller has closed or ignores. */
#include "support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static const char graph[] =
	"version: 1\n"
	"nodes:\n"
	"  a: { type: acquire/phantom, set: { size: 4 32 32, voxel: 40 8 8 } }\n"
	"  b: { type: flow/pass, from: { in: a.image } }\n";

/* Runs the graph with the first @p closed descriptors closed and SIGCHLD as given; the exit code.
 */
static int run(int closed, void (*on_child)(int))
{
	const char *program = getenv("FORNIX_BIN");
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "g.yaml");
	int status;
	pid_t pid;

	program = program ? program : "build/bin/fornix";
	assert_int_equal(fx_file_write(path, graph, sizeof graph - 1, NULL), FX_OK);
	pid = fork();
	if (pid == 0) {
		alarm(300); /* a run that hangs is ended by it */
		signal(SIGCHLD, on_child);
		for (int fd = 0; fd < closed; fd++)
			close(fd);
		execl(program, "fornix", "run", "--quiet", path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fx_remove_tree(dir, NULL);
	free(path);
	free(dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void closed_standard_files_do_no_harm(void **unused)
{
	(void)unused;
	for (int closed = 0; closed <= 3; closed++)
		assert_int_equal(run(closed, SIG_DFL), 0);
}

static void ignored_children_are_waited_for(void **unused)
{
	(void)unused;
	assert_int_equal(run(0, SIG_IGN), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_standard_files_do_no_harm),
		cmocka_unit_test(ignored_children_are_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
