// SPDX-License-Identifier: Apache-2.0
/* histogram.h: a histogram of 8-bit grey values in a JSON file. */
#ifndef FX_FORMATS_HISTOGRAM_H
#define FX_FORMATS_HISTOGRAM_H

#include <fornix/error.h>

enum { FX_HISTOGRAM_FILE_BINS = 256 };

/** Reads {"counts": [c0, ..., c255]}: how often each grey value occurs, as 256 finite numbers of at
 * least 0, not all of them 0. Other keys are errors, but for the text "comment". At most 64 KiB.
 * FX_EIO, FX_EINVAL; errors name the path, and @p counts is then undefined. */
int fx_histogram_load(const char *path, double counts[FX_HISTOGRAM_FILE_BINS],
		      struct fx_error *err);

#endif
