// SPDX-License-Identifier: Apache-2.0
/* gunzip.c: bytes of a gzip stream whose size is not known before. */
#include "formats/gunzip.h"

#include <stdint.h>
#include <stdlib.h>

#define ZLIB_CONST /* next_in */
#include <zlib.h>

enum { FIRST = 1 << 16, ANY_HEAD = 15 + 32 };

/* Inflates to the end, growing *to; Z_STREAM_END, or what was wrong. */
static int inflate_all(z_stream *s, unsigned char **to, size_t *cap, size_t max, size_t *len)
{
	int result = Z_OK;

	while (result == Z_OK) {
		unsigned char *more;
		const size_t next = *cap > max / 2 ? max : *cap * 2;

		if (*len == *cap && *cap == max)
			return Z_BUF_ERROR;
		if (*len == *cap) {
			more = realloc(*to, next);
			if (!more)
				return Z_MEM_ERROR;
			*to = more;
			*cap = next;
		}
		s->next_out = *to + *len;
		s->avail_out = *cap - *len < UINT32_MAX ? (uInt)(*cap - *len) : UINT32_MAX;
		result = inflate(s, Z_NO_FLUSH);
		*len = (size_t)(s->next_out - *to);
		if (result == Z_OK && s->avail_in == 0 && s->avail_out > 0)
			return Z_BUF_ERROR; /* cut off */
	}
	return result;
}

int fx_gunzip(const void *bytes, size_t size, size_t max, void **out, size_t *out_size,
	      struct fx_error *err)
{
	z_stream s = { .next_in = bytes };
	size_t cap = max < FIRST ? max + !max : FIRST, len = 0;
	unsigned char *to = size <= UINT32_MAX ? malloc(cap) : NULL;
	int result;

	if (size > UINT32_MAX)
		return fx_error_set(err, FX_EINVAL, "its gzip data are damaged, or too many");
	if (!to || inflateInit2(&s, ANY_HEAD) != Z_OK) {
		free(to);
		return fx_error_set(err, FX_ENOMEM, "no memory to inflate");
	}
	s.avail_in = (uInt)size;
	result = inflate_all(&s, &to, &cap, max + !max, &len);
	inflateEnd(&s);
	if (result == Z_STREAM_END && len <= max) {
		*out = to;
		*out_size = len;
		return FX_OK;
	}
	free(to);
	return result == Z_MEM_ERROR ?
		       fx_error_set(err, FX_ENOMEM, "no memory to inflate") :
		       fx_error_set(err, FX_EINVAL, "its gzip data are damaged, or too many");
}
