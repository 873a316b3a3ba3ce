// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/parallel_corpus.h"
#include "decoding/translator.h"
#include "scoring/bleu.h"
#include "scoring/bootstrap.h"
#include "scoring/chrf.h"
#include "text/tokenizer.h"

namespace linformer {

struct EvaluationOptions {
  BleuTokenize tokenize = BleuTokenize::k13a;
  std::int64_t max_new_tokens = 0;
  std::int64_t batch_tokens = 0;  // 0: by the device
  bool as_seed = false;
  /// Set: the sentences of a document (SentencePair::document) are joined by this id as far as the
  /// model's max_length goes, translated together and scored apart. Not with as_seed.
  std::optional<std::int32_t> separator;
  std::function<void(std::int64_t sentences)> on_progress;  // translated so far
};

/// What the original's programs would print for the same translations.
struct AsSeedScores {
  BleuScore bleu;  // its first translation against all references, which were tokenized, cut at 256
                   // tokens and decoded again
  double perplexity = 0;  // its evaluation: token-weighted, targets cut at 256 tokens
  double validation_perplexity =
      0;  // its training: the unweighted mean over batches of 176 pairs in file order
  std::int64_t changed_references = 0;  // references that its round trip changed
};

struct Evaluation {
  std::vector<std::string> candidates;
  BleuScore bleu;
  BootstrapInterval bleu_interval;  // 95 %, over sentences
  ChrfScore chrf;
  double cross_entropy = 0;  // nats a reference token, </s> counted
  double perplexity = 0;     // exp of it; may be infinite
  double bits_per_byte = 0;  // of the raw reference text
  std::int64_t sentences = 0;
  std::int64_t sequences = 0;         // the model's inputs: as many, unless documents are joined
  std::int64_t misaligned = 0;        // joined ones whose translation held more or fewer sentences
  std::int64_t tokens = 0;            // of the references, separators and </s> counted
  std::int64_t generated_tokens = 0;  // </s> counted
  std::int64_t stopped_by_limit = 0;
  std::int64_t truncated_sources = 0;  // longer than max_length, cut as the original does
  std::int64_t empty_candidates = 0;
  std::optional<double> longer_than_k;  // Linformer: share of sources with more tokens than k
  double translate_seconds = 0;
  double seconds = 0;
  std::optional<AsSeedScores> as_seed;
};

/// Translates the sources greedily and scores: BLEU and chrF against the raw references,
/// cross-entropy of the references under teacher forcing. A sentence that a joined translation
/// lacks is empty. Throws DivergenceError (with the token
/// count) when the model's output is not finite, DataError for no pairs or references without a
/// byte.
Evaluation evaluate_pairs(Transformer& model, const Tokenizer& tokenizer, at::Device device,
                          const std::vector<SentencePair>& pairs, const EvaluationOptions& options);

}  // namespace linformer
