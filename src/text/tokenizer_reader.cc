// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_reader.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "base/file.h"
#include "linformer/error.h"
#include "text/strict_json.h"
#include "text/tokenizer_settings.h"

namespace linformer {
namespace {

using Json = nlohmann::json;
using TokenIds = std::unordered_map<std::string_view, std::int32_t>;

std::int32_t read_id(const Json& value, const std::string& token, const std::string& file) {
  if (!value.is_number_integer() || value < 0 || value >= kMaxTokens) {
    throw DataError(file + ": token " + quote_token(token) + " has id " + show_json(value) +
                    " (want an integer from 0 to " + std::to_string(kMaxTokens - 1) + ")");
  }
  return value.get<std::int32_t>();
}

/// Tokens in the order of their ids, which must be dense.
class VocabularyReader {
 public:
  explicit VocabularyReader(const std::string& file) : file_(file) {}

  void add(const std::string& token, std::int32_t id) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= tokens_.size()) tokens_.resize(index + 1);
    if (tokens_[index].has_value()) {
      throw DataError(file_ + ": id " + std::to_string(id) + " is used by " +
                      quote_token(*tokens_[index]) + " and " + quote_token(token));
    }
    tokens_[index] = token;
    ++count_;
  }
  void add_all(const Json& vocab, const std::string& path) {
    if (!vocab.is_object()) fail_setting(file_, path, "is not an object");
    for (const auto& [token, id] : vocab.items()) add(token, read_id(id, token, file_));
  }
  std::vector<std::string> take() {
    std::vector<std::string> out;
    out.reserve(tokens_.size());
    for (auto& token : tokens_) {
      if (!token) {
        throw DataError(file_ + ": no token has id " + std::to_string(out.size()) +
                        " (want ids 0.." + std::to_string(count_ - 1) + " for " +
                        std::to_string(count_) + " tokens)");
      }
      out.push_back(std::move(*token));
    }
    return out;
  }

 private:
  const std::string& file_;
  std::vector<std::optional<std::string>> tokens_;
  std::size_t count_ = 0;
};

TokenIds index_of(const std::vector<std::string>& tokens) {
  TokenIds ids;
  ids.reserve(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) ids[tokens[i]] = static_cast<std::int32_t>(i);
  return ids;
}

/// Resolves merges one by one; `place` of an error is the caller's ("FILE:LINE", "FILE: merge 17").
class MergeReader {
 public:
  explicit MergeReader(const std::vector<std::string>& tokens) : ids_(index_of(tokens)) {}

  void add(std::string_view left, std::string_view right, const std::string& place) {
    const Merge merge{id_of(left, place, "its left part "), id_of(right, place, "its right part "),
                      id_of(std::string(left) + std::string(right), place, "its result ")};
    const std::uint64_t pair =
        (static_cast<std::uint64_t>(merge.left) << 32) | static_cast<std::uint32_t>(merge.right);
    if (!seen_.insert(pair).second) {
      throw DataError(place + ": merge of " + quote_token(left) + " and " + quote_token(right) +
                      " is a duplicate");
    }
    merges_.push_back(merge);
  }
  void add_line(std::string_view line, const std::string& place) {
    const std::size_t space = line.find(' ');
    const bool two_parts = space != std::string_view::npos && space > 0 &&
                           space + 1 < line.size() && line.find(' ', space + 1) == line.npos;
    if (!two_parts) {
      throw DataError(place + ": merge " + quote_token(line) +
                      " is not two parts with one space between them");
    }
    add(line.substr(0, space), line.substr(space + 1), place);
  }
  std::vector<Merge> take() { return std::move(merges_); }

 private:
  std::int32_t id_of(std::string_view token, const std::string& place, const char* what) const {
    const auto entry = ids_.find(token);
    if (entry == ids_.end()) {
      throw DataError(place + ": merge: " + what + quote_token(token) +
                      " is not in the vocabulary");
    }
    return entry->second;
  }

  TokenIds ids_;
  std::unordered_set<std::uint64_t> seen_;
  std::vector<Merge> merges_;
};

std::vector<Merge> read_json_merges(const Json& list, const std::vector<std::string>& tokens,
                                    const std::string& file) {
  if (!list.is_array()) fail_setting(file, "model.merges", "is not a list");
  MergeReader reader(tokens);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = file + ": model.merges[" + std::to_string(i) + "]";
    const Json& item = list[i];
    if (item.is_string()) {
      reader.add_line(item.get_ref<const std::string&>(), place);
    } else if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
      reader.add(item[0].get_ref<const std::string&>(), item[1].get_ref<const std::string&>(),
                 place);
    } else {
      throw DataError(place + ": is neither \"a b\" nor [\"a\", \"b\"] (got " + show_json(item) +
                      ")");
    }
  }
  return reader.take();
}

AddedToken read_added_token(const Json& item, const std::string& file, const std::string& path) {
  const Json& content = member(item, "content", file, path);
  if (!content.is_string() || content.get_ref<const std::string&>().empty()) {
    fail_setting(file, path, "content is not a token (got " + show_json(content) + ")");
  }
  AddedToken token;
  token.content = content.get<std::string>();
  token.id = read_id(member(item, "id", file, path), token.content, file);
  token.special = flag(item, "special", false, file, path);
  token.left_strip = flag(item, "lstrip", false, file, path);
  token.right_strip = flag(item, "rstrip", false, file, path);
  token.normalized = flag(item, "normalized", !token.special, file, path);
  if (flag(item, "single_word", false, file, path)) {
    fail_setting(file, path,
                 "single_word: true is not supported (token " + quote_token(token.content) + ")");
  }
  return token;
}

/// Added tokens in order of id; those that the vocabulary lacks join it.
std::vector<AddedToken> read_added_tokens(const Json& root, const Json& vocab,
                                          const std::string& file, VocabularyReader& vocabulary) {
  std::vector<AddedToken> added;
  const auto list = root.find("added_tokens");
  if (list == root.end()) return added;
  if (!list->is_array()) fail_setting(file, "added_tokens", "is not a list");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string path = "added_tokens[" + std::to_string(i) + "]";
    added.push_back(read_added_token((*list)[i], file, path));
    const AddedToken& token = added.back();
    const auto entry = vocab.find(token.content);
    if (entry == vocab.end()) {
      vocabulary.add(token.content, token.id);
    } else if (*entry != token.id) {
      fail_setting(file, path,
                   "token " + quote_token(token.content) + " has id " + std::to_string(token.id) +
                       ", but " + show_json(*entry) + " in the vocabulary");
    }
  }
  std::sort(added.begin(), added.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return added;
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

[[noreturn]] void fail_missing(const std::string& path, const std::string& missing) {
  throw DataError(path + ": no " + missing +
                  " (want tokenizer.json, or vocab.json with merges.txt); BART's are in "
                  "facebook/bart-base on huggingface.co: tokenizer.json 1.4 MB, or vocab.json "
                  "0.9 MB and merges.txt 0.5 MB");
}

TokenizerSpec read_directory(const std::string& path) {
  const std::string json = path + "/tokenizer.json";
  if (is_file(json)) return parse_tokenizer_json(read_file(json, kMaxTokenizerBytes), json);
  const std::string vocab = path + "/vocab.json";
  const std::string merges = path + "/merges.txt";
  if (!is_file(vocab)) fail_missing(path, is_file(merges) ? "vocab.json" : "tokenizer");
  if (!is_file(merges)) fail_missing(path, "merges.txt");
  return parse_vocab_and_merges(read_file(vocab, kMaxTokenizerBytes), vocab,
                                read_file(merges, kMaxTokenizerBytes), merges);
}

}  // namespace

TokenizerSpec parse_tokenizer_json(std::string_view text, const std::string& file) {
  const Json root = parse_strict_json(text, file);
  const Json& model = member(root, "model", file, "tokenizer");
  if (model.is_object() && model.contains("type") && model["type"] != "BPE") {
    fail_setting(file, "model",
                 "type " + show_json(model["type"]) + " is not supported (want BPE)");
  }
  const Json& vocab = member(model, "vocab", file, "model");
  VocabularyReader vocabulary(file);
  vocabulary.add_all(vocab, "model.vocab");
  TokenizerSpec spec;
  spec.added = read_added_tokens(root, vocab, file, vocabulary);
  spec.tokens = vocabulary.take();
  read_settings(root, file, spec);
  spec.merges = read_json_merges(member(model, "merges", file, "model"), spec.tokens, file);
  check_spec(spec, file);
  return spec;
}

TokenizerSpec parse_vocab_and_merges(std::string_view vocab, const std::string& vocab_file,
                                     std::string_view merges, const std::string& merges_file) {
  TokenizerSpec spec;
  VocabularyReader vocabulary(vocab_file);
  vocabulary.add_all(parse_strict_json(vocab, vocab_file), "vocabulary");
  spec.tokens = vocabulary.take();
  spec.added = standard_added_tokens(spec.tokens);
  MergeReader reader(spec.tokens);
  for (std::int64_t number = 1; !merges.empty(); ++number) {
    const std::size_t newline = std::min(merges.find('\n'), merges.size());
    std::string_view line = merges.substr(0, newline);
    merges.remove_prefix(std::min(newline + 1, merges.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (number == 1 && line.starts_with("#version")) continue;
    if (line.empty() && merges.empty()) continue;
    reader.add_line(line, Place{merges_file, number, 0, {}}.text());
  }
  spec.merges = reader.take();
  check_spec(spec, vocab_file);
  return spec;
}

TokenizerSpec read_tokenizer(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_directory(path);
  if (!is_file(path)) fail_missing(path, "such file or directory");
  return parse_tokenizer_json(read_file(path, kMaxTokenizerBytes), path);
}

}  // namespace linformer
