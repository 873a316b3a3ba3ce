// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_writer.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "linformer/error.h"

namespace linformer {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

std::string bool_text(bool value) { return value ? "true" : "false"; }

std::string added_tokens_json(const TokenizerSpec& spec) {
  std::string out = "[";
  for (const AddedToken& token : spec.added) {
    out += out.size() == 1 ? "\n    " : ",\n    ";
    out += "{\"id\": " + std::to_string(token.id) + ", \"content\": " + quoted(token.content) +
           ", \"single_word\": false, \"lstrip\": " + bool_text(token.left_strip) +
           ", \"rstrip\": " + bool_text(token.right_strip) +
           ", \"normalized\": " + bool_text(token.normalized) +
           ", \"special\": " + bool_text(token.special) + "}";
  }
  return out + "\n  ]";
}

std::string id_of(const TokenizerSpec& spec, std::string_view token) {
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
    if (spec.tokens[id] == token) return std::to_string(id);
  }
  throw InternalError("internal error: tokenizer without " + std::string(token));
}

/// The directory that `path` names, without slashes at its end.
std::string trimmed(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

std::string vocab_json(const TokenizerSpec& spec) {
  std::string out = "{";
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
    if (id > 0) out += ", ";
    out += quoted(spec.tokens[id]) + ": " + std::to_string(id);
  }
  return out + "}";
}

std::string merges_text(const TokenizerSpec& spec) {
  std::string out = "#version: 0.2\n";
  for (const Merge& merge : spec.merges) {
    out += spec.tokens[static_cast<std::size_t>(merge.left)] + " " +
           spec.tokens[static_cast<std::size_t>(merge.right)] + "\n";
  }
  return out;
}

std::string tokenizer_json(const TokenizerSpec& spec) {
  const std::string prefix = bool_text(spec.add_prefix_space);
  std::string merges = "[";
  for (const Merge& merge : spec.merges) {
    merges += merges.size() == 1 ? "" : ", ";
    merges += quoted(spec.tokens[static_cast<std::size_t>(merge.left)] + " " +
                     spec.tokens[static_cast<std::size_t>(merge.right)]);
  }
  merges += "]";
  return "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n"
         "  \"added_tokens\": " +
         added_tokens_json(spec) +
         ",\n"
         "  \"normalizer\": " +
         (spec.lowercase ? "{\"type\": \"Lowercase\"}" : "null") +
         ",\n"
         "  \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": " +
         prefix +
         ", \"trim_offsets\": true, \"use_regex\": true},\n"
         "  \"post_processor\": {\"type\": \"RobertaProcessing\", \"sep\": [\"</s>\", " +
         id_of(spec, "</s>") + "], \"cls\": [\"<s>\", " + id_of(spec, "<s>") +
         "], \"trim_offsets\": true, \"add_prefix_space\": " + prefix +
         "},\n"
         "  \"decoder\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, "
         "\"trim_offsets\": true, \"use_regex\": true},\n"
         "  \"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null,\n"
         "    \"continuing_subword_prefix\": null, \"end_of_word_suffix\": null,\n"
         "    \"fuse_unk\": false, \"byte_fallback\": false,\n"
         "    \"vocab\": " +
         vocab_json(spec) +
         ",\n"
         "    \"merges\": " +
         merges + "}\n}\n";
}

void check_tokenizer_directory(const std::string& directory) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(directory, ignored);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) throw UserError(directory + ": exists and is not a directory");
  if (!fs::is_empty(directory, ignored)) {
    throw UserError(directory + ": exists and is not empty (want a new directory)");
  }
}

void write_tokenizer(const TokenizerSpec& spec, const std::string& directory) {
  const std::string target = trimmed(directory);
  check_tokenizer_directory(target);
  const std::string parent = parent_directory(target);
  std::error_code error;
  fs::create_directories(parent, error);
  const std::string temporary = random_name(target + ".tmp-");
  if (!error) fs::create_directory(temporary, error);
  if (error) throw IoError(target + ": cannot create: " + error.message());
  try {
    write_file_atomically(temporary + "/tokenizer.json", tokenizer_json(spec));
    write_file_atomically(temporary + "/vocab.json", vocab_json(spec));
    write_file_atomically(temporary + "/merges.txt", merges_text(spec));
    fs::rename(temporary, target, error);
    if (error) throw IoError(target + ": cannot rename: " + error.message());
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
  sync_directory(parent);
}

}  // namespace linformer
