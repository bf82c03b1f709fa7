// SPDX-License-Identifier: Apache-2.0
/* score_masks.c: fornix score --mask. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cmd.h"
#include "formats/recordjson.h"
#include "kernels/voxelscores.h"
#include "score.h"

/* The counts of each section. */
struct masks {
	struct score_pair pair;
	struct fx_voxel_counts *sections; /* owned */
	size_t len;
	double threshold; /* below 0: what is not 0 counts */
};

static int count_section(struct masks *m, size_t z, struct fx_error *err)
{
	struct fx_block *scored, *truth;
	int result = score_pair_read(&m->pair, z, &scored, &truth, err);

	if (result < 0)
		return result;
	result = fx_voxel_count(&m->sections[m->len++], scored->data, scored->dtype, m->threshold,
				truth->data, truth->dtype, fx_block_len(scored));
	if (result < 0)
		fx_error_set(err, result,
			     "masks of %s and %s cannot be compared: f32 and, with --threshold, u8 "
			     "and u16 are values, u8 to u64 are masks",
			     fx_dtype_name(scored->dtype), fx_dtype_name(truth->dtype));
	fx_block_free(scored);
	fx_block_free(truth);
	return result;
}

static int count_all(struct masks *m, const struct score_options *o, struct fx_error *err)
{
	int result = score_pair_open(&m->pair, o, err);
	const size_t end =
		m->pair.to < m->pair.truth.shape[0] ? m->pair.to : m->pair.truth.shape[0];

	m->threshold = m->pair.scored.dtype == FX_F32 ? 0.5 : -1;
	if (result == FX_OK)
		result = score_number(o->threshold, "threshold", &m->threshold, err);
	if (result == FX_OK) {
		m->sections = fx_calloc(end, sizeof *m->sections);
		result = m->sections ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for counts");
	}
	for (size_t z = m->pair.from; result == FX_OK && z < end; z++)
		result = count_section(m, z, err);
	return result;
}

static int fill(const struct masks *m, struct fx_record *r)
{
	struct fx_voxel_counts pooled = { 0 };

	for (size_t i = 0; i < m->len; i++)
		fx_voxel_add(&pooled, &m->sections[i]);
	if (fx_voxel_scores_add(r, "pooled", &pooled) < 0 ||
	    fx_voxel_means_add(r, m->sections, m->len) < 0)
		return FX_ENOMEM;
	return FX_OK;
}

/* The scores of each section. */
static json_t *images_json(const struct masks *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->len; i++) {
		const struct fx_voxel_scores s = fx_voxel_score(&m->sections[i]);

		json_array_append_new(list, json_pack("{s:I, s:f, s:f, s:f, s:f}", "z",
						      (json_int_t)(m->pair.from + i), "iou", s.iou,
						      "dice", s.dice, "precision", s.precision,
						      "recall", s.recall));
	}
	return list;
}

static void print_table(const struct fx_record *r)
{
	static const char *const names[] = { "iou", "dice", "precision", "recall", "accuracy" };
	char pooled[64], mean[64];

	fprintf(stderr, "\nscores %37s %17s\n", "pooled", "mean over images");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(pooled, sizeof pooled, "pooled.%s", names[i]);
		snprintf(mean, sizeof mean, "mean.%s", names[i]);
		fprintf(stderr, "  %-31s %10.6g %17.6g\n", names[i], fx_record_number(r, pooled, 0),
			fx_record_number(r, mean, 0));
	}
}

int score_masks(const struct score_options *o)
{
	struct masks m = { 0 };
	struct fx_error err = { 0 };
	struct fx_record *r = fx_record_new("scores");
	json_t *root = json_object();
	int result = count_all(&m, o, &err);

	if (result == FX_OK && (!r || !root || fill(&m, r) < 0))
		result = fx_error_set(&err, FX_ENOMEM, "no memory for the scores");
	if (result == FX_OK && (result = fx_record_to_json(r, root, &err)) == FX_OK) {
		json_object_set_new(root, "sections", images_json(&m));
		print_table(r);
		if (o->json)
			score_print_json(root);
	}
	json_decref(root);
	fx_record_free(r);
	free(m.sections);
	score_pair_close(&m.pair);
	return result == FX_OK ? CMD_DONE : cmd_wrong("%s", err.text);
}
