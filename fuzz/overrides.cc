// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "config/printer.h"
#include "config/yaml_reader.h"
#include "support/config_text.h"
#include "support/fuzz_input.h"

namespace linformer {
namespace {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

}  // namespace

/// Mode: bit 0: over a Transformer's configuration in our spelling. The text: one override a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzInput input(data, size);
  const std::string base = (input.mode & 1U) != 0 ? vanilla_config() : seed_config();
  allow_refusal([&] {
    const std::string printed =
        print_config(parse_run_config(base, "base.yaml", lines_of(input.text)).config);
    const LoadedConfig again =
        require_accepted([&] { return parse_run_config(printed, "printed.yaml"); });
    LF_CHECK(print_config(again.config) == printed, printed);
  });
  return 0;
}

}  // namespace linformer
