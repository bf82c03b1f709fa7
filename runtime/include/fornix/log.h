// SPDX-License-Identifier: Apache-2.0
/* log.h: one line to stderr, with time, level and the name of the process's node. */
#ifndef FORNIX_LOG_H
#define FORNIX_LOG_H

#include <fornix/version.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fx_log_level { FX_LOG_ERROR, FX_LOG_WARN, FX_LOG_INFO, FX_LOG_DEBUG };

/** Writes one line to stderr when @p level is at or above the level in force. Thread safe. */
FX_API void fx_log(enum fx_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** Sets the lowest level that is written (default FX_LOG_INFO) and the name in front of lines.
 * @p name is copied; NULL leaves it. Call before threads start. */
FX_API void fx_log_setup(enum fx_log_level level, const char *name);

#ifdef __cplusplus
}
#endif
#endif
