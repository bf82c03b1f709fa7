// SPDX-License-Identifier: Apache-2.0
/* tfindex.c: the index of a TensorFlow checkpoint. */
#include "formats/tfcheckpoint.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { BASE = 1 << 16, EACH = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_tf_checkpoint c = { 0 };
	struct fx_error err = { 0 };

	fuzz_bound_begin();
	fuzz_must_tell(fx_tf_parse(&c, data, size, &err), &err);
	fx_tf_fini(&c);
	fuzz_bound_end(size, BASE, EACH);
	return 0;
}
