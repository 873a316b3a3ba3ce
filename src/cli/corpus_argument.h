// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/options.h"
#include "data/parallel_corpus.h"

namespace linformer {

/// A corpus argument as data/ takes it. `invalid_utf8`: "error" or "replace", else UsageError.
CorpusSpec corpus_spec(const CorpusOptions& options, const std::string& invalid_utf8 = "error");

}  // namespace linformer
