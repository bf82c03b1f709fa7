// SPDX-License-Identifier: Apache-2.0
/* modelmeta.c: what the metadata of every model file tell. */
#include "nn/modelmeta.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

int fx_model_voxel(double voxel_nm[3], const struct fx_safetensors *s, struct fx_error *err)
{
	const char *text = fx_safetensors_meta(s, "voxel_nm");
	bool good =
		text && sscanf(text, "%lf %lf %lf", &voxel_nm[0], &voxel_nm[1], &voxel_nm[2]) == 3;

	for (int axis = 0; axis < 3 && good; axis++)
		good = isfinite(voxel_nm[axis]) && voxel_nm[axis] > 0;
	return good ? FX_OK :
		      fx_error_set(err, FX_EINVAL,
				   "voxel_nm must be three lengths above 0, z y x, such as 8 8 8");
}

double fx_model_scale(const double model_nm[3], const double voxel_nm[3])
{
	double worst = 1;

	for (int axis = 0; axis < 3; axis++) {
		const double ratio = voxel_nm[axis] / model_nm[axis];

		worst = fmax(worst, fmax(ratio, 1 / ratio));
	}
	return worst;
}
