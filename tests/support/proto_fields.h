// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// A Protocol Buffers message taken apart, one level at a time.
class ProtoFields {
 public:
  struct Field {
    std::uint64_t number = 0;
    std::uint64_t bits = 0;  // of a varint, fixed32 or fixed64
    std::string data;        // of a length-delimited field
  };

  explicit ProtoFields(std::string_view bytes) : rest_(bytes) {
    while (!rest_.empty()) {
      const std::uint64_t tag = varint();
      Field& field = fields_.emplace_back(Field{tag >> 3, 0, ""});
      if ((tag & 7) == 0) field.bits = varint();
      if ((tag & 7) == 1) field.bits = fixed(8);
      if ((tag & 7) == 5) field.bits = fixed(4);
      if ((tag & 7) == 2) field.data = take(varint());
    }
  }

  const std::vector<Field>& all() const { return fields_; }
  bool has(std::uint64_t number) const { return count(number) > 0; }
  std::size_t count(std::uint64_t number) const {
    std::size_t out = 0;
    for (const Field& field : fields_) out += field.number == number ? 1U : 0U;
    return out;
  }
  std::string text(std::uint64_t number, std::size_t index = 0) const {
    return field(number, index).data;
  }
  ProtoFields message(std::uint64_t number, std::size_t index = 0) const {
    return ProtoFields(text(number, index));
  }
  std::int64_t integer(std::uint64_t number) const {
    return static_cast<std::int64_t>(field(number, 0).bits);
  }
  double real(std::uint64_t number) const { return std::bit_cast<double>(field(number, 0).bits); }
  float real32(std::uint64_t number) const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(field(number, 0).bits));
  }

 private:
  Field field(std::uint64_t number, std::size_t index) const {
    for (const Field& field : fields_) {
      if (field.number == number && index-- == 0) return field;
    }
    ADD_FAILURE() << "no field " << number;
    return {};
  }
  std::string take(std::uint64_t size) {
    EXPECT_LE(size, rest_.size());
    const std::string out(rest_.substr(0, size));
    rest_.remove_prefix(out.size());
    return out;
  }
  std::uint64_t fixed(std::size_t size) {
    std::uint64_t out = 0;
    const std::string bytes = take(size);
    for (std::size_t i = bytes.size(); i-- > 0;) {
      out = out << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return out;
  }
  std::uint64_t varint() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; !rest_.empty() && shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      out |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return out;
  }

  std::string_view rest_;
  std::vector<Field> fields_;
};

}  // namespace linformer
