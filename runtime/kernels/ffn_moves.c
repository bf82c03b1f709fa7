// SPDX-License-Identifier: Apache-2.0
/* ffn_moves.c: where the field of view moves next. */
#include "kernels/ffn.h"

#include <string.h>

int32_t fx_ffn_cell(int32_t pos, int32_t start, size_t delta)
{
	const int64_t d = delta ? (int64_t)delta : 1;
	const int64_t v = (int64_t)pos - start + (int64_t)(delta / 2);

	return (int32_t)(v >= 0 ? v / d : -((-v + d - 1) / d));
}

/* Surest voxel of the face at @p at along @p axis: loops over the other two axes in C order. */
static struct fx_ffn_move surest(const float *logits, const size_t fov[3], const size_t deltas[3],
				 int axis, int32_t at)
{
	const int u = axis == 0 ? 1 : 0, v = axis == 2 ? 1 : 2;
	const int32_t du = (int32_t)deltas[u], dv = (int32_t)deltas[v];
	struct fx_ffn_move best = { 0 };
	bool any = false;

	for (int32_t i = -du; i <= du; i++)
		for (int32_t j = -dv; j <= dv; j++) {
			struct fx_ffn_pos p;
			size_t index = 0;
			float score;

			p.at[axis] = at;
			p.at[u] = i;
			p.at[v] = j;
			for (int a = 0; a < 3; a++)
				index = index * fov[a] + (size_t)((int32_t)(fov[a] / 2) + p.at[a]);
			score = logits[index];
			if (!any || score > best.score)
				best = (struct fx_ffn_move){ score, p };
			any = true;
		}
	return best;
}

/* Below 0: a comes before b. */
static int order(const struct fx_ffn_move *a, const struct fx_ffn_move *b)
{
	if (a->score > b->score || a->score < b->score)
		return a->score > b->score ? -1 : 1;
	for (int i = 0; i < 3; i++)
		if (a->step.at[i] != b->step.at[i])
			return a->step.at[i] > b->step.at[i] ? -1 : 1;
	return 0;
}

size_t fx_ffn_moves(struct fx_ffn_move moves[6], const float *logits, const size_t fov[3],
		    const size_t deltas[3], double threshold)
{
	size_t len = 0;

	for (int face = 0; face < 6; face++) {
		const int axis = face / 2;
		const int32_t d = (int32_t)deltas[axis];
		struct fx_ffn_move m;
		size_t at = 0;

		if (!d)
			continue;
		m = surest(logits, fov, deltas, axis, face % 2 ? d : -d);
		if (!((double)m.score >= threshold))
			continue;
		while (at < len && order(&moves[at], &m) < 0)
			at++;
		if (at < len && order(&moves[at], &m) == 0)
			continue;
		memmove(moves + at + 1, moves + at, (len - at) * sizeof *moves);
		moves[at] = m;
		len++;
	}
	return len;
}
