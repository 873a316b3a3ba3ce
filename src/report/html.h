// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/document.h"

namespace linformer {

/// One HTML page that needs no other file: its figures, `svgs` (their texts, in order), are part of
/// it.
std::string html_of(const Document& document, const std::vector<std::string>& svgs);

}  // namespace linformer
