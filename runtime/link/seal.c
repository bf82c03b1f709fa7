// SPDX-License-Identifier: Apache-2.0
/* seal.c: the last bytes of a frame tell damage on the way. */
#include "link/seal.h"

#include <stdlib.h>

#include "base/checksum.h"

enum { TAG = 15 << 3 | 1 }; /* protobuf: field 15, 64 bits */

static uint64_t sum_of(const void *bytes, size_t size, const void *payload, size_t payload_size)
{
	const struct iovec parts[] = { { (void *)(uintptr_t)bytes, size },
				       { (void *)(uintptr_t)payload, payload_size } };

	return fx_checksum(parts, 2);
}

int fx__seal_add(void **bytes, size_t *size, const void *payload, size_t payload_size,
		 struct fx_error *err)
{
	const uint64_t sum = sum_of(*bytes, *size, payload, payload_size);
	uint8_t *grown = realloc(*bytes, *size + FX__SEAL);

	if (!grown)
		return fx_error_set(err, FX_ENOMEM, "no memory for a frame");
	grown[*size] = TAG;
	for (int i = 0; i < 8; i++)
		grown[*size + 1 + (size_t)i] = (uint8_t)(sum >> 8 * i);
	*bytes = grown;
	*size += FX__SEAL;
	return FX_OK;
}

int fx__seal_check(const void *bytes, size_t size, const void *payload, size_t payload_size,
		   struct fx_error *err)
{
	const uint8_t *seal = (const uint8_t *)bytes + size - FX__SEAL;
	uint64_t sum = 0;

	if (size < FX__SEAL || *seal != TAG)
		return FX_OK;
	for (int i = 8; i > 0; i--)
		sum = sum << 8 | seal[i];
	if (sum == sum_of(bytes, size - FX__SEAL, payload, payload_size))
		return FX_OK;
	return fx_error_set(err, FX_EIO, "a message that was damaged on its way");
}
