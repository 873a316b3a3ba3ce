// SPDX-License-Identifier: Apache-2.0
#include "linformer/score.h"

#include "base/utf8.h"
#include "linformer/error.h"
#include "scoring/bleu.h"
#include "scoring/chrf.h"

namespace linformer {
namespace {

void check_utf8(const std::vector<std::string>& segments, std::string_view what) {
  for (std::size_t index = 0; index < segments.size(); ++index) {
    if (const auto offset = utf8_first_invalid(segments[index])) {
      throw DataError(std::string(what) + " " + std::to_string(index + 1) +
                      ": invalid UTF-8 at byte " + std::to_string(*offset));
    }
  }
}

}  // namespace

CorpusScore score_corpus(const std::vector<std::string>& hypotheses,
                         const std::vector<std::string>& references, std::string_view tokenize) {
  const BleuTokenize tokens = bleu_tokenize_named(tokenize);
  check_utf8(hypotheses, "hypothesis");
  check_utf8(references, "reference");
  const BleuScore bleu = corpus_bleu(hypotheses, references, tokens);
  const ChrfScore chrf = corpus_chrf(hypotheses, references);
  return {.bleu = bleu.score,
          .precisions = bleu.precisions,
          .brevity_penalty = bleu.brevity_penalty,
          .hypothesis_length = bleu.hypothesis_length,
          .reference_length = bleu.reference_length,
          .bleu_signature = bleu.signature,
          .bleu_line = bleu.line(),
          .chrf = chrf.score,
          .chrf_signature = chrf.signature};
}

}  // namespace linformer
