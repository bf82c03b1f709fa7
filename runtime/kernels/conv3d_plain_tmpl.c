// SPDX-License-Identifier: Apache-2.0
/* conv3d_plain_tmpl.c: convolution as loops. Included with REAL and NAME(x) defined. */

/* Arguments of either precision. */
struct NAME(plain) {
	const struct fx_conv3d_plan *p;
	const REAL *in, *weights, *bias, *gate, *residual;
	REAL *out, *also;
	bool relu;
};

static REAL NAME(dot)(const struct NAME(plain) * a, const REAL *in, size_t write, size_t t)
{
	REAL sum = 0;

	for (size_t read = 0; read < fx_conv3d_reads(a->p); read++)
		sum += in[read] * a->weights[fx_conv3d_weight(a->p, read, write, t)];
	return sum;
}

static REAL NAME(sum)(const struct NAME(plain) * a, const ptrdiff_t o[3], size_t write)
{
	const struct fx_conv3d_plan *p = a->p;
	const int *n = p->conv.kernel;
	REAL sum = a->bias ? a->bias[write] : 0;
	ptrdiff_t z, y, x;

	for (int i = 0; i < n[0]; i++) {
		if (!fx_conv3d_inside(p, 0, o[0], i, &z))
			continue;
		for (int j = 0; j < n[1]; j++) {
			if (!fx_conv3d_inside(p, 1, o[1], j, &y))
				continue;
			for (int k = 0; k < n[2]; k++)
				if (fx_conv3d_inside(p, 2, o[2], k, &x))
					sum += NAME(dot)(a, a->in + fx_layout_at(&p->in, z, y, x),
							 write,
							 (size_t)((i * n[1] + j) * n[2] + k));
		}
	}
	return sum;
}

static void NAME(voxel)(const struct NAME(plain) * a, const ptrdiff_t o[3])
{
	const struct fx_conv3d_plan *p = a->p;

	for (size_t c = 0; c < p->out.slots; c++) {
		REAL v = c < p->out.channels ? NAME(sum)(a, o, c) : 0;

		if (a->gate && !(a->gate[fx_layout_at(&p->gate, o[0], o[1], o[2]) + c] > 0))
			v = 0;
		if (a->residual)
			v += a->residual[fx_layout_at(&p->residual, o[0], o[1], o[2]) + c];
		if (a->out)
			a->out[fx_layout_at(&p->out, o[0], o[1], o[2]) + c] =
				a->relu && !(v > 0) ? 0 : v;
		if (a->also)
			a->also[fx_layout_at(&p->also, o[0], o[1], o[2]) + c] = v > 0 ? v : 0;
	}
}

static void NAME(run)(const struct NAME(plain) * a)
{
	const size_t *n = a->p->out.shape;

#pragma omp parallel for schedule(static) num_threads(a->p->threads)
	for (size_t row = 0; row < n[0] * n[1]; row++)
		for (size_t x = 0; x < n[2]; x++) {
			const ptrdiff_t o[] = { (ptrdiff_t)(row / n[1]), (ptrdiff_t)(row % n[1]),
						(ptrdiff_t)x };

			NAME(voxel)(a, o);
		}
}

/* Sum over the row o[0], o[1] of dy of what weight (co, ci, k) is multiplied with. */
static REAL NAME(dw_row)(const struct fx_conv3d_plan *p, const REAL *in, const REAL *dy,
			 const ptrdiff_t o[2], const int k[3], const size_t co_ci[2])
{
	ptrdiff_t z, y, x;
	REAL sum = 0;

	if (!fx_conv3d_inside(p, 0, o[0], k[0], &z) || !fx_conv3d_inside(p, 1, o[1], k[1], &y))
		return 0;
	for (ptrdiff_t i = 0; i < (ptrdiff_t)p->out.shape[2]; i++)
		if (fx_conv3d_inside(p, 2, i, k[2], &x))
			sum += dy[fx_layout_at(&p->out, o[0], o[1], i) + co_ci[0]] *
			       in[fx_layout_at(&p->in, z, y, x) + co_ci[1]];
	return sum;
}

static REAL NAME(dw_one)(const struct fx_conv3d_plan *p, const REAL *in, const REAL *dy, size_t t,
			 const size_t co_ci[2])
{
	const int *n = p->conv.kernel,
		  k[] = { (int)t / n[2] / n[1], (int)t / n[2] % n[1], (int)t % n[2] };
	REAL sum = 0;

	for (size_t row = 0; row < p->out.shape[0] * p->out.shape[1]; row++) {
		const ptrdiff_t o[] = { (ptrdiff_t)(row / p->out.shape[1]),
					(ptrdiff_t)(row % p->out.shape[1]) };

		sum += NAME(dw_row)(p, in, dy, o, k, co_ci);
	}
	return sum;
}

static REAL NAME(db_one)(const struct fx_conv3d_plan *p, const REAL *dy, size_t co)
{
	const size_t *n = p->out.shape;
	REAL sum = 0;

	for (size_t row = 0; row < n[0] * n[1]; row++) {
		const REAL *at =
			dy + co +
			fx_layout_at(&p->out, (ptrdiff_t)(row / n[1]), (ptrdiff_t)(row % n[1]), 0);
		REAL part = 0;

		for (size_t x = 0; x < n[2]; x++)
			part += at[x * p->out.stride[2]];
		sum += part;
	}
	return sum;
}

static void NAME(run_dw)(const struct fx_conv3d_plan *p, const REAL *in, const REAL *dy, REAL *dw,
			 REAL *db)
{
	const size_t taps = fx_conv3d_taps(&p->conv), ci = p->conv.in_channels;

#pragma omp parallel for schedule(static) num_threads(p->threads)
	for (size_t i = 0; i < p->conv.out_channels * ci * taps; i++) {
		const size_t co_ci[] = { i / taps / ci, i / taps % ci };

		dw[i] += NAME(dw_one)(p, in, dy, i % taps, co_ci);
	}
	for (size_t c = 0; db && c < p->conv.out_channels; c++)
		db[c] += NAME(db_one)(p, dy, c);
}
