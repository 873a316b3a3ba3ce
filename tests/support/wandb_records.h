// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

/// Payloads of a log of Weights & Biases. What is damaged or cut off is left out, and reading goes
/// on at the next block, as its readers do.
inline std::vector<std::string> wandb_records(std::string_view file) {
  constexpr std::size_t kBlock = 32768;
  const auto number = [&](std::size_t at, std::size_t size) {
    std::size_t out = 0;
    while (size-- > 0) out = out << 8 | static_cast<unsigned char>(file[at + size]);
    return out;
  };
  std::vector<std::string> out;
  if (file.substr(0, 7) != std::string_view(":W&B\xe1\xbe\0", 7)) return out;
  std::optional<std::string> parts;
  std::size_t at = 7;
  while (at < file.size()) {
    const std::size_t end = std::min(file.size(), (at / kBlock + 1) * kBlock);
    if (end - at < 7) {
      at = end;
      continue;
    }
    const std::size_t size = number(at + 4, 2);
    const auto* body = reinterpret_cast<const Bytef*>(file.data() + at + 6);
    if (at + 7 + size > end || ::crc32(0, body, static_cast<uInt>(size + 1)) != number(at, 4)) {
      parts.reset();
      at = end;
      continue;
    }
    const char type = file[at + 6];
    if (type == 1 || type == 2) parts.emplace();
    if (parts) *parts += file.substr(at + 7, size);
    if (parts && (type == 1 || type == 4)) {
      out.push_back(*parts);
      parts.reset();
    }
    at += 7 + size;
  }
  return out;
}

}  // namespace linformer
