// SPDX-License-Identifier: Apache-2.0
#include "decoding/translator.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/utf8.h"
#include "linformer/error.h"
#include "ops/device.h"
#include "ops/out_of_memory.h"
#include "text/unicode_class.h"

namespace linformer {

std::vector<std::vector<std::size_t>> length_batches(std::span<const std::int64_t> lengths,
                                                     std::int64_t batch_tokens) {
  constexpr std::int64_t kShortest = 16;
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<std::size_t>> batches;
  std::int64_t longest = 0;
  for (const std::size_t i : order) {
    if (batches.empty() ||
        longest * (static_cast<std::int64_t>(batches.back().size()) + 1) > batch_tokens) {
      batches.emplace_back();
      longest = std::max(lengths[i], kShortest);
    }
    batches.back().push_back(i);
  }
  return batches;
}

bool is_blank_line(std::string_view line) {
  for (std::size_t position = 0; position < line.size();) {
    if (utf8_sequence_length(line, position) == 0) return false;
    if (char_class(utf8_decode(line, position)) != CharClass::kSpace) return false;
  }
  return true;
}

Translator::Translator(Transformer& model, const Tokenizer& tokenizer, at::Device device,
                       TranslatorOptions options)
    : model_(model), tokenizer_(tokenizer), device_(device), options_(std::move(options)) {
  if (options_.batch_tokens == 0) options_.batch_tokens = inference_batch_tokens(device);
}

std::vector<std::int32_t> Translator::encode(const std::string& line, std::int64_t number,
                                             bool& truncated) const {
  const std::int64_t limit = model_.config().max_length;
  std::vector<std::int32_t> ids = tokenizer_.encode_with_special(line);
  truncated = std::ssize(ids) > limit;
  if (!truncated) return ids;
  if (!options_.truncate_long) {
    throw DataError("line " + std::to_string(number) +
                    ": longer than the model's max_length (got " + std::to_string(ids.size()) +
                    " tokens, want at most " + std::to_string(limit) +
                    "); --long truncate translates its beginning");
  }
  return tokenizer_.encode_with_special(line, limit);
}

std::vector<Translation> Translator::translate(std::span<const std::string> lines,
                                               std::int64_t first_line) {
  std::vector<Translation> out(lines.size());
  std::vector<std::size_t> line_of;
  std::vector<std::vector<std::int32_t>> sources;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (is_blank_line(lines[i])) continue;
    sources.push_back(
        encode(lines[i], first_line + static_cast<std::int64_t>(i), out[i].truncated));
    line_of.push_back(i);
  }
  std::vector<Hypothesis> hypotheses = translate_ids(sources);
  for (std::size_t s = 0; s < hypotheses.size(); ++s) {
    Translation& translation = out[line_of[s]];
    translation.ids = std::move(hypotheses[s].ids);
    translation.stopped_by_limit = hypotheses[s].stopped_by_limit;
    translation.text = text_of(translation.ids);
  }
  return out;
}

std::vector<Hypothesis> Translator::translate_ids(
    const std::vector<std::vector<std::int32_t>>& sources) {
  std::vector<std::int32_t> prompt;
  tokenizer_.encode(options_.prompt, prompt);
  const GreedyOptions greedy{
      .bos_id = tokenizer_.bos_id(),
      .eos_id = tokenizer_.eos_id(),
      .num_ids = std::min(tokenizer_.vocab_size(), model_.config().vocab_size),
      .max_new_tokens = options_.max_new_tokens,
      .prompt = std::move(prompt)};
  std::vector<std::int64_t> lengths;
  for (const std::vector<std::int32_t>& source : sources) lengths.push_back(std::ssize(source));
  std::vector<Hypothesis> out(sources.size());
  std::int64_t done = 0;
  const auto search = [&](std::span<const std::size_t> group) {
    std::vector<std::vector<std::int32_t>> batch;
    for (const std::size_t i : group) batch.push_back(sources[i]);
    std::vector<Hypothesis> results = greedy_search(model_, batch, greedy, device_);
    for (std::size_t j = 0; j < group.size(); ++j) out[group[j]] = std::move(results[j]);
    done += std::ssize(group);
    if (options_.on_progress) options_.on_progress(done);
  };
  const std::function<void(std::span<const std::size_t>)> translate_group =
      [&](std::span<const std::size_t> group) {
        if (group.size() == 1) return search(group);
        if (runs_in_memory([&] { search(group); })) return;
        const std::size_t half = group.size() / 2;
        translate_group(group.first(half));
        translate_group(group.subspan(half));
      };
  for (const auto& group : length_batches(lengths, options_.batch_tokens)) translate_group(group);
  return out;
}

std::string Translator::text_of(std::span<const std::int32_t> ids) const {
  std::string text = tokenizer_.decode(ids, /*skip_special=*/true,
                                       options_.clean_up.value_or(model_.config().compatibility));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

}  // namespace linformer
