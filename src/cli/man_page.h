// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace linformer {

/// The manual page linformer(1) as roff with the macros of man(7): every verb with its arguments
/// and examples, exit codes, environment and files, from the texts of --help.
std::string man_page();

}  // namespace linformer
