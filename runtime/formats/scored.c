// SPDX-License-Identifier: Apache-2.0
/* scored.c: what is known of a segmentation while it is compared with its truth. */
#include "formats/scored.h"

const char *const fx_scored_files[2] = { "labels", "truth" };

void fx_scored_fini(struct fx_scored *s)
{
	fx_treeset_fini(&s->trees);
	for (int i = 0; i < 2; i++)
		fx_blockstore_close(&s->stores[i]);
	fx_contingency_fini(&s->pairs);
	fx_contingency_fini(&s->sizes);
	fx_final_ids_fini(&s->finals);
	*s = (struct fx_scored){ 0 };
}

int fx_scored_pack(struct fx_scored *s, struct fx_pack *to, struct fx_error *err)
{
	fx_pack_put(to, &s->voxels, sizeof s->voxels);
	fx_pack_put(to, &s->scored, sizeof s->scored);
	fx_pack_put(to, s->voxel_nm, sizeof s->voxel_nm);
	fx_treeset_pack(&s->trees, to);
	if (fx_final_ids_pack(&s->finals, to) < 0 || fx_contingency_pack(&s->pairs, to) < 0 ||
	    fx_contingency_pack(&s->sizes, to) < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory to save the scores");
	for (int i = 0; i < 2; i++)
		if (fx_blockstore_pack(&s->stores[i], to, err) < 0)
			return FX_EIO;
	return FX_OK;
}

int fx_scored_unpack(struct fx_scored *s, const char *dir, struct fx_unpack *from,
		     struct fx_error *err)
{
	int result = FX_ETYPE;

	if (fx_unpack_get(from, &s->voxels, sizeof s->voxels) == FX_OK &&
	    fx_unpack_get(from, &s->scored, sizeof s->scored) == FX_OK &&
	    fx_unpack_get(from, s->voxel_nm, sizeof s->voxel_nm) == FX_OK)
		result = fx_treeset_unpack(&s->trees, from);
	if (result == FX_OK)
		result = fx_final_ids_unpack(&s->finals, from);
	if (result == FX_OK)
		result = fx_contingency_unpack(&s->pairs, from);
	if (result == FX_OK)
		result = fx_contingency_unpack(&s->sizes, from);
	if (result < 0)
		return fx_error_set(err, result, "scores cannot be as they were saved");
	for (int i = 0; i < 2 && result == FX_OK; i++)
		result = fx_blockstore_unpack(&s->stores[i], dir, fx_scored_files[i], from, err);
	return result;
}
