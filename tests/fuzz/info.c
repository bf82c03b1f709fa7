// SPDX-License-Identifier: Apache-2.0
/* info.c: texts of precomputed: info of volumes and of skeletons; and of what TIFFs tell. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "formats/precomputed.h"
#include "formats/skeleton.h"
#include "formats/tiffmeta.h"
#include "fuzz/bound.h"

enum { BASE = 1 << 20, EACH = 600 }; /* values of JSON */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const double resolution[2] = { 0.5, 0.25 };
	struct fx_error err = { 0 };
	struct fx_precomputed p;
	struct fx_skeleton_info skeletons;
	struct fx_tiffmeta m;
	char *text = malloc(size + 1);
	int result;

	fuzz_must(text != NULL);
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	fuzz_bound_begin();
	result = fx_precomputed_parse(text, size, NULL, &p, &err);
	fuzz_must_tell(result, &err);
	if (result == FX_OK) {
		const int64_t grid[3] = { 0, 0, 0 };
		const struct fx_region r = fx_precomputed_chunk_region(&p, grid);
		char name[300];

		fuzz_must(!fx_region_empty(r) && fx_dtype_size(p.dtype));
		fx_precomputed_chunk_name(&p, r, name, sizeof name);
	}
	result = fx_skeleton_parse_info(text, size, &skeletons, &err);
	fuzz_must_tell(result, &err);
	fx_tiffmeta_parse(text, resolution, &m);
	fuzz_must(m.voxel_nm[0] >= 0 && m.voxel_nm[0] < 1e12);
	fuzz_bound_end(size, BASE, EACH);
	free(text);
	return 0;
}
