// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// Scores of a corpus of translations, equal to sacreBLEU's to 1e-9.
///
///   linformer::CorpusScore score = linformer::score_corpus(translations, references);
///   std::cout << score.bleu_line << '\n';
struct CorpusScore {
  double bleu = 0;                     // 0 to 100
  std::array<double, 4> precisions{};  // of n-grams of 1 to 4 tokens, percent
  double brevity_penalty = 0;
  std::int64_t hypothesis_length = 0;  // tokens
  std::int64_t reference_length = 0;
  std::string bleu_signature;  // how it was computed
  std::string bleu_line;       // what sacreBLEU prints
  double chrf = 0;             // chrF2, 0 to 100
  std::string chrf_signature;
};

/// Scores hypotheses[i] against references[i]: UTF-8 texts of one segment each, not tokenized
/// ("13a") or tokenized already
/// ("none"). Throws DataError when their counts differ or are 0 or a text is not UTF-8, UsageError
/// for another `tokenize`.
CorpusScore score_corpus(const std::vector<std::string>& hypotheses,
                         const std::vector<std::string>& references,
                         std::string_view tokenize = "13a");

}  // namespace linformer
