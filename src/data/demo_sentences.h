// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "data/demo_chooser.h"

namespace linformer::demo {

/// One pattern of sentences: draws a whole sentence, with its final mark and without a capital at
/// its start.
struct Template {
  std::string_view name;
  int weight;  // its share of the corpus, in thousandths
  Phrase (*make)(Chooser& chooser);
};

/// Patterns of one clause: statements, questions, requests.
std::span<const Template> clause_templates();
/// Patterns with a conjunction: because, that, whether, if, although, before.
std::span<const Template> subordinate_templates();
/// Other patterns of two parts: in order to, who, more than, and.
std::span<const Template> compound_templates();
/// Patterns about numbers: clock times, dates, prices, ages, counts.
std::span<const Template> number_templates();

}  // namespace linformer::demo
