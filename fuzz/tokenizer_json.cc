// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "support/byte_tokens.h"
#include "support/fuzz_input.h"
#include "text/tokenizer_reader.h"
#include "text/tokenizer_writer.h"

namespace linformer {

/// "@bytes" in the text stands for the tokens of the 256 bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text =
      with_byte_tokens(std::string_view(reinterpret_cast<const char*>(data), size));
  allow_refusal([&] {
    const TokenizerSpec spec = parse_tokenizer_json(text, "in.json");
    const std::string printed = tokenizer_json(spec);
    const TokenizerSpec again =
        require_accepted([&] { return parse_tokenizer_json(printed, "printed.json"); });
    LF_CHECK(digest_spec(again) == digest_spec(spec) && again.added == spec.added, printed);
  });
  return 0;
}

}  // namespace linformer
