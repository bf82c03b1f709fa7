// SPDX-License-Identifier: Apache-2.0
/* swc.c: the text of an SWC file. */
#include "formats/swc.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { BASE = 1 << 14, EACH = 64 }; /* a row has 12 bytes at least */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_error err = { 0 };
	struct fx_tree *t = NULL;
	size_t repairs = 0;
	int result;

	fuzz_bound_begin();
	result = fx_swc_parse((const char *)data, size, 1000, &t, &repairs, &err);
	fuzz_must_tell(result, &err);
	for (size_t i = 0; result == FX_OK && i < t->len; i++)
		fuzz_must(t->nodes[i].parent < (int32_t)i && t->nodes[i].parent >= -1);
	if (result == FX_OK)
		fx_tree_free(t);
	fuzz_bound_end(size, BASE, EACH);
	return 0;
}
