// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "data/demo_chooser.h"

namespace linformer::demo {

/// The modal with that English present of "I": "can", "have to", "want to". Throws InternalError
/// when there is none.
const Modal& modal_named(std::string_view english);

/// A statement without its full stop.
Phrase main_clause(const Clause& clause);
/// "because he is ill", "weil er krank ist": a conjunction and a clause with the German verb at its
/// end.
Phrase subordinate(std::string_view english, std::string_view german, const Clause& clause);
/// Two parts and a full stop, with a comma between them in German.
Phrase main_then(const Phrase& main, const Phrase& other);

/// "is ill".
Clause being(const Nominal& subject, const Phrase& predicate, Tense tense = Tense::kPresent);
/// "has money".
Clause having(const Nominal& subject, const Phrase& what, Tense tense = Tense::kPresent);
/// "has no time", "has no money".
Clause lack(Chooser& chooser, const Nominal& subject, Tense tense);
Clause staying_home(const Nominal& subject, Tense tense);

/// What one does on purpose and to an end: fit for "has to", "in order to", "tries to".
Clause task(Chooser& chooser, const Nominal& subject);
/// A task that neither the hungry nor the tired wait for.
Clause chore(Chooser& chooser, const Nominal& subject);

/// Kinds of places that one goes to for a purpose.
std::uint32_t errand_place(Chooser& chooser);
/// A way to a place of that kind.
Clause trip(Chooser& chooser, const Nominal& subject, Tense tense, std::uint32_t kind);
/// The purpose of going there.
Clause errand(Chooser& chooser, const Nominal& subject, std::uint32_t kind);

}  // namespace linformer::demo
