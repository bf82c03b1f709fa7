// SPDX-License-Identifier: Apache-2.0
/* real.h: the number type of the engine: float, or double in the build that checks gradients. Both
 * builds define the same names, so a program links one of them. */
#ifndef FX_NN_REAL_H
#define FX_NN_REAL_H

#include <math.h>

#ifdef NN_DOUBLE
#define NN_REAL double
/** A function of libm, or of CBLAS, for the number type. */
#define NN_FN(name)   name
#define NN_BLAS(name) cblas_d##name
#else
#define NN_REAL	      float
#define NN_FN(name)   name##f
#define NN_BLAS(name) cblas_s##name
#endif

/** Values per cache line: arrays of the engine begin at multiples of it. */
enum { FX_NN_ALIGN = 64 / sizeof(NN_REAL) };

#endif
