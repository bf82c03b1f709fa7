// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/procfs.c on a child that does as it is told. */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "conduct/procfs.h"

enum { OWN = 24 << 20, SHARED = 96 << 20, IO = 1 << 20 };

/* Memory of its own and shared, bytes to a file, time of a processor; then it is stopped. */
static void be_child(void)
{
	char *own = mmap(NULL, OWN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared =
		mmap(NULL, SHARED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	FILE *f = fopen("/dev/null", "w");

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
	prctl(PR_SET_NAME, ") R 1 (");
	if (own == MAP_FAILED || shared == MAP_FAILED || !f)
		_exit(1);
	memset(own, 1, OWN);
	memset(shared, 1, SHARED);
	if (write(fileno(f), own, IO) != IO)
		_exit(1);
	while (fx_cpu_ns() < 200000000)
		;
	raise(SIGSTOP);
	_exit(0);
}

static void what_a_process_uses(void **unused)
{
	struct fx_proc p;
	uint64_t memory;
	int status;
	pid_t pid;

	(void)unused;
	pid = fork();
	if (pid == 0)
		be_child();
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_true(fx_proc_read(pid, &p));
	assert_int_equal(p.state, 'T');
	assert_in_range(p.cpu_ns, 180000000, 60000000000);
	assert_in_range(p.io_bytes, IO, IO + (1 << 20));
	memory = fx_proc_memory(pid);
	assert_in_range(memory, OWN, OWN + SHARED / 2);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_false(fx_proc_read(pid, &p));
	assert_int_equal(fx_proc_memory(pid), 0);
}

static void what_binds_a_process(void **unused)
{
	const bool bound = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0;
	const int before = fx_proc_bonds(getpid());

	(void)unused;
	assert_true(before >= 0);
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(fx_proc_bonds(getpid()), before + !bound);
	assert_int_equal(fx_proc_bonds(0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_process_uses),
					    cmocka_unit_test(what_binds_a_process) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
