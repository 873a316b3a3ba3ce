// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_settings.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "linformer/error.h"

namespace linformer {
namespace {

using Json = nlohmann::json;

/// One part of the file with its name for messages.
struct Part {
  const Json& value;
  const std::string& file;
  std::string path;

  [[noreturn]] void fail(const std::string& reason) const { fail_setting(file, path, reason); }
  Part operator[](const char* key) const {
    return {member(value, key, file, path), file, path + "." + key};
  }
  bool has(const char* key) const { return value.contains(key); }
  bool is_true(const char* key, bool fallback) const {
    return flag(value, key, fallback, file, path);
  }
  std::string text() const {
    if (!value.is_string()) fail("is not a string (got " + show_json(value) + ")");
    return value.get<std::string>();
  }
  std::int64_t number() const {
    const bool fits = value.is_number_integer() &&
                      (!value.is_number_unsigned() || value.get<std::uint64_t>() < (1ULL << 62));
    if (!fits) fail("is not an integer (got " + show_json(value) + ")");
    return value.get<std::int64_t>();
  }
  void allow_keys(std::initializer_list<std::string_view> keys) const {
    if (!value.is_object()) fail("is not an object (got " + show_json(value) + ")");
    for (const auto& [key, ignored] : value.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        fail("key " + quote_token(key) + " is not supported");
      }
    }
  }
  void allow_type(std::string_view wanted) const {
    const Json& type = value.is_object() ? (*this)["type"].value : value;
    if (type != wanted) {
      fail("type " + show_json(type) + " is not supported (want " + std::string(wanted) + ")");
    }
  }
};

void read_normalizer(const Part& part, TokenizerSpec& spec) {
  if (part.value.is_null()) return;
  const std::string type = part["type"].text();
  if (type == "Lowercase") {
    part.allow_keys({"type"});
    spec.lowercase = true;
  } else if (type == "Sequence") {
    const Part list = part["normalizers"];
    if (!list.value.is_array()) list.fail("is not a list");
    for (const Json& item : list.value) read_normalizer({item, part.file, list.path}, spec);
  } else {
    part.fail("type \"" + type + "\" is not supported (want null, Lowercase or Sequence)");
  }
}

void read_pre_tokenizer(const Part& part, TokenizerSpec& spec) {
  part.allow_type("ByteLevel");
  part.allow_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  spec.add_prefix_space = part.is_true("add_prefix_space", true);
  if (!part.is_true("use_regex", true)) part.fail("use_regex: false is not supported (want true)");
}

/// The token a template or a pair ["</s>", 2] names must be the vocabulary's.
void check_token(const Part& part, const std::string& token, std::int64_t id,
                 std::string_view wanted, const TokenizerSpec& spec) {
  const bool known = id >= 0 && static_cast<std::size_t>(id) < spec.tokens.size() &&
                     spec.tokens[static_cast<std::size_t>(id)] == token;
  if (!known) {
    part.fail("token " + quote_token(token) + " with id " + std::to_string(id) +
              " is not in the vocabulary");
  }
  if (token != wanted) {
    part.fail("token " + quote_token(token) + " is not supported here (want " +
              quote_token(wanted) + ")");
  }
}

void read_roberta(const Part& part, const TokenizerSpec& spec) {
  part.allow_keys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
  for (const auto& [key, wanted] : {std::pair{"cls", "<s>"}, std::pair{"sep", "</s>"}}) {
    const Part pair = part[key];
    if (!pair.value.is_array() || pair.value.size() != 2) pair.fail("is not [token, id]");
    const Part token{pair.value[0], part.file, pair.path};
    const Part id{pair.value[1], part.file, pair.path};
    check_token(pair, token.text(), id.number(), wanted, spec);
  }
}

/// A single sequence must be "<s> A </s>".
void read_template(const Part& part, const TokenizerSpec& spec) {
  part.allow_keys({"type", "single", "pair", "special_tokens"});
  const Part single = part["single"];
  std::string shape;
  if (!single.value.is_array()) single.fail("is not a list");
  for (const Json& item : single.value) {
    if (item.contains("Sequence")) {
      shape += "A ";
    } else {
      const Part special = Part{item, part.file, single.path}["SpecialToken"];
      shape += special["id"].text() + " ";
    }
  }
  if (shape != "<s> A </s> ") {
    single.fail("template " + quote_token(shape) + " is not supported (want '<s> A </s>')");
  }
  for (const char* name : {"<s>", "</s>"}) {
    const Part ids = part["special_tokens"][name]["ids"];
    if (!ids.value.is_array() || ids.value.size() != 1) ids.fail("is not a list of one id");
    const Part id{ids.value[0], part.file, ids.path};
    check_token(ids, name, id.number(), name, spec);
  }
}

void read_post_processor(const Part& part, const TokenizerSpec& spec) {
  if (part.value.is_null()) return;
  const std::string type = part["type"].text();
  if (type == "RobertaProcessing") {
    read_roberta(part, spec);
  } else if (type == "TemplateProcessing") {
    read_template(part, spec);
  } else if (type != "ByteLevel") {
    part.fail(
        "type \"" + type +
        "\" is not supported (want null, RobertaProcessing, TemplateProcessing or ByteLevel)");
  }
}

void read_truncation(const Part& part) {
  if (part.value.is_null()) return;
  const std::int64_t length = part["max_length"].number();
  const std::int64_t stride = part.has("stride") ? part["stride"].number() : 0;
  if (length < 1) part.fail("max_length is " + std::to_string(length) + " (want at least 1)");
  if (stride < 0 || stride >= length) {
    part.fail("stride is " + std::to_string(stride) + " (want 0 to max_length - 1, which is " +
              std::to_string(length - 1) + ")");
  }
}

void read_model(const Part& part) {
  part.allow_keys({"type", "dropout", "unk_token", "continuing_subword_prefix",
                   "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab",
                   "merges"});
  if (part.has("type")) part.allow_type("BPE");
  if (part.has("dropout") && !part["dropout"].value.is_null() && part["dropout"].value != 0.0) {
    part["dropout"].fail("is not supported (want null)");
  }
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (part.has(key) && !part[key].value.is_null() && part[key].value != "") {
      part[key].fail(show_json(part[key].value) + " is not supported (want null or \"\")");
    }
  }
  for (const char* key : {"byte_fallback", "ignore_merges"}) {
    if (part.is_true(key, false)) part[key].fail("true is not supported (want false)");
  }
}

}  // namespace

void fail_setting(const std::string& file, const std::string& path, const std::string& reason) {
  throw DataError(file + ": " + path + ": " + reason);
}

std::string show_json(const Json& value) {
  const std::string quoted =
      quote_token(value.dump(-1, ' ', false, Json::error_handler_t::replace));
  return quoted.substr(1, quoted.size() - 2);
}

const Json& member(const Json& object, const char* key, const std::string& file,
                   std::string_view path) {
  if (!object.is_object()) {
    fail_setting(file, std::string(path), "is not an object (got " + show_json(object) + ")");
  }
  const auto entry = object.find(key);
  if (entry == object.end()) fail_setting(file, std::string(path), std::string("has no ") + key);
  return *entry;
}

bool flag(const Json& object, const char* key, bool fallback, const std::string& file,
          const std::string& path) {
  const auto entry = object.find(key);
  if (entry == object.end()) return fallback;
  if (!entry->is_boolean()) {
    fail_setting(file, path + "." + key, "is not true or false (got " + show_json(*entry) + ")");
  }
  return entry->get<bool>();
}

void read_settings(const Json& root, const std::string& file, TokenizerSpec& spec) {
  const Part whole{root, file, "tokenizer"};
  whole.allow_keys({"version", "truncation", "padding", "added_tokens", "normalizer",
                    "pre_tokenizer", "post_processor", "decoder", "model"});
  const auto part = [&](const char* key) { return Part{member(root, key, file, key), file, key}; };
  read_model(part("model"));
  if (root.contains("normalizer")) read_normalizer(part("normalizer"), spec);
  read_pre_tokenizer(part("pre_tokenizer"), spec);
  if (root.contains("post_processor")) read_post_processor(part("post_processor"), spec);
  part("decoder").allow_type("ByteLevel");
  if (root.contains("truncation")) read_truncation(part("truncation"));
}

}  // namespace linformer
