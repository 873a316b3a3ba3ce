// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include "base/check.h"
#include "data/text_check.h"
#include "support/fuzz_input.h"

namespace linformer {
namespace {

/// Bytes that `code_point` takes in UTF-8, by definition; 0 for what is no scalar value.
std::size_t encoded_length(std::uint32_t code_point) {
  if (code_point < 0x80) return 1;
  if (code_point < 0x800) return 2;
  if (code_point >= 0xD800 && code_point < 0xE000) return 0;
  if (code_point < 0x10000) return 3;
  return code_point < 0x110000 ? 4 : 0;
}

/// Length of the sequence at the start of `text`, computed the long way: decode by the lead byte's
/// ones, then ask whether the value would be written like that.
std::size_t slow_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t ones = 0;
  while (ones < 8 && (byte(0) << ones & 0x80) != 0) ++ones;
  if (ones == 0) return 1;
  if (ones < 2 || ones > 4 || text.size() < ones) return 0;
  std::uint32_t value = byte(0) & (0x7FU >> ones);
  for (std::size_t i = 1; i < ones; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    value = value << 6 | (byte(i) & 0x3FU);
  }
  return encoded_length(value) == ones ? ones : 0;
}

void check_sequences(std::string_view text) {
  std::size_t first_invalid = std::string_view::npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t length = utf8_sequence_length(text, i);
    LF_CHECK(length == slow_length(text.substr(i)), "length at " + std::to_string(i));
  }
  std::string copy;
  for (std::size_t i = 0; i < text.size();) {
    if (utf8_sequence_length(text, i) == 0) {
      first_invalid = i;
      break;
    }
    utf8_append(copy, utf8_decode(text, i));
  }
  LF_CHECK(utf8_first_invalid(text).value_or(std::string_view::npos) == first_invalid,
           "first invalid byte");
  LF_CHECK(copy == text.substr(0, first_invalid), "decoded and appended");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_sequences(text);
  const std::string replaced = utf8_replace_invalid(text);
  LF_CHECK(!utf8_first_invalid(replaced), "replaced text is UTF-8");
  LF_CHECK(utf8_replace_invalid(replaced) == replaced, "nothing is replaced twice");
  LF_CHECK((replaced == text) == !utf8_first_invalid(text), "only invalid bytes are replaced");
  std::string counted(text);
  const std::int64_t count = replace_invalid_utf8(counted);
  LF_CHECK(counted == replaced && (count > 0) == (replaced != text), "replacements are counted");
  is_blank(replaced);
  without_bom(text);
  return 0;
}

}  // namespace linformer
