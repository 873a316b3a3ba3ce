// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/utf8.h"
#include "text/byte_map.h"

namespace linformer {

/// `text` with every "@bytes" replaced by the JSON members of the 256 single-byte tokens, ids 0 to
/// 255: every vocabulary needs them, and a fuzzer would seldom leave them whole.
inline std::string with_byte_tokens(std::string_view text) {
  static const std::string members = [] {
    std::string out;
    for (int byte = 0; byte < 256; ++byte) {
      if (byte > 0) out += ",";
      out += '"';
      if (byte == '"' || byte == '\\') out += '\\';
      utf8_append(out, byte_to_symbol(static_cast<unsigned char>(byte)));
      out += "\":" + std::to_string(byte);
    }
    return out;
  }();
  constexpr std::string_view kMark = "@bytes";
  std::string out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t mark = text.find(kMark, begin);
    out += text.substr(begin, mark - begin);
    if (mark == std::string_view::npos) break;
    out += members;
    begin = mark + kMark.size();
  }
  return out;
}

}  // namespace linformer
