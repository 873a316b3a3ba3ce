// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ops/attention.h"

namespace linformer {

/// What changes from call to call: dropout is active in training only.
struct ForwardOptions {
  bool training = false;
  AttentionBackend backend = AttentionBackend::kAuto;
  LongAttentionKernel long_attention = LongAttentionKernel::kOwn;
};

}  // namespace linformer
