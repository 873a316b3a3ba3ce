// SPDX-License-Identifier: Apache-2.0
#include "data/document_joiner.h"

#include <algorithm>
#include <utility>

#include "linformer/error.h"

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
  ++sentences_;
}

void DocumentJoiner::finish() {
  if (sentences_ == 0) return;
  receive_(source_, target_, sentences_);
  source_.clear();
  target_.clear();
  sentences_ = 0;
}

bool DocumentJoiner::fits(std::size_t source, std::size_t target) const {
  return source_.size() + 1 + source <= capacity_ && target_.size() + 1 + target <= capacity_;
}

void DocumentJoiner::append(std::vector<std::int32_t>& side,
                            std::span<const std::int32_t> ids) const {
  if (sentences_ > 0) side.push_back(separator_);
  side.insert(side.end(), ids.begin(), ids.end());
}

std::int32_t separator_id(const Tokenizer& tokenizer, const std::string& token) {
  std::vector<std::int32_t> ids;
  tokenizer.encode(token, ids);
  if (ids.size() == 1) return ids[0];
  throw UsageError("--separator " + token + " is not one token (" + std::to_string(ids.size()) +
                   "; want one of the tokenizer's, as <mask>)");
}

SplitSentences split_joined(std::span<const std::int32_t> ids, std::int32_t separator,
                            std::size_t count) {
  SplitSentences out;
  while (out.sentences.size() + 1 < count) {
    const auto end = std::find(ids.begin(), ids.end(), separator);
    out.sentences.emplace_back(ids.begin(), end);
    if (end == ids.end()) {
      out.sentences.resize(count);
      out.is_aligned = false;
      return out;
    }
    ids = {end + 1, ids.end()};
  }
  out.is_aligned = std::find(ids.begin(), ids.end(), separator) == ids.end();
  out.sentences.push_back(ids);
  return out;
}

}  // namespace linformer
