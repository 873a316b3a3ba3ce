// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "report/sections.h"
#include "scoring/as_seed.h"
#include "scoring/bleu.h"
#include "scoring/bootstrap.h"
#include "scoring/chrf.h"

namespace linformer {
namespace {

QualityRow row_of(const EvaluationInput& input) {
  const EvaluationRecord& record = input.record;
  QualityRow row;
  row.system = input.system;
  row.test_set = record.test_set;
  row.bleu = record.bleu;
  if (record.bleu_interval) {
    row.lower = (*record.bleu_interval)[0];
    row.upper = (*record.bleu_interval)[1];
  }
  row.chrf = record.chrf;
  row.perplexity = record.perplexity;
  row.bits_per_byte = record.bits_per_byte;
  if (record.sentences > 0) row.sentences = record.sentences;
  row.projected_length = record.projected_length;
  row.longer_than_k = record.sources_longer_than_k;
  row.signature = record.signature;
  return row;
}

QualityRow row_of(const TranslationInput& table) {
  const std::vector<BleuStatistics> statistics =
      segment_statistics(table.candidates, table.references, table.tokenize);
  const BleuScore bleu = bleu_of_segments(statistics, table.tokenize);
  const BootstrapInterval interval = bootstrap_interval(statistics);
  QualityRow row;
  row.system = table.system;
  row.test_set = table.test_set;
  row.bleu = bleu.score;
  row.lower = interval.lower;
  row.upper = interval.upper;
  row.chrf = corpus_chrf(table.candidates, table.references).score;
  row.sentences = std::ssize(table.references);
  row.signature = bleu.signature;
  if (table.is_original) row.as_printed = as_seed_bleu(table.candidates, table.references).score;
  return row;
}

QualityRow row_of(const ScoreInput& score) {
  QualityRow row;
  row.system = score.system;
  row.bleu = score.bleu;
  if (score.interval) {
    row.lower = (*score.interval)[0];
    row.upper = (*score.interval)[1];
  }
  row.chrf = score.chrf;
  row.sentences = score.segments;
  row.signature = score.signature;
  return row;
}

}  // namespace

std::vector<QualityRow> quality_rows(const ReportInputs& inputs) {
  std::vector<QualityRow> rows;
  for (const EvaluationInput& evaluation : inputs.evaluations) rows.push_back(row_of(evaluation));
  for (const TranslationInput& table : inputs.translations) {
    if (!table.is_evaluated) rows.push_back(row_of(table));
  }
  for (const ScoreInput& score : inputs.scores) rows.push_back(row_of(score));
  std::vector<std::string> order;
  for (const QualityRow& row : rows) {
    if (std::ranges::find(order, row.test_set) == order.end()) order.push_back(row.test_set);
  }
  std::ranges::stable_sort(rows, {}, [&](const QualityRow& row) {
    return std::ranges::find(order, row.test_set) - order.begin();
  });
  return rows;
}

}  // namespace linformer
