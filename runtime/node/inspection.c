// SPDX-License-Identifier: Apache-2.0
/* inspection.c: measures sections and their parts, and tells of it in records. */
#include "node/inspection.h"

#include <sys/uio.h>

#include "base/checksum.h"
#include "kernels/fold.h"

void fx_inspection_divide(struct fx_inspection *n, const struct fx_sections *held, size_t side)
{
	n->rows = (held->height + side / 2) / side;
	n->columns = (held->width + side / 2) / side;
	n->rows += !n->rows;
	n->columns += !n->columns;
}

/* Part @p i of a section. */
static struct fx_tile part_at(const struct fx_inspection *n, const struct fx_sections *held,
			      size_t i)
{
	const size_t row = i / n->columns, column = i % n->columns;
	const size_t y = row * held->height / n->rows, x = column * held->width / n->columns;

	return (struct fx_tile){ .y = y,
				 .x = x,
				 .height = (row + 1) * held->height / n->rows - y,
				 .width = (column + 1) * held->width / n->columns - x };
}

static bool seen_before(struct fx_inspection *n, const struct fx_sections *held,
			const struct fx_section *section)
{
	const struct iovec bytes = { section->voxels.data, held->size };
	const uint64_t checksum = fx_checksum(&bytes, 1);
	const bool seen = n->checksum == checksum && n->last != section->z;

	n->checksum = checksum;
	n->last = section->z;
	return seen;
}

int fx_inspection_measure(struct fx_inspection *n, const struct fx_sections *held,
			  const struct fx_section *section, struct fx_verdict *v)
{
	const struct fx_picture all = { .voxels = section->voxels.data,
					.dtype = held->dtype,
					.stride = held->width,
					.height = held->height,
					.width = held->width };
	struct fx_quality_sums whole = { 0 };
	struct fx_fold fold;

	for (size_t i = 0; i < n->rows * n->columns; i++) {
		const struct fx_tile t = part_at(n, held, i);
		struct fx_quality_sums sums = { 0 };
		struct fx_picture p = all;

		p.y = t.y;
		p.x = t.x;
		p.height = t.height;
		p.width = t.width;
		fx_quality_count(&sums, &p);
		fx_quality_add(&whole, &sums);
		fx_quality_measure(&v[1 + i].quality, &sums);
	}
	fx_quality_measure(&v->quality, &whole);
	v->duplicate = seen_before(n, held, section);
	if (fx_fold_find(&fold, &all, FX_FOLD_DEVIATIONS) < 0)
		return FX_ENOMEM;
	v->fold = fold.length;
	return FX_OK;
}

static struct fx_region region_of(const struct fx_sections *held, int64_t z, struct fx_tile t)
{
	return (struct fx_region){ { z, held->y + (int64_t)t.y, held->x + (int64_t)t.x },
				   { z + 1, held->y + (int64_t)(t.y + t.height),
				     held->x + (int64_t)(t.x + t.width) } };
}

/* The smallest box around both. */
static struct fx_tile around(struct fx_tile a, struct fx_tile b)
{
	const size_t y = a.y < b.y ? a.y : b.y, x = a.x < b.x ? a.x : b.x;
	const size_t bottom = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
	const size_t right = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;

	return (struct fx_tile){ .y = y, .x = x, .height = bottom - y, .width = right - x };
}

static struct fx_tile where(const struct fx_inspection *n, const struct fx_sections *held,
			    const struct fx_case *c, size_t i)
{
	struct fx_tile t = { .height = held->height, .width = held->width };
	bool any = false;

	if (i)
		return part_at(n, held, i - 1);
	for (size_t k = 0; k < n->rows * n->columns && c->verdicts[0].local; k++) {
		if (!c->verdicts[1 + k].fault)
			continue;
		t = any ? around(t, part_at(n, held, k)) : part_at(n, held, k);
		any = true;
	}
	return t;
}

struct fx_record *fx_inspection_record(const struct fx_inspection *n,
				       const struct fx_sections *held, const struct fx_case *c,
				       size_t i)
{
	const struct fx_verdict *v = &c->verdicts[i];
	const struct fx_quality *q = &v->quality;
	const struct {
		const char *name;
		double number;
	} numbers[] = {
		{ "section", (double)c->z },
		{ "version", (double)c->version },
		{ "tile", (double)i - 1 },
		{ "badness", v->badness },
		{ "focus", q->focus },
		{ "snr", q->snr },
		{ "cnr", q->cnr },
		{ "noise", q->noise },
		{ "signal", q->signal },
		{ "stripes", q->stripes },
		{ "streak", q->streak },
		{ "mean", q->mean },
		{ "sd", q->sd },
		{ "low", q->low },
		{ "high", q->high },
		{ "fold", v->fold },
		{ "focus_off", v->focus_off },
		{ "noise_off", v->noise_off },
		{ "stripes_off", v->stripes_off },
	};
	struct fx_record *r = fx_record_new("quality");
	int err = r ? fx_record_add_text(r, "verdict", fx_fault_name(v->fault)) : FX_ENOMEM;

	for (size_t k = 0; k < sizeof numbers / sizeof *numbers && !err; k++)
		err = fx_record_add_number(r, numbers[k].name, numbers[k].number);
	if (err) {
		fx_record_free(r);
		return NULL;
	}
	r->region = region_of(held, c->z, where(n, held, c, i));
	return r;
}
