// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "report/sections.h"

namespace linformer {
namespace {

constexpr std::size_t kTableExamples = 8;

/// Translations of one source.
struct Sentence {
  std::string test_set;
  std::string source;
  std::string reference;
  std::vector<std::pair<std::string, std::string>> candidates;  // system, text
};

Sentence& sentence_of(std::vector<Sentence>& all, const Sentence& wanted) {
  const auto same = std::ranges::find_if(all, [&](const Sentence& sentence) {
    return sentence.test_set == wanted.test_set && sentence.source == wanted.source;
  });
  if (same != all.end()) return *same;
  all.push_back(wanted);
  return all.back();
}

void add(std::vector<Sentence>& all, const Sentence& key, const std::string& system,
         const std::string& candidate) {
  auto& candidates = sentence_of(all, key).candidates;
  const std::pair<std::string, std::string> next{system, candidate};
  // A run's evaluation and the table it wrote may both be given.
  if (std::ranges::find(candidates, next) == candidates.end()) candidates.push_back(next);
}

}  // namespace

Section examples_section(const ReportInputs& inputs) {
  std::vector<Sentence> all;
  for (const EvaluationInput& evaluation : inputs.evaluations) {
    for (const EvaluationExample& example : evaluation.record.examples) {
      add(all, {evaluation.record.test_set, example.source, example.reference, {}},
          evaluation.system, example.candidate);
    }
  }
  for (const TranslationInput& table : inputs.translations) {
    const std::size_t size = table.sources.size();
    const std::size_t count = std::min(kTableExamples, size);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = i * size / count;
      add(all, {table.test_set, table.sources[row], table.references[row], {}}, table.system,
          table.candidates[row]);
    }
  }
  Section section{"Translations", {}};
  if (all.empty()) return section;
  section.blocks.push_back(
      Paragraph{"Sentences at even distances in each test set, whatever their translations."});
  Examples examples;
  for (const Sentence& sentence : all) {
    Example example{{"source, " + sentence.test_set, sentence.source},
                    {"reference", sentence.reference}};
    example.insert(example.end(), sentence.candidates.begin(), sentence.candidates.end());
    examples.items.push_back(std::move(example));
  }
  section.blocks.push_back(std::move(examples));
  return section;
}

}  // namespace linformer
