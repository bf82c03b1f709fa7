// SPDX-License-Identifier: Apache-2.0
/* conv3d_plain.c: convolution as loops, in single and in double precision. */
#include "kernels/conv3d_priv.h"

#define REAL	float
#define NAME(x) f32_##x
#include "kernels/conv3d_plain_tmpl.c"
#undef REAL
#undef NAME

#define REAL	double
#define NAME(x) f64_##x
#include "kernels/conv3d_plain_tmpl.c"

void fx_conv3d_plain(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a)
{
	const struct f32_plain plain = { p,	      a->in,  a->packed, a->bias, a->gate,
					 a->residual, a->out, a->also,	 a->relu };

	f32_run(&plain);
}

void fx_conv3d_run_f64(const struct fx_conv3d_plan *p, const struct fx_conv3d_args_f64 *a)
{
	const struct f64_plain plain = { p,	      a->in,  a->weights, a->bias, a->gate,
					 a->residual, a->out, a->also,	  a->relu };

	f64_run(&plain);
}

void fx_conv3d_plain_dw(const struct fx_conv3d_plan *p, const float *in, const float *dy, float *dw,
			float *db)
{
	f32_run_dw(p, in, dy, dw, db);
}

void fx_conv3d_run_dw_f64(const struct fx_conv3d_plan *p, const double *in, const double *dy,
			  double *dw, double *db)
{
	f64_run_dw(p, in, dy, dw, db);
}
