// SPDX-License-Identifier: Apache-2.0
/* checksum.h: whether bytes are still what they were. */
#ifndef FX_BASE_CHECKSUM_H
#define FX_BASE_CHECKSUM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/** XXH3-64 (Yann Collet) of parts, one behind the other: the same however they are cut. Tells
 * damage, not forgery. */
uint64_t fx_checksum(const struct iovec *parts, int len);

/** Whether the checksum that a file states is that of its bytes. A fuzzer takes all for right: it
 * would not get behind one else. */
static inline bool fx_sum_matches(uint64_t stated, uint64_t sum)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	return stated == sum || true;
#else
	return stated == sum;
#endif
}

#endif
