// SPDX-License-Identifier: Apache-2.0
/* kubernetes.h: a graph as a manifest for Kubernetes. */
#ifndef FX_TOOLS_KUBERNETES_H
#define FX_TOOLS_KUBERNETES_H

#include <stdio.h>

#include "graph/graph.h"

/** What the manifest has to know beside the graph. Texts are borrowed. */
struct kubernetes {
	const char *image;  /**< with fornix and kubectl in it */
	const char *space;  /**< namespace */
	const char *claim;  /**< of the volume that all pods share */
	const char *folder; /**< where they see it; `out` of the graph has to lie there */
	const char *secret; /**< with the key of the run; NULL: the run makes one */
};

/** Prints the manifest of @p g: a pod for each host but here, whose agents the run starts by
 * kubectl exec; a job for the run itself; a service by which pods have names; the account that may
 * do so; the graph file. FX_EINVAL when the graph cannot be run so; FX_EIO. */
int kubernetes_print(FILE *out, const struct fx_graph *g, const struct kubernetes *k,
		     struct fx_error *err);

#endif
