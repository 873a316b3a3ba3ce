// SPDX-License-Identifier: Apache-2.0
#include "text/unicode_class.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace linformer {
namespace {

/// Code points first, first + step, .. last: each plus `delta` is its lower-case form.
struct LowerRun {
  char32_t first;
  char32_t last;
  std::uint8_t step;
  std::int32_t delta;
};

#include "text/unicode_tables.inc"

constexpr std::size_t kBlockBits = 7;

char32_t lowercase_of(char32_t code_point) {
  const auto* run =
      std::lower_bound(kLowerRuns.begin(), kLowerRuns.end(), code_point,
                       [](const LowerRun& r, char32_t value) { return r.last < value; });
  if (run == kLowerRuns.end() || code_point < run->first) return code_point;
  if ((code_point - run->first) % run->step != 0) return code_point;
  return static_cast<char32_t>(static_cast<std::int32_t>(code_point) + run->delta);
}

}  // namespace

CharClass char_class(char32_t code_point) {
  const std::size_t block = code_point >> kBlockBits;
  if (block >= kClassStage1.size()) return CharClass::kOther;
  const std::size_t in_block = code_point & ((1U << kBlockBits) - 1);
  const std::uint64_t word = kClassStage2[kClassStage1[block] * std::size_t{4} + in_block / 32];
  return static_cast<CharClass>((word >> (2 * (in_block % 32))) & 3);
}

std::string_view unicode_table_source() { return kUnicodeTableSource; }

void append_lowercase(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      out += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
      ++i;
    } else if (utf8_sequence_length(text, i) == 0) {
      out += text[i++];
    } else {
      const char32_t code_point = utf8_decode(text, i);
      if (code_point == kLongLower) {
        for (const char32_t part : kLongLowerForm) utf8_append(out, part);
      } else {
        utf8_append(out, lowercase_of(code_point));
      }
    }
  }
}

}  // namespace linformer
