// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "data/host_batch.h"
#include "ops/packed_sequences.h"

namespace linformer {

/// A HostBatch on the device.
struct DeviceBatch {
  PackedSequences source;
  PackedSequences decoder_input;
  at::Tensor labels_R;  // int64, of the real tokens of decoder_input
};

/// `batch` must not be empty.
DeviceBatch make_batch(const HostBatch& batch, at::Device device);

}  // namespace linformer
