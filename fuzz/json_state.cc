// SPDX-License-Identifier: Apache-2.0
#include "storage/json_state.h"

#include "base/check.h"
#include "support/fuzz_input.h"

namespace linformer {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  allow_refusal([&] {
    const std::string printed = JsonState::parse(text, "in.json").text();
    const JsonState again =
        require_accepted([&] { return JsonState::parse(printed, "printed.json"); });
    LF_CHECK(again.text() == printed, printed);
  });
  return 0;
}

}  // namespace linformer
