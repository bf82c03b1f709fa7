// SPDX-License-Identifier: Apache-2.0
/* Runs with keys, in a sandbox, and with processes that are confined or not. */
#include "support/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "link/keys.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"
#include "wire/wire.h"

#define LEAN	 "tests/e2e/lean.yaml"
#define MANY	 "size=48 64 64", "block=16 16 16"
#define ENDLESS	 "size=100000 64 64"
#define STITCHED "fornix_edge_acked{from=\"segment.labels\",to=\"whole.labels\"} "
#define REFUSED	 "fornix_node_refused{node=\"tiles\",type=\"tiler/blocks\",instance=\"0\"} "

static void refused(struct test_place *p, const char *const *words, const char *why)
{
	struct test_run *r = test_run(p, words);

	if (r->code != 2 || !strstr(r->err, why))
		fail_msg("ended with %d: %s", r->code, r->err);
	test_run_free(r);
}

static void make_keys(const struct test_place *p)
{
	char key[FX_KEY_TEXT];

	assert_int_equal(fx_key_pair_make(test_path(p->dir, "keys"), "lab", false, key, NULL),
			 FX_OK);
}

static void expect_confined(const char *out, const char *how)
{
	json_t *receipt = test_receipt(out, true);

	assert_string_equal(json_string_value(json_object_get(receipt, "confined")), how);
	json_decref(receipt);
}

static void others_are_let_in_by_keys_alone(void **state)
{
	struct test_place *p = *state;
	const char *out = test_word("out", p->dir, "out");

	refused(p, (const char *[]){ "run", LEAN, out, "--transport=tcp", "--bind=0.0.0.0", NULL },
		"--bind 0.0.0.0 can be reached by others: give --keys DIR, with keys made by "
		"fornix keygen NAME --out DIR");
	refused(p, (const char *[]){ "run", LEAN, out, "--bind=127.0.0.1", NULL },
		"--bind 127.0.0.1 needs --transport tcp");
	refused(p, (const char *[]){ "run", LEAN, out, "--transport=tcp", "--bind=here", NULL },
		"--bind here: is not an IPv4 address");
	refused(p, (const char *[]){ "run", LEAN, out, "--keys", p->dir, NULL },
		"holds 0 secret keys, and needs one");
	make_keys(p);
	assert_int_equal(chmod(test_path(p->dir, "keys/lab.secret"), 0644), 0);
	refused(p, (const char *[]){ "run", LEAN, out, "--keys", test_path(p->dir, "keys"), NULL },
		"others than its owner can read it");
	assert_false(test_is_there(p->dir, "out")); /* nothing was begun */
	test_place_clean(p);
}

/* What is in /proc/PID/NAME; free(). */
static char *proc(pid_t pid, const char *name, size_t *size)
{
	char *path = fx_asprintf("/proc/%d/%s", (int)pid, name), *text = calloc(1, 1 << 20);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	*size = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	free(path);
	return text;
}

static bool has_socket(pid_t pid, unsigned long inode)
{
	char *path = fx_asprintf("/proc/%d/fd", (int)pid), want[64], link[64];
	DIR *d = opendir(path);
	struct dirent *e;
	bool found = false;

	assert_non_null(d);
	snprintf(want, sizeof want, "socket:[%lu]", inode);
	while ((e = readdir(d))) {
		const ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);

		link[n > 0 ? n : 0] = 0;
		found = found || strcmp(link, want) == 0;
	}
	closedir(d);
	free(path);
	return found;
}

/* The port on which the process listens, and the address as /proc has it. */
static unsigned port_of(pid_t pid, unsigned *address)
{
	size_t size;
	char *text = proc(pid, "net/tcp", &size);
	unsigned port = 0;

	for (char *line = text; (line = strchr(line, '\n')); line++) {
		unsigned at, number, state;
		unsigned long inode;

		if (sscanf(line, " %*u: %x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &at,
			   &number, &state, &inode) == 4 &&
		    state == 10 && has_socket(pid, inode)) {
			port = number;
			*address = at;
		}
	}
	free(text);
	return port;
}

/* Says without a key that it is a new life of segment.0: without keys, it would be given blocks. */
static void *impostor(void *zmq, unsigned port)
{
	const struct fx_control c = { .kind = FX_CONTROL_HELLO,
				      .node = "segment",
				      .port = "image",
				      .epoch = 99,
				      .credit_messages = 100,
				      .credit_bytes = 1 << 30 };
	void *s = zmq_socket(zmq, ZMQ_DEALER), *hello;
	const int zero = 0;
	char endpoint[64];
	size_t size;

	snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", port);
	zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero);
	assert_int_equal(zmq_connect(s, endpoint), 0);
	assert_int_equal(fx_control_encode(&c, &hello, &size, NULL), FX_OK);
	zmq_send(s, hello, size, 0);
	free(hello);
	return s;
}

/* A secret key is nowhere that others can look. */
static void expect_secret(const struct test_place *p, pid_t pid)
{
	static const char *const names[] = { "cmdline", "environ" };
	void *text;
	size_t size;

	assert_int_equal(
		fx_file_read(test_path(p->dir, "keys/lab.secret"), 4096, &text, &size, NULL),
		FX_OK);
	for (int i = 0; i < 2; i++) {
		size_t len;
		char *said = proc(pid, names[i], &len);

		assert_null(memmem(said, len, (char *)text + 16, 40));
		assert_int_equal(i == 0 && !memmem(said, len, "tiles.0", 7), 0);
		free(said);
	}
	free(text);
}

static void an_impostor_changes_nothing(void **state)
{
	struct test_place *p = *state;
	void *zmq = zmq_ctx_new(), *s;
	unsigned address = 0;
	struct test_run *r;
	json_t *receipt;
	char byte;
	pid_t pid, held;

	make_keys(p);
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MANY,
					  "--quiet", NULL });
	r = test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "keyed"),
						MANY, "--transport=tcp", "--bind=0.0.0.0", "--keys",
						test_path(p->dir, "keys"), "--hang=0", NULL });
	held = test_place_hold(p, "node save_swc.0 "); /* it cannot end before */
	test_metrics_await(r, STITCHED, 1);
	pid = test_place_await(p, "node tiles.0 tiler/blocks");
	expect_secret(p, pid);
	s = impostor(zmq, port_of(pid, &address));
	assert_int_equal(address, 0);
	test_metrics_await(r, REFUSED, 1);
	kill(test_place_await(p, "node segment.0 segmenter/watershed"), SIGKILL);
	free(test_run_await(r, "starting it again"));
	kill(held, SIGCONT);
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	assert_int_equal(zmq_recv(s, &byte, 1, ZMQ_DONTWAIT), -1);
	receipt = test_receipt(test_path(p->dir, "keyed"), true);
	assert_true(test_sum(receipt, "nodes", "refused") >= 1);
	assert_true(test_sum(receipt, "nodes", "restarts") >= 1);
	json_decref(receipt);
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "keyed"));
	zmq_close(s);
	zmq_ctx_term(zmq);
	test_run_free(r);
	test_place_clean(p);
}

static void keys_fit_every_way(void **state)
{
	static const char *const ways[] = { "--transport=shm", "--transport=ipc" };
	struct test_place *p = *state;

	make_keys(p);
	for (int i = 0; i < 2; i++) {
		test_run_expect(p, 0,
				(const char *[]){ "run", LEAN, test_word("out", p->dir, "out"),
						  "size=8 64 64", ways[i], "--keys",
						  test_path(p->dir, "keys"), "--quiet", NULL });
		json_decref(test_receipt(test_path(p->dir, "out"), true));
	}
	test_place_clean(p);
}

static void the_folder_of_a_run_is_its_owners(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = test_run_start(
		p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "out"), ENDLESS, NULL });
	struct dirent **names = NULL;
	struct stat st;
	int n;

	test_metrics_await(r, STITCHED, 1);
	n = scandir(p->tmp, &names, NULL, alphasort);
	assert_int_equal(n, 3); /* . and .. and the run's */
	assert_int_equal(stat(test_path(p->tmp, names[2]->d_name), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	kill(r->pid, SIGINT);
	free(test_run_await(r, "again to stop at once"));
	kill(r->pid, SIGINT);
	test_run_wait(r);
	test_run_free(r);
	test_place_clean_but_logs(p);
}

static void write_graph(const struct test_place *p, const char *name, const char *read,
			const char *write)
{
	char *text = fx_asprintf("version: 1\n"
				 "params:\n"
				 "  out: { help: folder to write, default: %s/mine }\n"
				 "  data: { help: folder to read, default: %s/mine }\n"
				 "nodes:\n"
				 "  scope:\n"
				 "    type: acquire/sections\n"
				 "    set: { path: %s }\n"
				 "  tiles: { type: tiler/blocks, from: { image: scope.image } }\n"
				 "  save:\n"
				 "    type: writer/precomputed\n"
				 "    from: { labels: tiles.blocks }\n"
				 "    set: { path: %s }\n",
				 p->dir, p->dir, read, write);

	assert_non_null(text);
	test_write_file(test_path(p->dir, name), text, strlen(text));
	free(text);
}

static void a_graph_from_elsewhere_stays_in_its_folders(void **state)
{
	static const struct test_sections sections = { 0, 4, 48, 56, 8 };
	struct test_place *p = *state;
	const char *data = test_word("data", p->dir, "data");
	const char *out = test_word("out", p->dir, "out");

	assert_int_equal(fx_make_dirs(test_path(p->dir, "secret"), NULL), FX_OK);
	test_write_sections(test_path(p->dir, "data"), &sections);
	write_graph(p, "reads.yaml", "/etc", "$out/x");
	refused(p,
		(const char *[]){ "run", test_path(p->dir, "reads.yaml"), data, out, "--sandbox",
				  NULL },
		"reads.yaml:8:18: scope.path: with --sandbox, \"/etc\" may not be read");
	write_graph(p, "writes.yaml", "$data", "$out/../data/x");
	refused(p,
		(const char *[]){ "run", test_path(p->dir, "writes.yaml"), data, out, "--sandbox",
				  NULL },
		"writes.yaml:13:18: save.path: with --sandbox, ");
	write_graph(p, "good.yaml", "$data", "$out/x");
	refused(p,
		(const char *[]){ "run", test_path(p->dir, "good.yaml"), data, "--sandbox", NULL },
		"good.yaml:3:3: with --sandbox, out has to be given on the command line");
	assert_false(test_is_there(p->dir, "out") || test_is_there(p->dir, "mine"));
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "lean"),
					  "size=8 64 64", "--sandbox", "--quiet", NULL });
	json_decref(test_receipt(test_path(p->dir, "lean"), true));
	test_place_clean(p);
}

/* What the check cannot see, as a link among the sections, the kernel does not let through. */
static void a_link_in_a_sandbox_leads_nowhere(void **state)
{
	static const struct test_sections sections = { 0, 4, 48, 56, 8 };
	struct test_place *p = *state;
	const char *words[] = {
		"run", "tests/e2e/sections.yaml", NULL, NULL, "--quiet", NULL, NULL
	};
	struct test_run *r;

	test_write_sections(test_path(p->dir, "all"), &sections);
	assert_int_equal(fx_make_dirs(test_path(p->dir, "data"), NULL), FX_OK);
	for (int z = 0; z < 4; z++) {
		char from[32], to[32];

		snprintf(from, sizeof from, "../all/z%03d.png", z);
		snprintf(to, sizeof to, "data/z%03d.png", z);
		assert_int_equal(symlink(from, test_path(p->dir, to)), 0);
	}
	words[2] = test_word("sections", p->dir, "data");
	words[3] = test_word("out", p->dir, "out");
	test_run_expect(p, 0, words);
	json_decref(test_receipt(test_path(p->dir, "out"), true));
	words[5] = "--sandbox";
	r = test_run(p, words);
	assert_int_equal(r->code, 1);
	assert_non_null(strstr(r->err, "Permission denied"));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

static void the_receipt_tells_of_confinement(void **state)
{
	struct test_place *p = *state;
	const char *out = test_word("out", p->dir, "out");

	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, out, "size=8 64 64", "--quiet", NULL });
	expect_confined(test_path(p->dir, "out"), "landlock+seccomp");
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, out, "size=8 64 64", "--quiet",
					  "--no-confine", NULL });
	expect_confined(test_path(p->dir, "out"), "off, by --no-confine");
	test_place_clean(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(others_are_let_in_by_keys_alone),
		PLACED(an_impostor_changes_nothing),
		PLACED(keys_fit_every_way),
		PLACED(the_folder_of_a_run_is_its_owners),
		PLACED(a_graph_from_elsewhere_stays_in_its_folders),
		PLACED(a_link_in_a_sandbox_leads_nowhere),
		PLACED(the_receipt_tells_of_confinement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
