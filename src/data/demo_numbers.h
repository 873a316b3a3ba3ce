// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "data/demo_nominal.h"

namespace linformer::demo {

/// 0 to 99 as one counts: "twenty-one", "einundzwanzig"; 1 is "eins".
Phrase number_word(std::int64_t number);

/// A clock time without its preposition: "half past three", "halb vier". hour: 1 to 12;
/// minute: a multiple of five but 25 and 35.
Phrase clock_time(std::int64_t hour, std::int64_t minute);

/// "14:35", "14:35 Uhr".
Phrase digital_time(std::int64_t hour, std::int64_t minute);

/// "the 3rd of May", "3. Mai". month: 1 to 12.
Phrase day_of_month(std::int64_t day, std::int64_t month);

/// "12.50 euros", "12,50 Euro"; whole amounts without cents. euros: 2 or more.
Phrase price(std::int64_t euros, std::int64_t cents);

std::span<const WordPair> weekdays();
std::span<const WordPair> months();

}  // namespace linformer::demo
