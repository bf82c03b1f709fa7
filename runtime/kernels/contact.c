// SPDX-License-Identifier: Apache-2.0
/* contact.c: where objects pass from one block to the next. */
#include "kernels/contact.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map64.h"
#include "kernels/components.h"
#include "kernels/labeldist.h"

/* One plane: its voxels that touch the other plane, their pieces, depth inside the object. */
struct side {
	const uint64_t *label;
	uint64_t *touching;
	uint32_t *piece;
	float *depth;
};

struct facing {
	struct side a, b;
	size_t height, width, len;
	double step_nm[2];
	struct fx_map64 found; /* pieces a, b -> number of the contact and 1 */
	struct best {
		struct fx_contact contact;
		bool straight;
	} * best;
	size_t best_len, best_cap;
};

/* Pixels 0..8 of the neighbourhood of @p i; len when outside. */
static size_t around(const struct facing *f, size_t i, int n)
{
	const size_t y = i / f->width + (size_t)(n / 3), x = i % f->width + (size_t)(n % 3);

	if (!y || !x || y > f->height || x > f->width)
		return f->len;
	return (y - 1) * f->width + x - 1;
}

static int side_init(const struct facing *f, struct side *s, const uint64_t *other)
{
	const size_t shape[3] = { 1, f->height, f->width };
	const double voxel_nm[3] = { f->step_nm[0], f->step_nm[0], f->step_nm[1] };
	uint32_t count;
	int result;

	s->touching = fx_calloc(f->len, sizeof *s->touching);
	s->piece = fx_calloc(f->len, sizeof *s->piece);
	s->depth = fx_calloc(f->len, sizeof *s->depth);
	if (!s->touching || !s->piece || !s->depth)
		return FX_ENOMEM;
	for (size_t i = 0; i < f->len; i++)
		for (int n = 0; s->label[i] && n < 9; n++) {
			const size_t j = around(f, i, n);

			if (j < f->len && other[j] == s->label[i])
				s->touching[i] = s->label[i];
		}
	result = fx_components(s->touching, FX_U64, shape, 26, s->piece, &count);
	return result == FX_OK ?
		       fx_label_distance(s->label, FX_U64, shape, voxel_nm, true, s->depth) :
		       result;
}

static void side_fini(struct side *s)
{
	free(s->touching);
	free(s->piece);
	free(s->depth);
}

static unsigned edges_of(const struct facing *f, size_t i)
{
	const size_t y = i / f->width, x = i % f->width;

	return (y == 0) | (y + 1 == f->height) << 1 | (x == 0) << 2 | (x + 1 == f->width) << 3;
}

static bool is_better(const struct best *b, const struct best *than)
{
	if (b->straight != than->straight)
		return b->straight;
	return b->contact.depth_nm > than->contact.depth_nm; /* else the first: the lower index */
}

static int facing_offer(struct facing *f, size_t a, size_t b)
{
	struct best best = {
		{ a, b, (double)fminf(f->a.depth[a], f->b.depth[b]), edges_of(f, a) },
		a == b,
	};
	uint64_t *number = fx_map64_at(&f->found, (uint64_t)f->a.piece[a] << 32 | f->b.piece[b]);

	if (!number)
		return FX_ENOMEM;
	if (*number) {
		struct best *old = &f->best[*number - 1];

		best.contact.edges |= old->contact.edges;
		if (is_better(&best, old))
			*old = best;
		old->contact.edges = best.contact.edges;
		return FX_OK;
	}
	if (!fx_grow(&f->best, &f->best_cap, f->best_len + 1, sizeof *f->best))
		return FX_ENOMEM;
	f->best[f->best_len++] = best;
	*number = f->best_len;
	return FX_OK;
}

static int facing_search(struct facing *f)
{
	int result = FX_OK;

	for (size_t i = 0; i < f->len; i++)
		for (int n = 0; f->a.touching[i] && n < 9; n++) {
			const size_t j = around(f, i, n);

			if (j < f->len && f->b.label[j] == f->a.label[i])
				result = facing_offer(f, i, j);
			if (result != FX_OK)
				return result;
		}
	return FX_OK;
}

int fx_contacts_find(const uint64_t *a, const uint64_t *b, size_t height, size_t width,
		     const double step_nm[2], struct fx_contact **out, size_t *len)
{
	struct facing f = { .a.label = a,
			    .b.label = b,
			    .height = height,
			    .width = width,
			    .step_nm = { step_nm[0], step_nm[1] } };
	struct fx_contact *contacts = NULL;
	int result;

	if (!fx_mul_size(height, width, &f.len) || !f.len)
		return FX_EINVAL;
	result = side_init(&f, &f.a, b);
	if (result == FX_OK)
		result = side_init(&f, &f.b, a);
	if (result == FX_OK)
		result = facing_search(&f);
	if (result == FX_OK && !(contacts = fx_calloc(f.best_len, sizeof *contacts)))
		result = FX_ENOMEM;
	if (result == FX_OK) {
		for (size_t i = 0; i < f.best_len; i++)
			contacts[i] = f.best[i].contact;
		*out = contacts;
		*len = f.best_len;
	}
	side_fini(&f.a);
	side_fini(&f.b);
	fx_map64_fini(&f.found);
	free(f.best);
	return result;
}
