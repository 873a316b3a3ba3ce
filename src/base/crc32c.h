// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace linformer {

/// CRC-32C (Castagnoli, reflected, RFC 3720) of `data`.
std::uint32_t crc32c(std::string_view data);

}  // namespace linformer
