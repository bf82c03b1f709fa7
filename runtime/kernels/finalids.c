// SPDX-License-Identifier: Apache-2.0
/* finalids.c: from provisional to final segment ids. */
#include "kernels/finalids.h"

#include <inttypes.h>
#include <string.h>

void fx_final_ids_fini(struct fx_final_ids *f)
{
	fx_map64_fini(&f->ids);
	f->any = false;
}

int fx_final_ids_take(struct fx_final_ids *f, const struct fx_record *r, struct fx_error *err)
{
	if (strcmp(r->kind, "final-ids") != 0)
		return FX_OK;
	if (r->columns != 2)
		return fx_error_set(err, FX_EINVAL, "a final-ids record has %u columns, not 2",
				    r->columns);
	f->any = true;
	for (size_t i = 0; i < r->rows; i++) {
		uint64_t *id = fx_map64_at(&f->ids, r->table[2 * i]);

		if (!id)
			return fx_error_set(err, FX_ENOMEM, "no memory for the final ids");
		*id = r->table[2 * i + 1];
	}
	return FX_OK;
}

uint64_t fx_final_ids_of(const struct fx_final_ids *f, uint64_t id)
{
	const uint64_t *final = id ? fx_map64_find(&f->ids, id) : NULL;

	return final ? *final : id;
}

int fx_final_ids_apply(const struct fx_final_ids *f, struct fx_contingency *c, struct fx_error *err)
{
	struct fx_contingency out = { 0 };
	uint64_t unknown = 0;
	int rc;

	if (!f->any)
		return FX_OK;
	rc = fx_contingency_relabel(c, &f->ids, &out, &unknown);
	if (rc < 0) {
		fx_contingency_fini(&out);
		if (rc == FX_ENOENT)
			return fx_error_set(err, FX_EINVAL,
					    "no final-ids record names segment %" PRIu64, unknown);
		return fx_error_set(err, rc, "no memory for the final ids");
	}
	fx_contingency_fini(c);
	*c = out;
	return FX_OK;
}

int fx_final_ids_relabel(const struct fx_final_ids *f, uint64_t *labels, size_t len,
			 struct fx_error *err)
{
	uint64_t last = 0, last_final = 0;

	for (size_t i = 0; f->any && i < len; i++) {
		if (labels[i] != last) {
			const uint64_t *id = fx_map64_find(&f->ids, labels[i]);

			if (!id && labels[i])
				return fx_error_set(err, FX_EINVAL,
						    "label %" PRIu64 " has no final id: the "
						    "stitcher's records are incomplete",
						    labels[i]);
			last = labels[i];
			last_final = last ? *id : 0;
		}
		labels[i] = last_final;
	}
	return FX_OK;
}

int fx_final_ids_pack(const struct fx_final_ids *f, struct fx_pack *to)
{
	fx_pack_bool(to, f->any);
	return fx_map64_pack(&f->ids, to);
}

int fx_final_ids_unpack(struct fx_final_ids *f, struct fx_unpack *from)
{
	const int result = fx_unpack_bool(from, &f->any);

	return result == FX_OK ? fx_map64_unpack(&f->ids, from) : result;
}

struct fx_block *fx_labels_widen(const struct fx_block *b)
{
	struct fx_block *wide = fx_block_new_like(b, FX_U64);
	const size_t len = wide ? fx_block_len(b) : 0;

	for (size_t i = 0; i < len; i++)
		((uint64_t *)wide->data)[i] = b->dtype == FX_U8	 ? ((const uint8_t *)b->data)[i] :
					      b->dtype == FX_U16 ? ((const uint16_t *)b->data)[i] :
					      b->dtype == FX_U32 ? ((const uint32_t *)b->data)[i] :
								   ((const uint64_t *)b->data)[i];
	return wide;
}
