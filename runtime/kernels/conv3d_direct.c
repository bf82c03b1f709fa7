// SPDX-License-Identifier: Apache-2.0
/* conv3d_direct.c: register blocks of the direct convolution for each instruction set. */
#include "kernels/conv3d_priv.h"

/* A product and its sum are one rounding wherever the CPU has FMA: the order of sums is then the
 * same for every vector width. */
#ifdef __clang__
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif

/* Steps of the inner loop side by side; with a sanitizer's checks they would take minutes to
 * compile. */
#ifdef __SANITIZE_ADDRESS__
enum { K_UNROLL = 1 };
#else
enum { K_UNROLL = 4 };
#endif

#define TARGET
#define LANES	4
#define VECS	4
#define MAXV	3
#define NAME(x) portable16_##x
#include "kernels/conv3d_direct_tmpl.c"
#define LANES	4
#define VECS	2
#define MAXV	6
#define NAME(x) portable8_##x
#include "kernels/conv3d_direct_tmpl.c"
#undef TARGET

static void portable(const struct fx_conv_strip *s)
{
	if (s->width == 8)
		portable8_strip(s, 0);
	for (size_t c = 0; c + 16 <= s->width; c += 16)
		portable16_strip(s, c);
}

#ifdef __x86_64__

#define TARGET	__attribute__((target("avx2,fma")))
#define LANES	8
#define VECS	2
#define MAXV	6
#define NAME(x) avx2_16_##x
#include "kernels/conv3d_direct_tmpl.c"
#define LANES	8
#define VECS	1
#define MAXV	11
#define NAME(x) avx2_8_##x
#include "kernels/conv3d_direct_tmpl.c"

static TARGET void avx2(const struct fx_conv_strip *s)
{
	if (s->width == 8)
		avx2_8_strip(s, 0);
	for (size_t c = 0; c + 16 <= s->width; c += 16)
		avx2_16_strip(s, c);
}
#undef TARGET

#define TARGET	__attribute__((target("avx512f,avx512vl,avx512dq,fma")))
#define LANES	16
#define VECS	2
#define MAXV	11
#define NAME(x) avx512_32_##x
#include "kernels/conv3d_direct_tmpl.c"
#define LANES	16
#define VECS	1
#define MAXV	11
#define NAME(x) avx512_16_##x
#include "kernels/conv3d_direct_tmpl.c"
static TARGET void avx512(const struct fx_conv_strip *s)
{
	if (s->width == 32)
		avx512_32_strip(s, 0);
	else if (s->width == 16)
		avx512_16_strip(s, 0);
	else
		avx2_8_strip(s, 0);
}
#undef TARGET

bool fx_conv3d_isa_here(enum fx_conv3d_isa isa)
{
	if (isa == FX_CONV3D_AVX512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
	if (isa == FX_CONV3D_AVX2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	return isa == FX_CONV3D_PORTABLE;
}

fx_conv_strip_fn *fx_conv_strip_kernel(enum fx_conv3d_isa isa)
{
	return isa == FX_CONV3D_AVX512 ? avx512 : isa == FX_CONV3D_AVX2 ? avx2 : portable;
}

#else

bool fx_conv3d_isa_here(enum fx_conv3d_isa isa)
{
	return isa == FX_CONV3D_PORTABLE;
}

fx_conv_strip_fn *fx_conv_strip_kernel(enum fx_conv3d_isa isa)
{
	(void)isa;
	return portable;
}

#endif

enum fx_conv3d_isa fx_conv3d_isa(void)
{
	for (enum fx_conv3d_isa isa = FX_CONV3D_AVX512; isa > FX_CONV3D_PORTABLE; isa--)
		if (fx_conv3d_isa_here(isa))
			return isa;
	return FX_CONV3D_PORTABLE;
}

const char *fx_conv3d_isa_name(enum fx_conv3d_isa isa)
{
	static const char *const names[] = { "portable", "avx2", "avx512" };

	return isa < FX_CONV3D_ISAS ? names[isa] : "unknown";
}
