// SPDX-License-Identifier: Apache-2.0
#include "data/document_joiner.h"

#include <utility>

namespace linformer {

DocumentJoiner::DocumentJoiner(std::int64_t capacity, std::int32_t separator, Receive receive)
    : capacity_(static_cast<std::size_t>(capacity)),
      separator_(separator),
      receive_(std::move(receive)) {}

void DocumentJoiner::add(std::span<const std::int32_t> source, std::span<const std::int32_t> target,
                         std::string_view document) {
  if (document != document_ || !fits(source.size(), target.size())) finish();
  document_ = document;
  append(source_, source);
  append(target_, target);
  is_empty_ = false;
}

void DocumentJoiner::finish() {
  if (is_empty_) return;
  receive_(source_, target_);
  source_.clear();
  target_.clear();
  is_empty_ = true;
}

bool DocumentJoiner::fits(std::size_t source, std::size_t target) const {
  return source_.size() + 1 + source <= capacity_ && target_.size() + 1 + target <= capacity_;
}

void DocumentJoiner::append(std::vector<std::int32_t>& side,
                            std::span<const std::int32_t> ids) const {
  if (!is_empty_) side.push_back(separator_);
  side.insert(side.end(), ids.begin(), ids.end());
}

}  // namespace linformer
