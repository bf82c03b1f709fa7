// SPDX-License-Identifier: Apache-2.0
/* checksum.c: whether bytes are still what they were. */
#include "base/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t fx_checksum(const struct iovec *parts, int len)
{
	XXH3_state_t state;

	if (len == 1)
		return XXH3_64bits(parts[0].iov_base, parts[0].iov_len);
	XXH3_64bits_reset(&state);
	for (int i = 0; i < len; i++)
		if (parts[i].iov_len)
			XXH3_64bits_update(&state, parts[i].iov_base, parts[i].iov_len);
	return XXH3_64bits_digest(&state);
}
