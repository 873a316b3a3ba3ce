// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace linformer {

/// Inline, so that users write linformer::Translator while the library keeps a class of that name
/// for itself.
inline namespace api {

struct TranslatorSettings {
  std::string device = "auto";  // auto, cpu, cuda, cuda:I
  std::string dtype = "auto";   // auto, float32, bfloat16
  std::int64_t threads = 0;     // of a CPU; 0 = as many as the machine has
  std::int64_t max_new_tokens =
      0;  // 0 = twice the source's tokens and 20 more, at most the model's max_length
  bool truncate_long = false;  // else a line over the model's max_length is an error
  std::string prompt;          // what every translation begins with
};

/// Translates text with a trained model:
///
///   linformer::Translator translator = linformer::Translator::load("runs/demo");
///   for (const std::string& line : translator.translate({"A dog runs ."})) std::cout << line <<
///   '\n';
///
/// For one thread at a time. Every error is a linformer::Error (linformer/error.h), or another
/// std::exception for a bug.
class Translator {
 public:
  /// `checkpoint`: a run directory (its best, else its newest checkpoint) or one checkpoint,
  /// .../step-N. Throws CheckpointError for one that is damaged, UsageError for a device that does
  /// not exist.
  static Translator load(const std::string& checkpoint, const TranslatorSettings& settings = {});

  ~Translator();
  Translator(Translator&&) noexcept;
  Translator& operator=(Translator&&) noexcept;

  /// One line of UTF-8 for each line, in order; an empty or blank line gives an empty one. Throws
  /// DataError "line N: ..." for one that is too long or no UTF-8.
  std::vector<std::string> translate(const std::vector<std::string>& lines);

 private:
  struct State;
  explicit Translator(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace api
}  // namespace linformer
