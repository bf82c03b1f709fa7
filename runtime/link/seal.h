// SPDX-License-Identifier: Apache-2.0
/* seal.h: the last bytes of a header or control frame tell damage on the way, to it or to its
 * payload frame: an XXH3-64 of both as a field 15 (fixed64) that decoding passes over. */
#ifndef FX_LINK_SEAL_H
#define FX_LINK_SEAL_H

#include <stddef.h>

#include <fornix/error.h>

enum { FX__SEAL = 9 }; /* bytes of it */

/* Appends the seal to the frame *bytes, which malloc() gave: it may move. FX_ENOMEM leaves it as it
 * is. @p payload: NULL when none follows. */
int fx__seal_add(void **bytes, size_t *size, const void *payload, size_t payload_size,
		 struct fx_error *err);
/* FX_OK when a frame is as it was sent, or has no seal; FX_EIO when it is damaged. */
int fx__seal_check(const void *bytes, size_t size, const void *payload, size_t payload_size,
		   struct fx_error *err);

#endif
