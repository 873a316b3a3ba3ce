// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "linformer/error.h"

namespace linformer {

/// What libFuzzer, or support/replay.cc, calls with each input. An exception that leaves it is a
/// finding: invariants are LF_CHECKs (base/check.h).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// An input whose first byte, by its low bits, chooses what is done with the rest: seeds start with
/// a digit.
struct FuzzInput {
  FuzzInput(const std::uint8_t* data, std::size_t size)
      : mode(size == 0 ? 0 : data[0] & 0xFU),
        text(reinterpret_cast<const char*>(data) + (size == 0 ? 0 : 1), size == 0 ? 0 : size - 1) {}

  unsigned mode;  // 0 to 15
  std::string_view text;
};

/// Calls `parse`. That it refuses its input as wrong (exit code 2) is expected; every other
/// exception passes through.
template <typename Parse>
void allow_refusal(const Parse& parse) {
  try {
    parse();
  } catch (const UserError&) {
  }
}

/// What `parse` gives for something that our own code has written: here a refusal is a finding.
template <typename Parse>
auto require_accepted(const Parse& parse) {
  try {
    return parse();
  } catch (const UserError& error) {
    throw InternalError(std::string("refuses what was written: ") + error.what());
  }
}

}  // namespace linformer
