// SPDX-License-Identifier: Apache-2.0
/* safetensors.c: files of tensors. All that a tensor points to is inside of the file. */
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

#include "formats/safetensors.h"

enum { BASE = 16 << 10, EACH = 600 }; /* JSON */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_safetensors s = { 0 };
	struct fx_error err = { 0 };
	int result;

	fuzz_bound_begin();
	result = fx_safetensors_parse(&s, data, size, &err);
	fuzz_must_tell(result, &err);
	for (size_t i = 0; result == FX_OK && i < s.len; i++) {
		double *to = malloc(fx_tensor_count(&s.tensors[i]) * sizeof *to + 1);

		fuzz_must(to != NULL);
		fx_tensor_doubles(&s.tensors[i], to, NULL);
		free(to);
	}
	fx_safetensors_fini(&s);
	fuzz_bound_end(size, BASE, EACH);
	return 0;
}
