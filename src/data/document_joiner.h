// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// Joins consecutive sentences of a document to pairs of long sequences: as many as fit, in order,
/// none in two of them, a separator between them on both sides. A sentence that does not fit with
/// those before begins the next pair, and so does one of another document.
class DocumentJoiner {
 public:
  using Receive = std::function<void(std::span<const std::int32_t>, std::span<const std::int32_t>)>;

  /// `capacity`: most ids of a side, separators counted, <s> and </s> not. `receive` takes the
  /// joined pairs.
  DocumentJoiner(std::int64_t capacity, std::int32_t separator, Receive receive);

  /// The next sentence pair of the corpus. One above the capacity is a pair of its own.
  void add(std::span<const std::int32_t> source, std::span<const std::int32_t> target,
           std::string_view document);
  /// Hands over the last pair.
  void finish();

 private:
  bool fits(std::size_t source, std::size_t target) const;
  void append(std::vector<std::int32_t>& side, std::span<const std::int32_t> ids) const;

  std::size_t capacity_;
  std::int32_t separator_;
  Receive receive_;
  std::string document_;
  bool is_empty_ = true;
  std::vector<std::int32_t> source_;
  std::vector<std::int32_t> target_;
};

}  // namespace linformer
