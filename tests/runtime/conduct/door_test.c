// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/door.c: who may ask something of a run. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "conduct/door.h"

enum { ANSWERED, UNANSWERED, TRIES = 6000, NOBODY = 65534 };

/* Who asks. */
enum asker { USER, NODE, STRANGER };

/* A process that asks; its exit code says what came of it. */
static pid_t ask(const char *dir, enum asker who)
{
	const pid_t pid = fork();
	struct fx_error err = { 0 };
	json_t *answer;
	bool same;

	if (pid)
		return pid;
	if (who == STRANGER && setuid(NOBODY) != 0)
		_exit(ANSWERED);
	if (who == NODE)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	answer = fx_door_ask(dir, json_pack("{s:s}", "who", "me"), 60, &err);
	same = json_is_true(json_object_get(answer, "you"));
	json_decref(answer);
	_exit(same ? ANSWERED : UNANSWERED);
}

static int code_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static json_t *hear(struct fx_door *d)
{
	json_t *question = NULL;

	for (int i = 0; !question && i < TRIES; i++) {
		question = fx_door_hear(d);
		if (!question)
			fx_sleep_ms(10);
	}
	return question;
}

/* While the process @p pid asks, nothing is heard: its exit code. */
static int heard_not(struct fx_door *d, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		assert_null(fx_door_hear(d));
		fx_sleep_ms(1);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void its_user_is_answered_and_a_node_is_not(void **unused)
{
	char dir[] = "/tmp/door-XXXXXX";
	struct fx_error err = { 0 };
	struct fx_door d;
	json_t *question;
	pid_t pid;

	(void)unused;
	assert_non_null(mkdtemp(dir));
	fx_door_init(&d);
	assert_null(fx_door_hear(&d));
	assert_int_equal(fx_door_open(&d, dir, &err), FX_OK);
	assert_null(fx_door_hear(&d));
	pid = ask(dir, USER);
	question = hear(&d);
	assert_string_equal(json_string_value(json_object_get(question, "who")), "me");
	json_decref(question);
	fx_door_answer(&d, json_pack("{s:b}", "you", 1));
	assert_int_equal(code_of(pid), ANSWERED);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0) { /* else both are under the same */
		pid = ask(dir, NODE);
		assert_int_equal(heard_not(&d, pid), UNANSWERED);
	}
	fx_door_answer(&d, json_object());
	fx_door_close(&d);
	pid = ask(dir, USER);
	assert_int_equal(code_of(pid), UNANSWERED);
	fx_remove_tree(dir, NULL);
}

/* Although folder and socket let everyone in. */
static void another_user_is_not_answered(void **unused)
{
	char dir[] = "/tmp/door-XXXXXX", *socket;
	struct fx_error err = { 0 };
	struct fx_door d;
	pid_t pid;

	(void)unused;
	if (geteuid() != 0)
		test_skip("another user at the door: only root can be one");
	assert_non_null(mkdtemp(dir));
	socket = fx_path_join(dir, FX_DOOR);
	fx_door_init(&d);
	assert_int_equal(fx_door_open(&d, dir, &err), FX_OK);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(socket, 0777), 0);
	pid = ask(dir, STRANGER);
	assert_int_equal(heard_not(&d, pid), UNANSWERED);
	fx_door_close(&d);
	fx_remove_tree(dir, NULL);
	free(socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_user_is_answered_and_a_node_is_not),
		cmocka_unit_test(another_user_is_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
