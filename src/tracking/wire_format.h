// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace linformer {

/// The low `size` bytes of `value`, least significant first.
inline std::string little_endian(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>((value >> (8 * i)) & 0xff);
  return out;
}

/// A Protocol Buffers message that is written field by field, in the order of the calls. Each
/// member appends one field of the given number, defaults included; the member's name is the type
/// that the .proto file must have there.
class Message {
 public:
  /// int32, int64 and enum; negative numbers take ten bytes.
  Message& integer(std::uint32_t field, std::int64_t value) {
    tag(field, 0);
    return varint(static_cast<std::uint64_t>(value));
  }
  Message& boolean(std::uint32_t field, bool value) { return integer(field, value ? 1 : 0); }
  /// `double`
  Message& real(std::uint32_t field, double value) {
    tag(field, 1);
    out_ += little_endian(std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  /// `float`
  Message& real32(std::uint32_t field, float value) {
    tag(field, 5);
    out_ += little_endian(std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  /// string; what is no UTF-8 becomes U+FFFD, for readers refuse the whole message otherwise
  Message& text(std::uint32_t field, std::string_view value) {
    return data(field, utf8_replace_invalid(value));
  }
  Message& message(std::uint32_t field, const Message& value) { return data(field, value.bytes()); }

  const std::string& bytes() const { return out_; }

 private:
  Message& tag(std::uint32_t field, std::uint32_t type) { return varint(field << 3 | type); }
  Message& data(std::uint32_t field, std::string_view value) {
    tag(field, 2);
    varint(value.size());
    out_ += value;
    return *this;
  }
  Message& varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>((value & 0x7f) | 0x80);
    out_ += static_cast<char>(value);
    return *this;
  }

  std::string out_;
};

}  // namespace linformer
