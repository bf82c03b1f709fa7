// SPDX-License-Identifier: Apache-2.0
/* unetfit_spec.c: what a training is to be, from options and volumes. */
#include "nn/unetfit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MAX = 1024 };

int fx_unetfit_width(struct fx_unetfit_spec *spec, const char *text, struct fx_error *err)
{
	const char *at = text;
	char *end;

	for (spec->levels = 0; spec->levels < FX_ARCH_LEVELS_MAX; spec->levels++, at = end) {
		const long width = strtol(at, &end, 10);

		if (end == at)
			break;
		if (width < 1 || width > WIDTH_MAX)
			return fx_error_set(err, FX_EINVAL, "width \"%s\": %ld is not from 1 to %d",
					    text, width, WIDTH_MAX);
		spec->width[spec->levels] = (size_t)width;
	}
	while (*at == ' ')
		at++;
	if (*at || !spec->levels)
		return fx_error_set(
			err, FX_EINVAL,
			"width \"%s\" must be 1 to %d whole numbers such as 16 32 64 64", text,
			FX_ARCH_LEVELS_MAX);
	spec->flat = spec->flat < spec->levels ? spec->flat : spec->levels;
	return FX_OK;
}

void fx_unetfit_data(struct fx_unetfit_spec *spec, const struct fx_cropvolume *volumes, size_t len,
		     double more)
{
	const double *v = volumes[0].voxel_nm;

	spec->sources_len = len;
	for (size_t i = 0; i < len; i++) {
		spec->sources[i] = volumes[i].source;
		spec->sources[i].share = len == 1 ? 1 : i ? more : 1 - more;
	}
	memcpy(spec->crop.voxel_nm, v, sizeof spec->crop.voxel_nm);
	spec->crop.cubic = !spec->flat && fabs(v[0] - v[1]) < 0.01 * v[1];
	spec->aside = volumes[0].source;
	spec->aside.labels = volumes[0].aside;
	spec->aside_lo = volumes[0].aside_lo;
	spec->aside_hi = volumes[0].aside_hi;
}
