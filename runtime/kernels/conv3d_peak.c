// SPDX-License-Identifier: Apache-2.0
/* conv3d_peak.c: multiplies and adds in registers, what the convolutions are measured against. */
#include "kernels/conv3d.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif

enum { SUMS = 12 }; /* more than latency times units, fewer than registers */

#define TARGET
#define LANES	4
#define NAME(x) portable_##x
#include "kernels/conv3d_peak_tmpl.c"
#undef TARGET

#ifdef __x86_64__
#define TARGET	__attribute__((target("avx2,fma")))
#define LANES	8
#define NAME(x) avx2_##x
#include "kernels/conv3d_peak_tmpl.c"
#undef TARGET
#define TARGET	__attribute__((target("avx512f,fma")))
#define LANES	16
#define NAME(x) avx512_##x
#include "kernels/conv3d_peak_tmpl.c"
#undef TARGET
#endif

double fx_conv3d_peak_flops(size_t times)
{
	volatile float sink; /* or nothing would be computed */

#ifdef __x86_64__
	if (fx_conv3d_isa() == FX_CONV3D_AVX512) {
		sink = avx512_run(times);
		(void)sink;
		return 2.0 * 16 * SUMS * (double)times;
	}
	if (fx_conv3d_isa() == FX_CONV3D_AVX2) {
		sink = avx2_run(times);
		(void)sink;
		return 2.0 * 8 * SUMS * (double)times;
	}
#endif
	sink = portable_run(times);
	(void)sink;
	return 2.0 * 4 * SUMS * (double)times;
}
