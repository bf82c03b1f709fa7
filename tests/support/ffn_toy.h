// SPDX-License-Identifier: Apache-2.0
/* ffn_toy.h: a flood-filling network that adds 6 times the normalised image to the logits: bright
 * voxels are sure, dark ones are not. */
#ifndef FX_TESTS_FFN_TOY_H
#define FX_TESTS_FFN_TOY_H

#include "formats/ffnmodel.h"

enum { TEST_FFN_VALUES = 4096 };

/** The network, fields of 9^3 voxels, moves of 3; its weights are in @p values. */
struct fx_ffn_model test_ffn_toy(float values[TEST_FFN_VALUES]);

#endif
