// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "data/demo_chooser.h"

namespace linformer::demo {

/// A clause with a suitable verb, object and sometimes a place, without time and modal.
Clause action(Chooser& chooser, const Nominal& subject, Tense tense);

/// The same in few words, with an object mostly: for clauses inside other sentences.
Clause short_action(Chooser& chooser, const Nominal& subject, Tense tense);

/// "go to the park", "fly to Berlin": somewhere of these kinds, cities among them.
Clause motion(Chooser& chooser, const Nominal& subject, Tense tense,
              std::uint32_t kinds = kAnyPlace);

}  // namespace linformer::demo
