// SPDX-License-Identifier: Apache-2.0
#include "training/device_batch.h"

namespace linformer {
namespace {

struct Lines {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> lengths;

  void append(std::span<const std::int32_t> line) {
    ids.insert(ids.end(), line.begin(), line.end());
    lengths.push_back(static_cast<std::int64_t>(line.size()));
  }
};

}  // namespace

DeviceBatch make_batch(std::span<const IdPair> pairs, at::Device device) {
  Lines source;
  Lines input;
  Lines labels;
  for (const IdPair& pair : pairs) {
    TORCH_CHECK(pair.target.size() >= 2, "a target needs <s> and </s>");
    const std::span<const std::int32_t> target = pair.target;
    source.append(pair.source);
    input.append(target.first(target.size() - 1));
    labels.append(target.subspan(1));
  }
  DeviceBatch out;
  out.source = pack_sequences(source.ids, source.lengths, device);
  out.decoder_input = pack_sequences(input.ids, input.lengths, device);
  out.labels_T =
      at::from_blob(labels.ids.data(), {static_cast<std::int64_t>(labels.ids.size())},
                    at::TensorOptions(at::kLong))
          .to(at::TensorOptions(at::kLong).device(device), /*non_blocking=*/false, /*copy=*/true);
  out.source_tokens = out.source.num_tokens;
  out.target_tokens = out.labels_T.size(0);
  return out;
}

}  // namespace linformer
