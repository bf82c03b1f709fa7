// SPDX-License-Identifier: Apache-2.0
/* nearest.c: edit distance with transpositions (optimal string alignment) over short names. */
#include "base/nearest.h"

#include <string.h>

enum { NEAREST_MAX = 63 };

static size_t min3(size_t a, size_t b, size_t c)
{
	const size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static size_t edit_distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t *two = rows[0], *one = rows[1], *now = rows[2];

	for (size_t j = 0; j <= lb; j++)
		one[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *old = two;

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			const size_t swap =
				i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] ?
					two[j - 2] + 1 :
					(size_t)-1;

			now[j] = min3(one[j] + 1, now[j - 1] + 1,
				      one[j - 1] + (a[i - 1] != b[j - 1]));
			now[j] = now[j] < swap ? now[j] : swap;
		}
		two = one;
		one = now;
		now = old;
	}
	return one[lb];
}

void fx_nearest_offer(struct fx_nearest *best, const char *word, const char *candidate)
{
	const size_t la = strlen(word), lb = strlen(candidate);
	size_t limit = (la > lb ? la : lb) / 3, d;

	if (la > NEAREST_MAX || lb > NEAREST_MAX || strcmp(word, candidate) == 0)
		return;
	limit = limit < 2 ? 2 : limit;
	d = edit_distance(word, la, candidate, lb);
	if (d <= limit && (!best->name || d < best->distance)) {
		best->name = candidate;
		best->distance = d;
	}
}
