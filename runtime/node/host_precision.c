// SPDX-License-Identifier: Apache-2.0
/* host_precision.c: numbers of 32 bits are sent as fewer, as the graph says; a node that takes no
 * numbers of 16 bits gets them as 32. */
#include <stdlib.h>

#include "base/alloc.h"
#include "block/heap.h"
#include "graph/describe.h"
#include "graph/graph.h"
#include "kernels/precision.h"
#include "link/slot.h"
#include "node/host_private.h"

static bool is_wide(unsigned dtype, unsigned than)
{
	return than && (dtype == FX_F32 || (dtype == FX_F16 && than == FX_U8));
}

int fx__host_narrow(const struct fx__host *h, unsigned port, struct fx_block *b,
		    struct fx_error *err)
{
	const unsigned to = h->precision[port];
	const size_t n = fx_block_len(b) * b->channels;

	if (!is_wide(b->dtype, to))
		return FX_OK;
	if (!(fx_precision_roles(to) & 1U << b->role))
		return fx_error_set(err, FX_EINVAL,
				    "precision %s is not for what output %s sends: %s %s",
				    fx_dtype_name((enum fx_dtype)to), h->type->ports[port].name,
				    fx_dtype_name(b->dtype), fx_role_name(b->role));
	if (!fx__slot_is_of(b, h->pool) && fx_block_own(b) < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory for a block");
	if (to == FX_F16)
		fx_precision_f16(b->data, n);
	else if (b->dtype == FX_F32)
		fx_precision_u8(b->data, n);
	else
		fx_precision_f16_u8(b->data, n);
	b->dtype = (enum fx_dtype)to;
	return FX_OK;
}

void fx__host_narrow_mark(const struct fx__host *h, unsigned port, struct fx_mark *m)
{
	if (m->kind == FX_MARK_OPEN && is_wide(m->dtype, h->precision[port]))
		m->dtype = (enum fx_dtype)h->precision[port];
}

/* The same block with floats. */
static struct fx_block *widened(const struct fx_block *b)
{
	struct fx_block *wide = fx_block_new(FX_F32, 1, 1, 1);
	const size_t n = fx_block_len(b) * b->channels;
	float *data = wide ? fx_alloc_aligned(n * sizeof *data) : NULL;

	if (!data) {
		fx_block_free(wide);
		return NULL;
	}
	fx_precision_f32(b->data, n, data);
	free(wide->data);
	*wide = *b;
	fx__block_heap(wide, data);
	wide->dtype = FX_F32;
	wide->owner = NULL;
	return wide;
}

int fx__host_widen(struct fx__host *h, unsigned port)
{
	const unsigned takes = h->type->ports[port].dtypes;
	struct fx_envelope *e = &h->current;
	struct fx_block *b = e->message, *wide;

	if (takes & FX_F16 || !(takes & FX_F32))
		return FX_OK;
	if (!e->kind && e->mark.kind == FX_MARK_OPEN && e->mark.dtype == FX_F16)
		e->mark.dtype = FX_F32;
	if (e->kind != FX_BLOCK || b->dtype != FX_F16)
		return FX_OK;
	wide = widened(b);
	if (!wide)
		return fx_fail(&h->node, FX_ENOMEM, "no memory for a block");
	fx_block_free(b);
	e->message = wide;
	return FX_OK;
}
