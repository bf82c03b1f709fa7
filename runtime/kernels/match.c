// SPDX-License-Identifier: Apache-2.0
/* match.c: histogram matching of 8-bit grey values. */
#include "kernels/match.h"

#include <math.h>

void fx_match_learn(double acc[FX_MATCH_BINS], const uint64_t counts[FX_MATCH_BINS],
		    double half_life, int padding)
{
	const double fade = half_life > 0 ? exp2(-1 / half_life) : 0;

	for (int v = 0; v < FX_MATCH_BINS; v++)
		acc[v] = acc[v] * fade + (v == padding ? 0 : (double)counts[v]);
}

/* Cumulative distribution; the sum of weights. */
static double match_distribution(const double *weights, int padding, double *q)
{
	double sum = 0;

	for (int v = 0; v < FX_MATCH_BINS; v++) {
		sum += v == padding ? 0 : weights[v];
		q[v] = sum;
	}
	for (int v = 0; v < FX_MATCH_BINS && sum > 0; v++)
		q[v] /= sum;
	return sum;
}

void fx_match_table(const double source[FX_MATCH_BINS], const double reference[FX_MATCH_BINS],
		    int padding, uint8_t table[FX_MATCH_BINS])
{
	double qs[FX_MATCH_BINS], qt[FX_MATCH_BINS];
	const double source_sum = match_distribution(source, padding, qs),
		     reference_sum = match_distribution(reference, padding, qt);
	const int none = source_sum <= 0 || reference_sum <= 0;
	int first = 0, t;

	while (first < FX_MATCH_BINS - 1 && qt[first] <= 0)
		first++;
	t = first;
	for (int v = 0; v < FX_MATCH_BINS; v++) {
		double to;

		while (t < FX_MATCH_BINS - 1 && qt[t] < qs[v])
			t++;
		to = t;
		if (t > first && qt[t] > qt[t - 1])
			to -= (qt[t] - qs[v]) / (qt[t] - qt[t - 1]);
		table[v] = (uint8_t)(v == padding || none ? v : (int)floor(to + 0.5));
	}
}
