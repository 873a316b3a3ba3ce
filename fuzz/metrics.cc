// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "support/fuzz_input.h"
#include "support/memory_directory.h"
#include "support/temp_directory.h"
#include "tracking/jsonl_sink.h"

namespace linformer {

/// A metrics.jsonl that a resumed run cuts after step 5.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempDirectory directory;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string path = directory.write("metrics.jsonl", text);
  JsonlSink::truncate_after(path, 5);
  const std::string kept = slurp(path);
  LF_CHECK(kept.size() <= text.size() && (kept.empty() || kept.back() == '\n'), "whole lines");
  JsonlSink::truncate_after(path, 5);
  LF_CHECK(slurp(path) == kept, "the second time removes nothing");
  return 0;
}

}  // namespace linformer
