// SPDX-License-Identifier: Apache-2.0
#include "tracking/evaluation_record.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/digest.h"
#include "base/file.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "storage/json_object.h"

namespace linformer {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kVersion1 = 1;
constexpr std::size_t kDigestLetters = 8;

// One list of members serves writing and reading; it is their order in the JSON.

constexpr auto kFileMembers = [](auto& file, auto&& visit) {
  visit.required("name", file.name);
  visit.required("sha256", file.sha256);
};

constexpr auto kExampleMembers = [](auto& example, auto&& visit) {
  visit.required("row", example.row);
  visit.required("source", example.source);
  visit.required("reference", example.reference);
  visit.required("candidate", example.candidate);
};

constexpr auto kOptionMembers = [](auto& r, auto&& visit) {
  visit("tokenize", r.tokenize);
  visit("beam", r.beam);
  visit("max_new_tokens", r.max_new_tokens);
  visit("separator", r.separator);
};

constexpr auto kRecordMembers = [](auto& r, auto&& visit) {
  visit.required("test_set", r.test_set);
  visit.list("data", r.data, kFileMembers);
  visit.required("bleu", r.bleu);
  visit("bleu_interval", r.bleu_interval);
  visit("signature", r.signature);
  visit("precisions", r.precisions);
  visit("bp", r.bp);
  visit("hyp_len", r.hyp_len);
  visit("ref_len", r.ref_len);
  visit.required("chrf", r.chrf);
  visit("chrf_signature", r.chrf_signature);
  visit("perplexity", r.perplexity);
  visit("cross_entropy", r.cross_entropy);
  visit("bits_per_byte", r.bits_per_byte);
  visit("sentences", r.sentences);
  if (visit.wants(r.sequences != r.sentences)) {
    visit("sequences", r.sequences);
    visit("misaligned", r.misaligned);
  }
  visit("tokens", r.tokens);
  visit("generated_tokens", r.generated_tokens);
  visit("tokens_per_second", r.tokens_per_second);
  visit("stopped_by_limit", r.stopped_by_limit);
  visit("truncated_sources", r.truncated_sources);
  visit("empty_candidates", r.empty_candidates);
  visit("projected_length", r.projected_length);
  visit("sources_longer_than_k", r.sources_longer_than_k);
  visit.section("options", r, kOptionMembers);
  visit("checkpoint", r.checkpoint);
  visit.required("step", r.step);
  visit("device", r.device);
  visit("linformer", r.linformer);
  visit("libtorch", r.libtorch);
  visit("seconds", r.seconds);
  visit.list("examples", r.examples, kExampleMembers);
};

/// JSON knows no infinity: the library makes a null of it, and the cross-entropy beside a
/// perplexity says what it is.
struct Writer {
  Json json = Json::object();

  template <typename T>
  void operator()(const char* name, const T& value) {
    json[name] = value;
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) json[name] = *value;
  }
  template <typename T>
  void required(const char* name, const T& value) {
    json[name] = value;
  }
  template <typename T, typename Members>
  void section(const char* name, const T& owner, const Members& members) {
    json[name] = object_of(owner, members);
  }
  template <typename T, typename Members>
  void list(const char* name, const std::vector<T>& items, const Members& members) {
    Json objects = Json::array();
    for (const T& item : items) objects.push_back(object_of(item, members));
    json[name] = std::move(objects);
  }
  static bool wants(bool is_told) { return is_told; }

  template <typename T, typename Members>
  static Json object_of(const T& owner, const Members& members) {
    Writer writer;
    members(owner, writer);
    return std::move(writer.json);
  }
};

/// A member that is not there keeps its value, unless it is required.
struct Reader {
  const JsonObject& json;

  void operator()(const char* name, std::string& value) const {
    if (json.has(name)) value = json.text(name);
  }
  void operator()(const char* name, std::int64_t& value) const {
    value = json.integer_if_any(name).value_or(value);
  }
  void operator()(const char* name, double& value) const {
    value = json.real_if_any(name).value_or(value);
  }
  template <std::size_t N>
  void operator()(const char* name, std::array<double, N>& values) const {
    if (!json.has(name)) return;
    const std::vector<double> read = json.reals(name);
    if (read.size() != N) {
      throw DataError(json.place() + ": " + name + " holds " + std::to_string(read.size()) +
                      " numbers (want " + std::to_string(N) + ")");
    }
    std::ranges::copy(read, values.begin());
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) const {
    if (json.has(name)) (*this)(name, value.emplace());
  }
  void required(const char* name, std::string& value) const { value = json.text(name); }
  void required(const char* name, std::int64_t& value) const { value = json.integer(name); }
  void required(const char* name, double& value) const { value = json.real(name); }
  template <typename T, typename Members>
  void section(const char* name, T& owner, const Members& members) const {
    if (json.has(name)) members(owner, Reader{json.object(name)});
  }
  template <typename T, typename Members>
  void list(const char* name, std::vector<T>& items, const Members& members) const {
    for (const JsonObject& object : json.objects(name))
      members(items.emplace_back(), Reader{object});
  }
  static bool wants(bool /*is_told*/) { return true; }
};

std::string file_name(const EvaluationRecord& record) {
  std::string stem = record.test_set.substr(0, 100);
  std::ranges::replace_if(
      stem, [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x21; }, '_');
  return stem + "-step-" + std::to_string(record.step) + "-" + evaluation_digest(record) + ".json";
}

}  // namespace

std::string evaluation_json(const EvaluationRecord& record) {
  Writer writer;
  writer("kind", kEvaluationKind);
  writer("version", kVersion1);
  kRecordMembers(record, writer);
  return writer.json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

EvaluationRecord parse_evaluation(std::string_view text, const std::string& place) {
  const JsonObject json = JsonObject::parse(text, place);
  if (json.integer("version") > kVersion1) {
    throw DataError(place + ": is an evaluation of version " +
                    std::to_string(json.integer("version")) +
                    " (want 1: a newer linformer wrote it)");
  }
  EvaluationRecord record;
  // What a file may leave out and is not 0 then.
  record.perplexity = std::numeric_limits<double>::infinity();
  record.cross_entropy = record.bits_per_byte = std::numeric_limits<double>::quiet_NaN();
  kRecordMembers(record, Reader{json});
  if (!json.has("sequences")) record.sequences = record.sentences;
  return record;
}

std::string evaluation_digest(const EvaluationRecord& record) {
  std::string text;
  for (const EvaluatedFile& file : record.data) text += file.sha256 + "\n";
  text += record.tokenize + "\n" + std::to_string(record.beam) + "\n" +
          std::to_string(record.max_new_tokens) + "\n" + record.separator + "\n";
  return sha256_hex(text).substr(0, kDigestLetters);
}

std::string keep_evaluation(const std::string& run_directory, const EvaluationRecord& record) {
  const std::string directory = run_directory + "/" + std::string(kEvaluationDirectory);
  if (!is_directory(directory)) make_directory(directory);
  const std::string path = directory + "/" + file_name(record);
  write_file_atomically(path, evaluation_json(record) + "\n");
  return path;
}

}  // namespace linformer
