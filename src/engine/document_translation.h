// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "decoding/translator.h"

namespace linformer {

struct DocumentTranslations {
  std::vector<Translation> lines;  // one for each line; a limit that stopped several is counted once
  std::int64_t sequences = 0;      // joined sentences that were translated together
  std::int64_t misaligned = 0;     // those whose translation held more or fewer sentences
};

/// Translates sentences of documents together: consecutive lines joined by `separator` as far as
/// `max_length` ids go; a blank line ends a document and stays empty. A line that a joined
/// translation lacks is empty. Throws as Translator::translate does.
DocumentTranslations translate_documents(Translator& translator, const Tokenizer& tokenizer,
                                         std::span<const std::string> lines,
                                         std::int64_t first_line, std::int64_t max_length,
                                         std::int32_t separator);

}  // namespace linformer
