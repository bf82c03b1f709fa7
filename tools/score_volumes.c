// SPDX-License-Identifier: Apache-2.0
/* score_volumes.c: fornix score of volumes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "formats/recordjson.h"
#include "formats/volume.h"
#include "kernels/scores.h"
#include "score.h"
#include "show.h"

/* Both volumes, and what has been counted. */
struct scoring {
	struct fx_volume seg, truth;
	struct fx_contingency pairs, sizes;
	size_t from, to; /* sections that count */
};

/* "A:B" to s->from and s->to; NULL is all. */
static int parse_sections(struct scoring *s, const char *text, struct fx_error *err)
{
	unsigned long long from, to;
	int end = 0;

	s->to = SIZE_MAX;
	if (!text)
		return FX_OK;
	if (*text < '0' || *text > '9' || sscanf(text, "%llu:%llu%n", &from, &to, &end) != 2 ||
	    text[end] || from >= to)
		return fx_error_set(err, FX_EINVAL,
				    "--sections %.40s: must be FIRST:BEHIND_LAST, such as 0:125",
				    text);
	s->from = (size_t)from;
	s->to = (size_t)to;
	return FX_OK;
}

static int check_shapes(const struct scoring *s, const char *const *paths, struct fx_error *err)
{
	const size_t *a = s->seg.shape, *b = s->truth.shape;

	if (a[1] == b[1] && a[2] == b[2] && a[0] >= b[0])
		return FX_OK;
	return fx_error_set(
		err, FX_ETYPE,
		"%s is %zu x %zu x %zu (z y x), the truth %s is %zu x %zu x %zu: rows and "
		"columns must agree, and the truth may have fewer sections",
		paths[0], a[0], a[1], a[2], paths[1], b[0], b[1], b[2]);
}

static int count_section(struct scoring *s, size_t z, struct fx_error *err)
{
	const struct fx_region r = { { (int64_t)z, 0, 0 },
				     { (int64_t)z + 1, (int64_t)s->seg.shape[1],
				       (int64_t)s->seg.shape[2] } };
	struct fx_block *seg = NULL, *truth = NULL;
	int result = fx_volume_read(&s->seg, r, &seg, err);

	if (result == FX_OK && z < s->truth.shape[0])
		result = fx_volume_read(&s->truth, r, &truth, err);
	if (result == FX_OK)
		result = fx_contingency_add(&s->sizes, seg->data, seg->dtype, NULL, FX_U8,
					    fx_block_len(seg));
	if (result == FX_OK && truth)
		result = fx_contingency_add(&s->pairs, seg->data, seg->dtype, truth->data,
					    truth->dtype, fx_block_len(seg));
	fx_block_free(seg);
	fx_block_free(truth);
	return result;
}

static int count_all(struct scoring *s, const char *const *paths, struct fx_error *err)
{
	int result = fx_volume_open(paths[0], &s->seg, err);

	if (result == FX_OK)
		result = fx_volume_open(paths[1], &s->truth, err);
	if (result == FX_OK)
		result = check_shapes(s, paths, err);
	if (result == FX_OK && s->from >= s->truth.shape[0])
		return fx_error_set(err, FX_EINVAL, "--sections begin at %zu, but %s has only %zu",
				    s->from, paths[1], s->truth.shape[0]);
	for (size_t z = s->from; result == FX_OK && z < s->seg.shape[0] && z < s->to; z++)
		result = count_section(s, z, err);
	return result;
}

static json_t *scores_json(const struct scoring *s, struct fx_error *err)
{
	struct fx_record *r = fx_record_new("scores");
	json_t *root = json_object();
	unsigned left_out;
	bool ok = r && root && fx_scores_add_rules(r, &s->pairs, &left_out) == FX_OK &&
		  fx_scores_add_sizes(r, &s->sizes) == FX_OK &&
		  fx_record_to_json(r, root, err) == FX_OK;

	fx_record_free(r);
	if (ok)
		return root;
	json_decref(root);
	fx_error_set(err, FX_ENOMEM, "no memory for the scores");
	return NULL;
}

int score_volumes(const struct score_options *o)
{
	struct scoring s = { 0 };
	struct fx_error err = { 0 };
	json_t *scores = NULL;
	int result;

	if (parse_sections(&s, o->sections, &err) == FX_OK &&
	    count_all(&s, o->paths, &err) == FX_OK)
		scores = scores_json(&s, &err);
	if (scores)
		show_score_table(scores);
	if (scores && o->json) {
		json_dumpf(scores, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
		printf("\n");
	}
	result = scores ? CMD_DONE : cmd_wrong("%s", err.text);
	json_decref(scores);
	fx_volume_close(&s.seg);
	fx_volume_close(&s.truth);
	fx_contingency_fini(&s.pairs);
	fx_contingency_fini(&s.sizes);
	return result;
}
