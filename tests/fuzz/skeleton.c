// SPDX-License-Identifier: Apache-2.0
/* skeleton.c: a file of a precomputed skeleton, with the attributes that fornix writes and with
 * others. */
#include "formats/skeleton.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { BASE = 1 << 12, EACH = 16 }; /* 20 bytes of the file are a node of 56 */

static void decode(const struct fx_skeleton_info *info, const uint8_t *data, size_t size)
{
	struct fx_error err = { 0 };
	struct fx_tree *t = NULL;
	const int result = info ? fx_skeleton_decode_as(info, data, size, &t, &err) :
				  fx_skeleton_decode(data, size, &t, &err);

	fuzz_must_tell(result, &err);
	for (size_t i = 0; result == FX_OK && i < t->len; i++)
		fuzz_must(t->nodes[i].parent < (int32_t)i);
	if (result == FX_OK)
		fx_tree_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fx_skeleton_info none = { .transform = { 1, 0, 0, 0, 0, 2 } };
	static const struct fx_skeleton_info other = { .size = 7,
						       .has_radius = true,
						       .radius_at = 3 };

	fuzz_bound_begin();
	decode(NULL, data, size);
	decode(&none, data, size);
	decode(&other, data, size);
	fuzz_bound_end(size, BASE, EACH);
	return 0;
}
