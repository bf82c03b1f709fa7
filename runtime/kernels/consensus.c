// SPDX-License-Identifier: Apache-2.0
/* consensus.c: the oversegmentation consensus of several segmentations of one volume. */
#include "kernels/consensus.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "base/map64.h"
#include "kernels/components.h"
#include "kernels/runs.h"

enum { NOTHING = 0 }; /* combined number of voxels that belong to nothing */

/* Numbers keys 1, 2, ... as they come. */
static bool numbered(struct fx_map64 *known, uint64_t key, uint32_t *number)
{
	uint64_t *at = fx_map64_at(known, key);

	if (!at)
		return false;
	if (!*at)
		*at = known->len;
	*number = (uint32_t)*at;
	return true;
}

/* Splits the classes in @p all by one more segmentation. Its label 0 makes a class of its own
 * (@p zero_splits), or puts a voxel to NOTHING; what is there stays there. */
static int consensus_split(uint32_t *all, size_t len, const struct fx_consensus_input *in,
			   bool zero_splits)
{
	struct fx_map64 labels = { 0 }, pairs = { 0 };
	const size_t size = fx_dtype_size(in->dtype);
	size_t i = 0;

	while (i < len) {
		const size_t run = fx_run_len(in->labels, size, i, len), end = i + run;
		const uint64_t label = fx_label_at(in->labels, in->dtype, i);
		uint32_t number = 0, pair;

		if (label && !numbered(&labels, label, &number))
			break;
		while (i < end) {
			const size_t stop = i + fx_run_len(all, sizeof *all, i, end);
			const uint32_t was = all[i];

			pair = NOTHING;
			if (was != NOTHING && (label || zero_splits) &&
			    !numbered(&pairs, (uint64_t)was << 32 | number, &pair))
				break;
			while (i < stop)
				all[i++] = pair;
		}
		if (i < end)
			break;
	}
	fx_map64_fini(&labels);
	fx_map64_fini(&pairs);
	return i < len ? FX_ENOMEM : FX_OK;
}

/* Voxels that no segmentation has. */
static void consensus_none(uint32_t *all, size_t len, const struct fx_consensus_input *inputs,
			   size_t inputs_len)
{
	for (size_t i = 0; i < len; i++) {
		bool any = false;

		for (size_t k = 0; k < inputs_len && !any; k++)
			any = fx_label_at(inputs[k].labels, inputs[k].dtype, i) != 0;
		if (!any)
			all[i] = NOTHING;
	}
}

static bool consensus_open(const struct fx_consensus_params *p, size_t at, size_t n, int axis)
{
	return (at == 0 && p->open[axis][0]) || (at == n - 1 && p->open[axis][1]);
}

/* Counts the voxels of each piece; one that touches an open face counts as large. */
static void consensus_sizes(uint64_t *sizes, const uint32_t *out, const size_t shape[3],
			    const struct fx_consensus_params *p)
{
	const uint32_t *v = out;

	for (size_t z = 0; z < shape[0]; z++)
		for (size_t y = 0; y < shape[1]; y++, v += shape[2]) {
			const bool open = consensus_open(p, z, shape[0], 0) ||
					  consensus_open(p, y, shape[1], 1);

			for (size_t x = 0; x < shape[2]; x++)
				if (open || consensus_open(p, x, shape[2], 2))
					sizes[v[x]] = UINT64_MAX;
				else if (sizes[v[x]] != UINT64_MAX)
					sizes[v[x]]++;
		}
}

/* Takes small pieces out and closes the gaps in the numbers. */
static int consensus_drop(uint32_t *out, uint32_t *count, const size_t shape[3],
			  const struct fx_consensus_params *p)
{
	const size_t len = shape[0] * shape[1] * shape[2];
	uint64_t *sizes = fx_calloc((size_t)*count + 1, sizeof *sizes);
	uint32_t kept = 0;

	if (!sizes)
		return FX_ENOMEM;
	consensus_sizes(sizes, out, shape, p);
	sizes[0] = 0;
	for (size_t i = 1; i <= *count; i++)
		sizes[i] = sizes[i] < p->min_voxels ? 0 : ++kept;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint32_t)sizes[out[i]];
	*count = kept;
	free(sizes);
	return FX_OK;
}

static int consensus_check(const struct fx_consensus_input *inputs, size_t inputs_len,
			   const size_t shape[3], size_t *len)
{
	for (size_t k = 0; k < inputs_len; k++)
		if (inputs[k].dtype != FX_U8 && inputs[k].dtype != FX_U16 &&
		    inputs[k].dtype != FX_U32 && inputs[k].dtype != FX_U64)
			return FX_ETYPE;
	if (!inputs_len || !shape[0] || !shape[1] || !shape[2] ||
	    !fx_mul_size(shape[0], shape[1], len) || !fx_mul_size(*len, shape[2], len) ||
	    *len >= UINT32_MAX)
		return FX_EINVAL;
	return FX_OK;
}

int fx_consensus(uint32_t *out, uint32_t *count, const struct fx_consensus_input *inputs,
		 size_t inputs_len, const size_t shape[3], const struct fx_consensus_params *p)
{
	size_t len;
	int rc = consensus_check(inputs, inputs_len, shape, &len);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < len; i++)
		out[i] = 1;
	for (size_t k = 0; k < inputs_len && rc == FX_OK; k++)
		rc = consensus_split(out, len, &inputs[k],
				     p->zero == FX_CONSENSUS_ALL ||
					     (p->zero == FX_CONSENSUS_FIRST && k));
	if (rc == FX_OK && p->zero == FX_CONSENSUS_ALL)
		consensus_none(out, len, inputs, inputs_len);
	if (rc == FX_OK)
		rc = fx_components(out, FX_U32, shape, 26, out, count);
	if (rc == FX_OK && p->min_voxels > 1)
		rc = consensus_drop(out, count, shape, p);
	return rc;
}
