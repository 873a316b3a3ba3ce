// SPDX-License-Identifier: Apache-2.0
#include "data/host_batch.h"

#include "base/check.h"

namespace linformer {
namespace {

void append_row(IdRows& rows, std::span<const std::int32_t> ids) {
  rows.ids.insert(rows.ids.end(), ids.begin(), ids.end());
  rows.lengths.push_back(static_cast<std::int64_t>(ids.size()));
}

}  // namespace

void HostBatch::append(std::span<const std::int32_t> source_ids,
                       std::span<const std::int32_t> target_ids) {
  LF_CHECK(target_ids.size() >= 2, "a target needs <s> and </s>");
  append_row(source, source_ids);
  append_row(decoder_input, target_ids.first(target_ids.size() - 1));
  labels.insert(labels.end(), target_ids.begin() + 1, target_ids.end());
}

HostBatch gather_batch(const PairSet& pairs, std::span<const std::uint32_t> indices) {
  HostBatch out;
  std::vector<std::int32_t> source;
  std::vector<std::int32_t> target;
  for (const std::uint32_t index : indices) {
    pairs.source(index, source);
    pairs.target(index, target);
    out.append(source, target);
  }
  return out;
}

}  // namespace linformer
