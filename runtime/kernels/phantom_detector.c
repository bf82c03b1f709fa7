// SPDX-License-Identifier: Apache-2.0
/* phantom_detector.c: noise, blur and the brightness of a section: the end of the microscope. */
#include "kernels/phantom_priv.h"

/* A rectangle of a section; grey has a rim of one voxel on every side. */
struct frame {
	size_t y, x, h, w;
	float *grey;
};

/* A number of about normal distribution from the place (a hash of 32 bits by Wellons,
 * github.com/skeeto/hash-prospector, and the sum of its bytes). */
static inline float grain(uint32_t key, uint32_t x)
{
	uint32_t h = key + x * 0x9e3779b9u;

	h = (h ^ (h >> 16)) * 0x7feb352du;
	h = (h ^ (h >> 15)) * 0x846ca68bu;
	h ^= h >> 16;
	h = (h & 0xff00ff) + (h >> 8 & 0xff00ff);
	return (float)((int32_t)((h & 0xffff) + (h >> 16)) - 510) * (1 / 147.8f);
}

static inline __attribute__((always_inline)) void add_grain(uint32_t key, uint32_t x, float amount,
							    size_t w, float *grey)
{
	for (uint32_t j = 0; j < (uint32_t)w; j++)
		grey[j] += amount * (0.55f + grey[j] * (0.45f / 130)) * grain(key, x + j);
}

static inline __attribute__((always_inline)) void blur_row(const struct frame *c, size_t y,
							   float gain, float offset, uint8_t *out)
{
	const size_t stride = c->w + 2;
	const float *a = c->grey + y * stride, *b = a + stride, *d = b + stride;

	for (size_t x = 0; x < c->w; x++) {
		const float left = a[x] + 2 * b[x] + d[x];
		const float here = a[x + 1] + 2 * b[x + 1] + d[x + 1];
		const float right = a[x + 2] + 2 * b[x + 2] + d[x + 2];
		float v = (left + 2 * here + right) * (gain / 16) + offset;

		v = v < 0 ? 0 : v;
		v = v > 255 ? 255 : v;
		out[x] = (uint8_t)(int32_t)v;
	}
}

static void grain_c(uint32_t key, uint32_t x, float amount, size_t w, float *grey)
{
	add_grain(key, x, amount, w, grey);
}

static void blur_c(const struct frame *c, size_t y, float gain, float offset, uint8_t *out)
{
	blur_row(c, y, gain, offset, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void grain_avx2(uint32_t key, uint32_t x, float amount,
						       size_t w, float *grey)
{
	add_grain(key, x, amount, w, grey);
}

__attribute__((target("avx2"))) static void blur_avx2(const struct frame *c, size_t y, float gain,
						      float offset, uint8_t *out)
{
	blur_row(c, y, gain, offset, out);
}
#endif

static void add_noise(const struct fx_phantom *p, const struct frame *c)
{
	const float amount = (float)p->spec.noise * 2.667f; /* the blur takes the rest away */
	void (*add)(uint32_t, uint32_t, float, size_t, float *) = grain_c;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		add = grain_avx2;
#endif
#pragma omp parallel for schedule(static) if (c->h * c->w > 16384)
	for (size_t i = 0; i < c->h + 2; i++) {
		const int64_t y = (int64_t)(c->y + i) - 1;

		add((uint32_t)fx_noise_at(p->spec.seed ^ 0x9a17, p->z, y, 0), (uint32_t)c->x,
		    amount, c->w + 2, c->grey + i * (c->w + 2));
	}
}

void fx_phantom_expose(const struct fx_phantom *p, size_t y, size_t x, size_t h, size_t w,
		       float *grey, uint8_t *image)
{
	const struct frame f = { y, x, h, w, grey }, *c = &f;
	uint64_t random = fx_noise_at(p->spec.seed ^ 0x1177, p->z, 0, 0);
	const double slow = (double)fx_noise_line(p->spec.seed ^ 0x510, (double)p->z / 25);
	const double jitter = p->spec.jitter;
	const double contrast = 1 + jitter / 120 * fx_noise_normal(&random);
	const double bright = jitter * (0.8 * fx_noise_normal(&random) + 1.2 * slow);
	const float gain = (float)contrast, offset = (float)(bright + 128 * (1 - contrast) + 0.5);
	void (*blur)(const struct frame *, size_t, float, float, uint8_t *) = blur_c;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		blur = blur_avx2;
#endif
	add_noise(p, c);
#pragma omp parallel for schedule(static) if (c->h * c->w > 16384)
	for (size_t i = 0; i < h; i++)
		blur(c, i, gain, offset, image + i * w);
}
