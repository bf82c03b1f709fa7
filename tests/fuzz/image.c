// SPDX-License-Identifier: Apache-2.0
/* image.c: a file that is taken for a PNG or TIFF image: all of it is read when it is small. */
#include <unistd.h>

#include "formats/image.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

/* Rows of 2^20 pixels; an interlaced PNG is decoded as a whole. */
enum { SMALL = 1 << 20, BASE = 16 << 20, EACH = 1032 * 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_error err = { 0 };
	struct fx_image im = { 0 };
	void *pixels = malloc(2 * SMALL);
	char path[32];
	int fd, result;

	fuzz_must(pixels != NULL);
	fuzz_file(data, size, &fd, path);
	fuzz_bound_begin();
	result = fx_image_open(path, &im, &err);
	fuzz_must_tell(result, &err);
	if (result == FX_OK && im.height * im.width <= SMALL) {
		result = fx_image_read_all(&im, pixels, &err);
		fuzz_must_tell(result, &err);
	}
	fx_image_close(&im);
	fuzz_bound_end(size, BASE, EACH);
	close(fd);
	free(pixels);
	return 0;
}
