// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer_spec.h"

namespace linformer {

/// Finds added tokens in text: the leftmost, of those that start together the longest. A token with
/// left_strip (right_strip) takes the White_Space before (after) it along.
class AddedTokenMatcher {
 public:
  struct Match {
    std::size_t begin;
    std::size_t end;
    std::int32_t id;
  };

  AddedTokenMatcher() = default;
  /// Contents must be unique and not empty.
  explicit AddedTokenMatcher(std::span<const AddedToken> tokens);

  /// The first match at or after `begin`. O(text + longest token) in practice, at worst times it.
  std::optional<Match> find(std::string_view text, std::size_t begin) const;

 private:
  struct Node {
    std::int32_t token = -1;  // index into tokens_ of the one that ends here
    std::vector<std::pair<char, std::uint32_t>> children;
  };

  /// Index of the longest token at `begin`, or -1.
  std::int32_t longest_at(std::string_view text, std::size_t begin) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;
  std::array<bool, 256> starts_{};
  std::optional<char> only_start_;
};

}  // namespace linformer
