// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.h"
#include "support/byte_tokens.h"
#include "support/fuzz_input.h"
#include "text/tokenizer_reader.h"
#include "text/tokenizer_writer.h"

namespace linformer {

/// The text: a vocab.json in which "@bytes" stands for the tokens of the 256 bytes, then, from its
/// first line break on, a merges.txt.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t newline = std::min(text.find('\n'), size);
  const std::string vocab = with_byte_tokens(text.substr(0, newline));
  const std::string_view merges = text.substr(std::min(newline + 1, size));
  allow_refusal([&] {
    const TokenizerSpec spec = parse_vocab_and_merges(vocab, "vocab.json", merges, "merges.txt");
    const TokenizerSpec again = require_accepted([&] {
      return parse_vocab_and_merges(vocab_json(spec), "printed.json", merges_text(spec),
                                    "printed.txt");
    });
    LF_CHECK(digest_spec(again) == digest_spec(spec), vocab_json(spec) + merges_text(spec));
  });
  return 0;
}

}  // namespace linformer
