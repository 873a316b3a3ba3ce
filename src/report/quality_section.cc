// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "report/cells.h"
#include "report/sections.h"
#include "report/seed_groups.h"
#include "scoring/bleu.h"
#include "scoring/bootstrap.h"

namespace linformer {
namespace {

std::string interval_cell(const QualityRow& row) {
  if (row.lower > row.upper) return kNone;
  return fixed(row.lower, 2) + " to " + fixed(row.upper, 2);
}

bool has_row(const std::vector<QualityRow>& rows, const std::string& run) {
  return std::ranges::any_of(rows, [&](const QualityRow& row) {
    return row.system == run || row.system == run + ", averaged";
  });
}

/// Each signature once, in order of appearance.
std::vector<std::string> signatures_of(const std::vector<QualityRow>& rows) {
  std::vector<std::string> out;
  for (const QualityRow& row : rows) {
    if (!row.signature.empty() && std::ranges::find(out, row.signature) == out.end())
      out.push_back(row.signature);
  }
  return out;
}

/// a, b, ..., z, aa, ab, ...
std::string letter(std::size_t index) {
  const std::string before = index < 26 ? "" : letter(index / 26 - 1);
  return before + static_cast<char>('a' + index % 26);
}

/// The letter of a signature; `signatures` are those of the table of scores.
std::string signature_cell(const std::vector<std::string>& signatures,
                           const std::string& signature) {
  const auto place = std::ranges::find(signatures, signature);
  return place == signatures.end() ? kNone
                                   : letter(static_cast<std::size_t>(place - signatures.begin()));
}

Table score_table(const ReportInputs& inputs, const std::vector<QualityRow>& rows) {
  Table table{
      "Quality of translation. BLEU and chrF2 as sacreBLEU computes them; the interval "
      "holds 95 % of the scores of resampled test sets.",
      {{"system", false},
       {"test set", false},
       {"BLEU"},
       {"95 % interval"},
       {"chrF2"},
       {"perplexity"},
       {"bits per byte"},
       {"sentences"},
       {"k"},
       {"sources > k"},
       {"signature", false}},
      {},
      {}};
  const std::vector<std::string> signatures = signatures_of(rows);
  for (const QualityRow& row : rows) {
    table.rows.push_back({row.system, cell(row.test_set), fixed(row.bleu, 2), interval_cell(row),
                          cell(row.chrf, 2), cell(row.perplexity, 2), cell(row.bits_per_byte, 3),
                          cell(row.sentences), cell(row.projected_length),
                          percent_cell(row.longer_than_k),
                          signature_cell(signatures, row.signature)});
  }
  for (const RunInput& run : inputs.runs) {
    if (has_row(rows, run.name)) continue;
    std::vector<std::string> cells(table.columns.size(), kNone);
    cells[0] = run.name;
    table.rows.push_back(std::move(cells));
  }
  for (std::size_t i = 0; i < signatures.size(); ++i)
    table.notes.push_back(letter(i) + ": BLEU|" + signatures[i]);
  table.notes.push_back(
      "Perplexity is of the reference's tokens and compares models of one vocabulary only; bits "
      "per "
      "byte compare any. A Linformer whose sources are mostly no longer than k has hardly anything "
      "to shorten: its score says little about k.");
  return table;
}

std::string seed_cell(const SeedScore& score, int digits) {
  if (!std::isfinite(score.mean)) return kNone;
  return fixed(score.mean, digits) + " ± " + fixed(score.deviation, digits);
}

Table seed_table(const ReportInputs& inputs, const std::vector<QualityRow>& rows) {
  Table out{
      "Over seeds: mean ± sample standard deviation of the scores of runs that differ in "
      "nothing but the seed. Signatures as above.",
      {{"runs", false},
       {"test set", false},
       {"seeds"},
       {"step"},
       {"BLEU"},
       {"chrF2"},
       {"perplexity"},
       {"bits per byte"},
       {"signature", false}},
      {},
      {"A run counts with the evaluation of its last checkpoint; of runs with the same seed "
       "the first one counts."}};
  const std::vector<std::string> signatures = signatures_of(rows);
  for (const SeedGroup& group : seed_groups(inputs)) {
    std::string step = std::to_string(group.first_step);
    if (group.last_step > group.first_step) step += " to " + std::to_string(group.last_step);
    out.rows.push_back({group.runs, group.test_set, std::to_string(group.num_seeds), step,
                        seed_cell(group.bleu, 2), seed_cell(group.chrf, 2),
                        seed_cell(group.perplexity, 2), seed_cell(group.bits_per_byte, 3),
                        signature_cell(signatures, group.signature)});
  }
  return out;
}

/// The best of the tables with the same references against each of the others.
void add_pairs(const std::vector<const TranslationInput*>& tables, Table& out) {
  std::vector<std::vector<BleuStatistics>> statistics;
  std::vector<double> scores;
  for (const TranslationInput* table : tables) {
    statistics.push_back(segment_statistics(table->candidates, table->references, table->tokenize));
    scores.push_back(bleu_of_segments(statistics.back(), table->tokenize).score);
  }
  const auto best = static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (i == best) continue;
    const PairedBootstrap paired = paired_bootstrap(statistics[best], statistics[i]);
    out.rows.push_back({tables[best]->test_set, tables[best]->system, tables[i]->system,
                        fixed(paired.difference, 2),
                        fixed(paired.lower, 2) + " to " + fixed(paired.upper, 2),
                        fixed(paired.p, 4)});
  }
}

Table paired_table(const ReportInputs& inputs) {
  Table out{"Differences between systems, by paired bootstrap over the sentences.",
            {{"test set", false},
             {"best system", false},
             {"other system", false},
             {"BLEU difference"},
             {"95 % interval"},
             {"p"}},
            {},
            {}};
  std::vector<const TranslationInput*> left;
  for (const TranslationInput& table : inputs.translations) left.push_back(&table);
  while (!left.empty()) {
    const TranslationInput* first = left.front();
    std::vector<const TranslationInput*> same;
    std::erase_if(left, [&](const TranslationInput* table) {
      if (table->references != first->references) return false;
      same.push_back(table);
      return true;
    });
    if (same.size() > 1) add_pairs(same, out);
  }
  return out;
}

Table corrected_table(const std::vector<QualityRow>& rows) {
  Table out{"The original's published translations: corpus BLEU, and what its evaluation printed.",
            {{"system", false}, {"corpus BLEU"}, {"printed as BLEU"}},
            {},
            {"Its evaluation scored the first sentence alone, with the references of all sentences "
             "as alternatives."}};
  for (const QualityRow& row : rows) {
    if (row.as_printed)
      out.rows.push_back({row.system, fixed(row.bleu, 2), fixed(*row.as_printed, 2)});
  }
  return out;
}

}  // namespace

Section quality_section(const ReportInputs& inputs, const std::vector<QualityRow>& rows) {
  Section section{"Quality", {}};
  if (rows.empty() && inputs.runs.empty()) return section;
  section.blocks.push_back(score_table(inputs, rows));
  for (Table& table :
       std::vector<Table>{seed_table(inputs, rows), paired_table(inputs), corrected_table(rows)}) {
    if (!table.rows.empty()) section.blocks.push_back(std::move(table));
  }
  return section;
}

}  // namespace linformer
