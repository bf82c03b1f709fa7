// SPDX-License-Identifier: Apache-2.0
/* npywrite.c: a block as a .npy file of NumPy. */
#include "formats/npywrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { HEAD = FX_NPY_HEAD }; /* a multiple of 64; the longest description has about 150 bytes */

static const char *descr_of(enum fx_dtype dtype)
{
	switch (dtype) {
	case FX_U8:
		return "|u1";
	case FX_U16:
		return "<u2";
	case FX_U32:
		return "<u4";
	case FX_U64:
		return "<u8";
	case FX_F16:
		return "<f2";
	case FX_F32:
		return "<f4";
	}
	return NULL;
}

/* Magic, version, length, description, blanks, newline. */
bool fx_npy_head(char head[FX_NPY_HEAD], enum fx_dtype dtype, uint32_t channels_len,
		 const size_t shape[3])
{
	const char *descr = descr_of(dtype);
	char channels[16] = "";
	int n;

	if (!descr)
		return false;
	if (channels_len > 1)
		snprintf(channels, sizeof channels, "%u, ", channels_len);
	memset(head, ' ', HEAD);
	memcpy(head, "\x93NUMPY\x01\x00", 8);
	head[8] = (char)(HEAD - 10);
	head[9] = 0;
	n = snprintf(head + 10, HEAD - 10,
		     "{'descr': '%s', 'fortran_order': False, 'shape': (%s%zu, %zu, %zu), }", descr,
		     channels, shape[0], shape[1], shape[2]);
	if (n < 0 || n >= HEAD - 11)
		return false;
	head[10 + n] = ' ';
	head[HEAD - 1] = '\n';
	return true;
}

int fx_npy_write(const char *path, const struct fx_block *b, struct fx_error *err)
{
	const size_t size = fx_block_size(b);
	char head[HEAD], *bytes = malloc(HEAD + size);
	int result;

	if (!bytes)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory for %zu bytes", path, size);
	if (fx_npy_head(head, b->dtype, b->channels, b->shape)) {
		memcpy(bytes, head, HEAD);
		memcpy(bytes + HEAD, b->data, size);
		result = fx_file_write(path, bytes, HEAD + size, err);
	} else {
		result = fx_error_set(err, FX_ETYPE, "%s: not a block", path);
	}
	free(bytes);
	return result;
}
