// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace linformer {

/// Edits that turn `a` into `b`: insert, delete, replace a byte, swap two neighbours (restricted
/// Damerau-Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to what a user typed, empty when the best one needs more than `max_edits`
/// edits. A beginning of a candidate counts as one edit more than the whole ("Vanila" is near
/// "Vanilla transformer"). Ties: the first one.
std::string_view nearest(std::string_view typed, std::span<const std::string_view> candidates,
                         std::size_t max_edits);

/// Edits that still look like a slip for a word of this length: 1 for up to 3 letters, 2 for up to
/// 8, then 3.
std::size_t tolerated_edits(std::string_view typed);

}  // namespace linformer
