// SPDX-License-Identifier: Apache-2.0
/* phase.c: the translation between two images by phase correlation. */
#include "kernels/phase.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/fft2.h"
#include "kernels/gauss.h"
#include "kernels/quadric.h"

enum { CANDIDATES_MAX = 16 };
static const double two_pi = 6.283185307179586;
static const double noise_from = 0.4; /* cycles per voxel: images have next to nothing beyond */
static const double noise_times = 2;

/* Work for images of one size. */
struct phase {
	struct fx_fft2 fft;
	ptrdiff_t corner[2];	  /* of the part of the first image less that of the second */
	float *image;		  /* owned, height x width: an image, then the correlation */
	struct fx_complex *a, *b; /* owned, spectra; then a is the phases */
	double *pass, *cut;	  /* owned, of rows, then of columns: the band */
};

struct peak {
	double value;
	ptrdiff_t by[2];
};

static void phase_fini(struct phase *p)
{
	fx_fft2_fini(&p->fft);
	free(p->image);
	free(p->a);
	free(p->b);
	free(p->pass);
	free(p->cut);
}

static double phase_frequency(size_t i, size_t n)
{
	return ((double)i - (i > n / 2 ? (double)n : 0)) / (double)n;
}

static void phase_band(struct phase *p, const struct fx_phase *how)
{
	const size_t rows = p->fft.height, all = rows + p->fft.columns;

	for (size_t i = 0; i < all; i++) {
		const double f = i < rows ? phase_frequency(i, rows) :
					    phase_frequency(i - rows, p->fft.width),
			     high = f / how->high,
			     low = how->low > 0 ? f / how->low : (double)INFINITY;

		p->pass[i] = exp(-high * high);
		p->cut[i] = f == 0 ? 1 : exp(-low * low);
	}
}

static int phase_init(struct phase *p, size_t height, size_t width, const struct fx_phase *how)
{
	const size_t h = fx_fft2_size(height), w = fx_fft2_size(width);
	const int failed = fx_fft2_init(&p->fft, h, w);
	size_t voxels, frequencies;

	if (failed < 0)
		return failed;
	if (!fx_mul_size(h, w, &voxels) || !fx_mul_size(h, p->fft.columns, &frequencies))
		return FX_ENOMEM;
	p->image = fx_calloc(voxels, sizeof *p->image);
	p->a = fx_calloc(frequencies, sizeof *p->a);
	p->b = fx_calloc(frequencies, sizeof *p->b);
	p->pass = fx_calloc(h + p->fft.columns, sizeof *p->pass);
	p->cut = fx_calloc(h + p->fft.columns, sizeof *p->cut);
	if (!p->image || !p->a || !p->b || !p->pass || !p->cut)
		return FX_ENOMEM;
	phase_band(p, how);
	return FX_OK;
}

/* Half a period of a cosine at either end of @p n voxels. */
static double phase_taper(size_t i, size_t n, double part)
{
	const double edge = ((double)(i < n - 1 - i ? i : n - 1 - i) + 0.5) / (double)n;

	return edge >= part ? 1 : 0.5 - 0.5 * cos(two_pi / 2 * edge / part);
}

/* Spectrum of an image without its mean, tapered; false when it is flat. */
static bool phase_load(struct phase *p, const struct fx_plane *v, double taper,
		       struct fx_complex *spectrum)
{
	const size_t width = p->fft.width;
	double sum = 0, weight = 0, mean, energy = 0;

	memset(p->image, 0, p->fft.height * width * sizeof *p->image);
	for (size_t y = 0; y < v->height; y++) {
		const double wy = phase_taper(y, v->height, taper);

		for (size_t x = 0; x < v->width; x++) {
			const double w = wy * phase_taper(x, v->width, taper);

			p->image[y * width + x] = (float)w;
			sum += w * (double)fx_plane_at(v, y, x);
			weight += w;
		}
	}
	mean = sum / weight;
	for (size_t y = 0; y < v->height; y++)
		for (size_t x = 0; x < v->width; x++) {
			float *to = &p->image[y * width + x];

			*to = (float)((double)*to * ((double)fx_plane_at(v, y, x) - mean));
			energy += (double)(*to * *to);
		}
	fx_fft2_forward(&p->fft, p->image, spectrum);
	return energy > 1e-9 * (mean * mean + 1);
}

/* a / b times |b|^2, in place of a; how large it is where there is little but noise. */
static double phase_product(struct phase *p)
{
	const size_t rows = p->fft.height, columns = p->fft.columns;
	double sum = 0, n = 0;

	for (size_t y = 0; y < rows; y++)
		for (size_t x = 0; x < columns; x++) {
			struct fx_complex *a = &p->a[y * columns + x];
			const struct fx_complex b = p->b[y * columns + x], c = *a;
			const double fy = phase_frequency(y, rows),
				     fx = phase_frequency(x, p->fft.width);

			a->re = c.re * b.re + c.im * b.im;
			a->im = c.im * b.re - c.re * b.im;
			if (fy * fy + fx * fx < noise_from * noise_from)
				continue;
			sum += hypot((double)a->re, (double)a->im);
			n++;
		}
	return n > 0 ? sum / n : 0;
}

/* Phases of a / b in the band, less where noise is; the sum of their weights over all frequencies.
 */
static double phase_cross(struct phase *p)
{
	const size_t rows = p->fft.height, columns = p->fft.columns;
	const double noise = noise_times * phase_product(p) + 1e-20;
	double total = 0;

	for (size_t y = 0; y < rows; y++)
		for (size_t x = 0; x < columns; x++) {
			struct fx_complex *a = &p->a[y * columns + x];
			const double size = hypot((double)a->re, (double)a->im),
				     gain = p->pass[y] * p->pass[rows + x] *
					    (1 - p->cut[y] * p->cut[rows + x]),
				     times = gain / (size + noise);

			a->re = (float)((double)a->re * times);
			a->im = (float)((double)a->im * times);
			total += (x && 2 * x != p->fft.width ? 2 : 1) * size * times;
		}
	return total;
}

/* Fills p->image with the correlation of a and b, 1 at most; false when one of them is flat. */
static bool phase_correlate(struct phase *p, const struct fx_plane *a, const struct fx_plane *b,
			    double taper, double *total)
{
	const size_t n = p->fft.height * p->fft.width;
	const bool varies = phase_load(p, a, taper, p->a) && phase_load(p, b, taper, p->b);

	if (!varies)
		return false;
	*total = phase_cross(p);
	if (!(*total > 0))
		return false;
	memcpy(p->b, p->a, p->fft.height * p->fft.columns * sizeof *p->b);
	fx_fft2_inverse(&p->fft, p->b, p->image);
	for (size_t i = 0; i < n; i++)
		p->image[i] = (float)((double)p->image[i] / *total);
	return true;
}

static bool phase_is_peak(const struct phase *p, size_t y, size_t x)
{
	const size_t h = p->fft.height, w = p->fft.width;
	const float here = p->image[y * w + x];

	for (size_t j = 0; j < 3; j++)
		for (size_t i = 0; i < 3; i++)
			if (p->image[(y + h + j - 1) % h * w + (x + w + i - 1) % w] > here)
				return false;
	return true;
}

/* The part of a that b at @p by lies on: from lo to hi. */
static bool phase_overlap(const struct fx_plane *a, const struct fx_plane *b, const ptrdiff_t by[2],
			  ptrdiff_t lo[2], ptrdiff_t hi[2])
{
	const ptrdiff_t na[2] = { (ptrdiff_t)a->height, (ptrdiff_t)a->width },
			nb[2] = { (ptrdiff_t)b->height, (ptrdiff_t)b->width };

	for (int i = 0; i < 2; i++) {
		lo[i] = by[i] > 0 ? by[i] : 0;
		hi[i] = by[i] + nb[i] < na[i] ? by[i] + nb[i] : na[i];
		if (hi[i] <= lo[i])
			return false;
	}
	return true;
}

static double phase_overlap_part(const struct fx_plane *a, const struct fx_plane *b,
				 const ptrdiff_t by[2])
{
	const double na = (double)a->height * (double)a->width,
		     nb = (double)b->height * (double)b->width;
	ptrdiff_t lo[2], hi[2];

	if (!phase_overlap(a, b, by, lo, hi))
		return 0;
	return (double)(hi[0] - lo[0]) * (double)(hi[1] - lo[1]) / (na < nb ? na : nb);
}

/* The two images where they overlap. */
static void phase_crop(struct fx_plane *a, struct fx_plane *b, const ptrdiff_t by[2])
{
	const struct fx_plane all = *a, other = *b;
	ptrdiff_t lo[2], hi[2];

	phase_overlap(&all, &other, by, lo, hi);
	*a = fx_plane_part(&all, (size_t)lo[0], (size_t)lo[1], (size_t)(hi[0] - lo[0]),
			   (size_t)(hi[1] - lo[1]));
	*b = fx_plane_part(&other, (size_t)(lo[0] - by[0]), (size_t)(lo[1] - by[1]), a->height,
			   a->width);
}

static double phase_pearson(struct fx_plane a, struct fx_plane b, const ptrdiff_t by[2])
{
	double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0, n;

	phase_crop(&a, &b, by);
	n = (double)a.height * (double)a.width;
	for (size_t y = 0; y < a.height; y++)
		for (size_t x = 0; x < a.width; x++) {
			const double u = (double)fx_plane_at(&a, y, x),
				     v = (double)fx_plane_at(&b, y, x);

			sa += u;
			sb += v;
			aa += u * u;
			bb += v * v;
			ab += u * v;
		}
	aa -= sa * sa / n;
	bb -= sb * sb / n;
	return aa > 0 && bb > 0 ? (ab - sa * sb / n) / sqrt(aa * bb) : 0;
}

static bool phase_allowed(const struct fx_phase *how, const struct fx_plane *a,
			  const struct fx_plane *b, const ptrdiff_t by[2])
{
	for (int i = 0; i < 2; i++)
		if (how->limit[i] > 0 && fabs((double)by[i] - how->expect[i]) > how->limit[i])
			return false;
	return phase_overlap_part(a, b, by) >= how->overlap;
}

/* Keeps the highest peaks, in order. */
static size_t phase_keep(struct peak *best, size_t len, size_t max, struct peak new)
{
	size_t i = len < max ? len : max - 1;

	if (len == max && best[i].value >= new.value)
		return len;
	for (; i > 0 && best[i - 1].value < new.value; i--)
		best[i] = best[i - 1];
	best[i] = new;
	return len < max ? len + 1 : len;
}

/* The shifts that the highest peaks stand for. */
static size_t phase_peaks(const struct phase *p, const struct fx_phase *how,
			  const struct fx_plane *a, const struct fx_plane *b, struct peak *best)
{
	const size_t h = p->fft.height, w = p->fft.width, max = (size_t)how->candidates;
	size_t len = 0;

	for (size_t i = 0; i < h * w; i++) {
		const size_t y = i / w, x = i % w;

		if ((len == max && (double)p->image[i] <= best[max - 1].value) ||
		    !phase_is_peak(p, y, x))
			continue;
		for (unsigned k = 0; k < 4; k++) {
			const struct peak new = {
				(double)p->image[i],
				{ p->corner[0] + (ptrdiff_t)y - (k & 1 ? (ptrdiff_t)h : 0),
				  p->corner[1] + (ptrdiff_t)x - (k & 2 ? (ptrdiff_t)w : 0) }
			};

			if (phase_allowed(how, a, b, new.by))
				len = phase_keep(best, len, max, new);
		}
	}
	return len;
}

/* The peak whose overlap correlates best; false when no shift is allowed. */
static bool phase_coarse(const struct phase *p, const struct fx_phase *how,
			 const struct fx_plane *a, const struct fx_plane *b, ptrdiff_t by[2],
			 struct fx_shift *out)
{
	struct peak best[CANDIDATES_MAX];
	const size_t len = phase_peaks(p, how, a, b, best);
	double most = -1;

	for (size_t i = 0; i < len; i++) {
		const double part = phase_overlap_part(a, b, best[i].by),
			     r = phase_pearson(*a, *b, best[i].by),
			     score = best[i].value * (r > 0 ? r : 0) * sqrt(part);

		if (score <= most)
			continue;
		most = score;
		memcpy(by, best[i].by, sizeof best[i].by);
		out->overlap = part;
	}
	return len > 0;
}

static ptrdiff_t phase_signed(size_t i, size_t n)
{
	return (ptrdiff_t)i - (i > n / 2 ? (ptrdiff_t)n : 0);
}

/* The highest voxel within @p reach of (@p y, @p x), or, @p beyond, not within. */
static struct peak phase_highest(const struct phase *p, const ptrdiff_t at[2], ptrdiff_t reach,
				 bool beyond)
{
	struct peak best = { -1, { at[0], at[1] } };

	for (size_t y = 0; y < p->fft.height; y++)
		for (size_t x = 0; x < p->fft.width; x++) {
			const ptrdiff_t dy = phase_signed(y, p->fft.height),
					dx = phase_signed(x, p->fft.width);
			const bool near = labs(dy - at[0]) <= reach && labs(dx - at[1]) <= reach;
			const double v = (double)p->image[y * p->fft.width + x];

			if (near != beyond && v > best.value)
				best = (struct peak){ v, { dy, dx } };
		}
	return best;
}

/* The band of an image alone. */
static int phase_filter(const struct fx_plane *v, const struct fx_phase *how, float *to,
			float *work)
{
	const size_t shape[3] = { 1, v->height, v->width }, n = v->height * v->width;
	const double root = 0.22507907903927651 /* 1 / (sqrt(2) pi) */, fine = root / how->high,
		     coarse = how->low > 0 ? root / how->low : 0;
	const double near[3] = { 0, fine, fine }, far[3] = { 0, coarse, coarse };
	const int order[3] = { 0, 0, 0 };
	int failed;

	for (size_t i = 0; i < n; i++)
		work[i] = fx_plane_at(v, i / v->width, i % v->width);
	failed = fx_gauss(to, work, shape, near, order);
	if (failed < 0 || !(coarse > 0))
		return failed;
	/* the wider one on top of the narrow one: a little wider still */
	failed = fx_gauss(work, to, shape, far, order);
	for (size_t i = 0; i < n; i++)
		to[i] -= work[i];
	return failed;
}

/* Correlations at whole shifts around @p by, and the top of the quadric through them. */
static void phase_quadric(const struct fx_plane *a, const struct fx_plane *b, ptrdiff_t by[2],
			  struct fx_shift *out)
{
	double r[3][3], at[2] = { 0, 0 };

	for (int moves = 0; moves < 4; moves++) {
		int best = 4;

		for (int k = 0; k < 9; k++) {
			const ptrdiff_t there[2] = { by[0] + k / 3 - 1, by[1] + k % 3 - 1 };

			r[k / 3][k % 3] = phase_pearson(*a, *b, there);
		}
		for (int k = 0; k < 9; k++)
			best = r[k / 3][k % 3] > r[best / 3][best % 3] ? k : best;
		if (best == 4 || moves == 3)
			break;
		by[0] += best / 3 - 1;
		by[1] += best % 3 - 1;
	}
	fx_quadric_top((const double(*)[3])r, at);
	out->correlation = r[1][1];
	out->by[0] = (double)by[0] + at[0];
	out->by[1] = (double)by[1] + at[1];
}

/* Between voxels: near @p by, from the voxels that overlap there. */
static int phase_between(struct fx_plane a, struct fx_plane b, const struct fx_phase *how,
			 const ptrdiff_t by[2], struct fx_shift *out)
{
	ptrdiff_t more[2] = { 0, 0 };
	float *work;
	size_t n;
	int failed;

	phase_crop(&a, &b, by);
	if (!fx_mul_size(a.height, a.width, &n) || !fx_mul_size(n, 3, &n))
		return FX_ENOMEM;
	work = fx_calloc(n, sizeof *work);
	if (!work)
		return FX_ENOMEM;
	n /= 3;
	failed = phase_filter(&a, how, work, work + 2 * n);
	if (failed >= 0)
		failed = phase_filter(&b, how, work + n, work + 2 * n);
	if (failed >= 0) {
		const struct fx_plane fa = fx_plane_of(work, FX_F32, a.height, a.width),
				      fb = fx_plane_of(work + n, FX_F32, a.height, a.width);

		phase_quadric(&fa, &fb, more, out);
		out->by[0] += (double)by[0];
		out->by[1] += (double)by[1];
	}
	free(work);
	return failed;
}

/* The peak among others, from the overlap alone: it is at most two voxels from @p by. */
static int phase_fine(const struct fx_plane *a, const struct fx_plane *b,
		      const struct fx_phase *how, ptrdiff_t by[2], struct fx_shift *out)
{
	const ptrdiff_t none[2] = { 0, 0 }, reach = (ptrdiff_t)ceil(3 / (two_pi / 2 * how->high));
	struct fx_plane pa = *a, pb = *b;
	struct phase p = { 0 };
	double total;
	int failed;

	phase_crop(&pa, &pb, by);
	failed = phase_init(&p, pa.height, pa.width, how);
	if (failed >= 0 && phase_correlate(&p, &pa, &pb, how->taper, &total)) {
		const struct peak top = phase_highest(&p, none, 2, false);
		const double rest = phase_highest(&p, top.by, reach, true).value;

		out->peak = top.value;
		out->confidence = top.value > rest && top.value > 0 ?
					  1 - (rest > 0 ? rest : 0) / top.value :
					  0;
		by[0] += top.by[0];
		by[1] += top.by[1];
	}
	phase_fini(&p);
	return failed;
}

/* Leaves out what cannot overlap by any shift within the limit; where the part begins. */
static bool phase_within(const struct fx_phase *how, struct fx_plane *a, size_t other_height,
			 size_t other_width, double sign, ptrdiff_t corner[2])
{
	const size_t own[2] = { a->height, a->width }, other[2] = { other_height, other_width };
	double lo[2], hi[2];

	for (int i = 0; i < 2; i++) {
		const double expect = sign * how->expect[i];

		lo[i] = 0;
		hi[i] = (double)own[i];
		if (how->limit[i] > 0) {
			lo[i] = fmax(lo[i], floor(expect - how->limit[i]));
			hi[i] = fmin(hi[i], ceil(expect + how->limit[i]) + (double)other[i]);
		}
		if (!(hi[i] > lo[i]))
			return false;
		corner[i] = (ptrdiff_t)lo[i];
	}
	*a = fx_plane_part(a, (size_t)lo[0], (size_t)lo[1], (size_t)(hi[0] - lo[0]),
			   (size_t)(hi[1] - lo[1]));
	return true;
}

/* Finds the whole shift; FX_OK also when there is none: then *found is false. */
static int phase_whole(const struct fx_plane *a, const struct fx_plane *b,
		       const struct fx_phase *how, ptrdiff_t by[2], struct fx_shift *out,
		       bool *found)
{
	struct fx_plane pa = *a, pb = *b;
	struct phase p = { 0 };
	ptrdiff_t corner[2];
	double total;
	int failed;

	*found = false;
	if (!phase_within(how, &pa, b->height, b->width, 1, p.corner) ||
	    !phase_within(how, &pb, a->height, a->width, -1, corner))
		return FX_OK;
	p.corner[0] -= corner[0];
	p.corner[1] -= corner[1];
	failed = phase_init(&p, pa.height > pb.height ? pa.height : pb.height,
			    pa.width > pb.width ? pa.width : pb.width, how);
	if (failed >= 0 && phase_correlate(&p, &pa, &pb, how->taper, &total))
		*found = phase_coarse(&p, how, a, b, by, out);
	phase_fini(&p);
	return failed;
}

static bool phase_right(const struct fx_plane *v)
{
	const size_t side_max = (size_t)1 << 24;

	return v->height && v->width && v->height <= side_max && v->width <= side_max &&
	       (v->dtype == FX_U8 || v->dtype == FX_U16 || v->dtype == FX_F32);
}

int fx_phase_shift(const struct fx_plane *a, const struct fx_plane *b, const struct fx_phase *how,
		   struct fx_shift *out)
{
	ptrdiff_t by[2] = { 0, 0 };
	bool found;
	int failed;

	if (!phase_right(a) || !phase_right(b) || !(how->high > 0) || !(how->low >= 0) ||
	    !(how->taper >= 0 && how->taper <= 0.5) || !(how->overlap > 0 && how->overlap <= 1) ||
	    !(fabs(how->expect[0]) < 1e9 && fabs(how->expect[1]) < 1e9) || how->candidates < 1 ||
	    how->candidates > CANDIDATES_MAX)
		return FX_EINVAL;
	*out = (struct fx_shift){ .by = { how->expect[0], how->expect[1] } };
	failed = phase_whole(a, b, how, by, out, &found);
	if (failed >= 0 && found)
		failed = phase_fine(a, b, how, by, out);
	return failed >= 0 && found ? phase_between(*a, *b, how, by, out) : failed;
}
