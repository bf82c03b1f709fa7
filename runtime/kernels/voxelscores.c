// SPDX-License-Identifier: Apache-2.0
/* voxelscores.c: how well a mask covers the true one. */
#include "kernels/voxelscores.h"

#include <fornix/error.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kernels/compensated.h"
#include "kernels/runs.h"

enum { PIECE = 4096 };

/* in[i] = 1 where what is not 0. */
static bool mask_of(const void *data, enum fx_dtype dtype, size_t first, size_t n, uint8_t *in)
{
	if (dtype == FX_U8) {
		for (size_t i = 0; i < n; i++)
			in[i] = ((const uint8_t *)data)[first + i] != 0;
		return true;
	}
	if (dtype != FX_U16 && dtype != FX_U32 && dtype != FX_U64)
		return false;
	for (size_t i = 0; i < n; i++)
		in[i] = fx_label_at(data, dtype, first + i) != 0;
	return true;
}

/* in[i] = 1 where what is above a threshold. */
static bool above(const void *data, enum fx_dtype dtype, double threshold, size_t first, size_t n,
		  uint8_t *in)
{
	for (size_t i = 0; i < n; i++) {
		if (dtype == FX_U8)
			in[i] = ((const uint8_t *)data)[first + i] / 255.0 > threshold;
		else if (dtype == FX_U16)
			in[i] = ((const uint16_t *)data)[first + i] / 65535.0 > threshold;
		else if (dtype == FX_F32)
			in[i] = (double)((const float *)data)[first + i] > threshold;
		else
			return false;
	}
	return true;
}

int fx_voxel_count(struct fx_voxel_counts *c, const void *mask, enum fx_dtype mask_dtype,
		   double threshold, const void *truth, enum fx_dtype truth_dtype, size_t n)
{
	uint8_t a[PIECE], b[PIECE];

	for (size_t first = 0; first < n; first += PIECE) {
		const size_t len = n - first < PIECE ? n - first : PIECE;
		uint64_t both = 0, in_mask = 0, in_truth = 0;

		if (!(threshold < 0 ? mask_of(mask, mask_dtype, first, len, a) :
				      above(mask, mask_dtype, threshold, first, len, a)) ||
		    !mask_of(truth, truth_dtype, first, len, b))
			return FX_ETYPE;
		for (size_t i = 0; i < len; i++) {
			both += a[i] & b[i];
			in_mask += a[i];
			in_truth += b[i];
		}
		c->both += both;
		c->excess += in_mask - both;
		c->missed += in_truth - both;
		c->none += len - in_mask - in_truth + both;
	}
	return FX_OK;
}

void fx_voxel_add(struct fx_voxel_counts *to, const struct fx_voxel_counts *c)
{
	to->both += c->both;
	to->excess += c->excess;
	to->missed += c->missed;
	to->none += c->none;
}

static double share(uint64_t part, uint64_t rest)
{
	return part ? (double)part / ((double)part + (double)rest) : 0;
}

struct fx_voxel_scores fx_voxel_score(const struct fx_voxel_counts *c)
{
	return (struct fx_voxel_scores){
		.iou = share(c->both, c->excess + c->missed),
		.dice = share(2 * c->both, c->excess + c->missed),
		.precision = share(c->both, c->excess),
		.recall = share(c->both, c->missed),
		.accuracy = share(c->both + c->none, c->excess + c->missed),
	};
}

static int add(struct fx_record *r, const char *group, const char *field, double value)
{
	char name[64];

	snprintf(name, sizeof name, "%s.%s", group, field);
	return fx_record_add_number(r, name, value);
}

static int add_scores(struct fx_record *r, const char *group, const struct fx_voxel_scores *s)
{
	if (add(r, group, "iou", s->iou) < 0 || add(r, group, "dice", s->dice) < 0 ||
	    add(r, group, "f1", s->dice) < 0 || add(r, group, "precision", s->precision) < 0 ||
	    add(r, group, "recall", s->recall) < 0 || add(r, group, "accuracy", s->accuracy) < 0)
		return FX_ENOMEM;
	return FX_OK;
}

int fx_voxel_scores_add(struct fx_record *r, const char *group, const struct fx_voxel_counts *c)
{
	const struct fx_voxel_scores s = fx_voxel_score(c);

	if (add_scores(r, group, &s) < 0 || add(r, group, "both", (double)c->both) < 0 ||
	    add(r, group, "excess", (double)c->excess) < 0 ||
	    add(r, group, "missed", (double)c->missed) < 0 ||
	    add(r, group, "none", (double)c->none) < 0)
		return FX_ENOMEM;
	return FX_OK;
}

/* Mean scores over images; `present` leaves out those that are empty on both sides. */
static struct fx_voxel_scores means(const struct fx_voxel_counts *images, size_t len, bool present,
				    size_t *count)
{
	struct fx_sum sums[5] = { 0 };
	double n;

	*count = 0;
	for (size_t i = 0; i < len; i++) {
		const struct fx_voxel_counts *c = &images[i];
		const struct fx_voxel_scores s = fx_voxel_score(c);
		const bool any = c->both || c->excess || c->missed;

		if (present ? !any : !any && !c->none)
			continue;
		++*count;
		fx_sum_add(&sums[0], s.iou);
		fx_sum_add(&sums[1], s.dice);
		fx_sum_add(&sums[2], s.precision);
		fx_sum_add(&sums[3], s.recall);
		fx_sum_add(&sums[4], s.accuracy);
	}
	n = *count ? (double)*count : 1;
	return (struct fx_voxel_scores){ fx_sum_value(&sums[0]) / n, fx_sum_value(&sums[1]) / n,
					 fx_sum_value(&sums[2]) / n, fx_sum_value(&sums[3]) / n,
					 fx_sum_value(&sums[4]) / n };
}

int fx_voxel_means_add(struct fx_record *r, const struct fx_voxel_counts *images, size_t len)
{
	size_t all, present;
	const struct fx_voxel_scores s = means(images, len, false, &all);
	const struct fx_voxel_scores p = means(images, len, true, &present);

	if (add_scores(r, "mean", &s) < 0 || add_scores(r, "mean_present", &p) < 0 ||
	    fx_record_add_number(r, "images", (double)all) < 0 ||
	    fx_record_add_number(r, "images_present", (double)present) < 0)
		return FX_ENOMEM;
	return FX_OK;
}
