// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// A token that is looked for in raw text, before the text is split into words.
struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool special = true;      // left out by decode(skip_special)
  bool left_strip = false;  // takes the White_Space before it along
  bool right_strip = false;
  bool normalized = false;  // looked for after lower-casing
  bool operator==(const AddedToken&) const = default;
};

/// Two token ids that become one.
struct Merge {
  std::int32_t left = 0;
  std::int32_t right = 0;
  std::int32_t result = 0;
  bool operator==(const Merge&) const = default;
};

/// What a tokenizer is, as plain data.
struct TokenizerSpec {
  /// Token of each id, in the byte alphabet of byte_map.h ("Ġthe"); added tokens as they are
  /// written.
  std::vector<std::string> tokens;
  /// In order of rank.
  std::vector<Merge> merges;
  /// In order of id; their contents are in `tokens` too.
  std::vector<AddedToken> added;
  bool lowercase = false;
  bool add_prefix_space = false;
};

/// Limits on what is read.
inline constexpr std::size_t kMaxTokenizerBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxTokens = 1'000'000;
inline constexpr std::size_t kMaxTokenBytes = 4096;
inline constexpr std::size_t kMaxAddedTokens = 10'000;
inline constexpr std::size_t kMaxAddedTokenBytes = 256;

/// The five tokens of BART that `tokens` has, with their flags: what vocab.json does not say.
std::vector<AddedToken> standard_added_tokens(const std::vector<std::string>& tokens);

/// 'token' for messages, cut after 40 bytes.
std::string quote_token(std::string_view token);

/// Throws DataError "WHERE: reason", naming the token or the merge, unless: tokens are unique and
/// valid UTF-8, all 256 bytes and <s>, <pad>, </s> are among them, merges are unique and give the
/// token that their parts make, added tokens agree with `tokens`, and all limits hold.
void check_spec(const TokenizerSpec& spec, const std::string& where);

/// SHA-256 over everything in `spec` that decides ids and text.
std::string digest_spec(const TokenizerSpec& spec);

}  // namespace linformer
