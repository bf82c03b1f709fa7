// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/node/confine.c: what a confined process can no longer do, and what it still can. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/outdir.h"
#include "node/confine.h"
#include "node/sanitized.h"
#include "support/images.h"

struct state {
	const char *in, *out;
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct state, in), .def_str = "", .path = FX_PATH_READ, .help = "a file" },
	{ FX_FIELD(struct state, out), .def_str = "", .path = FX_PATH_WRITE, .help = "a file" },
	{ 0 },
};
static const struct fx_node_type type = { .name = "flow/x",
					  .options = options,
					  .state_size = sizeof(struct state) };

/* Folders: run, out, data, and one for the file that the option names; none is allowed else. */
struct place {
	char *dir, *run, *out, *data, *option, *elsewhere;
	int log; /* what is open before */
};

static char *folder(const char *dir, const char *name)
{
	char *path = fx_path_join(dir, name);

	assert_int_equal(fx_make_dirs(path, NULL), FX_OK);
	assert_int_equal(fx_file_write(test_path(path, "file"), "x", 1, NULL), FX_OK);
	return path;
}

static struct place place_new(void)
{
	struct place p = { .dir = test_tmp_dir() };

	p.run = folder(p.dir, "run");
	p.out = folder(p.dir, "out");
	p.data = folder(p.dir, "data");
	p.option = folder(p.dir, "option");
	p.elsewhere = folder(p.dir, "elsewhere");
	p.log = open(test_path(p.elsewhere, "log"), O_WRONLY | O_CREAT, 0666);
	assert_true(p.log >= 0);
	return p;
}

static void place_fini(struct place *p)
{
	close(p->log);
	fx_remove_tree(p->dir, NULL);
	free(p->dir);
	free(p->run);
	free(p->out);
	free(p->data);
	free(p->option);
	free(p->elsewhere);
}

/* 0, or the errno of making a file there. */
static int make(const char *dir, const char *name)
{
	const int fd = open(test_path(dir, name), O_WRONLY | O_CREAT, 0666);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int look(const char *path)
{
	const int fd = open(path, O_RDONLY);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int failed(long result)
{
	return result < 0 ? errno : 0;
}

/* In a child: @p check under the rules of @p p gives the line that failed, or 0. */
static void confined(struct place *p, bool sandbox, int (*check)(struct place *p))
{
	char *readable[] = { p->data };
	struct fx_wiring w = { .run_dir = p->run,
			       .scratch_dir = p->run,
			       .state_dir = p->run,
			       .guard = { .confine = true,
					  .sandbox = sandbox,
					  .out = p->out,
					  .readable = readable,
					  .readable_len = 1 } };
	struct fx_error err = { 0 };
	struct fx_node n;
	char text[160];
	int status;
	pid_t pid;

	assert_int_equal(fx_node_init(&n, &type, "x", NULL, NULL), FX_OK);
	assert_int_equal(fx_node_set(&n, "out", test_path(p->option, "new/result"), &err), FX_OK);
	pid = fork();
	if (pid == 0) {
		alarm(60);
		fx_confine(&w, &n, text, sizeof text);
		dprintf(2, "%s\n", text);
		_exit(strcmp(text, "landlock+seccomp") == 0 ? check(p) : 255);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fx_node_fini(&n);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 255)
		test_skip("this kernel has no landlock or no seccomp");
	if (status)
		fail_msg("ended with %#x: check %d failed", (unsigned)status, status >> 8);
}

#define CHECK(n, condition)                                                                        \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return n;                                                                  \
	} while (0)

static int files_to_write(struct place *p)
{
	struct fx_outdir d = { 0 };
	char *result = fx_path_join(p->option, "new/result");

	CHECK(1, make(p->run, "a") == 0 && make(p->out, "a") == 0);
	CHECK(2, fx_make_dirs(test_path(p->out, "b/c"), NULL) == FX_OK);
	CHECK(3, make(p->elsewhere, "a") == EACCES && make("/tmp", "fornix-confined") == EACCES);
	CHECK(4, make(p->data, "a") == EACCES && make(p->data, "file") == EACCES);
	CHECK(5, failed(unlink(test_path(p->elsewhere, "file"))) == EACCES);
	CHECK(6, failed(mkdir(test_path(p->elsewhere, "d"), 0777)) == EACCES);
	CHECK(7, failed(truncate(test_path(p->elsewhere, "file"), 0)) == EACCES);
	CHECK(8, failed(rename(test_path(p->out, "a"), test_path(p->elsewhere, "b"))) != 0);
	CHECK(9, failed(link(test_path(p->elsewhere, "file"), test_path(p->out, "l"))) != 0);
	CHECK(10, write(p->log, "x", 1) == 1);		       /* it was open */
	CHECK(11, look(test_path(p->elsewhere, "file")) == 0); /* reading is free */
	CHECK(12, failed(open("/dev/null", O_WRONLY)) == 0);
	/* where the option says, by a name beside it first; its folder was made; not around it */
	CHECK(13, fx_outdir_begin(&d, result, "x", NULL, NULL) == FX_OK);
	CHECK(14, fx_outdir_write(&d, "info", "x", 1, false, NULL) == FX_OK);
	CHECK(15, fx_outdir_commit(&d, NULL) == FX_OK);
	CHECK(16, make(p->option, "a") == EACCES);
	/* a link out of the folder does not help */
	CHECK(17, failed(symlink(p->elsewhere, test_path(p->out, "link"))) == 0);
	CHECK(18, make(p->out, "link/a") == EACCES);
	CHECK(19, failed(mknod(test_path(p->out, "device"), S_IFCHR | 0600, 1)) != 0);
	return 0;
}

static int files_to_read(struct place *p)
{
	CHECK(1, look(test_path(p->data, "file")) == 0 && look(test_path(p->out, "file")) == 0);
	CHECK(2, look(test_path(p->elsewhere, "file")) == EACCES);
	CHECK(3, look("/etc/passwd") == EACCES && look("/root") == EACCES && look("/") == EACCES);
	CHECK(4, failed(symlink("/etc/passwd", test_path(p->out, "link"))) == 0);
	CHECK(5, look(test_path(p->out, "link")) == EACCES);
	CHECK(6, look("/proc/self/status") == 0 && look("/sys/devices/system/cpu") == 0);
	CHECK(7, make(p->out, "a") == 0 && make(p->option, "a") == EACCES);
	CHECK(8, make(p->option, "new/a") != 0); /* out alone, whatever an option says */
	return 0;
}

static void *thread(void *context)
{
	*(int *)context = failed(unshare(CLONE_FS)) == EPERM && make("/tmp", "fornix-x") == EACCES;
	return NULL;
}

static int calls(struct place *p)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];
	pthread_t t;
	int good = 0;
	pid_t pid;

	CHECK(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(2, prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
	CHECK(3, failed(unshare(CLONE_NEWUSER)) == EPERM);
	CHECK(4, failed(mount("none", p->out, "tmpfs", 0, NULL)) == EPERM);
	CHECK(5, failed(syscall(SYS_bpf, 0, NULL, 0)) == EPERM);
	CHECK(6, failed(syscall(SYS_keyctl, 0, 0, 0, 0, 0)) == EPERM);
	CHECK(7, failed(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)) == EPERM);
	CHECK(8, failed(syscall(435, NULL, 0)) == ENOSYS); /* clone3 */
	CHECK(9, failed(syscall(425, 1, NULL)) == EPERM);  /* io_uring_setup */
	CHECK(10, failed(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0)) == EPERM);
	/* threads are to be had, and are bound too */
	CHECK(11, pthread_create(&t, NULL, thread, &good) == 0 && pthread_join(t, NULL) == 0);
	CHECK(12, good);
	CHECK(13, syscall(SYS_capget, &header, caps) == 0);
	CHECK(14, !(caps[0].permitted & (1u << CAP_SYS_ADMIN | 1u << CAP_NET_ADMIN)));
	CHECK(15, !caps[1].permitted && !(caps[0].effective & 1u << CAP_SYS_PTRACE));
	CHECK(16, failed(kill(getppid(), 0)) == EPERM && failed(kill(getpid(), 0)) == 0);
#if !FX_SANITIZED
	CHECK(17, failed(execl("/bin/true", "true", (char *)NULL)) == EACCES);
	CHECK(18, failed(syscall(SYS_ptrace, 0, 0, 0, 0)) == EPERM);
#endif
	pid = fork();
	if (pid == 0)
		_exit(failed(unshare(CLONE_FS)) == EPERM ? 0 : 1);
	CHECK(19, waitpid(pid, &good, 0) == pid && good == 0);
	return 0;
}

static void files_are_written_where_they_belong(void **unused)
{
	struct place p = place_new();

	(void)unused;
	confined(&p, false, files_to_write);
	place_fini(&p);
}

static void a_sandbox_also_bounds_reading(void **unused)
{
	struct place p = place_new();

	(void)unused;
	confined(&p, true, files_to_read);
	place_fini(&p);
}

static void calls_of_administrators_are_denied(void **unused)
{
	struct place p = place_new();

	(void)unused;
	confined(&p, false, calls);
	place_fini(&p);
}

/* Makes this process' kernel one without landlock, or without filters, or without both. */
static void be_old(bool landlock, bool filters)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, landlock ? 9999 : 444, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, filters ? 9999 : SYS_prctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof code / sizeof *code, code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
		_exit(255);
}

static void an_old_kernel_is_told_of(void **unused)
{
	static const char *const says[] = {
		"seccomp only, because landlock: Function not implemented",
		"landlock only, because seccomp: Invalid argument",
		"no_new_privs only, because landlock: Function not implemented, seccomp: Invalid "
		"argument",
	};
	struct place p = place_new();
	int status;

	(void)unused;
	for (int i = 0; i < 3; i++) {
		const pid_t pid = fork();

		if (pid == 0) {
			struct fx_wiring w = { .run_dir = p.run,
					       .scratch_dir = p.run,
					       .state_dir = p.run,
					       .guard = { .confine = true, .out = p.out } };
			struct fx_node n = { .type = &type, .state = calloc(1, type.state_size) };
			char text[160];

			alarm(60);
			be_old(i == 1, i == 0);
			fx_confine(&w, &n, text, sizeof text);
			dprintf(2, "%s\n", text);
			_exit(strcmp(text, says[i]) != 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 255)
			test_skip("this kernel has no seccomp");
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	place_fini(&p);
}

static void nothing_is_dropped_when_so_asked(void **unused)
{
	struct fx_wiring w = { .guard = { .confine = false } };
	struct fx_node n;
	char text[160];

	(void)unused;
	assert_int_equal(fx_node_init(&n, &type, "x", NULL, NULL), FX_OK);
	fx_confine(&w, &n, text, sizeof text);
	assert_string_equal(text, "off, by --no-confine");
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	fx_node_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_dropped_when_so_asked),
		cmocka_unit_test(an_old_kernel_is_told_of),
		cmocka_unit_test(files_are_written_where_they_belong),
		cmocka_unit_test(a_sandbox_also_bounds_reading),
		cmocka_unit_test(calls_of_administrators_are_denied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
