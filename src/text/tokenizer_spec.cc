// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_spec.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "base/digest.h"
#include "base/utf8.h"
#include "linformer/error.h"
#include "text/byte_map.h"
#include "text/unicode_class.h"

namespace linformer {
namespace {

using TokenIds = std::unordered_map<std::string_view, std::int32_t>;

constexpr std::array<std::string_view, 3> kRequired{"<s>", "<pad>", "</s>"};
constexpr std::array<std::string_view, 5> kStandard{"<s>", "<pad>", "</s>", "<unk>", "<mask>"};

[[noreturn]] void fail(const std::string& where, const std::string& reason) {
  throw DataError(where + ": " + reason);
}

TokenIds index_tokens(const TokenizerSpec& spec, const std::string& where) {
  if (spec.tokens.size() > kMaxTokens) {
    fail(where, "too many tokens (got " + std::to_string(spec.tokens.size()) + ", want at most " +
                    std::to_string(kMaxTokens) + ")");
  }
  TokenIds ids;
  ids.reserve(spec.tokens.size());
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
    const std::string& token = spec.tokens[id];
    const std::string name = "token " + quote_token(token) + " (id " + std::to_string(id) + ")";
    if (token.empty()) fail(where, name + " is empty");
    if (token.size() > kMaxTokenBytes) {
      fail(where, name + " is too long (got " + std::to_string(token.size()) +
                      " bytes, want at most " + std::to_string(kMaxTokenBytes) + ")");
    }
    if (const auto offset = utf8_first_invalid(token)) {
      fail(where, name + " is not valid UTF-8 at byte " + std::to_string(*offset));
    }
    const auto [entry, is_new] = ids.try_emplace(token, static_cast<std::int32_t>(id));
    if (!is_new) fail(where, name + " is a duplicate of id " + std::to_string(entry->second));
  }
  return ids;
}

void check_bytes(const TokenIds& ids, const std::string& where) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string symbol;
    utf8_append(symbol, byte_to_symbol(static_cast<unsigned char>(byte)));
    if (!ids.contains(symbol)) {
      fail(where, "vocabulary has no token " + quote_token(symbol) + " for byte " +
                      std::to_string(byte) + " (want all 256 bytes)");
    }
  }
}

void check_merges(const TokenizerSpec& spec, const std::string& where) {
  const auto size = static_cast<std::int32_t>(spec.tokens.size());
  const auto known = [size](std::int32_t id) { return id >= 0 && id < size; };
  std::unordered_set<std::uint64_t> seen;
  seen.reserve(spec.merges.size());
  for (std::size_t i = 0; i < spec.merges.size(); ++i) {
    const Merge& merge = spec.merges[i];
    const std::string name = "merge " + std::to_string(i);
    if (!known(merge.left) || !known(merge.right) || !known(merge.result)) {
      fail(where, name + " names an id outside the vocabulary");
    }
    const std::string& left = spec.tokens[static_cast<std::size_t>(merge.left)];
    const std::string& right = spec.tokens[static_cast<std::size_t>(merge.right)];
    if (spec.tokens[static_cast<std::size_t>(merge.result)] != left + right) {
      fail(where, name + " does not give " + quote_token(left + right));
    }
    const std::uint64_t pair =
        (static_cast<std::uint64_t>(merge.left) << 32) | static_cast<std::uint32_t>(merge.right);
    if (!seen.insert(pair).second) {
      fail(where, name + " (" + quote_token(left) + " " + quote_token(right) + ") is a duplicate");
    }
  }
}

void check_added(const TokenizerSpec& spec, const std::string& where) {
  if (spec.added.size() > kMaxAddedTokens) {
    fail(where, "too many added tokens (got " + std::to_string(spec.added.size()) +
                    ", want at most " + std::to_string(kMaxAddedTokens) + ")");
  }
  std::int32_t previous = -1;
  for (const AddedToken& token : spec.added) {
    const std::string name = "added token " + quote_token(token.content);
    if (token.id <= previous || static_cast<std::size_t>(token.id) >= spec.tokens.size() ||
        spec.tokens[static_cast<std::size_t>(token.id)] != token.content) {
      fail(where, name + " has id " + std::to_string(token.id) +
                      ", which is not its own in the vocabulary");
    }
    previous = token.id;
    if (token.content.size() > kMaxAddedTokenBytes) {
      fail(where, name + " is too long (got " + std::to_string(token.content.size()) +
                      " bytes, want at most " + std::to_string(kMaxAddedTokenBytes) + ")");
    }
    std::string lowered;
    if (spec.lowercase && token.normalized) append_lowercase(lowered, token.content);
    if (!lowered.empty() && lowered != token.content) {
      fail(where, name + " is changed by the normalizer (set \"normalized\": false)");
    }
  }
}

void add_field(Sha256& hash, std::string_view text) {
  hash.update(std::to_string(text.size()) + ":");
  hash.update(text);
}

}  // namespace

std::vector<AddedToken> standard_added_tokens(const std::vector<std::string>& tokens) {
  std::vector<AddedToken> added;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (std::find(kStandard.begin(), kStandard.end(), tokens[id]) == kStandard.end()) continue;
    AddedToken token;
    token.id = static_cast<std::int32_t>(id);
    token.content = tokens[id];
    token.left_strip = tokens[id] == "<mask>";
    added.push_back(std::move(token));
  }
  return added;
}

std::string quote_token(std::string_view token) {
  constexpr std::size_t kMaxShown = 40;
  if (token.size() <= kMaxShown) return "'" + std::string(token) + "'";
  std::size_t end = kMaxShown;
  while (end > 0 && (static_cast<unsigned char>(token[end]) & 0xC0) == 0x80) --end;
  return "'" + std::string(token.substr(0, end)) + "...'";
}

void check_spec(const TokenizerSpec& spec, const std::string& where) {
  const TokenIds ids = index_tokens(spec, where);
  for (const std::string_view required : kRequired) {
    if (!ids.contains(required)) {
      fail(where, "special token " + quote_token(required) + " is not in the vocabulary");
    }
  }
  check_bytes(ids, where);
  check_merges(spec, where);
  check_added(spec, where);
}

std::string digest_spec(const TokenizerSpec& spec) {
  Sha256 hash;
  add_field(hash, "byte-level BPE, version 1");
  add_field(hash, spec.lowercase ? "lowercase" : "");
  add_field(hash, spec.add_prefix_space ? "prefix space" : "");
  add_field(hash, std::to_string(spec.tokens.size()));
  for (const std::string& token : spec.tokens) add_field(hash, token);
  add_field(hash, std::to_string(spec.merges.size()));
  for (const Merge& merge : spec.merges) {
    add_field(hash, std::to_string(merge.left) + " " + std::to_string(merge.right));
  }
  for (const AddedToken& token : spec.added) {
    std::string flags = std::to_string(token.id);
    if (token.special) flags += " special";
    if (token.left_strip) flags += " left";
    if (token.right_strip) flags += " right";
    if (token.normalized && spec.lowercase) flags += " normalized";
    add_field(hash, flags);
  }
  return hash.hex();
}

}  // namespace linformer
