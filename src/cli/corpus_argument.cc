// SPDX-License-Identifier: Apache-2.0
#include "cli/corpus_argument.h"

#include "linformer/error.h"

namespace linformer {

CorpusSpec corpus_spec(const CorpusOptions& options, const std::string& invalid_utf8) {
  if (invalid_utf8 != "error" && invalid_utf8 != "replace") {
    throw UsageError("--invalid-utf8 " + invalid_utf8 + " (want error or replace)");
  }
  return {.file = options.file,
          .source_file = options.source_file,
          .target_file = options.target_file,
          .source_column = options.source_column,
          .target_column = options.target_column,
          .invalid_utf8 = invalid_utf8 == "replace" ? InvalidUtf8::kReplace : InvalidUtf8::kError};
}

}  // namespace linformer
