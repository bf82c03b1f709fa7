// SPDX-License-Identifier: Apache-2.0
/* ffnimport.h: the weights of a flood-filling network out of a TensorFlow checkpoint. */
#ifndef FX_FORMATS_FFNIMPORT_H
#define FX_FORMATS_FFNIMPORT_H

#include "formats/ffnmodel.h"
#include "formats/tfcheckpoint.h"

/** Sets depth, features and weights of @p m (zeroed; fx_ffn_model_fini() when it succeeds) from the
 * tensors SCOPE/conv0_a/weights, SCOPE/conv0_a/biases, ... SCOPE/conv_lom/... of google/ffn, whose
 * weights are z, y, x, in, out and become out, in, z, y, x. The other tensors are left out. Errors
 * of fx_tf_floats(), and FX_EINVAL when a tensor is missing or of a shape that no such network has;
 * the text names it. */
int fx_ffn_import(struct fx_ffn_model *m, const struct fx_tf_checkpoint *c, struct fx_error *err);

#endif
