// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "scoring/bleu.h"

namespace linformer {

/// The number that the original crybot/linformer published as BLEU: its FIRST hypothesis alone,
/// scored against the references of all segments as alternatives (its references went to sacreBLEU
/// as one segment with many references). Reproduced to compare with its report only; it says
/// nothing about a translation. Throws DataError as corpus_bleu.
BleuScore as_seed_bleu(std::span<const std::string> hypotheses,
                       std::span<const std::string> references,
                       BleuTokenize tokenize = BleuTokenize::k13a);

}  // namespace linformer
