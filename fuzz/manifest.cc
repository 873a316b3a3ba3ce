// SPDX-License-Identifier: Apache-2.0
#include "storage/manifest.h"

#include "base/check.h"
#include "support/fuzz_input.h"

namespace linformer {

/// Mode: bit 0: as it is, else an object without its closing brace, which the digest completes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzInput input(data, size);
  const std::string text = (input.mode & 1U) != 0 ? std::string(input.text) : seal_json(input.text);
  allow_refusal([&] {
    const Manifest manifest = parse_manifest(text, "in.json");
    const std::string printed = manifest_text(manifest);
    const Manifest again =
        require_accepted([&] { return parse_manifest(printed, "printed.json"); });
    LF_CHECK(manifest_text(again) == printed, printed);
  });
  return 0;
}

}  // namespace linformer
