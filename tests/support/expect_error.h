// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace linformer {

/// Runs `body`, expects an exception of type E and returns its text; "(nothing was thrown)"
/// otherwise.
template <typename E, typename Body>
std::string error_text(Body&& body) {
  try {
    body();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "an exception of another type: " << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "(nothing was thrown)";
}

}  // namespace linformer
