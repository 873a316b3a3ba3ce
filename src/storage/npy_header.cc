// SPDX-License-Identifier: Apache-2.0
#include "storage/npy_header.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "linformer/error.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxText = 10000;
constexpr std::size_t kMaxRank = 32;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kGrowthDigits = 21;  // room that NumPy leaves for a longer first axis

/// text = "{" name ":" value { "," name ":" value } [","] "}" spaces "\n", with the values
/// 'descr': string, 'fortran_order': False, 'shape': tuple of whole numbers.
class Parser {
 public:
  Parser(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      parse_entry();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!dtype_) fail("has no 'descr'");
    if (!has_order_) fail("has no 'fortran_order'");
    if (!shape_) fail("has no 'shape'");
    skip_spaces();
    if (text_ != "\n") fail("does not end in spaces and a newline");
    return {.dtype = *dtype_, .shape = *shape_};
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw DataError(place_ + ": npy header " + reason);
  }

  void skip_spaces() { text_.remove_prefix(std::min(text_.find_first_not_of(' '), text_.size())); }

  bool accept(char wanted) {
    skip_spaces();
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char wanted) {
    if (accept(wanted)) return;
    fail("is malformed (want '" + std::string(1, wanted) + "', got " +
         json_string(text_.substr(0, 16)) + ")");
  }

  bool accept_word(std::string_view word) {
    skip_spaces();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::string parse_string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect(quote);
    const std::size_t size = std::min(text_.find(quote), text_.size());
    std::string out(text_.substr(0, size));
    text_.remove_prefix(size);
    expect(quote);
    return out;
  }

  std::vector<std::uint64_t> parse_shape() {
    std::vector<std::uint64_t> out;
    expect('(');
    while (!accept(')')) {
      std::uint64_t size = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (error != std::errc()) {
        fail("has a shape that is no tuple of sizes (at " + json_string(text_.substr(0, 16)) + ")");
      }
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      out.push_back(size);
      if (out.size() > kMaxRank) fail("has a shape of too many axes (want at most 32)");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return out;
  }

  void parse_entry() {
    const std::string name = parse_string();
    expect(':');
    if (name == "descr" && !dtype_) {
      skip_spaces();
      if (text_.starts_with('[')) fail("has a 'descr' of several fields (want one type)");
      dtype_ = parse_string();
    } else if (name == "fortran_order" && !has_order_) {
      if (accept_word("True")) fail("says 'fortran_order': True (want False)");
      if (!accept_word("False")) fail("has a 'fortran_order' that is neither True nor False");
      has_order_ = true;
    } else if (name == "shape" && !shape_) {
      shape_ = parse_shape();
    } else {
      fail("names " + json_string(name) +
           " (want 'descr', 'fortran_order' and 'shape', once each)");
    }
  }

  std::string_view text_;
  const std::string& place_;
  std::optional<std::string> dtype_;
  bool has_order_ = false;
  std::optional<std::vector<std::uint64_t>> shape_;
};

}  // namespace

NpyHeader read_npy_header(const std::function<void(char*, std::size_t)>& read,
                          const std::string& place) {
  std::string start(kMagic.size() + 2, '\0');
  read(start.data(), start.size());
  if (!start.starts_with(kMagic)) {
    throw DataError(place + ": is no npy array (want 93 4e 55 4d 50 59)");
  }
  const int major = static_cast<unsigned char>(start[6]);
  const int minor = static_cast<unsigned char>(start[7]);
  if (major < 1 || major > 3 || minor != 0) {
    throw DataError(place + ": npy version " + std::to_string(major) + "." + std::to_string(minor) +
                    " (want 1.0, 2.0 or 3.0)");
  }
  std::uint32_t size = 0;
  const std::size_t size_bytes = major == 1 ? 2 : 4;
  read(reinterpret_cast<char*>(&size), size_bytes);
  if (size > kMaxText) {
    throw DataError(place + ": npy header of " + std::to_string(size) +
                    " bytes (want at most 10000)");
  }
  std::string text(size, '\0');
  read(text.data(), text.size());
  NpyHeader header = Parser(text, place).parse();
  header.bytes = start.size() + size_bytes + size;
  return header;
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return out + (shape.size() == 1 ? ",)" : ")");
}

std::string encode_npy_header(const std::string& dtype, const std::vector<std::uint64_t>& shape) {
  std::string text =
      "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': " + shape_text(shape) + ", }";
  if (!shape.empty()) text.append(kGrowthDigits - std::to_string(shape[0]).size(), ' ');
  const std::size_t before = kMagic.size() + 4;  // two bytes each of version and size
  text.append(kAlignment - (before + text.size() + 1) % kAlignment, ' ');
  text += '\n';
  std::string out(kMagic);
  out += {'\1', '\0'};
  const auto size = static_cast<std::uint16_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  return out + text;
}

}  // namespace linformer
