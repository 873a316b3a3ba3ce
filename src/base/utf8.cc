// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <cstring>

namespace linformer {
namespace {

/// Allowed range of the second byte for a lead byte, and the sequence length; length 0 = no lead
/// byte.
struct Lead {
  std::uint8_t length;
  std::uint8_t low;
  std::uint8_t high;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

/// How many bytes from `position` form a (possibly unfinished) sequence, at least 1; `whole` says
/// finished.
std::size_t scan(std::string_view text, std::size_t position, bool& whole) {
  const Lead lead = lead_of(static_cast<unsigned char>(text[position]));
  whole = lead.length == 1;
  if (lead.length <= 1) return 1;
  std::size_t used = 1;
  while (used < lead.length && position + used < text.size()) {
    const auto byte = static_cast<unsigned char>(text[position + used]);
    const unsigned low = used == 1 ? lead.low : 0x80U;
    const unsigned high = used == 1 ? lead.high : 0xBFU;
    if (byte < low || byte > high) return used;
    ++used;
  }
  whole = used == lead.length;
  return used;
}

}  // namespace

std::size_t utf8_sequence_length(std::string_view text, std::size_t position) {
  bool whole = false;
  const std::size_t used = scan(text, position, whole);
  return whole ? used : 0;
}

std::optional<std::size_t> utf8_first_invalid(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    while (i + 8 <= text.size()) {  // eight ASCII bytes at a time
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + i, sizeof word);
      if ((word & 0x8080808080808080ULL) != 0) break;
      i += 8;
    }
    if (i == text.size()) break;
    const std::size_t length = utf8_sequence_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

char32_t utf8_decode(std::string_view text, std::size_t& position) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
  const unsigned char first = at(0);
  if (first < 0x80) {
    position += 1;
    return first;
  }
  if (first < 0xE0) {
    const char32_t value = ((first & 0x1FU) << 6) | (at(1) & 0x3FU);
    position += 2;
    return value;
  }
  if (first < 0xF0) {
    const char32_t value = ((first & 0x0FU) << 12) | ((at(1) & 0x3FU) << 6) | (at(2) & 0x3FU);
    position += 3;
    return value;
  }
  const char32_t value =
      ((first & 0x07U) << 18) | ((at(1) & 0x3FU) << 12) | ((at(2) & 0x3FU) << 6) | (at(3) & 0x3FU);
  position += 4;
  return value;
}

void utf8_append(std::string& out, char32_t code_point) {
  const auto push = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xC0 | (code_point >> 6));
    push(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    push(0xE0 | (code_point >> 12));
    push(0x80 | ((code_point >> 6) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  } else {
    push(0xF0 | (code_point >> 18));
    push(0x80 | ((code_point >> 12) & 0x3F));
    push(0x80 | ((code_point >> 6) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  }
}

std::string utf8_replace_invalid(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    bool whole = false;
    const std::size_t used = scan(text, i, whole);
    if (whole) {
      out.append(text.substr(i, used));
    } else {
      out += "\xEF\xBF\xBD";
    }
    i += used;
  }
  return out;
}

}  // namespace linformer
