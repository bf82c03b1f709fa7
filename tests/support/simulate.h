// SPDX-License-Identifier: Apache-2.0
/* simulate.h: runs "fornix simulate" as a user would. Include after support/test.h. */
#ifndef FX_TESTS_SIMULATE_H
#define FX_TESTS_SIMULATE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/images.h"

enum { WORDS_MAX = 40, WAIT_MS = 60000 };

/** Starts "fornix simulate ARGUMENTS" (no blanks inside of one); what it says goes to DIR/log and
 * DIR/out. */
static inline pid_t start(const char *arguments, const char *dir)
{
	const char *program = getenv("FORNIX_BIN");
	char *text = fx_strdup(arguments), *words[WORDS_MAX] = { NULL }, *rest = text;
	size_t n = 0;
	pid_t pid;

	words[n++] = fx_strdup(program ? program : "build/bin/fornix");
	words[n++] = fx_strdup("simulate");
	while (n < WORDS_MAX - 1 && (words[n] = strtok_r(rest, " ", &rest)))
		n++;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (!freopen(test_path(dir, "log"), "w", stderr) ||
		    !freopen(test_path(dir, "out"), "w", stdout))
			_exit(99);
		execv(words[0], words);
		_exit(98);
	}
	assert_true(pid > 0);
	free(words[0]);
	free(words[1]);
	free(text);
	return pid;
}

/** Its exit code. */
static inline int ended(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/** @p words with the folder in place of each '@'. free(). */
static inline char *expand(const char *dir, const char *words)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	for (; *words; words++)
		fprintf(to, "%.*s", *words == '@' ? (int)strlen(dir) : 1,
			*words == '@' ? dir : words);
	assert_int_equal(fclose(to), 0);
	return text;
}

/** From start to end; the exit code. */
static inline int play(const char *dir, const char *words)
{
	char *text = expand(dir, words);
	const int code = ended(start(text, dir));

	free(text);
	return code;
}

#endif
