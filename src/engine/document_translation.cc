// SPDX-License-Identifier: Apache-2.0
#include "engine/document_translation.h"

#include <utility>

#include "data/document_joiner.h"

namespace linformer {
namespace {

using Ids = std::span<const std::int32_t>;

constexpr std::int64_t kSpecials = 2;  // <s> and </s>

}  // namespace

DocumentTranslations translate_documents(Translator& translator, const Tokenizer& tokenizer,
                                         std::span<const std::string> lines,
                                         std::int64_t first_line, std::int64_t max_length,
                                         std::int32_t separator) {
  DocumentTranslations out;
  out.lines.resize(lines.size());
  std::vector<std::vector<std::int32_t>> sources;
  std::vector<std::size_t> counts;
  DocumentJoiner joiner(max_length - kSpecials, separator,
                        [&](Ids source, Ids /*target*/, std::int64_t sentences) {
                          sources.push_back(tokenizer.with_special(source));
                          counts.push_back(static_cast<std::size_t>(sentences));
                        });
  std::vector<std::size_t> line_of;
  std::int64_t document = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (is_blank_line(lines[i])) {
      ++document;
      continue;
    }
    const std::vector<std::int32_t> ids = translator.encode(
        lines[i], first_line + static_cast<std::int64_t>(i), out.lines[i].truncated);
    joiner.add(Ids(ids).subspan(1, ids.size() - kSpecials), {}, std::to_string(document));
    line_of.push_back(i);
  }
  joiner.finish();

  const std::vector<Hypothesis> hypotheses = translator.translate_ids(sources);
  out.sequences = std::ssize(hypotheses);
  std::size_t sentence = 0;
  for (std::size_t s = 0; s < hypotheses.size(); ++s) {
    const SplitSentences split = split_joined(hypotheses[s].ids, separator, counts[s]);
    out.misaligned += split.is_aligned ? 0 : 1;
    for (const Ids ids : split.sentences) {
      Translation& line = out.lines[line_of[sentence++]];
      line.ids.assign(ids.begin(), ids.end());
      line.text = translator.text_of(line.ids);
    }
    out.lines[line_of[sentence - 1]].stopped_by_limit = hypotheses[s].stopped_by_limit;
  }
  return out;
}

}  // namespace linformer
