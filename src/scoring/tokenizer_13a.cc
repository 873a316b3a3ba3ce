// SPDX-License-Identifier: Apache-2.0
#include "scoring/tokenizer_13a.h"

#include <cstddef>
#include <utility>

#include "scoring/white_space.h"

namespace linformer {
namespace {

// Every pattern of 13a concerns ASCII characters, which no byte of a longer UTF-8 sequence can be
// mistaken for, and spaces are only put beside them: so bytes can stand for characters here.

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_stop(char byte) { return byte == '.' || byte == ','; }

/// ASCII punctuation that always stands alone, and the blank: not ' , - .
bool is_separated(char byte) {
  return (byte >= '{' && byte <= '~') || (byte >= '[' && byte <= '`') ||
         (byte >= ' ' && byte <= '&') || (byte >= '(' && byte <= '+') ||
         (byte >= ':' && byte <= '@') || byte == '/';
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string result;
  std::size_t begin = 0;
  std::size_t found = text.find(from);
  if (found == std::string::npos) return;
  for (; found != std::string::npos; found = text.find(from, begin)) {
    result.append(text, begin, found - begin).append(to);
    begin = found + from.size();
  }
  text = std::move(result.append(text, begin));
}

std::string cleaned(std::string_view segment) {
  std::string text(segment);
  // A blank at the end must not hide behind a hyphen: the segment is stripped on the right first.
  std::size_t end = 0;
  for_each_field(text, [&](std::string_view field) {
    end = static_cast<std::size_t>(field.data() - text.data()) + field.size();
  });
  text.resize(end);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  return " " + text + " ";
}

std::string separate_punctuation(std::string_view text) {
  std::string result;
  result.reserve(text.size() * 2);
  for (const char byte : text) {
    if (is_separated(byte)) {
      result.append(1, ' ').append(1, byte).append(1, ' ');
    } else {
      result += byte;
    }
  }
  return result;
}

/// Replaces each pair of neighbours that `matches`, left to right and without overlap, by itself
/// with blanks around: "before a between b after".
template <typename Matches>
std::string separate_pairs(std::string_view text, const Matches& matches, bool blank_before,
                           bool blank_after) {
  std::string result;
  result.reserve(text.size() * 2);
  std::size_t position = 0;
  while (position < text.size()) {
    if (position + 1 < text.size() && matches(text[position], text[position + 1])) {
      if (blank_before) result += ' ';
      result.append(1, text[position]).append(1, ' ').append(1, text[position + 1]);
      if (blank_after) result += ' ';
      position += 2;
    } else {
      result += text[position++];
    }
  }
  return result;
}

}  // namespace

std::vector<std::string> tokenize_white_space(std::string_view segment) {
  std::vector<std::string> tokens;
  for_each_field(segment, [&](std::string_view field) { tokens.emplace_back(field); });
  return tokens;
}

std::vector<std::string> tokenize_13a(std::string_view segment) {
  std::string text = separate_punctuation(cleaned(segment));
  text = separate_pairs(
      text, [](char a, char b) { return !is_digit(a) && is_stop(b); }, false, true);
  text = separate_pairs(
      text, [](char a, char b) { return is_stop(a) && !is_digit(b); }, true, false);
  text = separate_pairs(
      text, [](char a, char b) { return is_digit(a) && b == '-'; }, false, true);
  return tokenize_white_space(text);
}

}  // namespace linformer
