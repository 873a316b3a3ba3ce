// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/forward_pass.h"

namespace linformer {

/// How far `got`, some path's result (HeadOutput), is from what the float32 `reference` gives: the
/// root mean square of the differences over the spread (root mean square distance from their mean)
/// of the reference's values. Of argmax: the logits that were given away, over the spread of the
/// logits. Works on a chunk of rows at a time. Infinite where `got` is not finite.
double relative_error(const HeadInputs& reference, HeadOutput output, const at::Tensor& got);

/// Largest error that a path may have: bfloat16 rounds each of a dozen layers' results to 8 bits.
double error_tolerance(at::ScalarType dtype);

/// Triples the weights of queries, keys and values, so that random models attend to few tokens and
/// a wrong attention shows in their results; those of plain random ones hardly depend on it.
void sharpen_attention(ParameterStore& store);

/// The model whose results paths are checked against: `config` in float32, with the weights that
/// `seed` gives in `device.dtype`, sharpened.
RandomModel reference_model(const ModelConfig& config, const DeviceChoice& device,
                            std::uint64_t seed);

}  // namespace linformer
