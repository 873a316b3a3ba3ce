// SPDX-License-Identifier: Apache-2.0
#include "decoding/translator.h"

namespace linformer {
/// Named before the public class of the same name comes into sight.
using BatchTranslator = Translator;
}  // namespace linformer

#include "base/utf8.h"
#include "engine/loaded_model.h"
#include "linformer/error.h"
#include "linformer/translator.h"

namespace linformer::api {
namespace {

CommonOptions common_options(const TranslatorSettings& settings) {
  CommonOptions common;
  common.device = settings.device;
  common.dtype = settings.dtype;
  common.threads = settings.threads;
  return common;
}

TranslatorOptions translator_options(const TranslatorSettings& settings) {
  TranslatorOptions options;
  options.max_new_tokens = settings.max_new_tokens;
  options.truncate_long = settings.truncate_long;
  options.prompt = settings.prompt;
  return options;
}

}  // namespace

struct Translator::State {
  LoadedModel loaded;
  BatchTranslator translator;

  State(const std::string& checkpoint, const TranslatorSettings& settings)
      : loaded(load_model(checkpoint, common_options(settings))),
        translator(*loaded.model, *loaded.tokenizer, loaded.device.device,
                   translator_options(settings)) {}
};

Translator Translator::load(const std::string& checkpoint, const TranslatorSettings& settings) {
  return Translator(std::make_unique<State>(checkpoint, settings));
}

Translator::Translator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Translator::~Translator() = default;
Translator::Translator(Translator&&) noexcept = default;
Translator& Translator::operator=(Translator&&) noexcept = default;

std::vector<std::string> Translator::translate(const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (const auto offset = utf8_first_invalid(lines[i])) {
      throw DataError("line " + std::to_string(i + 1) + ": invalid UTF-8 at byte " +
                      std::to_string(*offset));
    }
  }
  std::vector<std::string> out;
  for (Translation& translation : state_->translator.translate(lines))
    out.push_back(std::move(translation.text));
  return out;
}

}  // namespace linformer::api
