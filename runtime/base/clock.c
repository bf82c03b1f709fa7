// SPDX-License-Identifier: Apache-2.0
/* clock.c: monotonic time. */
#include "base/clock.h"

#include <time.h>

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t fx_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t fx_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void fx_sleep_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}
