// SPDX-License-Identifier: Apache-2.0
/* microscope.c: what happens to a section by chance. */
#include "kernels/microscope.h"

#include <math.h>

#include "kernels/phantom_noise.h"

/* What may happen: each has numbers of its own, so that one does not change the others. */
enum kind {
	WALK = 0x51,
	TURN,
	SHAPE,
	BRIGHT,
	DEFOCUS,
	CHARGE,
	FOLD,
	BLANK,
	LOST,
	TWICE,
	KEY,
};

static uint64_t numbers(const struct fx_microscope *m, enum kind kind, int64_t section,
			int64_t version)
{
	return fx_noise_at(m->spec.seed ^ ((uint64_t)kind << 32), section, version, 0);
}

static bool happens(uint64_t *random, double rate)
{
	return fx_noise_next(random) < rate;
}

static double between(uint64_t *random, double low, double high)
{
	return low + (high - low) * fx_noise_next(random);
}

/* A direction: a place in the unit disc, scaled. */
static void direction(uint64_t *random, double out[2])
{
	double length;

	do {
		out[0] = between(random, -1, 1);
		out[1] = between(random, -1, 1);
		length = out[0] * out[0] + out[1] * out[1];
	} while (length > 1 || length < 0.01);
	length = sqrt(length);
	out[0] /= length;
	out[1] /= length;
}

static double small_side(const struct fx_microscope *m)
{
	const size_t h = m->spec.height, w = m->spec.width;

	return (double)(h < w ? h : w);
}

static void somewhere(const struct fx_microscope *m, uint64_t *random, double out[2])
{
	out[0] = (double)m->spec.height * between(random, 0.2, 0.8);
	out[1] = (double)m->spec.width * between(random, 0.2, 0.8);
}

static int refuse(struct fx_error *err, const char *name, double value, double high)
{
	return fx_error_set(err, FX_EINVAL, "%s is %g: 0 to %g are possible", name, value, high);
}

int fx_microscope_check(const struct fx_microscope_spec *spec, struct fx_error *err)
{
	const struct {
		const char *name;
		double value, high;
	} ranges[] = {
		{ "drift", spec->drift, 1000 },	     { "rotation", spec->rotation, 15 },
		{ "affine", spec->affine, 0.1 },     { "brightness", spec->brightness, 0.5 },
		{ "noise", spec->noise, 100 },	     { "defocus", spec->defocus, 1 },
		{ "charging", spec->charging, 1 },   { "folds", spec->folds, 1 },
		{ "blank", spec->blank, 1 },	     { "missing", spec->missing, 1 },
		{ "duplicate", spec->duplicate, 1 },
	};

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (!(ranges[i].value >= 0 && ranges[i].value <= ranges[i].high))
			return refuse(err, ranges[i].name, ranges[i].value, ranges[i].high);
	if (spec->height && spec->width && spec->height <= FX_MICROSCOPE_VOXELS_MAX / spec->width)
		return FX_OK;
	return fx_error_set(err, FX_EINVAL, "a section of %zu x %zu voxels: 1 to %d are possible",
			    spec->height, spec->width, FX_MICROSCOPE_VOXELS_MAX);
}

/* Where the walk is at @p section. */
static void walk_to(struct fx_microscope *m, int64_t section)
{
	if (section < m->walked) {
		m->walked = 0;
		m->at[0] = m->at[1] = 0;
	}
	while (m->walked < section) {
		uint64_t random = numbers(m, WALK, ++m->walked, 0);

		m->at[0] += m->spec.drift * fx_noise_normal(&random);
		m->at[1] += m->spec.drift * fx_noise_normal(&random);
	}
}

/* Turned about the middle and moved: place = turn * shape * (image - middle) + middle + walk. The
 * turn is exact for its tangent, a series of that of half the angle. */
static void draw_geometry(struct fx_microscope *m, struct fx_microscope_shot *shot)
{
	const double radian = 0.017453292519943295, *const at = m->at;
	const double middle[2] = { ((double)m->spec.height - 1) / 2,
				   ((double)m->spec.width - 1) / 2 };
	uint64_t random = numbers(m, TURN, shot->imaged, 0);
	const double half = m->spec.rotation * radian / 2 * fx_noise_normal(&random);
	const double t = half * (1 + half * half / 3 * (1 + half * half * 0.4));
	const double c = (1 - t * t) / (1 + t * t), s = 2 * t / (1 + t * t);
	double shape[2][2];

	walk_to(m, shot->imaged);
	random = numbers(m, SHAPE, shot->imaged, 0);
	for (int i = 0; i < 4; i++)
		shape[i / 2][i % 2] =
			(i % 3 == 0 ? 1 : 0) + m->spec.affine * fx_noise_normal(&random);
	for (int i = 0; i < 2; i++) {
		shot->affine[0][i] = c * shape[0][i] - s * shape[1][i];
		shot->affine[1][i] = s * shape[0][i] + c * shape[1][i];
	}
	for (int i = 0; i < 2; i++)
		shot->affine[i][2] = middle[i] + at[i] - shot->affine[i][0] * middle[0] -
				     shot->affine[i][1] * middle[1];
}

static void draw_fold(const struct fx_microscope *m, struct fx_microscope_shot *shot)
{
	struct fx_microscope_fold *const f = &shot->fold;
	uint64_t random = numbers(m, FOLD, shot->imaged, 0);
	const double side = small_side(m);

	shot->folded = happens(&random, m->spec.folds);
	if (!shot->folded)
		return;
	somewhere(m, &random, f->through);
	direction(&random, f->normal);
	f->width = 2 + side * between(&random, 0.008, 0.025);
	f->shift = f->width * between(&random, 1, 3);
	f->reach = f->shift * 4 + side * between(&random, 0.1, 0.3);
	f->bend = side * between(&random, 0.02, 0.08);
	f->bend_length = 1 + side * between(&random, 0.2, 0.5);
	f->key = fx_noise_mix(random);
}

static void draw_optics(const struct fx_microscope *m, struct fx_microscope_shot *shot)
{
	uint64_t random = numbers(m, DEFOCUS, shot->imaged, shot->version);

	if (happens(&random, m->spec.defocus)) {
		shot->defocus = between(&random, 1.5, 5);
		shot->partly = happens(&random, 0.5);
		somewhere(m, &random, shot->edge);
		direction(&random, shot->outward);
	}
	random = numbers(m, CHARGE, shot->imaged, shot->version);
	if (happens(&random, m->spec.charging))
		shot->charging = between(&random, 30, 90);
}

static void draw_detector(const struct fx_microscope *m, struct fx_microscope_shot *shot)
{
	uint64_t random = numbers(m, BRIGHT, shot->imaged, shot->version);

	shot->gain = 1 + m->spec.brightness * fx_noise_normal(&random);
	if (shot->gain < 0.1)
		shot->gain = 0.1;
	shot->offset = 128 * (1 - shot->gain) + 128 * m->spec.brightness * fx_noise_normal(&random);
	shot->noise = m->spec.noise;
	random = numbers(m, BLANK, shot->imaged, shot->version);
	shot->blank = happens(&random, m->spec.blank);
	if (shot->blank) { /* nothing else is seen */
		shot->defocus = shot->charging = 0;
		shot->folded = shot->partly = false;
		shot->noise += 3;
	}
	shot->key = numbers(m, KEY, shot->imaged, shot->version);
}

/* A section that comes twice follows one that is there and does not come twice itself. */
static bool is_twice(const struct fx_microscope *m, int64_t section)
{
	uint64_t here = numbers(m, TWICE, section, 0), lost = numbers(m, LOST, section - 1, 0);
	uint64_t before = numbers(m, TWICE, section - 1, 0);

	return section > 0 && happens(&here, m->spec.duplicate) &&
	       !happens(&before, m->spec.duplicate) && !happens(&lost, m->spec.missing);
}

void fx_microscope_shoot(struct fx_microscope *m, int64_t section, int64_t version,
			 struct fx_microscope_shot *shot)
{
	uint64_t random = numbers(m, LOST, section, 0);

	*shot = (struct fx_microscope_shot){ .section = section, .version = version };
	shot->missing = happens(&random, m->spec.missing);
	shot->imaged =
		version == 1 && !shot->missing && is_twice(m, section) ? section - 1 : section;
	draw_geometry(m, shot);
	draw_fold(m, shot);
	draw_optics(m, shot);
	draw_detector(m, shot);
}
