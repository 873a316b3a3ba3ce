// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "base/utf8.h"

namespace linformer {

/// White space as Python's str.split() sees it, on which the scores are defined: Unicode's
/// White_Space property and the separators U+001C to U+001F.
constexpr bool is_score_space(char32_t code_point) {
  return (code_point >= 0x09 && code_point <= 0x0D) || (code_point >= 0x1C && code_point <= 0x20) ||
         code_point == 0x85 || code_point == 0xA0 || code_point == 0x1680 ||
         (code_point >= 0x2000 && code_point <= 0x200A) || code_point == 0x2028 ||
         code_point == 0x2029 || code_point == 0x202F || code_point == 0x205F ||
         code_point == 0x3000;
}

/// Calls `visit(text.substr(...))` with each run of characters between white space. `text` is valid
/// UTF-8.
template <typename Visit>
void for_each_field(std::string_view text, const Visit& visit) {
  std::size_t begin = 0;
  std::size_t position = 0;
  while (position < text.size()) {
    const std::size_t here = position;
    if (!is_score_space(utf8_decode(text, position))) continue;
    if (here > begin) visit(text.substr(begin, here - begin));
    begin = position;
  }
  if (begin < text.size()) visit(text.substr(begin));
}

}  // namespace linformer
