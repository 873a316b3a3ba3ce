// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/torch.h"

namespace linformer {

/// x with each element zeroed with `probability` in [0, 1) and the others divided by
/// 1 - probability. Any shape; float32, bfloat16, float64. The mask comes from the next number of
/// the device's default generator. On a CPU it is a function of that number and the element's
/// place, the same for any number of threads and made again in backward instead of kept.
at::Tensor dropout(const at::Tensor& x, double probability);

}  // namespace linformer
