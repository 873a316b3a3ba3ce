// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "data/document_joiner.h"
#include "data/text_lines.h"
#include "decoding/translator.h"
#include "engine/document_translation.h"
#include "engine/loaded_model.h"
#include "engine/runs.h"
#include "linformer/error.h"

namespace linformer {
namespace {

// A block is read, translated and written before the next: enough lines to sort into even batches,
// little memory.
constexpr std::size_t kBlockLines = 2048;
constexpr std::size_t kBlockBytes = std::size_t{4} << 20;

struct Totals {
  std::int64_t lines = 0;
  std::int64_t tokens = 0;
  std::int64_t stopped_by_limit = 0;
  std::int64_t truncated = 0;
  std::int64_t sequences = 0;
  std::int64_t misaligned = 0;

  void add(const Translation& translation) {
    ++lines;
    tokens += std::ssize(translation.ids);
    stopped_by_limit += translation.stopped_by_limit ? 1 : 0;
    truncated += translation.truncated ? 1 : 0;
  }
};

/// The next lines of standard input, one alone where a person waits for its translation; with
/// `documents` as many more as the last document has. Empty at the end.
std::vector<std::string> read_block(TextLines& input, bool documents) {
  const std::size_t most = ::isatty(STDIN_FILENO) != 0 ? 1 : kBlockLines;
  std::vector<std::string> block;
  std::size_t bytes = 0;
  const auto is_full = [&] {
    return (block.size() >= most || bytes >= kBlockBytes) &&
           !(documents && !is_blank_line(block.back()));
  };
  std::string_view line;
  while (!is_full() && input.next(line)) {
    block.emplace_back(line);
    bytes += line.size();
  }
  return block;
}

void print_json(const std::vector<std::string>& texts, const Totals& totals,
                const DeviceChoice& device, double seconds) {
  nlohmann::ordered_json json{{"translations", texts},
                              {"lines", totals.lines},
                              {"tokens", totals.tokens},
                              {"stopped_by_limit", totals.stopped_by_limit},
                              {"truncated", totals.truncated},
                              {"device", device.description},
                              {"seconds", seconds}};
  if (totals.sequences > 0) {
    json["sequences"] = totals.sequences;
    json["misaligned"] = totals.misaligned;
  }
  write_stdout(json.dump() + "\n");
}

void report(const Totals& totals) {
  if (totals.stopped_by_limit > 0) {
    log_warning(std::to_string(totals.stopped_by_limit) + " of " + std::to_string(totals.lines) +
                " translations were stopped by the length limit (--max-new-tokens)");
  }
  if (totals.misaligned > 0) {
    log_warning(std::to_string(totals.misaligned) + " of " + std::to_string(totals.sequences) +
                " joined translations hold more or fewer sentences than their sources: sentences "
                "are counted from the first, and missing ones are empty");
  }
  if (totals.truncated > 0) {
    log_warning(std::to_string(totals.truncated) + " of " + std::to_string(totals.lines) +
                " lines were cut to the model's max_length");
  }
}

}  // namespace

int run_translate(const TranslateOptions& options, const CommonOptions& common) {
  if (options.beam != 1) {
    throw UsageError("--beam " + std::to_string(options.beam) +
                     ": this version searches greedily (want 1)");
  }
  if (options.long_lines != "error" && options.long_lines != "truncate") {
    throw UsageError("--long " + options.long_lines + " (want error or truncate)");
  }
  if (options.documents && !options.prompt.empty()) {
    throw UsageError("--prompt begins each line's translation, --documents joins lines (want one)");
  }
  const auto start = std::chrono::steady_clock::now();
  leave_on_signals();  // a read of standard input would hide the first
  LoadedModel loaded = load_model(options.checkpoint, common, options.model_file);
  log_info("device: " + loaded.device.description);
  const std::int32_t separator =
      options.documents ? separator_id(*loaded.tokenizer, options.separator) : 0;
  TranslatorOptions translator_options;
  translator_options.max_new_tokens = options.max_new_tokens;
  translator_options.batch_tokens = options.batch_tokens;
  translator_options.truncate_long = options.long_lines == "truncate";
  translator_options.prompt = options.prompt;
  Translator translator(*loaded.model, *loaded.tokenizer, loaded.device.device, translator_options);

  Totals totals;
  const auto translate = [&](const std::vector<std::string>& block) {
    const std::int64_t first_line = totals.lines + 1;
    if (!options.documents) return translator.translate(block, first_line);
    DocumentTranslations translations =
        translate_documents(translator, *loaded.tokenizer, block, first_line,
                            loaded.config.model.max_length, separator);
    totals.sequences += translations.sequences;
    totals.misaligned += translations.misaligned;
    return std::move(translations.lines);
  };
  std::vector<std::string> texts;
  TextLines input("-");
  for (std::vector<std::string> block = read_block(input, options.documents); !block.empty();
       block = read_block(input, options.documents)) {
    std::string lines;
    for (Translation& translation : translate(block)) {
      totals.add(translation);
      if (common.json) {
        texts.push_back(std::move(translation.text));
      } else {
        lines += translation.text + "\n";
      }
    }
    if (!common.json) write_stdout(lines);
  }
  if (common.json) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    print_json(texts, totals, loaded.device, seconds.count());
  }
  report(totals);
  return 0;
}

}  // namespace linformer
