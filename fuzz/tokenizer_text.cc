// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "base/utf8.h"
#include "support/fuzz_input.h"
#include "text/bpe_trainer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"
#include "text/unicode_class.h"

namespace linformer {
namespace {

Tokenizer make_tokenizer(bool lowercase) {
  const std::vector<std::string> lines{"the theory of the other weather", "we're 12 12 12 men's",
                                       "Über Äpfel über Äpfel", "日本 日本語 日本"};
  TokenizerSpec spec = train_bpe(lines, {.vocab_size = 300, .lowercase = lowercase}).spec();
  // One that is looked for after lower-casing.
  spec.added.push_back({.id = static_cast<std::int32_t>(spec.tokens.size()),
                        .content = "<nl>",
                        .special = false,
                        .right_strip = true,
                        .normalized = true});
  spec.tokens.emplace_back("<nl>");
  return Tokenizer(std::move(spec));
}

/// Tokens that take white space along lose it; every other text comes back.
bool is_stripped(std::string_view text) {
  return text.find("<mask>") != std::string_view::npos ||
         text.find("<nl>") != std::string_view::npos;
}

}  // namespace

/// Mode: bit 0: lower-casing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Tokenizer cased = make_tokenizer(false);
  static const Tokenizer lower = make_tokenizer(true);
  const FuzzInput input(data, size);
  const Tokenizer& tokenizer = (input.mode & 1U) != 0 ? lower : cased;
  std::string text(input.text);
  if (tokenizer.lowercase()) {
    text.clear();
    append_lowercase(text, input.text);
  }
  std::vector<std::int32_t> ids;
  tokenizer.encode(input.text, ids);
  LF_CHECK(ids.size() <= text.size(), "an id stands for at least one byte");
  const std::string decoded = tokenizer.decode(ids, /*skip_special=*/false, /*clean_up=*/false);
  LF_CHECK(!utf8_first_invalid(decoded), "decoded text is UTF-8");
  if (!is_stripped(text))
    LF_CHECK(decoded == utf8_replace_invalid(text), "decode(encode(text)) is the text");
  LF_CHECK(!utf8_first_invalid(tokenizer.decode(ids)), "cleaned text is UTF-8");
  return 0;
}

}  // namespace linformer
