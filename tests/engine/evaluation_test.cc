// SPDX-License-Identifier: Apache-2.0
#include "engine/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "data/document_joiner.h"
#include "linformer/error.h"
#include "ops/packed_sequences.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/tiny_model.h"

namespace linformer {
namespace {

const std::vector<SentencePair> kPairs{{"one", "eins"},
                                       {"", "leer"},
                                       {"three words here", "drei W\xC3\xB6rter hier"},
                                       {"x .", "ix ."},
                                       {"yes", "ja"}};

class EvaluationTest : public ::testing::Test {
 protected:
  EvaluationTest() : tokenizer_(byte_tokenizer()), tiny_(tiny_config("linear", 264), at::kDouble) {}

  Evaluation evaluate(const std::vector<SentencePair>& pairs,
                      const EvaluationOptions& options = {}) {
    return evaluate_pairs(*tiny_.model, tokenizer_, at::kCPU, pairs, options);
  }

  /// -log p of every reference token of a pair, straight from the definition; </s> counted.
  std::vector<double> token_nll(const SentencePair& pair) {
    const at::NoGradGuard no_grad;
    const std::vector<std::int32_t> source = tokenizer_.encode_with_special(pair.source, 40);
    const std::vector<std::int32_t> target = tokenizer_.encode_with_special(pair.target);
    const PackedSequences from = pack(source);
    const PackedSequences to = pack({target.begin(), target.end() - 1});
    const at::Tensor log_p = at::log_softmax(
        tiny_.model->logits(tiny_.model->decode(to, tiny_.model->encode(from), from)), 1);
    std::vector<double> out;
    for (std::size_t t = 1; t < target.size(); ++t) {
      out.push_back(-log_p[static_cast<std::int64_t>(t - 1)][target[t]].item<double>());
    }
    return out;
  }

  static PackedSequences pack(const std::vector<std::int32_t>& ids) {
    const std::vector<std::int64_t> wide(ids.begin(), ids.end());
    const std::vector<std::int64_t> length{static_cast<std::int64_t>(wide.size())};
    return pack_sequences(wide, length, at::kCPU);
  }

  Tokenizer tokenizer_;
  TinyModel tiny_;
};

TEST_F(EvaluationTest, CandidatesAreTheTranslatorsAndScoresAreTheirs) {
  const Evaluation out = evaluate(kPairs);
  std::vector<std::string> lines;
  std::vector<std::string> references;
  for (const SentencePair& pair : kPairs) {
    lines.push_back(pair.source);
    references.push_back(pair.target);
  }
  Translator translator(*tiny_.model, tokenizer_, at::kCPU);
  std::vector<std::string> candidates;
  std::int64_t stopped = 0;
  std::int64_t generated = 0;
  for (const Translation& translation : translator.translate(lines)) {
    stopped += translation.stopped_by_limit ? 1 : 0;
    generated += std::ssize(translation.ids) +
                 (translation.stopped_by_limit || candidates.size() == 1 ? 0 : 1);
    candidates.push_back(translation.text);
  }
  EXPECT_EQ(out.candidates, candidates);
  EXPECT_EQ(out.stopped_by_limit, stopped);
  EXPECT_EQ(out.generated_tokens, generated);
  EXPECT_EQ(out.sentences, 5);
  EXPECT_GE(out.empty_candidates, 1);
  EXPECT_EQ(out.bleu.score, corpus_bleu(candidates, references).score);
  EXPECT_EQ(out.bleu.signature, corpus_bleu(candidates, references).signature);
  EXPECT_EQ(out.chrf.score, corpus_chrf(candidates, references).score);
}

TEST_F(EvaluationTest, PerplexityIsWeightedByTokensAndBitsAreOfRawBytes) {
  const Evaluation out = evaluate(kPairs);
  double nll = 0;
  std::int64_t tokens = 0;
  std::size_t bytes = 0;
  for (const SentencePair& pair : kPairs) {
    for (const double value : token_nll(pair)) nll += value;
    tokens += std::ssize(token_nll(pair));
    bytes += pair.target.size();
  }
  EXPECT_EQ(out.tokens, tokens);
  EXPECT_NEAR(out.cross_entropy, nll / static_cast<double>(tokens), 1e-9);
  EXPECT_NEAR(out.perplexity, std::exp(nll / static_cast<double>(tokens)), 1e-6 * out.perplexity);
  EXPECT_NEAR(out.bits_per_byte, nll / std::numbers::ln2 / static_cast<double>(bytes), 1e-9);
}

TEST_F(EvaluationTest, LongSourcesAreCutAndCountedReferencesAreNot) {
  const std::vector<SentencePair> pairs{{std::string(60, 'a'), std::string(70, 'b')},
                                        {"abc", "de"}};
  const Evaluation out = evaluate(pairs);
  EXPECT_EQ(out.truncated_sources, 1);
  EXPECT_EQ(out.tokens, 71 + 3);
  ASSERT_TRUE(out.longer_than_k.has_value());
  EXPECT_EQ(*out.longer_than_k, 1.0);  // 62 and 5 ids, k = 4
  EXPECT_EQ(evaluate({{"ab", "c"}, {"abcd", "c"}}).longer_than_k, 0.5);
  EXPECT_EQ(out.candidates[0], evaluate({{std::string(38, 'a'), "b"}}).candidates[0]);
}

TEST_F(EvaluationTest, AsSeedScoresTheFirstCandidateAgainstAllDecodedReferences) {
  const std::vector<SentencePair> pairs{
      {"one", "eins ."}, {"two", std::string(300, 'b')}, {"three", "drei"}};
  const Evaluation out = evaluate(pairs, {.as_seed = true});
  ASSERT_TRUE(out.as_seed.has_value());
  const std::vector<std::string> references{"eins.", std::string(254, 'b'), "drei"};
  const std::string first = tokenizer_.decode(Translator(*tiny_.model, tokenizer_, at::kCPU)
                                                  .translate(std::vector<std::string>{"one"})
                                                  .front()
                                                  .ids);
  const BleuScore want = bleu_from_statistics(
      bleu_statistics(first, references, BleuTokenize::k13a), BleuTokenize::k13a, 3);
  EXPECT_EQ(out.as_seed->bleu.score, want.score);
  EXPECT_EQ(out.as_seed->bleu.hypothesis_length, want.hypothesis_length);
  EXPECT_EQ(out.as_seed->changed_references, 2);

  double nll = 0;
  std::int64_t tokens = 0;
  for (SentencePair pair : pairs) {
    pair.target.resize(std::min<std::size_t>(pair.target.size(), 254));
    for (const double value : token_nll(pair)) nll += value;
    tokens += std::ssize(token_nll(pair));
  }
  EXPECT_NEAR(out.as_seed->perplexity, std::exp(nll / static_cast<double>(tokens)),
              1e-6 * out.as_seed->perplexity);
  EXPECT_NEAR(out.as_seed->validation_perplexity, out.as_seed->perplexity,
              1e-9 * out.as_seed->perplexity);
  EXPECT_FALSE(evaluate(pairs).as_seed.has_value());
}

TEST_F(EvaluationTest, ItsTrainingPerplexityIsTheMeanOverBatchesOf176Pairs) {
  std::vector<SentencePair> pairs(176, {"a", "b"});
  pairs.push_back({"c", "defgh"});
  const Evaluation out = evaluate(pairs, {.max_new_tokens = 1, .as_seed = true});
  const auto perplexity = [&](const SentencePair& pair) {
    double nll = 0;
    for (const double value : token_nll(pair)) nll += value;
    return std::exp(nll / static_cast<double>(token_nll(pair).size()));
  };
  const double want = (perplexity(pairs.front()) + perplexity(pairs.back())) / 2;
  EXPECT_NEAR(out.as_seed->validation_perplexity, want, 1e-6 * want);
  EXPECT_GT(std::abs(out.as_seed->perplexity - want), 1e-3);
}

TEST_F(EvaluationTest, OutputsThatAreNotFiniteAreADivergence) {
  const at::NoGradGuard no_grad;
  tiny_.store->parameters().front().master.fill_(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(evaluate(kPairs), DivergenceError);
  const std::vector<SentencePair> untranslated{{"", "ab"}};
  EXPECT_NE(error_text<DivergenceError>([&] { evaluate(untranslated); }).find("3 target tokens"),
            std::string::npos);
}

TEST_F(EvaluationTest, APerplexityThatOverflowsIsInfiniteAndItsCrossEntropyIsNot) {
  const at::NoGradGuard no_grad;
  tiny_.store->find("linear.bias")->master[100] = 2000.0;
  const Evaluation out = evaluate({{"x", "y"}}, {.max_new_tokens = 2});
  EXPECT_TRUE(std::isinf(out.perplexity));
  EXPECT_GT(out.cross_entropy, 1000.0);
  EXPECT_TRUE(std::isfinite(out.cross_entropy));
}

TEST_F(EvaluationTest, NeedsPairsAndReferences) {
  EXPECT_EQ(error_text<DataError>([&] { evaluate({}); }), "no sentence pairs to evaluate");
  EXPECT_EQ(error_text<DataError>([&] { evaluate({{"a", ""}}); }), "every reference is empty");
}

TEST_F(EvaluationTest, SentencesOfADocumentAreTranslatedTogetherAndScoredApart) {
  std::vector<SentencePair> pairs{{"one", "eins"}, {"two", "zwei"}, {"yes", "ja"}};
  pairs[0].document = pairs[1].document = "a";
  pairs[2].document = "b";
  EvaluationOptions options;
  options.separator = separator_id(tokenizer_, "|");
  const Evaluation out = evaluate(pairs, options);
  EXPECT_EQ(out.sentences, 3);
  EXPECT_EQ(out.sequences, 2);
  const std::vector<std::string> lines{"one|two", "yes"};
  const std::vector<Translation> whole =
      Translator(*tiny_.model, tokenizer_, at::kCPU).translate(lines);
  const SplitSentences split = split_joined(whole[0].ids, *options.separator, 2);
  EXPECT_EQ(out.candidates,
            (std::vector<std::string>{tokenizer_.decode(split.sentences[0], true, false),
                                      tokenizer_.decode(split.sentences[1], true, false),
                                      whole[1].text}));
  const std::vector<std::string> references{"eins", "zwei", "ja"};
  EXPECT_EQ(out.bleu.score, corpus_bleu(out.candidates, references).score);
  double nll = 0;
  for (const SentencePair& pair : {SentencePair{"one|two", "eins|zwei"}, {"yes", "ja"}}) {
    for (const double value : token_nll(pair)) nll += value;
  }
  EXPECT_EQ(out.tokens, 10 + 3);
  EXPECT_NEAR(out.cross_entropy, nll / 13, 1e-9);
  EXPECT_NEAR(out.bits_per_byte, nll / std::numbers::ln2 / 10, 1e-9);
}

TEST_F(EvaluationTest, JoinedSentencesFitInTheModelAndAnEmptyDocumentIsNotTranslated) {
  std::vector<SentencePair> pairs(3, {std::string(18, 'a'), "b"});  // 18 + 1 + 18 + 2 = 39 of 40
  pairs.push_back({"", "x"});
  pairs.back().document = "empty";
  EvaluationOptions options;
  options.separator = separator_id(tokenizer_, "|");
  const Evaluation out = evaluate(pairs, options);
  EXPECT_EQ(out.sequences, 3);
  EXPECT_EQ(out.truncated_sources, 0);
  EXPECT_EQ(out.candidates.back(), "");
  ASSERT_TRUE(out.longer_than_k.has_value());
  EXPECT_NEAR(*out.longer_than_k, 2.0 / 3, 1e-12);
}

}  // namespace
}  // namespace linformer
