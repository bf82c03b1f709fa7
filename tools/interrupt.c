// SPDX-License-Identifier: Apache-2.0
/* interrupt.c: commands that Ctrl-C ends well. */
#include <signal.h>

#include "cmd.h"

static volatile sig_atomic_t interrupted; /* a signal handler has no other way to tell */

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* Not sigtimedwait(): libraries have threads that do not hold signals. */
void cmd_catch_interrupts(void)
{
	const struct sigaction a = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

bool cmd_interrupted(void)
{
	return interrupted;
}
