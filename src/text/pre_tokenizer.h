// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>

namespace linformer {

// Splits text into the pieces that BPE never crosses, as GPT-2's pattern does:
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// The alternatives are tried in this order at each position, by tables instead of a pattern engine.

/// Zero bytes that must follow a text given to split_pieces, so that it may read eight at a time.
inline constexpr std::size_t kTextPadding = 16;

/// Finds up to ends.size() pieces of text[begin, size), one after the other, and stores where each
/// ends. Returns how many; fewer than ends.size() only when the last one ends at `size`.
/// A byte that is not UTF-8 counts as a character of class kOther. Linear in the bytes it passes.
std::size_t split_pieces(const char* text, std::size_t size, std::size_t begin,
                         std::span<std::size_t> ends);

/// Calls `visit` with each piece of `text`, which needs no padding. The views point into a copy.
void for_each_piece(std::string_view text, const std::function<void(std::string_view)>& visit);

}  // namespace linformer
