// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace linformer {

/// Version of the program and of the library, "major.minor.patch".
inline constexpr char kVersion[] = "0.1.0";

}  // namespace linformer
