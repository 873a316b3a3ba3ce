// SPDX-License-Identifier: Apache-2.0
#include "engine/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <span>
#include <utility>

#include "data/document_joiner.h"
#include "linformer/error.h"
#include "ops/device.h"
#include "scoring/as_seed.h"
#include "training/corpus_loss.h"

namespace linformer {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSpecials = 2;  // <s> and </s>
constexpr std::int64_t kSeedMaxLength = 256;
constexpr std::size_t kSeedValidationBatch = 176;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double validation_perplexity(const CorpusLoss& loss) {
  double sum = 0;
  std::size_t batches = 0;
  for (std::size_t begin = 0; begin < loss.pair_nll.size();
       begin += kSeedValidationBatch, ++batches) {
    const std::size_t end = std::min(begin + kSeedValidationBatch, loss.pair_nll.size());
    double nll = 0;
    std::int64_t tokens = 0;
    for (std::size_t i = begin; i < end; ++i) {
      nll += loss.pair_nll[i];
      tokens += loss.pair_tokens[i];
    }
    sum += std::exp(nll / static_cast<double>(tokens));
  }
  return sum / static_cast<double>(batches);
}

/// One evaluation, step by step.
class Evaluator {
 public:
  Evaluator(Transformer& model, const Tokenizer& tokenizer, at::Device device,
            const std::vector<SentencePair>& pairs, const EvaluationOptions& options)
      : model_(model), tokenizer_(tokenizer), device_(device), pairs_(pairs), options_(options) {
    if (options_.batch_tokens == 0) options_.batch_tokens = inference_batch_tokens(device);
    for (const SentencePair& pair : pairs) references_.push_back(pair.target);
  }

  Evaluation run() {
    const Clock::time_point start = Clock::now();
    out_.sentences = std::ssize(pairs_);
    encode();
    translate();
    score();
    out_.chrf = corpus_chrf(out_.candidates, references_);
    const CorpusLoss loss = corpus_loss(model_, ids_, options_.batch_tokens, device_);
    set_perplexity(loss);
    if (options_.as_seed) out_.as_seed = score_as_seed(loss);
    out_.seconds = seconds_since(start);
    return std::move(out_);
  }

 private:
  using Ids = std::span<const std::int32_t>;

  /// Sources are cut to max_length, targets stay whole.
  void encode() {
    const ModelConfig& config = model_.config();
    const std::size_t capacity = static_cast<std::size_t>(config.max_length) - kSpecials;
    const auto append = [this](Ids source, Ids target, std::int64_t sentences) {
      ids_.push_back({tokenizer_.with_special(source), tokenizer_.with_special(target)});
      sentences_.push_back(static_cast<std::size_t>(sentences));
    };
    std::optional<DocumentJoiner> joiner;
    if (options_.separator) {
      joiner.emplace(static_cast<std::int64_t>(capacity), *options_.separator, append);
    }
    std::int64_t longer = 0;
    std::vector<std::int32_t> source;
    std::vector<std::int32_t> target;
    for (const SentencePair& pair : pairs_) {
      source.clear();
      target.clear();
      tokenizer_.encode(pair.source, source);
      tokenizer_.encode(pair.target, target);
      if (source.size() > capacity) {
        source.resize(capacity);
        ++out_.truncated_sources;
      }
      if (joiner) {
        joiner->add(source, target, pair.document);
      } else {
        append(source, target, 1);
      }
    }
    if (joiner) joiner->finish();
    out_.sequences = std::ssize(ids_);
    for (const IdPair& ids : ids_) {
      longer += std::ssize(ids.source) > config.projected_length ? 1 : 0;
    }
    if (config.is_linformer()) {
      out_.longer_than_k = static_cast<double>(longer) / static_cast<double>(ids_.size());
    }
  }

  bool is_blank(std::size_t first, std::size_t count) const {
    const auto begin = pairs_.begin() + static_cast<std::ptrdiff_t>(first);
    return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(count),
                       [](const SentencePair& pair) { return is_blank_line(pair.source); });
  }

  /// Gives sentences [first, first + count) their parts of a translation.
  void distribute(const std::vector<std::int32_t>& ids, std::size_t first, std::size_t count) {
    if (!options_.separator) {
      results_[first] = ids;
      return;
    }
    const SplitSentences split = split_joined(ids, *options_.separator, count);
    out_.misaligned += split.is_aligned ? 0 : 1;
    for (std::size_t i = 0; i < count; ++i) {
      results_[first + i].assign(split.sentences[i].begin(), split.sentences[i].end());
    }
  }

  void translate() {
    const Clock::time_point start = Clock::now();
    TranslatorOptions translator_options;
    translator_options.max_new_tokens = options_.max_new_tokens;
    translator_options.batch_tokens = options_.batch_tokens;
    translator_options.on_progress = options_.on_progress;
    Translator translator(model_, tokenizer_, device_, translator_options);
    std::vector<std::pair<std::size_t, std::size_t>> parts;  // first sentence, how many
    std::vector<std::vector<std::int32_t>> sources;
    std::size_t first = 0;
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      if (!is_blank(first, sentences_[i])) {
        parts.emplace_back(first, sentences_[i]);
        sources.push_back(ids_[i].source);
      }
      first += sentences_[i];
    }
    results_.resize(pairs_.size());
    const std::vector<Hypothesis> hypotheses = translator.translate_ids(sources);
    for (std::size_t j = 0; j < hypotheses.size(); ++j) {
      out_.stopped_by_limit += hypotheses[j].stopped_by_limit ? 1 : 0;
      out_.generated_tokens +=
          std::ssize(hypotheses[j].ids) + (hypotheses[j].stopped_by_limit ? 0 : 1);
      distribute(hypotheses[j].ids, parts[j].first, parts[j].second);
    }
    for (const std::vector<std::int32_t>& result : results_) {
      out_.candidates.push_back(translator.text_of(result));
      out_.empty_candidates += is_blank_line(out_.candidates.back()) ? 1 : 0;
    }
    out_.translate_seconds = seconds_since(start);
  }

  void score() {
    const std::vector<BleuStatistics> statistics =
        segment_statistics(out_.candidates, references_, options_.tokenize);
    out_.bleu = bleu_of_segments(statistics, options_.tokenize);
    out_.bleu_interval = bootstrap_interval(statistics);
  }

  void set_perplexity(const CorpusLoss& loss) {
    std::size_t bytes = 0;
    for (const std::string& reference : references_) bytes += reference.size();
    if (bytes == 0) throw DataError("every reference is empty");
    if (!std::isfinite(loss.nll_sum)) {
      throw DivergenceError("the cross-entropy is not finite (" + std::to_string(loss.tokens) +
                            " reference tokens)");
    }
    out_.tokens = loss.tokens;
    out_.cross_entropy = loss.mean();
    out_.perplexity = std::exp(out_.cross_entropy);
    out_.bits_per_byte = loss.nll_sum / std::numbers::ln2 / static_cast<double>(bytes);
  }

  AsSeedScores score_as_seed(const CorpusLoss& whole) {
    AsSeedScores out;
    std::vector<std::string> references;
    std::vector<std::string> candidates;
    bool is_cut = false;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      std::vector<std::int32_t>& target = ids_[i].target;
      is_cut = is_cut || std::ssize(target) > kSeedMaxLength;
      target = tokenizer_.encode_with_special(references_[i], kSeedMaxLength);
      references.push_back(tokenizer_.decode(target, /*skip_special=*/true, /*clean_up=*/true));
      candidates.push_back(
          tokenizer_.decode(results_[i], /*skip_special=*/true, /*clean_up=*/true));
      out.changed_references += references.back() == references_[i] ? 0 : 1;
    }
    out.bleu = as_seed_bleu(candidates, references, BleuTokenize::k13a);
    const CorpusLoss loss =
        is_cut ? corpus_loss(model_, ids_, options_.batch_tokens, device_) : whole;
    out.perplexity = std::exp(loss.mean());
    out.validation_perplexity = validation_perplexity(loss);
    return out;
  }

  Transformer& model_;
  const Tokenizer& tokenizer_;
  at::Device device_;
  const std::vector<SentencePair>& pairs_;
  EvaluationOptions options_;
  std::vector<std::string> references_;
  std::vector<IdPair> ids_;                         // the model's inputs and outputs
  std::vector<std::size_t> sentences_;              // how many sentences are in each
  std::vector<std::vector<std::int32_t>> results_;  // what was generated for each sentence
  Evaluation out_;
};

}  // namespace

Evaluation evaluate_pairs(Transformer& model, const Tokenizer& tokenizer, at::Device device,
                          const std::vector<SentencePair>& pairs,
                          const EvaluationOptions& options) {
  if (pairs.empty()) throw DataError("no sentence pairs to evaluate");
  return Evaluator(model, tokenizer, device, pairs, options).run();
}

}  // namespace linformer
