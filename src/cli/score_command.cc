// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/fixed_text.h"
#include "base/log.h"
#include "cli/verbs.h"
#include "data/csv_reader.h"
#include "data/text_lines.h"
#include "linformer/error.h"
#include "scoring/as_seed.h"
#include "scoring/bleu.h"
#include "scoring/bootstrap.h"
#include "scoring/chrf.h"

namespace linformer {
namespace {

using Segments = std::vector<std::string>;

/// A system's output, and where it came from.
struct System {
  std::string name;
  Segments hypotheses;
};

struct SystemScore {
  std::string name;
  std::vector<BleuStatistics> statistics;
  BleuScore bleu;
  ChrfScore chrf;
  std::optional<BootstrapInterval> interval;
  std::optional<BleuScore> as_seed;
  std::int64_t num_empty = 0;
};

Segments read_lines(const std::string& path) {
  TextLines lines(path);
  Segments segments;
  std::string_view line;
  while (lines.next(line)) segments.emplace_back(line);
  return segments;
}

/// The columns candidate and reference of what evaluate writes.
std::pair<System, Segments> read_table(const std::string& path) {
  CsvReader reader(path);
  const std::vector<std::string>& columns = reader.read_header();
  const std::size_t candidate = find_column(columns, "candidate", path);
  const std::size_t reference = find_column(columns, "reference", path);
  std::pair<System, Segments> result{{path, {}}, {}};
  std::vector<std::string> fields;
  while (reader.next(fields)) {
    result.first.hypotheses.push_back(std::move(fields[candidate]));
    result.second.push_back(std::move(fields[reference]));
  }
  if (result.second.empty())
    throw DataError(path + ": no rows after the header (got 0 segments, want at least 1)");
  return result;
}

void check_counts(const System& system, const Segments& references,
                  const std::string& reference_path) {
  const std::size_t ours = system.hypotheses.size();
  const std::size_t theirs = references.size();
  if (ours == theirs && ours > 0) return;
  const std::string counts = system.name + " has " + std::to_string(ours) + " lines, " +
                             reference_path + " has " + std::to_string(theirs);
  if (theirs == 0) throw DataError(reference_path + ": no references (" + counts + ")");
  throw DataError(system.name + ": hypotheses and references differ in number (" + counts +
                  "; want as many)");
}

/// Two systems and the references of both.
struct SystemPair {
  System first;
  System second;
  Segments references;
};

/// Lines A, B and REFERENCES, or two tables of evaluate, whose references must be the same.
SystemPair read_pair(const std::vector<std::string>& files) {
  SystemPair result;
  if (files.size() == 3) {
    result = {
        {files[0], read_lines(files[0])}, {files[1], read_lines(files[1])}, read_lines(files[2])};
    check_counts(result.first, result.references, files[2]);
    check_counts(result.second, result.references, files[2]);
    return result;
  }
  Segments others;
  std::tie(result.first, result.references) = read_table(files[0]);
  std::tie(result.second, others) = read_table(files[1]);
  check_counts(result.second, result.references, files[0]);
  for (std::size_t row = 0; row < others.size(); ++row) {
    if (others[row] == result.references[row]) continue;
    throw DataError(files[1] + ": row " + std::to_string(row + 1) +
                    " has another reference than in " + files[0] +
                    " (want two tables of one test set)");
  }
  return result;
}

SystemScore score_system(System system, const Segments& references, const ScoreOptions& options,
                         BleuTokenize tokenize) {
  SystemScore result;
  result.name = std::move(system.name);
  result.statistics = segment_statistics(system.hypotheses, references, tokenize);
  ChrfStatistics chrf_sum;
  for (std::size_t index = 0; index < references.size(); ++index) {
    result.num_empty += is_blank(system.hypotheses[index]) ? 1 : 0;
    chrf_sum += chrf_statistics(system.hypotheses[index], references[index]);
  }
  result.bleu = bleu_of_segments(result.statistics, tokenize);
  result.chrf = chrf_from_statistics(chrf_sum);
  if (options.bootstrap) {
    result.interval = bootstrap_interval(result.statistics);
    result.bleu.signature = bootstrap_signature(result.bleu.signature);
  }
  if (options.as_seed) result.as_seed = as_seed_bleu(system.hypotheses, references, tokenize);
  if (result.num_empty > 0) {
    log_info(result.name + ": " + std::to_string(result.num_empty) + " of " +
             std::to_string(references.size()) + " hypotheses are empty");
  }
  return result;
}

nlohmann::ordered_json to_json(const BleuScore& bleu) {
  return {{"score", bleu.score},
          {"precisions", bleu.precisions},
          {"bp", bleu.brevity_penalty},
          {"hyp_len", bleu.hypothesis_length},
          {"ref_len", bleu.reference_length},
          {"signature", bleu.signature}};
}

nlohmann::ordered_json to_json(const SystemScore& system) {
  nlohmann::ordered_json json{{"file", system.name}, {"bleu", to_json(system.bleu)}};
  if (system.interval) {
    json["bleu"]["interval"] = {system.interval->lower, system.interval->upper};
    json["bleu"]["mean"] = system.interval->mean;
    json["bleu"]["half_width"] = system.interval->half_width;
  }
  json["chrf"] = {{"score", system.chrf.score}, {"signature", system.chrf.signature}};
  if (system.as_seed) json["as_seed"] = to_json(*system.as_seed);
  json["segments"] = system.statistics.size();
  json["empty_hypotheses"] = system.num_empty;
  return json;
}

std::string to_text(const SystemScore& system) {
  std::string text = system.bleu.line(system.interval ? system.interval->text() : "") + "\n" +
                     system.chrf.line() + "\n";
  if (system.as_seed) {
    text += "as the original counted (its first line against every reference, no corpus BLEU): " +
            system.as_seed->line() + "\n";
  }
  return text;
}

nlohmann::ordered_json to_json(const PairedBootstrap& paired) {
  return {{"difference", paired.difference},
          {"interval", {paired.lower, paired.upper}},
          {"p", paired.p}};
}

int score_pair(const ScoreOptions& options, const CommonOptions& common, BleuTokenize tokenize) {
  SystemPair pair = read_pair(options.files);
  std::vector<SystemScore> scores;
  for (System* system : {&pair.first, &pair.second}) {
    scores.push_back(score_system(std::move(*system), pair.references, options, tokenize));
  }
  const PairedBootstrap paired = paired_bootstrap(scores[0].statistics, scores[1].statistics);
  if (common.json) {
    nlohmann::ordered_json json = to_json(scores[0]);
    json["second"] = to_json(scores[1]);
    json["paired"] = to_json(paired);
    write_stdout(json.dump() + "\n");
    return 0;
  }
  std::string text;
  for (const SystemScore& system : scores) text += system.name + "\n" + to_text(system);
  write_stdout(text + "difference = " + fixed(paired.difference, 2) + " BLEU (95 % interval " +
               fixed(paired.lower, 2) + " to " + fixed(paired.upper, 2) +
               ", p = " + fixed(paired.p, 4) + ", first minus second)\n");
  return 0;
}

}  // namespace

int run_score(const ScoreOptions& options, const CommonOptions& common) {
  const BleuTokenize tokenize = bleu_tokenize_named(options.tokenize);
  if (options.paired) return score_pair(options, common, tokenize);
  std::pair<System, Segments> input;
  if (options.files.size() == 1) {
    input = read_table(options.files[0]);
  } else {
    input = {{options.files[0], read_lines(options.files[0])}, read_lines(options.files[1])};
    check_counts(input.first, input.second, options.files[1]);
  }
  const SystemScore score = score_system(std::move(input.first), input.second, options, tokenize);
  write_stdout(common.json ? to_json(score).dump() + "\n" : to_text(score));
  return 0;
}

}  // namespace linformer
