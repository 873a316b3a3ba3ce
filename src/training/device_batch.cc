// SPDX-License-Identifier: Apache-2.0
#include "training/device_batch.h"

namespace linformer {

DeviceBatch make_batch(const HostBatch& batch, at::Device device) {
  DeviceBatch out;
  out.source =
      pack_sequences(batch.source.ids, batch.source.lengths, device, batch.capacity.source_tokens);
  out.decoder_input = pack_sequences(batch.decoder_input.ids, batch.decoder_input.lengths, device,
                                     batch.capacity.target_tokens);
  out.labels_R =
      at::from_blob(const_cast<std::int64_t*>(batch.labels.data()),
                    {static_cast<std::int64_t>(batch.labels.size())}, at::TensorOptions(at::kLong))
          .to(at::TensorOptions(at::kLong).device(device), /*non_blocking=*/false,
              /*copy=*/true);
  return out;
}

}  // namespace linformer
