// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "scoring/bleu.h"
#include "scoring/chrf.h"
#include "scoring/tokenizer_13a.h"
#include "support/fuzz_input.h"

namespace linformer {
namespace {

std::string join(const std::vector<std::string>& tokens) {
  std::string out;
  for (const std::string& token : tokens) out += (out.empty() ? "" : " ") + token;
  return out;
}

void check_tokens(const std::string& segment) {
  for (const std::string& token : tokenize_13a(segment))
    LF_CHECK(!token.empty() && !utf8_first_invalid(token), "token of " + segment);
  const std::vector<std::string> words = tokenize_white_space(segment);
  LF_CHECK(tokenize_white_space(join(words)) == words, "words of " + segment);
}

void check_range(double score) {
  LF_CHECK(std::isfinite(score) && score >= 0 && score <= 100 + 1e-9, std::to_string(score));
}

}  // namespace

/// Mode: bit 0: tokenized already. The text: a hypothesis, and from its first line break on a
/// reference.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzInput input(data, size);
  const std::string text = utf8_replace_invalid(input.text);
  const std::size_t newline = std::min(text.find('\n'), text.size());
  const std::vector<std::string> hypothesis{text.substr(0, newline)};
  const std::vector<std::string> reference{text.substr(std::min(newline + 1, text.size()))};
  check_tokens(hypothesis.front());
  check_tokens(reference.front());
  const BleuTokenize tokenize = (input.mode & 1U) != 0 ? BleuTokenize::kNone : BleuTokenize::k13a;
  const BleuScore bleu = corpus_bleu(hypothesis, reference, tokenize);
  check_range(bleu.score);
  for (const double precision : bleu.precisions) check_range(precision);
  const BleuScore self = corpus_bleu(reference, reference, tokenize);
  LF_CHECK(self.reference_length < 4 || self.score > 99.999999, self.line());
  check_range(corpus_chrf(hypothesis, reference).score);
  return 0;
}

}  // namespace linformer
