// SPDX-License-Identifier: Apache-2.0
/* volume.c: a file that is taken for a volume (TIFF, .npy, MRC, HDF5): its first and last section
 * are read when they are small. */
#include <string.h>
#include <unistd.h>

#include "formats/volume.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { SMALL = 1 << 16 };

/* A row of tiles of a TIFF, and a chunk of HDF5 with the sections around it, are decoded as a
 * whole; that of a TIFF is no more than its bytes may decode to. */
static void bound_of(const uint8_t *data, size_t size, size_t *base, size_t *each)
{
	*base = 4 << 20;
	*each = 64;
	if (size <= 4)
		return;
	if (memcmp(data, "II", 2) == 0 || memcmp(data, "MM", 2) == 0) {
		*base = 16 << 20;
		*each = 3 << 16;
	} else if (memcmp(data, "\x89HDF", 4) == 0) {
		*base = (size_t)3 << 30;
	}
}

static void read_section(struct fx_volume *v, size_t z)
{
	struct fx_region r = { { (int64_t)z, 0, 0 },
			       { (int64_t)z + 1, (int64_t)v->shape[1], (int64_t)v->shape[2] } };
	struct fx_error err = { 0 };
	struct fx_block *b = NULL;
	const int result = fx_volume_read(v, r, &b, &err);

	fuzz_must_tell(result, &err);
	if (result == FX_OK)
		fx_block_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_error err = { 0 };
	struct fx_volume v = { 0 };
	size_t base, each;
	char path[32];
	int fd, result;

	bound_of(data, size, &base, &each);
	fuzz_file(data, size, &fd, path);
	fuzz_bound_begin();
	result = fx_volume_open(path, &v, &err);
	fuzz_must_tell(result, &err);
	if (result == FX_OK) {
		fuzz_must(v.shape[0] && v.shape[1] && v.shape[2] && fx_dtype_size(v.dtype));
		fx_volume_keep(&v, 1 << 20);
		if (v.shape[1] <= SMALL && v.shape[2] <= SMALL &&
		    v.shape[1] * v.shape[2] <= SMALL && v.chunk[0] <= SMALL &&
		    v.chunk[0] * v.chunk[1] * v.chunk[2] <= SMALL * 16) {
			read_section(&v, 0);
			read_section(&v, v.shape[0] - 1);
		}
		fx_volume_close(&v);
	}
	fuzz_bound_end(size, base, each);
	close(fd);
	return 0;
}
