// SPDX-License-Identifier: Apache-2.0
/* score_volumes.c: fornix score of label volumes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "formats/recordjson.h"
#include "kernels/scores.h"
#include "score.h"
#include "show.h"

enum { WORST = 10, WORST_SHOWN = 3, TOLERANCE = 10 };

/* Both volumes, and what has been counted. */
struct scoring {
	struct score_pair pair;
	struct fx_contingency pairs, sizes;
	struct score_skeletons skeletons;
	struct fx_links links;
	double worst, tolerance;
};

static int count_section(struct scoring *s, size_t z, struct fx_error *err)
{
	struct fx_block *seg, *truth;
	uint64_t voxels = 0;
	int result = score_pair_read(&s->pair, z, &seg, &truth, err);

	if (result < 0)
		return result;
	result = fx_contingency_add_blocks(&s->sizes, seg, NULL, &voxels);
	if (result == FX_OK && truth)
		result = fx_contingency_add_blocks(&s->pairs, seg, truth, &voxels);
	if (result < 0)
		fx_error_set(err, result,
			     "labels of %s and truth of %s: must be u8, u16, u32 or "
			     "u64; --mask scores probabilities",
			     fx_dtype_name(seg->dtype), truth ? fx_dtype_name(truth->dtype) : "?");
	score_skeletons_look(&s->skeletons, seg);
	fx_block_free(seg);
	fx_block_free(truth);
	return result;
}

static int count_all(struct scoring *s, const struct score_options *o, struct fx_error *err)
{
	int result = score_number(o->worst, "worst", &s->worst, err);

	if (result == FX_OK)
		result = score_number(o->tolerance, "tolerance", &s->tolerance, err);
	if (result == FX_OK)
		result = score_pair_open(&s->pair, o, err);
	if (result == FX_OK && o->skeletons)
		result = score_skeletons_open(&s->skeletons, o->skeletons, s->pair.voxel_nm, err);
	s->pairs.placed = true;
	for (size_t z = s->pair.from; result == FX_OK && z < s->pair.to; z++)
		result = count_section(s, z, err);
	s->links =
		(struct fx_links){ .viewer = o->viewer ? o->viewer :
							 "https://neuroglancer-demo.appspot.com/",
				   .image = o->link_image,
				   .labels = o->link_labels,
				   .truth = o->link_truth };
	for (int a = 0; a < 3; a++)
		s->links.voxel_nm[a] = s->pair.voxel_nm[a] > 0 ? s->pair.voxel_nm[a] : 1;
	return result;
}

/* Appends the fields of a record to a list; takes the record. */
static int append(struct fx_record *r, void *list)
{
	json_t *o = json_object();
	const int result = r && o ? fx_record_to_json(r, o, NULL) : FX_ENOMEM;

	fx_record_free(r);
	json_array_append_new(list, o);
	return result;
}

static void print_mistake(const struct fx_mistake *m)
{
	fprintf(stderr, "  %s %" PRIu64 ", %.4g bit, in %zu %s:", m->merger ? "segment" : "body",
		m->id, m->bits, m->parts_len, m->merger ? "bodies" : "segments");
	for (size_t i = 0; i < m->parts_len && i < WORST_SHOWN; i++)
		fprintf(stderr, "%s %" PRIu64 " (%" PRIu64 " voxels, at %lld %lld %lld)",
			i ? "," : "", m->parts[i].id, m->parts[i].voxels,
			(long long)m->parts[i].at[0], (long long)m->parts[i].at[1],
			(long long)m->parts[i].at[2]);
	fprintf(stderr, "%s\n", m->parts_len > WORST_SHOWN ? " ..." : "");
}

/* The worst splits or mergers, shown and in a list. */
static int mistakes(const struct scoring *s, bool mergers, json_t *list)
{
	struct fx_mistake *m;
	size_t len;
	int result = fx_mistakes_find(&s->pairs, mergers, (size_t)s->worst, &m, &len);

	if (result < 0)
		return result;
	if (len)
		fprintf(stderr, "\nworst %s (places are z y x)\n", mergers ? "mergers" : "splits");
	for (size_t i = 0; result == FX_OK && i < len; i++) {
		if (i < WORST_SHOWN)
			print_mistake(&m[i]);
		result = append(fx_details_mistake(&m[i], &s->links), list);
	}
	free(m);
	return result;
}

static int runs(const struct scoring *s, struct fx_record *r, json_t *neurons, struct fx_error *err)
{
	const struct score_skeletons *k = &s->skeletons;
	int result = fx_scores_add_erl(r, k->nodes, k->len, (uint64_t)s->tolerance, err);

	return result == FX_OK ? fx_scores_neurons(k->nodes, k->len, (uint64_t)s->tolerance, append,
						   neurons, err) :
				 result;
}

static int fill(const struct scoring *s, struct fx_record *r, json_t *root, struct fx_error *err)
{
	json_t *splits = json_array(), *mergers = json_array(), *neurons = json_array();
	unsigned left_out;
	int result = FX_OK;

	if (fx_scores_add_rules(r, &s->pairs, &left_out) < 0 ||
	    fx_scores_add_sizes(r, &s->sizes) < 0)
		result = fx_error_set(err, FX_ENOMEM, "no memory for the scores");
	if (result == FX_OK && s->skeletons.len)
		result = runs(s, r, neurons, err);
	if (result == FX_OK)
		result = fx_record_to_json(r, root, err);
	if (result == FX_OK)
		show_score_table(root);
	if (result == FX_OK && (mistakes(s, false, splits) < 0 || mistakes(s, true, mergers) < 0))
		result = fx_error_set(err, FX_ENOMEM, "no memory for the worst mistakes");
	json_object_set_new(root, "splits", splits);
	json_object_set_new(root, "mergers", mergers);
	if (s->skeletons.len)
		json_object_set(root, "neurons", neurons);
	json_decref(neurons);
	return result;
}

int score_volumes(const struct score_options *o)
{
	struct scoring s = { .worst = WORST, .tolerance = TOLERANCE };
	struct fx_error err = { 0 };
	struct fx_record *r = fx_record_new("scores");
	json_t *root = json_object();
	int result = r && root ? count_all(&s, o, &err) :
				 fx_error_set(&err, FX_ENOMEM, "no memory for the scores");

	if (result == FX_OK)
		result = fill(&s, r, root, &err);
	if (result == FX_OK && o->json)
		score_print_json(root);
	json_decref(root);
	fx_record_free(r);
	score_pair_close(&s.pair);
	score_skeletons_close(&s.skeletons);
	fx_contingency_fini(&s.pairs);
	fx_contingency_fini(&s.sizes);
	return result == FX_OK ? CMD_DONE : cmd_wrong("%s", err.text);
}
