// SPDX-License-Identifier: Apache-2.0
/* running.h: median and spread of the last few values of many series: what is usual. */
#ifndef FX_KERNELS_RUNNING_H
#define FX_KERNELS_RUNNING_H

#include <stddef.h>

#include "base/pack.h"

/** Some series, each with a value at the same times. */
struct fx_running {
	size_t series, window; /**< values kept of each */
	size_t len, next;
	float *ring; /**< owned, window x series */
};

/** @p series and @p window at least 1, @p window at most 256. FX_ENOMEM. */
int fx_running_init(struct fx_running *r, size_t series, size_t window);
/** Takes a zeroed one. */
void fx_running_fini(struct fx_running *r);
/** Takes up one value of each series, to be written to the place that it gives; the oldest leave a
 * full window. */
float *fx_running_push(struct fx_running *r);
/** Forgets all values. */
void fx_running_clear(struct fx_running *r);
/** Median of the values of series @p i (the lower of two), and their median absolute deviation
 * from it times 1.4826: the standard deviation of a normal distribution, untouched by outliers
 * (Hampel, JASA 69:383, 1974). Zeros without values. */
void fx_running_usual(const struct fx_running *r, size_t i, double *median, double *spread);
/** For save() and load(), the latter into one of the same series and window. FX_ETYPE. */
void fx_running_pack(const struct fx_running *r, struct fx_pack *to);
int fx_running_unpack(struct fx_running *r, struct fx_unpack *from);

#endif
