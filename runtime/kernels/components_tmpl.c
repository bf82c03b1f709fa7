// SPDX-License-Identifier: Apache-2.0
/* components_tmpl.c: joins the runs of two rows that touch; included with TARGET and NAME set. */

/* Word by word: where equal labels lie side by side, from where either run begins; with corners,
 * also where runs of both rows begin at once and one has the label of the one before the other. */
TARGET static void NAME(const struct rows *r, size_t words)
{
	uint32_t i = r->first[0], j = r->first[1]; /* of the last label of the word before */
	uint64_t met = 0, left = 0;		   /* its bits of same and of need */

	for (size_t w = 0; w < words; w++) {
		const uint64_t a = r->breaks[0][w], b = r->breaks[1][w], need = r->need[w],
			       same = r->same[w] & need;
		uint64_t meet = same & (a | b | ~(same << 1 | met));
		uint64_t corner = r->corners ? a & b & (need | need << 1 | left) : 0;

		for (; meet; meet &= meet - 1) {
			const uint64_t upto = meet ^ (meet - 1);

			runs_join(r->parent, i + (uint32_t)__builtin_popcountll(a & upto),
				  j + (uint32_t)__builtin_popcountll(b & upto));
		}
		for (; corner; corner &= corner - 1) {
			const uint64_t upto = corner ^ (corner - 1);
			const size_t x = w * 64 + (size_t)__builtin_ctzll(corner);
			const uint32_t k = i + (uint32_t)__builtin_popcountll(a & upto),
				       l = j + (uint32_t)__builtin_popcountll(b & upto);

			if (fx_label_at(r->labels[0], r->wide, x) ==
			    fx_label_at(r->labels[1], r->wide, x - 1))
				runs_join(r->parent, k, l - 1);
			if (fx_label_at(r->labels[0], r->wide, x - 1) ==
			    fx_label_at(r->labels[1], r->wide, x))
				runs_join(r->parent, k - 1, l);
		}
		i += (uint32_t)__builtin_popcountll(a);
		j += (uint32_t)__builtin_popcountll(b);
		met = same >> 63;
		left = need >> 63;
	}
}

#undef NAME
