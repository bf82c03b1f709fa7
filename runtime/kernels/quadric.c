// SPDX-License-Identifier: Apache-2.0
/* quadric.c: a maximum between voxels. */
#include "kernels/quadric.h"

#include <math.h>

void fx_quadric_top(const double v[3][3], double at[2])
{
	double slope[2] = { 0, 0 }, yy = 0, xx = 0, yx = 0, det;

	at[0] = at[1] = 0;
	for (int i = 0; i < 3; i++) {
		slope[0] += (v[2][i] - v[0][i]) / 6;
		slope[1] += (v[i][2] - v[i][0]) / 6;
		yy += (v[2][i] - 2 * v[1][i] + v[0][i]) / 3;
		xx += (v[i][2] - 2 * v[i][1] + v[i][0]) / 3;
	}
	yx = (v[2][2] - v[2][0] - v[0][2] + v[0][0]) / 4;
	det = yy * xx - yx * yx;
	if (!(yy < 0) || !(det > 0))
		return;
	at[0] = -(xx * slope[0] - yx * slope[1]) / det;
	at[1] = -(yy * slope[1] - yx * slope[0]) / det;
	if (!(fabs(at[0]) <= 1) || !(fabs(at[1]) <= 1))
		at[0] = at[1] = 0;
}
