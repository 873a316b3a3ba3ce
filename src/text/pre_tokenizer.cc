// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/utf8.h"
#include "text/unicode_class.h"

namespace linformer {
namespace {

static_assert(std::endian::native == std::endian::little,
              "letters_end counts bytes from the low end");

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

/// CharClass of each ASCII byte; kMultibyte for the others.
constexpr std::uint8_t kMultibyte = 4;
constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const bool number = byte >= '0' && byte <= '9';
    const bool space = byte == ' ' || (byte >= 9 && byte <= 13);
    classes[byte] = byte >= 0x80 ? kMultibyte : letter ? 1 : number ? 2 : space ? 3 : 0;
  }
  return classes;
}
constexpr std::array<std::uint8_t, 256> kByteClasses = make_byte_classes();

struct Text {
  const char* data;
  std::size_t size;

  unsigned char at(std::size_t i) const { return static_cast<unsigned char>(data[i]); }
};

struct Character {
  CharClass kind;
  std::size_t length;
};

/// The character at i < size.
inline Character character_at(const Text& text, std::size_t i) {
  const unsigned char first = text.at(i);
  const std::uint8_t kind = kByteClasses[first];
  if (kind != kMultibyte) return {static_cast<CharClass>(kind), 1};
  if (first >= 0xC2 && first < 0xE0 && (text.at(i + 1) & 0xC0) == 0x80) {
    const char32_t code_point = ((first & 0x1FU) << 6) | (text.at(i + 1) & 0x3FU);
    return {char_class(code_point), 2};
  }
  const std::string_view view(text.data, text.size);
  const std::size_t length = utf8_sequence_length(view, i);
  if (length == 0) return {CharClass::kOther, 1};
  return {char_class(utf8_decode(view, i)), length};
}

/// High bit of each byte that is an ASCII letter.
std::uint64_t ascii_letters(std::uint64_t word) {
  const std::uint64_t lower = (word | (kOnes * 0x20)) & ~kHighBits;
  const std::uint64_t at_least_a = lower + kOnes * (0x80 - 'a');
  const std::uint64_t above_z = lower + kOnes * (0x7F - 'z');
  return at_least_a & ~above_z & ~word & kHighBits;
}

std::size_t run_end(const Text& text, std::size_t i, CharClass wanted) {
  while (i < text.size) {
    const Character next = character_at(text, i);
    if (next.kind != wanted) break;
    i += next.length;
  }
  return i;
}

std::size_t letters_end(const Text& text, std::size_t i) {
  for (;;) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data + i, sizeof word);
    const std::uint64_t stops = ~ascii_letters(word) & kHighBits;
    if (stops == 0) {
      i += 8;
      continue;
    }
    i += static_cast<std::size_t>(std::countr_zero(stops)) / 8;
    if (text.at(i) < 0x80) return i;
    const Character next = character_at(text, i);
    if (next.kind != CharClass::kLetter) return i;
    i += next.length;
  }
}

/// A run of blanks, without its last one when a word follows: that one belongs to the word, or
/// stands alone.
std::size_t blanks_end(const Text& text, std::size_t begin) {
  std::size_t end = begin;
  std::size_t last = begin;
  while (end < text.size) {
    const Character next = character_at(text, end);
    if (next.kind != CharClass::kSpace) break;
    last = end;
    end += next.length;
  }
  return end == text.size || last == begin ? end : last;
}

/// Length of "'s", "'re" and the like at i, or 0. Padding makes i + 2 readable.
std::size_t contraction_length(const Text& text, std::size_t i) {
  const unsigned char first = text.at(i + 1);
  const unsigned char second = text.at(i + 2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if (first == 'r' || first == 'v') return second == 'e' ? 3 : 0;
  return first == 'l' && second == 'l' ? 3 : 0;
}

std::size_t word_end(const Text& text, std::size_t i, CharClass kind) {
  if (kind == CharClass::kLetter) return letters_end(text, i);
  return run_end(text, i, kind);
}

std::size_t piece_end(const Text& text, std::size_t begin) {
  const Character first = character_at(text, begin);
  const std::size_t after = begin + first.length;
  if (first.kind == CharClass::kSpace) {
    if (text.at(begin) != ' ' || after == text.size) return blanks_end(text, begin);
    const Character second = character_at(text, after);
    if (second.kind == CharClass::kSpace) return blanks_end(text, begin);
    return word_end(text, after + second.length, second.kind);
  }
  if (text.at(begin) == '\'') {
    const std::size_t length = contraction_length(text, begin);
    if (length != 0) return begin + length;
  }
  return word_end(text, after, first.kind);
}

}  // namespace

std::size_t split_pieces(const char* text, std::size_t size, std::size_t begin,
                         std::span<std::size_t> ends) {
  const Text view{text, size};
  std::size_t count = 0;
  while (begin < size && count < ends.size()) {
    begin = piece_end(view, begin);
    ends[count++] = begin;
  }
  return count;
}

void for_each_piece(std::string_view text, const std::function<void(std::string_view)>& visit) {
  std::string padded(text);
  padded.append(kTextPadding, '\0');
  std::array<std::size_t, 64> ends{};
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t count = split_pieces(padded.data(), text.size(), begin, ends);
    for (std::size_t i = 0; i < count; ++i) {
      visit(std::string_view(padded).substr(begin, ends[i] - begin));
      begin = ends[i];
    }
  }
}

}  // namespace linformer
