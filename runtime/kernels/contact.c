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

/* A contact in the making. */
struct best {
	struct fx_contact contact;
	bool straight;
	double pairs, row_sum, column_sum; /* over all pairs, when there are straight ones those */
	double off, rim; /* squared, from their centre and that of the plane; below 0: not known */
};

struct facing {
	struct side a, b;
	size_t height, width, len;
	double step_nm[2];
	struct fx_map64 found; /* pieces a, b -> number of the contact and 1 */
	struct best *best;
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
	/* the plane so thick that only its rim counts as a boundary */
	const double voxel_nm[3] = { (double)f->height * f->step_nm[0] +
					     (double)f->width * f->step_nm[1],
				     f->step_nm[0], f->step_nm[1] };
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

	return (y == 0 ? 1u : 0u) | (y + 1 == f->height ? 2u : 0u) | (x == 0 ? 4u : 0u) |
	       (x + 1 == f->width ? 8u : 0u);
}

/* The contact that pixels @p a and @p b belong to, entered when it is new; NULL without memory. */
static struct best *facing_contact(struct facing *f, size_t a, size_t b)
{
	uint64_t *number = fx_map64_at(&f->found, (uint64_t)f->a.piece[a] << 32 | f->b.piece[b]);

	if (!number)
		return NULL;
	if (!*number) {
		if (!fx_grow(&f->best, &f->best_cap, f->best_len + 1, sizeof *f->best))
			return NULL;
		f->best[f->best_len++] = (struct best){ .contact.depth_nm = -1 };
		*number = f->best_len;
	}
	return &f->best[*number - 1];
}

/* First round: how deep the contact is, where its centre lies, which edges it reaches. */
static int facing_measure(struct facing *f, size_t a, size_t b)
{
	struct best *best = facing_contact(f, a, b);
	const double depth = (double)fminf(f->a.depth[a], f->b.depth[b]);

	if (!best)
		return FX_ENOMEM;
	if (a == b && !best->straight)
		best->pairs = best->row_sum = best->column_sum = 0;
	if (a == b || !best->straight) {
		best->pairs += 1;
		best->row_sum += (double)(a / f->width);
		best->column_sum += (double)(a % f->width);
	}
	best->contact.edges |= edges_of(f, a);
	best->off = -1;
	if ((a == b) < best->straight ||
	    ((a == b) == best->straight && depth <= best->contact.depth_nm))
		return FX_OK;
	best->straight = a == b;
	best->contact.depth_nm = depth;
	return FX_OK;
}

/* A mean place, rounded towards the middle of @p len pixels. */
static double towards_middle(double mean, size_t len)
{
	return mean < (double)len / 2 ? ceil(mean) : floor(mean);
}

/* Second round: of the deepest pairs the one nearest to the centre of the contact, then to that of
 * the plane, then the first. */
static int facing_choose(struct facing *f, size_t a, size_t b)
{
	struct best *best = facing_contact(f, a, b);
	const double row = (double)(a / f->width), column = (double)(a % f->width);
	double y, x, off, rim;

	if (!best)
		return FX_ENOMEM;
	if ((a == b) != best->straight ||
	    (double)fminf(f->a.depth[a], f->b.depth[b]) < best->contact.depth_nm)
		return FX_OK;
	y = (row - towards_middle(best->row_sum / best->pairs, f->height)) * f->step_nm[0];
	x = (column - towards_middle(best->column_sum / best->pairs, f->width)) * f->step_nm[1];
	off = y * y + x * x;
	y = (row - (double)f->height / 2) * f->step_nm[0];
	x = (column - (double)f->width / 2) * f->step_nm[1];
	rim = y * y + x * x;
	if (best->off >= 0 && (off > best->off || (off >= best->off && rim >= best->rim)))
		return FX_OK;
	best->off = off;
	best->rim = rim;
	best->contact.a = a;
	best->contact.b = b;
	return FX_OK;
}

static int facing_round(struct facing *f, int (*visit)(struct facing *f, size_t a, size_t b))
{
	int result = FX_OK;

	for (size_t i = 0; i < f->len; i++)
		for (int n = 0; f->a.touching[i] && n < 9; n++) {
			const size_t j = around(f, i, n);

			if (j < f->len && f->b.label[j] == f->a.label[i])
				result = visit(f, i, j);
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
		result = facing_round(&f, facing_measure);
	if (result == FX_OK)
		result = facing_round(&f, facing_choose);
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
