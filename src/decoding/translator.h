// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decoding/greedy_search.h"
#include "model/transformer.h"
#include "text/tokenizer.h"

namespace linformer {

struct TranslatorOptions {
  std::int64_t max_new_tokens = 0;  // as in GreedyOptions
  std::int64_t batch_tokens = 0;    // source ids of one batch, padding counted; 0: by the device
  bool truncate_long = false;       // else a line over the model's max_length is an error
  std::string prompt;               // what every translation begins with
  /// Takes the blank out of " ." and the like in output text. Unset = in compatibility mode only:
  /// the original does it, and it would spoil text whose tokens stand apart on purpose.
  std::optional<bool> clean_up;
  std::function<void(std::int64_t sentences)> on_progress;  // after every batch: how many are done
};

struct Translation {
  std::string text;  // one line
  std::vector<std::int32_t> ids;
  bool stopped_by_limit = false;
  bool truncated = false;
};

/// Text in, text out, greedily. Refers to the model, shares the tokenizer; for one thread at a
/// time.
class Translator {
 public:
  Translator(Transformer& model, const Tokenizer& tokenizer, at::Device device,
             TranslatorOptions options = {});

  /// One translation a line, in order; lines are batched by length. An empty or blank line gives an
  /// empty text. Throws DataError "line N: ..." (`first_line` numbers the first) for a line of more
  /// than max_length ids unless truncate_long.
  std::vector<Translation> translate(std::span<const std::string> lines,
                                     std::int64_t first_line = 1);

  /// Ids of `line` with <s> and </s>, at most the model's max_length. Throws as translate does;
  /// `truncated` tells whether it was cut.
  std::vector<std::int32_t> encode(const std::string& line, std::int64_t number,
                                   bool& truncated) const;

  /// Translations of ids with <s> and </s>, each at most max_length long where the model is a
  /// linear Linformer. A batch that memory does not hold is halved.
  std::vector<Hypothesis> translate_ids(const std::vector<std::vector<std::int32_t>>& sources);

  /// Text of a hypothesis, cleaned up as the options say; line breaks become blanks.
  std::string text_of(std::span<const std::int32_t> ids) const;

 private:
  Transformer& model_;
  Tokenizer tokenizer_;
  at::Device device_;
  TranslatorOptions options_;
};

/// Indices of `lengths`, longest first, in groups whose padded size (count times longest, short
/// ones taken as 16 because a translation costs memory too) is at most `batch_tokens`; a longer
/// sequence makes a group of its own.
std::vector<std::vector<std::size_t>> length_batches(std::span<const std::int64_t> lengths,
                                                     std::int64_t batch_tokens);

/// True for a line that is not translated: empty, or white space alone.
bool is_blank_line(std::string_view line);

}  // namespace linformer
