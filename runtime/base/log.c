// SPDX-License-Identifier: Apache-2.0
/* log.c: one line to stderr. */
#include <fornix/log.h>

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/file.h"

static enum fx_log_level log_level = FX_LOG_INFO;
static char log_name[64];

void fx_log_setup(enum fx_log_level level, const char *name)
{
	log_level = level;
	if (name)
		snprintf(log_name, sizeof log_name, "%s", name);
}

void fx_log(enum fx_log_level level, const char *fmt, ...)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	char line[1200];
	struct timespec now;
	struct tm tm;
	va_list args;
	size_t used;

	if (level > log_level)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	used = strftime(line, sizeof line, "%H:%M:%S", &tm);
	used += (size_t)snprintf(line + used, sizeof line - used,
				 ".%03ldZ %s%s%s: ", now.tv_nsec / 1000000, log_name,
				 log_name[0] ? " " : "", levels[level]);
	va_start(args, fmt);
	vsnprintf(line + used, sizeof line - used - 1, fmt, args);
	va_end(args);
	fx_write_line(2, line);
}
