// SPDX-License-Identifier: Apache-2.0
#include "tracking/evaluation_record.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

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

/// JSON knows no infinity; the cross-entropy beside it says what it is.
Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json list_of(const std::vector<EvaluatedFile>& files) {
  Json out = Json::array();
  for (const EvaluatedFile& file : files)
    out.push_back({{"name", file.name}, {"sha256", file.sha256}});
  return out;
}

Json list_of(const std::vector<EvaluationExample>& examples) {
  Json out = Json::array();
  for (const EvaluationExample& example : examples) {
    out.push_back({{"row", example.row},
                   {"source", example.source},
                   {"reference", example.reference},
                   {"candidate", example.candidate}});
  }
  return out;
}

void add_scores(Json& json, const EvaluationRecord& r) {
  json["bleu"] = r.bleu;
  if (r.bleu_interval) json["bleu_interval"] = *r.bleu_interval;
  json["signature"] = r.signature;
  json["precisions"] = r.precisions;
  json["bp"] = r.bp;
  json["hyp_len"] = r.hyp_len;
  json["ref_len"] = r.ref_len;
  json["chrf"] = r.chrf;
  json["chrf_signature"] = r.chrf_signature;
  json["perplexity"] = finite_or_null(r.perplexity);
  json["cross_entropy"] = r.cross_entropy;
  json["bits_per_byte"] = r.bits_per_byte;
}

void add_counts(Json& json, const EvaluationRecord& r) {
  json["sentences"] = r.sentences;
  if (r.sequences != r.sentences) {
    json["sequences"] = r.sequences;
    json["misaligned"] = r.misaligned;
  }
  json["tokens"] = r.tokens;
  json["generated_tokens"] = r.generated_tokens;
  json["tokens_per_second"] = r.tokens_per_second;
  json["stopped_by_limit"] = r.stopped_by_limit;
  json["truncated_sources"] = r.truncated_sources;
  json["empty_candidates"] = r.empty_candidates;
  if (r.projected_length) json["projected_length"] = *r.projected_length;
  if (r.sources_longer_than_k) json["sources_longer_than_k"] = *r.sources_longer_than_k;
}

/// What tells one evaluation of a step from another.
std::string digest_of(const EvaluationRecord& record) {
  std::string text;
  for (const EvaluatedFile& file : record.data) text += file.sha256 + "\n";
  text += record.tokenize + "\n" + std::to_string(record.beam) + "\n" +
          std::to_string(record.max_new_tokens) + "\n" + record.separator + "\n";
  return sha256_hex(text).substr(0, kDigestLetters);
}

std::string file_name(const EvaluationRecord& record) {
  std::string stem = record.test_set.substr(0, 100);
  std::ranges::replace_if(
      stem, [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x21; }, '_');
  return stem + "-step-" + std::to_string(record.step) + "-" + digest_of(record) + ".json";
}

void read_scores(const JsonObject& json, EvaluationRecord& r) {
  r.bleu = json.real("bleu");
  if (json.has("bleu_interval")) {
    const std::vector<double> ends = json.reals("bleu_interval");
    if (ends.size() != 2) throw DataError(json.place() + ": bleu_interval has not two ends");
    r.bleu_interval = {ends[0], ends[1]};
  }
  r.signature = json.text_or_empty("signature");
  r.chrf = json.real("chrf");
  r.chrf_signature = json.text_or_empty("chrf_signature");
  r.perplexity = json.real_if_any("perplexity").value_or(std::numeric_limits<double>::infinity());
  r.cross_entropy =
      json.real_if_any("cross_entropy").value_or(std::numeric_limits<double>::quiet_NaN());
  r.bits_per_byte =
      json.real_if_any("bits_per_byte").value_or(std::numeric_limits<double>::quiet_NaN());
}

void read_rest(const JsonObject& json, EvaluationRecord& r) {
  r.sentences = json.integer_if_any("sentences").value_or(0);
  r.sequences = json.integer_if_any("sequences").value_or(r.sentences);
  r.tokens = json.integer_if_any("tokens").value_or(0);
  r.tokens_per_second = json.real_if_any("tokens_per_second").value_or(0);
  r.projected_length = json.integer_if_any("projected_length");
  r.sources_longer_than_k = json.real_if_any("sources_longer_than_k");
  r.checkpoint = json.text_or_empty("checkpoint");
  r.step = json.integer("step");
  r.device = json.text_or_empty("device");
  r.linformer = json.text_or_empty("linformer");
  r.libtorch = json.text_or_empty("libtorch");
  r.seconds = json.real_if_any("seconds").value_or(0);
  if (json.has("options")) {
    const JsonObject options = json.object("options");
    r.tokenize = options.text_or_empty("tokenize");
    r.beam = options.integer_if_any("beam").value_or(1);
    r.max_new_tokens = options.integer_if_any("max_new_tokens").value_or(0);
    r.separator = options.text_or_empty("separator");
  }
}

}  // namespace

std::string evaluation_json(const EvaluationRecord& record) {
  Json json{{"kind", kEvaluationKind},
            {"version", kVersion1},
            {"test_set", record.test_set},
            {"data", list_of(record.data)}};
  add_scores(json, record);
  add_counts(json, record);
  json["options"] = {{"tokenize", record.tokenize},
                     {"beam", record.beam},
                     {"max_new_tokens", record.max_new_tokens},
                     {"separator", record.separator}};
  json["checkpoint"] = record.checkpoint;
  json["step"] = record.step;
  json["device"] = record.device;
  json["linformer"] = record.linformer;
  json["libtorch"] = record.libtorch;
  json["seconds"] = record.seconds;
  json["examples"] = list_of(record.examples);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

EvaluationRecord parse_evaluation(std::string_view text, const std::string& place) {
  const JsonObject json = JsonObject::parse(text, place);
  if (json.integer("version") > kVersion1) {
    throw DataError(place + ": is an evaluation of version " +
                    std::to_string(json.integer("version")) +
                    " (want 1: a newer linformer wrote it)");
  }
  EvaluationRecord record;
  record.test_set = json.text("test_set");
  for (const JsonObject& file : json.objects("data"))
    record.data.push_back({file.text("name"), file.text("sha256")});
  read_scores(json, record);
  read_rest(json, record);
  for (const JsonObject& example : json.objects("examples")) {
    record.examples.push_back({example.integer("row"), example.text("source"),
                               example.text("reference"), example.text("candidate")});
  }
  return record;
}

std::string keep_evaluation(const std::string& run_directory, const EvaluationRecord& record) {
  const std::string directory = run_directory + "/" + std::string(kEvaluationDirectory);
  if (!is_directory(directory)) make_directory(directory);
  const std::string path = directory + "/" + file_name(record);
  write_file_atomically(path, evaluation_json(record) + "\n");
  return path;
}

}  // namespace linformer
