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
