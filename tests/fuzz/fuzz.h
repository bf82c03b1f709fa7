// SPDX-License-Identifier: Apache-2.0
/* fuzz.h: one input of a fuzz target, tried by libFuzzer or by replay.c. */
#ifndef FX_TESTS_FUZZ_H
#define FX_TESTS_FUZZ_H

#include <fornix/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** Gives the bytes to what the target is about. 0; ends the process when that does more than
 * succeed or fail with a sentence. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Ends the process unless @p holds. */
static inline void fuzz_must(bool holds)
{
	if (!holds)
		abort();
}

/** As fuzz_must(): a result is FX_OK, or an error that is told. */
static inline void fuzz_must_tell(int result, const struct fx_error *err)
{
	fuzz_must(result == FX_OK || (result < 0 && err->code == result && err->text[0]));
}

#endif
