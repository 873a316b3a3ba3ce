// SPDX-License-Identifier: Apache-2.0
#include "report/translation_input.h"

#include <algorithm>

#include "data/csv_reader.h"
#include "data/parallel_corpus.h"
#include "linformer/error.h"
#include "report/csv_lines.h"
#include "report/original_files.h"

namespace linformer {
namespace {

/// True where the record's examples are rows of the table.
bool is_same_set(const EvaluationRecord& record, const TranslationInput& table) {
  if (record.examples.empty() || record.sentences != std::ssize(table.references)) return false;
  return std::ranges::all_of(record.examples, [&](const EvaluationExample& example) {
    return example.row >= 0 && example.row < std::ssize(table.references) &&
           table.references[static_cast<std::size_t>(example.row)] == example.reference;
  });
}

bool is_output_of(const EvaluationRecord& record, const TranslationInput& table) {
  return std::ranges::all_of(record.examples, [&](const EvaluationExample& example) {
    return table.candidates[static_cast<std::size_t>(example.row)] == example.candidate;
  });
}

}  // namespace

bool is_translation_text(std::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  std::erase(line, '\r');
  std::erase(line, '"');
  const std::vector<std::string> columns = csv_cells(line);
  const auto has = [&](std::string_view name) {
    return std::ranges::find(columns, name) != columns.end();
  };
  return has("candidate") && has("reference");
}

void read_translations(const std::string& path, std::string_view text, ReportInputs& inputs) {
  CsvReader reader(path);
  const std::vector<std::string> columns = reader.read_header();
  const std::size_t candidate = find_column(columns, "candidate", path);
  const std::size_t reference = find_column(columns, "reference", path);
  const auto input = std::ranges::find(columns, "input");
  TranslationInput table;
  table.system = corpus_stem(path);
  if (const std::optional<OriginalFile> original = find_original_file(text)) {
    table.system = original->name;
    table.test_set = original->measured;
    table.is_original = true;
  }
  std::vector<std::string> fields;
  while (reader.next(fields)) {
    table.candidates.push_back(std::move(fields[candidate]));
    table.references.push_back(std::move(fields[reference]));
    if (input != columns.end()) {
      table.sources.push_back(std::move(fields[static_cast<std::size_t>(input - columns.begin())]));
    }
  }
  if (table.references.empty()) throw DataError(path + ": no rows after the header");
  inputs.translations.push_back(std::move(table));
}

void name_test_sets(ReportInputs& inputs) {
  std::vector<TranslationInput>& tables = inputs.translations;
  for (TranslationInput& table : tables) {
    for (const EvaluationInput& evaluation : inputs.evaluations) {
      if (table.is_evaluated || table.is_original || !is_same_set(evaluation.record, table))
        continue;
      table.test_set = evaluation.record.test_set;
      if (evaluation.record.tokenize == "none") table.tokenize = BleuTokenize::kNone;
      if (!is_output_of(evaluation.record, table)) continue;
      table.system = evaluation.system;
      table.is_evaluated = true;
    }
  }
  for (TranslationInput& table : tables) {
    if (!table.test_set.empty()) continue;
    const auto same = std::ranges::find_if(tables, [&](const TranslationInput& other) {
      return !other.test_set.empty() && other.references == table.references;
    });
    table.test_set = same != tables.end() ? same->test_set : "that of " + table.system;
  }
}

}  // namespace linformer
