// SPDX-License-Identifier: Apache-2.0
/* score_pair.c: two volumes that are compared section by section; what options say. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "score.h"

int score_number(const char *text, const char *name, double *value, struct fx_error *err)
{
	char *end;
	double v;

	if (!text)
		return FX_OK;
	v = strtod(text, &end);
	if (end == text || *end || !(v > 0) || !isfinite(v))
		return fx_error_set(err, FX_EINVAL, "--%s %.40s: must be a number above 0", name,
				    text);
	*value = v;
	return FX_OK;
}

int score_vector(const char *text, const char *name, double v[3], struct fx_error *err)
{
	int end = 0;

	if (!text)
		return FX_OK;
	if (sscanf(text, "%lf,%lf,%lf%n", v, v + 1, v + 2, &end) != 3 || text[end] || !(v[0] > 0) ||
	    !(v[1] > 0) || !(v[2] > 0) || !isfinite(v[0] + v[1] + v[2]))
		return fx_error_set(err, FX_EINVAL,
				    "--%s %.40s: must be three numbers z,y,x above 0", name, text);
	return FX_OK;
}

void score_print_json(const json_t *scores)
{
	json_dumpf(scores, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
	printf("\n");
}

/* "A:B" to p->from and p->to; NULL is all. */
static int parse_sections(struct score_pair *p, const char *text, struct fx_error *err)
{
	unsigned long long from, to;
	int end = 0;

	p->to = SIZE_MAX;
	if (!text)
		return FX_OK;
	if (*text < '0' || *text > '9' || sscanf(text, "%llu:%llu%n", &from, &to, &end) != 2 ||
	    text[end] || from >= to)
		return fx_error_set(err, FX_EINVAL,
				    "--sections %.40s: must be FIRST:BEHIND_LAST, such as 0:125",
				    text);
	p->from = (size_t)from;
	p->to = (size_t)to;
	return FX_OK;
}

static int check_shapes(const struct score_pair *p, const char *const *paths, struct fx_error *err)
{
	const size_t *a = p->scored.shape, *b = p->truth.shape;

	if (a[1] == b[1] && a[2] == b[2] && a[0] >= b[0])
		return FX_OK;
	return fx_error_set(
		err, FX_ETYPE,
		"%s is %zu x %zu x %zu (z y x), the truth %s is %zu x %zu x %zu: rows and "
		"columns must agree, and the truth may have fewer sections",
		paths[0], a[0], a[1], a[2], paths[1], b[0], b[1], b[2]);
}

int score_pair_open(struct score_pair *p, const struct score_options *o, struct fx_error *err)
{
	int result = parse_sections(p, o->sections, err);

	if (result == FX_OK)
		result = fx_volume_open(o->paths[0], &p->scored, err);
	if (result == FX_OK)
		result = fx_volume_open(o->paths[1], &p->truth, err);
	if (result == FX_OK)
		result = check_shapes(p, o->paths, err);
	if (result == FX_OK && p->from >= p->truth.shape[0])
		return fx_error_set(err, FX_EINVAL, "--sections begin at %zu, but %s has only %zu",
				    p->from, o->paths[1], p->truth.shape[0]);
	p->to = p->to < p->scored.shape[0] ? p->to : p->scored.shape[0];
	memcpy(p->voxel_nm, p->scored.voxel_nm[0] > 0 ? p->scored.voxel_nm : p->truth.voxel_nm,
	       sizeof p->voxel_nm);
	return result == FX_OK ? score_vector(o->voxel, "voxel", p->voxel_nm, err) : result;
}

void score_pair_close(struct score_pair *p)
{
	fx_volume_close(&p->scored);
	fx_volume_close(&p->truth);
}

int score_pair_read(struct score_pair *p, size_t z, struct fx_block **scored,
		    struct fx_block **truth, struct fx_error *err)
{
	const struct fx_region r = { { (int64_t)z, 0, 0 },
				     { (int64_t)z + 1, (int64_t)p->scored.shape[1],
				       (int64_t)p->scored.shape[2] } };
	int result = fx_volume_read(&p->scored, r, scored, err);

	*truth = NULL;
	if (result < 0 || z >= p->truth.shape[0])
		return result;
	result = fx_volume_read(&p->truth, r, truth, err);
	if (result < 0)
		fx_block_free(*scored);
	return result;
}
