// SPDX-License-Identifier: Apache-2.0
/* logit.h: what a network says of faces between voxels, as heights, depths and boundaries. */
#ifndef FX_KERNELS_LOGIT_H
#define FX_KERNELS_LOGIT_H

#include <stddef.h>
#include <stdint.h>

/** out[i] = 255 (1 - sigmoid(logit[i])) rounded: the evidence of a boundary on a face whose
 * affinity is that. NaN counts as a logit of -30. The exponential is a polynomial: within 1e-6. */
void fx_logit_heights(uint8_t *out, const float *logit, size_t len);
/** v[i] = tanh(v[i]) by the same exponential; NaN as above. */
void fx_logit_tanh(float *v, size_t len);
/** boundary[i] = the largest of the heights of the faces of voxel i to its lower neighbours that
 * lie inside of the volume (zyx, C order; see struct fx_rag_evidence). */
void fx_faces_boundary(uint8_t *boundary, const uint8_t *const face[3], const size_t shape[3]);
/** out[i] = (a[i] + b[i] + 1) / 2, rounded down. */
void fx_heights_mean(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t len);

#endif
