// SPDX-License-Identifier: Apache-2.0
/* run.h: runs the command fornix as a process of its own, in a folder of its own. */
#ifndef FX_TESTS_RUN_H
#define FX_TESTS_RUN_H

#include <stdbool.h>
#include <sys/types.h>

enum { TEST_RUN_WORDS_MAX = 32, TEST_RUN_PATIENCE_S = 300 };

/** A folder of its own with an empty TMPDIR in it, by which the processes of its runs are told from
 * all others. */
struct test_place {
	char *dir;    /**< owned */
	char *tmp;    /**< owned; DIR/tmp: runs keep their folder here */
	int runs;     /**< started so far */
	bool shm;     /**< private: /dev/shm was looked at */
	char *before; /**< private, owned: what /dev/shm held */
};

/** One process of fornix, and when it has ended, what came of it. */
struct test_run {
	struct test_place *place;  /**< borrowed */
	pid_t pid;		   /**< also of its process group; 0 when it has ended */
	int code;		   /**< exit code; 128 + the signal that killed it */
	char *out_path, *err_path; /**< owned; files with its stdout and stderr */
	char *out, *err;	   /**< owned; their text, from test_run_wait() on */
};

/** Fails the test when the folder cannot be made. */
struct test_place *test_place_new(void);
/** Fails the test unless no process of its runs is left, TMPDIR is empty and /dev/shm holds nothing
 * new. Waits a little for what is about to end. */
void test_place_clean(const struct test_place *p);
/** As test_place_clean(), but the folder of a failed run may stay with its logs, and nothing else.
 */
void test_place_clean_but_logs(const struct test_place *p);
/** Ends what still runs, removes the folder. */
void test_place_free(struct test_place *p);
/** Setup and teardown of a cmocka test whose state is a place. */
int test_place_setup(void **state);
int test_place_teardown(void **state);
/** Number of processes that its runs have at this moment. */
int test_place_processes(const struct test_place *p);
/** Whether @p parent has started any process that is there. */
bool test_process_has_child(pid_t parent);
/** Process of @p p whose command line holds @p words, its words joined by blanks; 0 when there is
 * none. */
pid_t test_place_process(const struct test_place *p, const char *words);
/** As above, but waits until it is there, and fails the test when it does not come. */
pid_t test_place_await(const struct test_place *p, const char *words);
/** As above, and stops it by SIGSTOP: when this returns, all of its threads stand. What the
 * conductor thinks of that, --hang says. */
pid_t test_place_hold(const struct test_place *p, const char *words);
/** Stops a process in the same way. */
void test_stop(pid_t pid);

/** Starts fornix (environment FORNIX_BIN) with words up to a NULL. Sanitizers of the processes stop
 * them at an error. Fails the test when it cannot. */
struct test_run *test_run_start(struct test_place *p, const char *const *words);
/** Waits for its end, reads what it said. After TEST_RUN_PATIENCE_S it is killed with its nodes and
 * the test fails. */
void test_run_wait(struct test_run *r);
/** Waits until its stderr holds @p text; the text so far (free()). Fails the test when it ends
 * without. */
char *test_run_await(struct test_run *r, const char *text);
void test_run_free(struct test_run *r);
/** test_run_start() and test_run_wait(). */
struct test_run *test_run(struct test_place *p, const char *const *words);
/** A run that must end with @p code; what it said is shown when it does not. */
void test_run_expect(struct test_place *p, int code, const char *const *words);

/** Fails unless what a run said is one sentence, which begins with "fornix: ". Further lines may
 * tell where its log is, and that it can go on. Where the sentence ends. */
const char *test_run_sentence(const char *said);

/** Name and folder as "NAME=FOLDER/FILE", in one of 64 places that are used in turn. */
const char *test_word(const char *name, const char *folder, const char *file);

#endif
