// SPDX-License-Identifier: Apache-2.0
/* clock.h: monotonic time. */
#ifndef FX_BASE_CLOCK_H
#define FX_BASE_CLOCK_H

#include <stdint.h>

/** Nanoseconds of a clock that never steps back. */
int64_t fx_now_ns(void);
/** Nanoseconds of processor time that this process has used, in all its threads. */
int64_t fx_cpu_ns(void);
/** Sleeps; shorter when a signal comes. */
void fx_sleep_ms(int64_t ms);

#endif
