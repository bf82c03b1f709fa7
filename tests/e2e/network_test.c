// SPDX-License-Identifier: Apache-2.0
/* A bad network between the processes of a run: what is lost, doubled, damaged or cut off comes
 * again, and the same bytes come out. Packets are lost and connections cut in the kernel, on the
 * very sockets of the processes (pidfd_getfd); where that is not allowed it is said and skipped. */
#include "support/test.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define LEAN	 "tests/e2e/lean.yaml"
#define MANY	 "size=48 64 64", "block=16 16 16" /* 48 blocks */
#define STITCHED "fornix_edge_acked{from=\"segment.labels\",to=\"whole.labels\"} "

enum { LOSS_S = 10, CUTS = 6 };

static const char *const nodes[] = {
	"node scope.0 ",   "node even.0 ",	  "node tiles.0 ",
	"node segment.0 ", "node segment.1 ",	  "node whole.0 ",
	"node trace.0 ",   "node save_labels.0 ", "node save_swc.0 ",
};

static void plain(struct test_place *p)
{
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MANY,
					  "--quiet", NULL });
}

static struct test_run *start(struct test_place *p, const char *way)
{
	return test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "out"),
						   MANY, way, "--hang=0", NULL });
}

/* One that cannot end before its last writer goes on. */
static struct test_run *start_held(struct test_place *p, pid_t *held)
{
	struct test_run *r = start(p, "--transport=tcp");

	*held = test_place_hold(p, "node save_swc.0 ");
	return r;
}

/* The run ends well, and its output is that of a sound network. */
static json_t *finish(struct test_place *p, struct test_run *r)
{
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "out"), true);
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
	test_run_free(r);
	test_place_clean(p);
	return receipt;
}

static void a_bad_network_changes_nothing(void **state)
{
	static const char *const ways[] = { "--transport=shm", "--transport=tcp" };
	struct test_place *p = *state;

	plain(p);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct test_run *r;
		json_t *receipt;

		setenv("FORNIX_FAULT",
		       "seed=7,drop=0.02,duplicate=0.1,reorder=0.02,corrupt=0.02,delay=0.02,"
		       "delay_ms=10",
		       1);
		r = start(p, ways[i]);
		unsetenv("FORNIX_FAULT");
		receipt = finish(p, r);
		assert_true(test_sum(receipt, "edges", "duplicates") > 0);
		assert_true(test_sum(receipt, "edges", "resent") > 0);
		assert_true(test_sum(receipt, "nodes", "refused") > 0);
		json_decref(receipt);
	}
}

static void a_wrong_fault_is_told(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;

	setenv("FORNIX_FAULT", "drip=0.1", 1);
	r = start(p, "--quiet");
	unsetenv("FORNIX_FAULT");
	test_run_wait(r);
	assert_int_equal(r->code, 1);
	assert_non_null(strstr(r->err, "FORNIX_FAULT: drip=0.1: use seed, "));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

static bool is_tcp(int fd)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof domain;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && domain == AF_INET &&
	       type == SOCK_STREAM;
}

static bool is_connected(int fd)
{
	struct sockaddr_in a;
	socklen_t size = sizeof a;

	return getpeername(fd, (struct sockaddr *)&a, &size) == 0;
}

/* Calls @p act with a copy of each TCP socket of a process; how many there were, or -1 when it may
 * not be. */
static int each_socket(pid_t pid, void (*act)(int fd))
{
	const int process = (int)syscall(SYS_pidfd_open, pid, 0);
	char *folder = fx_asprintf("/proc/%d/fd", (int)pid);
	DIR *d = opendir(folder);
	struct dirent *e;
	int n = 0;

	free(folder);
	if (process < 0)
		n = -1;
	while (d && n >= 0 && (e = readdir(d))) {
		int fd;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		fd = (int)syscall(SYS_pidfd_getfd, process, (int)strtol(e->d_name, NULL, 10), 0);
		if (fd < 0 && (errno == EPERM || errno == ENOSYS))
			n = -1;
		if (fd < 0)
			continue;
		if (is_tcp(fd)) {
			act(fd);
			n++;
		}
		close(fd);
	}
	if (d)
		closedir(d);
	if (process >= 0)
		close(process);
	return n;
}

/* The same with all processes of a run, but for those that have gone. */
static int each_process(struct test_place *p, void (*act)(int fd))
{
	int n = 0;

	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		const pid_t pid = test_place_process(p, nodes[i]);
		const int more = pid ? each_socket(pid, act) : 0;

		if (more < 0)
			return -1;
		n += more;
	}
	return n;
}

/* Of what comes on a socket, connections that it accepts later included, half of the packets. */
static void lose_half(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (__u32)(SKF_AD_OFF + SKF_AD_RANDOM)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x80000000u, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffffu),
	};
	const struct sock_fprog program = { sizeof code / sizeof *code, code };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

static void lose_nothing(int fd)
{
	const int unused = 0;

	setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

static void cut(int fd)
{
	if (is_connected(fd))
		shutdown(fd, SHUT_RDWR);
}

static void count(int fd)
{
	(void)fd;
}

static bool may_not(struct test_place *p, struct test_run *r)
{
	if (each_process(p, count) >= 0)
		return false;
	print_message("skipped: may not reach into the sockets of other processes\n");
	test_run_free(r);
	return true;
}

static void half_of_all_packets_lost_for_a_while(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	int64_t since;
	pid_t held;

	plain(p);
	r = start_held(p, &held);
	test_metrics_await(r, STITCHED, 2);
	if (may_not(p, r))
		skip();
	assert_true(each_process(p, lose_half) > 16);
	kill(held, SIGCONT);
	since = fx_now_ns();
	while (fx_now_ns() - since < LOSS_S * INT64_C(1000000000) &&
	       test_place_process(p, "node whole.0 "))
		fx_sleep_ms(20);
	each_process(p, lose_nothing);
	json_decref(finish(p, r));
}

/* What is under way when a connection breaks is gone: ZeroMQ connects again, and asks for nothing.
 */
static void connections_cut_again_and_again(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	json_t *receipt;
	pid_t held;

	plain(p);
	r = start_held(p, &held);
	test_metrics_await(r, STITCHED, 1);
	if (may_not(p, r))
		skip();
	for (int i = 0; i < CUTS; i++) {
		each_process(p, cut);
		if (i == CUTS / 2)
			kill(held, SIGCONT);
		fx_sleep_ms(150);
	}
	receipt = finish(p, r);
	json_decref(receipt);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(a_bad_network_changes_nothing),
		PLACED(a_wrong_fault_is_told),
		PLACED(half_of_all_packets_lost_for_a_while),
		PLACED(connections_cut_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
