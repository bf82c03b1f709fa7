// SPDX-License-Identifier: Apache-2.0
/* gunzip.h: bytes of a gzip stream whose size is not known before. */
#ifndef FX_FORMATS_GUNZIP_H
#define FX_FORMATS_GUNZIP_H

#include <stddef.h>

#include <fornix/error.h>

/** Inflates one gzip or zlib stream that gives at most @p max bytes: *out (free()), *out_size. What
 * is allocated is at most @p max, and at most 64 KiB and 2100 times what comes in. FX_EINVAL when
 * it is damaged or more, FX_ENOMEM. */
int fx_gunzip(const void *bytes, size_t size, size_t max, void **out, size_t *out_size,
	      struct fx_error *err);

#endif
