// SPDX-License-Identifier: Apache-2.0
/* graphs/cluster.yaml on four machines, which are network namespaces: by ssh, and by Slurm, the
 * output is that of one machine, also when a link is cut for 10 s. Where namespaces, sshd or Slurm
 * are not to be had this says so and is skipped. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/lab.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH "graphs/cluster.yaml"

enum { CUT_MS = 10000 };

static const struct test_sections some = { 7, 48, 96, 96, 8 };
static const struct test_sections many = { 7, 160, 96, 96, 8 }; /* that last while one joins */

/* Runs the graph by a script that gets to the first machine and then starts the words "$@". */
static struct test_run *start_by(struct test_lab *l, const char *script, const char *const words[4])
{
	char *program = fx_strdup(getenv("FORNIX_BIN"));
	const char *path = test_path(l->dir, "run");
	char *text = fx_asprintf("#!/bin/sh\nset -- %s \"$@\"\n%s\n", program, script);
	struct test_run *r;

	test_write_file(path, text, strlen(text));
	assert_int_equal(chmod(path, 0700), 0);
	setenv("FORNIX_BIN", path, 1);
	r = test_run_start(l->place,
			   (const char *[]){ "run", GRAPH, test_word("out", l->place->dir, "out"),
					     test_word("sections", l->place->dir, "sections"),
					     "here=10.77.0.1", "one=10.77.0.2", "two=10.77.0.3",
					     "three=10.77.0.4", "segmenter=watershed", "workers=6",
					     "block=16 32 32", "halo=4 8 8", words[0], words[1],
					     words[2], words[3], NULL });
	setenv("FORNIX_BIN", program, 1);
	free(program);
	free(text);
	return r;
}

static struct test_run *start(struct test_lab *l, const char *extra)
{
	char *options = fx_asprintf("options=-F %s/ssh_config", l->dir);
	char *script = fx_asprintf("exec ip netns exec %s-1 \"$@\"", l->prefix);
	struct test_run *r = start_by(l, script, (const char *[4]){ options, extra });

	free(options);
	free(script);
	return r;
}

/* In one allocation, with a step for each machine. */
static struct test_run *start_slurm(struct test_lab *l)
{
	char *script = fx_asprintf("export SLURM_CONF=%s/slurm.conf\n"
				   "exec nsenter --net=/run/netns/%s-1 unshare --uts sh -c "
				   "'hostname h1; exec \"$@\"' sh salloc -N4 --quiet \"$@\"",
				   l->dir, l->prefix);
	struct test_run *r = start_by(l, script,
				      (const char *[4]){ "launcher=slurm", "login_one=h2",
							 "login_two=h3", "login_three=h4" });

	free(script);
	return r;
}

/* As a batch job, which goes on where it was when it has been requeued. */
static struct test_run *start_batch(struct test_lab *l)
{
	char *script = fx_asprintf(
		"cat >%s/batch <<'END'\n#!/bin/sh\nresume=\n"
		"[ \"${SLURM_RESTART_COUNT:-0}\" -eq 0 ] || resume=--resume\n"
		"echo \"life $resume\" >>%s/lives\nexec \"$@\" $resume\nEND\n"
		"export SLURM_CONF=%s/slurm.conf\n"
		"exec nsenter --net=/run/netns/%s-1 unshare --uts sh -c "
		"'hostname h1; exec \"$@\"' sh sbatch -N4 --requeue --wait --output=%s/job "
		"--open-mode=append %s/batch \"$@\"",
		l->dir, l->dir, l->dir, l->prefix, l->dir, l->dir);
	struct test_run *r = start_by(l, script,
				      (const char *[4]){ "launcher=slurm", "login_one=h2",
							 "login_two=h3", "login_three=h4" });

	free(script);
	return r;
}

static json_t *finish(struct test_lab *l, struct test_run *r)
{
	static const char *const made[] = { "labels", "image", "skeletons" };
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	test_run_free(r);
	receipt = test_receipt(test_path(l->place->dir, "out"), true);
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		char *alone = fx_asprintf("alone/%s", made[i]),
		     *out = fx_asprintf("out/%s", made[i]);

		test_same_folders(test_path(l->place->dir, alone), test_path(l->place->dir, out));
		free(alone);
		free(out);
	}
	return receipt;
}

/* False where there is no lab. The output of one machine is made. */
static bool begin(struct test_lab *l, const struct test_sections *sections)
{
	if (!l->prefix)
		return false;
	test_write_sections(test_path(l->place->dir, "sections"), sections);
	test_run_expect(l->place, 0,
			(const char *[]){ "run", GRAPH, test_word("out", l->place->dir, "alone"),
					  test_word("sections", l->place->dir, "sections"),
					  "launcher=local", "segmenter=watershed", "workers=2",
					  "block=16 32 32", "halo=4 8 8", "--quiet", NULL });
	return true;
}

static void four_machines_give_what_one_gives(void **state)
{
	struct test_lab *l = *state;
	json_t *receipt;

	if (!begin(l, &some))
		skip();
	receipt = finish(l, start(l, NULL));
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), 0);
	json_decref(receipt);
	test_place_clean(l->place);
}

/* Something has been written, and by far not all. */
static void await_some(const struct test_lab *l)
{
	const char *image = test_path(l->place->dir, "out/image.fornix-partial");

	for (int i = 0; i < 10000 && test_count_files(image, "") < 4; i++)
		fx_sleep_ms(10);
}

/* By ssh, while the run goes on. */
static void a_machine_that_joins_takes_workers(void **state)
{
	struct test_lab *l = *state;
	struct test_run *r, *join;
	json_t *receipt;

	if (!begin(l, &many))
		skip();
	r = start(l, "later=yes");
	test_place_await(l->place, "node segment.0 ");
	await_some(l);
	join = test_run(l->place, (const char *[]){ "join", "three", NULL });
	if (join->code || !strstr(join->out, "three has joined and takes 2 processes: segment."))
		fail_msg("ended with %d: %s%s", join->code, join->out, join->err);
	test_run_free(join);
	receipt = finish(l, r);
	assert_int_equal(test_sum(receipt, "nodes", "moves"), 2);
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), 0);
	json_decref(receipt);
}

static void slurm_gives_the_same(void **state)
{
	struct test_lab *l = *state;
	json_t *receipt;
	int code;

	if (!begin(l, &some))
		skip();
	code = test_lab(l, "slurm", "");
	if (code == TEST_LAB_NONE)
		skip();
	assert_int_equal(code, 0);
	receipt = finish(l, start_slurm(l));
	json_decref(receipt);
}

static char *text_of(const char *path)
{
	struct fx_error err = { 0 };
	void *text;
	size_t size;

	return fx_file_read(path, 1 << 20, &text, &size, &err) == FX_OK ? text : fx_strdup("");
}

static void a_job_that_is_requeued_goes_on(void **state)
{
	struct test_lab *l = *state;
	struct test_run *r;
	char *lives, *job;
	int code;

	if (!begin(l, &some))
		skip();
	code = test_lab(l, "slurm", "");
	if (code == TEST_LAB_NONE)
		skip();
	assert_int_equal(code, 0);
	r = start_batch(l);
	test_place_await(l->place, "node segment.0 ");
	await_some(l);
	assert_int_equal(test_lab(l, "requeue", ""), 0);
	json_decref(finish(l, r));
	lives = text_of(test_path(l->dir, "lives"));
	job = text_of(test_path(l->dir, "job"));
	if (strcmp(lives, "life \nlife --resume\n") != 0 || strstr(job, "nothing to go on with") ||
	    strstr(job, "runtime error"))
		fail_msg("its lives: %s; it said: %s", lives, job);
	free(lives);
	free(job);
}

static void a_link_that_is_cut_for_a_while_loses_nothing(void **state)
{
	struct test_lab *l = *state;
	struct test_run *r;
	json_t *receipt;

	if (!begin(l, &some))
		skip();
	r = start(l, NULL);
	test_place_await(l->place, "node segment.0 ");
	assert_int_equal(test_lab(l, "cut", "3"), 0);
	fx_sleep_ms(CUT_MS);
	assert_int_equal(test_lab(l, "mend", "3"), 0);
	receipt = finish(l, r);
	json_decref(receipt);
	test_place_clean(l->place);
}

int main(void)
{
#define IN_A_LAB(f) cmocka_unit_test_setup_teardown(f, test_lab_setup, test_lab_teardown)
	const struct CMUnitTest tests[] = {
		IN_A_LAB(four_machines_give_what_one_gives),
		IN_A_LAB(a_machine_that_joins_takes_workers),
		IN_A_LAB(slurm_gives_the_same),
		IN_A_LAB(a_job_that_is_requeued_goes_on),
		IN_A_LAB(a_link_that_is_cut_for_a_while_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
