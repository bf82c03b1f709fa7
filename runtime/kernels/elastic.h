// SPDX-License-Identifier: Apache-2.0
/* elastic.h: displacements at the nodes of a mesh, bilinear between them. */
#ifndef FX_KERNELS_ELASTIC_H
#define FX_KERNELS_ELASTIC_H

#include <stddef.h>

#include "kernels/affine2.h"

/** Node (j, i) is at (j, i) * step, in voxels; at least 2 x 2 nodes. Zero-initialise;
 * fx_mesh_fini() when done. */
struct fx_mesh {
	size_t height, width; /**< nodes */
	double step;
	double *by; /**< owned; height x width x 2: y x */
};

/** A displacement that was seen at a place. */
struct fx_bend {
	double at[2], by[2], weight;
};

/** A mesh that covers @p height x @p width voxels and does not bend. FX_EINVAL for a step below 1,
 * FX_ENOMEM. */
int fx_mesh_init(struct fx_mesh *m, size_t height, size_t width, double step);
void fx_mesh_fini(struct fx_mesh *m);
/** The displacement at @p p; beyond the mesh that of its edge. */
void fx_mesh_at(const struct fx_mesh *m, const double p[2], double by[2]);
/** The displacements that minimise the weighted squares of mesh(at) - by, plus @p stiffness times
 * the squared second differences along both axes and the mixed one (a thin plate), plus @p pull
 * times their squares. By conjugate gradients, preconditioned by the diagonal, in a fixed order:
 * same bits for any number of threads. FX_ENOMEM. */
int fx_mesh_fit(struct fx_mesh *m, const struct fx_bend *seen, size_t len, double stiffness,
		double pull);
/** Fills @p back (initialised) such that q + back(q) = p where p + m(p) = q, by fixed-point
 * iteration at its nodes: @p m must bend by less than its step from node to node. */
void fx_mesh_invert(const struct fx_mesh *m, struct fx_mesh *back);

#endif
