// SPDX-License-Identifier: Apache-2.0
/* checksum.h: whether bytes are still what they were. */
#ifndef FX_BASE_CHECKSUM_H
#define FX_BASE_CHECKSUM_H

#include <stdint.h>
#include <sys/uio.h>

/** XXH3-64 (Yann Collet) of parts, one behind the other: the same however they are cut. Tells
 * damage, not forgery. */
uint64_t fx_checksum(const struct iovec *parts, int len);

#endif
