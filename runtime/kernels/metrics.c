// SPDX-License-Identifier: Apache-2.0
/* metrics.c: variation of information and Rand scores. */
#include "kernels/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/compensated.h"

/* Sums over the cells of one table: of squares, and of n log2 n. */
struct sums {
	__extension__ unsigned __int128 squares;
	struct fx_sum entropy;
	uint64_t len;
};

static void sums_add(struct sums *s, uint64_t n)
{
	__extension__ const unsigned __int128 wide = n;

	s->squares += wide * n;
	fx_sum_add(&s->entropy, (double)n * log2((double)n));
	s->len++;
}

const char *fx_rule_name(enum fx_rule rule)
{
	switch (rule) {
	case FX_TRUTH_NONZERO:
		return "truth_nonzero";
	case FX_BOTH_NONZERO:
		return "both_nonzero";
	case FX_ALL_VOXELS:
		return "all_voxels";
	case FX_RULES:
		break;
	}
	return "?";
}

static bool rule_counts(enum fx_rule rule, const struct fx_pair *p)
{
	return rule == FX_ALL_VOXELS || (p->truth && (rule == FX_TRUTH_NONZERO || p->seg));
}

static int pair_by_seg(const void *a, const void *b)
{
	const struct fx_pair *p = a, *q = b;

	if (p->seg != q->seg)
		return p->seg > q->seg ? 1 : -1;
	return (p->truth > q->truth) - (p->truth < q->truth);
}

/* Marginal sums of pairs that are sorted by the label in question. */
static struct sums sums_along(const struct fx_pair *pairs, size_t len, bool by_seg)
{
	struct sums s = { 0 };

	for (size_t i = 0, end; i < len; i = end) {
		uint64_t n = 0;

		for (end = i; end < len && (by_seg ? pairs[end].seg == pairs[i].seg :
						     pairs[end].truth == pairs[i].truth);
		     end++)
			n += pairs[end].count;
		sums_add(&s, n);
	}
	return s;
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 1;
}

static void rand_scores(struct fx_seg_scores *out, const struct sums *ij, const struct sums *i,
			const struct sums *j)
{
	__extension__ const unsigned __int128 n = out->voxels;
	__extension__ const unsigned __int128 both = i->squares + j->squares;
	__extension__ const unsigned __int128 apart = both - 2 * ij->squares;

	out->rand_split = ratio((double)ij->squares, (double)i->squares);
	out->rand_merge = ratio((double)ij->squares, (double)j->squares);
	out->rand_f = ratio((double)(2 * ij->squares), (double)both);
	out->arand = ratio((double)apart, (double)both);
	out->arand_pairs = both > 2 * n ? (double)apart / (double)(both - 2 * n) : 0;
	out->rand_index = n > 1 ? 1 - (double)apart / (double)(n * (n - 1)) : 1;
}

/* Conditional entropy in bits: (sum over the margin - sum over the pairs) of n log2 n, by n. */
static double conditional(const struct sums *margin, const struct sums *pairs, uint64_t n)
{
	struct fx_sum s = margin->entropy;
	double h;

	fx_sum_add(&s, -pairs->entropy.sum);
	fx_sum_add(&s, -pairs->entropy.lost);
	h = fx_sum_value(&s) / (double)n;
	return h > 0 ? h : 0; /* rounding must not make perfect labels negative */
}

int fx_metrics_scores(const struct fx_contingency *c, enum fx_rule rule, struct fx_seg_scores *out,
		      struct fx_error *err)
{
	struct fx_pair *pairs = fx_contingency_sorted(c);
	struct sums ij = { 0 }, i, j;
	size_t len = 0;

	memset(out, 0, sizeof *out);
	if (!pairs)
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu pairs of labels", c->len);
	for (size_t k = 0; k < c->len; k++)
		if (rule_counts(rule, &pairs[k])) {
			pairs[len++] = pairs[k];
			out->voxels += pairs[k].count;
			sums_add(&ij, pairs[k].count);
		}
	i = sums_along(pairs, len, false);
	qsort(pairs, len, sizeof *pairs, pair_by_seg);
	j = sums_along(pairs, len, true);
	free(pairs);
	if (!len)
		return fx_error_set(err, FX_EINVAL, "no voxel counts under the rule %s",
				    fx_rule_name(rule));
	out->pairs = ij.len;
	out->truth_labels = i.len;
	out->seg_labels = j.len;
	out->voi_split = conditional(&i, &ij, out->voxels);
	out->voi_merge = conditional(&j, &ij, out->voxels);
	out->voi = out->voi_split + out->voi_merge;
	rand_scores(out, &ij, &i, &j);
	return FX_OK;
}

int fx_metrics_compare(const void *seg, enum fx_dtype seg_dtype, const void *truth,
		       enum fx_dtype truth_dtype, size_t n, struct fx_seg_scores *out,
		       struct fx_error *err)
{
	struct fx_contingency c = { 0 };
	int rc = fx_contingency_add(&c, seg, seg_dtype, truth, truth_dtype, n);

	if (rc == FX_ETYPE)
		fx_error_set(err, rc, "labels of %s and truth of %s: must be u8, u16, u32 or u64",
			     fx_dtype_name(seg_dtype), fx_dtype_name(truth_dtype));
	else if (rc < 0)
		fx_error_set(err, rc, "no memory for the pairs of labels");
	else if (n == 0)
		rc = fx_error_set(err, FX_EINVAL, "no voxels to compare");
	for (int rule = 0; rc == FX_OK && rule < FX_RULES; rule++) {
		rc = fx_metrics_scores(&c, (enum fx_rule)rule, &out[rule], err);
		if (rc == FX_EINVAL)
			rc = FX_OK; /* zeros, as promised */
	}
	fx_contingency_fini(&c);
	return rc;
}
