// SPDX-License-Identifier: Apache-2.0
#include "ops/accelerator.h"

namespace linformer {
namespace {

const Accelerator* the_accelerator = nullptr;

}  // namespace

const Accelerator* accelerator_of(at::Device device) {
  return device.is_cuda() ? the_accelerator : nullptr;
}

void set_accelerator(const Accelerator* accelerator) { the_accelerator = accelerator; }

}  // namespace linformer
