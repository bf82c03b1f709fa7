// SPDX-License-Identifier: Apache-2.0
/* lag.h: how far a run is behind the microscope, in sections and in seconds. */
#ifndef FX_CONDUCT_LAG_H
#define FX_CONDUCT_LAG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { FX_LAG_SECTIONS_MAX = 1 << 20 };

/** When each section was acquired and was finished, in seconds of the run. Zero-initialise. */
struct fx_lag {
	double *acquired_s,
		*finished_s; /**< owned; by section, those that are behind are not set */
	size_t cap;
	int64_t acquired, finished; /**< sections so far */
	int64_t most_sections;	    /**< of lag, ever */
	double most_s;
};

/** At @p now_s so many sections are acquired and finished. Sections beyond FX_LAG_SECTIONS_MAX, or
 * without memory, are not noted one by one. */
void fx_lag_look(struct fx_lag *l, double now_s, int64_t acquired, int64_t finished);
/** How long the oldest section that is not finished has been there; 0: all are. */
double fx_lag_seconds(const struct fx_lag *l, double now_s);
/** For the receipt: the most that it ever was, and the times of every section; NULL without
 * memory. */
json_t *fx_lag_json(const struct fx_lag *l);
/** Takes a zeroed one. */
void fx_lag_fini(struct fx_lag *l);

#endif
