// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "config/printer.h"
#include "config/yaml_reader.h"
#include "support/fuzz_input.h"

namespace linformer {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  allow_refusal([&] {
    const LoadedConfig loaded = parse_run_config(text, "in.yaml");
    const std::string printed = print_config(loaded.config);
    for (const std::string& written : {printed, print_config(loaded)}) {
      const LoadedConfig again =
          require_accepted([&] { return parse_run_config(written, "printed.yaml"); });
      LF_CHECK(print_config(again.config) == printed, written);
    }
  });
  return 0;
}

}  // namespace linformer
