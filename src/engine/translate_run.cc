// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "data/text_lines.h"
#include "decoding/translator.h"
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

  void add(const Translation& translation) {
    ++lines;
    tokens += std::ssize(translation.ids);
    stopped_by_limit += translation.stopped_by_limit ? 1 : 0;
    truncated += translation.truncated ? 1 : 0;
  }
};

/// There is nothing to save, and a read of standard input would otherwise hide the first signal.
extern "C" void leave_at_once(int signal) {
  constexpr char kText[] = "linformer: error: stopped\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kText, sizeof(kText) - 1);
  ::_exit(128 + signal);
}

/// The next lines of standard input, one alone where a person waits for its translation; empty at
/// the end.
std::vector<std::string> read_block(TextLines& input) {
  const std::size_t most = ::isatty(STDIN_FILENO) != 0 ? 1 : kBlockLines;
  std::vector<std::string> block;
  std::size_t bytes = 0;
  std::string_view line;
  while (block.size() < most && bytes < kBlockBytes && input.next(line)) {
    block.emplace_back(line);
    bytes += line.size();
  }
  return block;
}

void print_json(const std::vector<std::string>& texts, const Totals& totals,
                const DeviceChoice& device, double seconds) {
  const nlohmann::ordered_json json{{"translations", texts},
                                    {"lines", totals.lines},
                                    {"tokens", totals.tokens},
                                    {"stopped_by_limit", totals.stopped_by_limit},
                                    {"truncated", totals.truncated},
                                    {"device", device.description},
                                    {"seconds", seconds}};
  write_stdout(json.dump() + "\n");
}

void report(const Totals& totals) {
  if (totals.stopped_by_limit > 0) {
    log_warning(std::to_string(totals.stopped_by_limit) + " of " + std::to_string(totals.lines) +
                " translations were stopped by the length limit (--max-new-tokens)");
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
  const auto start = std::chrono::steady_clock::now();
  std::signal(SIGINT, leave_at_once);
  std::signal(SIGTERM, leave_at_once);
  LoadedModel loaded = load_model(options.checkpoint, common);
  log_info("device: " + loaded.device.description);
  TranslatorOptions translator_options;
  translator_options.max_new_tokens = options.max_new_tokens;
  translator_options.batch_tokens = options.batch_tokens;
  translator_options.truncate_long = options.long_lines == "truncate";
  Translator translator(*loaded.model, *loaded.tokenizer, loaded.device.device, translator_options);

  Totals totals;
  std::vector<std::string> texts;
  TextLines input("-");
  for (std::vector<std::string> block = read_block(input); !block.empty();
       block = read_block(input)) {
    std::string lines;
    for (Translation& translation : translator.translate(block, totals.lines + 1)) {
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
