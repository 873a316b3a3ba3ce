// SPDX-License-Identifier: Apache-2.0
#include "text/added_token_matcher.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/unicode_class.h"

namespace linformer {
namespace {

/// Start of the White_Space that ends at `end`, not before `begin`.
std::size_t blanks_before(std::string_view text, std::size_t begin, std::size_t end) {
  while (end > begin) {
    std::size_t start = end - 1;
    while (start > begin && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    if (start + utf8_sequence_length(text, start) != end) break;
    std::size_t position = start;
    if (char_class(utf8_decode(text, position)) != CharClass::kSpace) break;
    end = start;
  }
  return end;
}

std::size_t blanks_after(std::string_view text, std::size_t begin) {
  while (begin < text.size() && utf8_sequence_length(text, begin) != 0) {
    std::size_t position = begin;
    if (char_class(utf8_decode(text, position)) != CharClass::kSpace) break;
    begin = position;
  }
  return begin;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::span<const AddedToken> tokens)
    : tokens_(tokens.begin(), tokens.end()) {
  nodes_.emplace_back();
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    std::uint32_t node = 0;
    for (const char byte : tokens_[i].content) {
      auto& children = nodes_[node].children;
      const auto child = std::find_if(children.begin(), children.end(),
                                      [byte](const auto& c) { return c.first == byte; });
      if (child != children.end()) {
        node = child->second;
      } else {
        const auto next = static_cast<std::uint32_t>(nodes_.size());
        children.emplace_back(byte, next);
        nodes_.emplace_back();
        node = next;
      }
    }
    nodes_[node].token = static_cast<std::int32_t>(i);
    starts_[static_cast<unsigned char>(tokens_[i].content.front())] = true;
  }
  const auto& first = nodes_.front().children;
  if (first.size() == 1) only_start_ = first.front().first;
}

std::int32_t AddedTokenMatcher::longest_at(std::string_view text, std::size_t begin) const {
  std::int32_t longest = -1;
  std::uint32_t node = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const auto& children = nodes_[node].children;
    const auto child = std::find_if(children.begin(), children.end(),
                                    [&](const auto& c) { return c.first == text[i]; });
    if (child == children.end()) break;
    node = child->second;
    if (nodes_[node].token >= 0) longest = nodes_[node].token;
  }
  return longest;
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::find(std::string_view text,
                                                                std::size_t begin) const {
  if (tokens_.empty()) return std::nullopt;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (only_start_) {
      i = text.find(*only_start_, i);
      if (i == std::string_view::npos) break;
    } else if (!starts_[static_cast<unsigned char>(text[i])]) {
      continue;
    }
    const std::int32_t longest = longest_at(text, i);
    if (longest < 0) continue;
    const AddedToken& token = tokens_[static_cast<std::size_t>(longest)];
    const std::size_t end = i + token.content.size();
    return Match{token.left_strip ? blanks_before(text, begin, i) : i,
                 token.right_strip ? blanks_after(text, end) : end, token.id};
  }
  return std::nullopt;
}

}  // namespace linformer
