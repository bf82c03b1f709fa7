// SPDX-License-Identifier: Apache-2.0
/* nml.c: the text of an NML file. */
#include "formats/nml.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { BASE = 1 << 18, EACH = 64 }; /* expat's own, and a node has 30 bytes at least */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_error err = { 0 };
	struct fx_nml nml;
	int result;

	fuzz_bound_begin();
	result = fx_nml_parse((const char *)data, size, &nml, &err);
	fuzz_must_tell(result, &err);
	for (size_t k = 0; k < nml.len; k++)
		for (size_t i = 0; i < nml.trees[k]->len; i++)
			fuzz_must(nml.trees[k]->nodes[i].parent < (int32_t)i);
	fx_nml_fini(&nml);
	fuzz_bound_end(size, BASE, EACH);
	return 0;
}
