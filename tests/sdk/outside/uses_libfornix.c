// SPDX-License-Identifier: Apache-2.0
/* A program of a third party: calls a function of libfornix. */
#include <stdio.h>

#include <fornix/block.h>

int main(void)
{
	struct fx_block *b = fx_block_new(FX_U16, 1, 3, 4);

	if (!b)
		return 1;
	printf("%s %zu bytes\n", fx_dtype_name(b->dtype), fx_block_size(b));
	fx_block_free(b);
	return 0;
}
