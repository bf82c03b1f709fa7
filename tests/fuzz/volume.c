// SPDX-License-Identifier: Apache-2.0
/* volume.c: a file that is taken for a volume (TIFF, .npy, MRC, HDF5): its first and last section
 * are read when they are small. */
#include <string.h>
#include <unistd.h>

#include "formats/volume.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { SMALL = 1 << 16, EACH = 64 };

/* A row of tiles of a TIFF, and a chunk of HDF5 with the sections around it, are decoded as a
 * whole.
 */
static size_t base_of(const uint8_t *data, size_t size)
{
	const bool large = size > 4 && (memcmp(data, "II", 2) == 0 || memcmp(data, "MM", 2) == 0 ||
					memcmp(data, "\x89HDF", 4) == 0);

	return large ? (size_t)3 << 30 : 4 << 20;
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
	char path[32];
	int fd, result;

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
	fuzz_bound_end(size, base_of(data, size), EACH);
	close(fd);
	return 0;
}
