// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tracking/append_file.h"

namespace linformer {

/// The bytes that put `payload` into a log of Weights & Biases at file offset `offset`: LevelDB's
/// log format, blocks of 32 KiB counted from the start of the file and chunks of at most the rest
/// of a block: u32 CRC-32 (zlib's) of type and data, u16 length, u8 type (1 whole, 2 first, 3
/// middle, 4 last), data. A rest shorter than a chunk's header is filled with zeros.
std::string wandb_chunks(std::string_view payload, std::uint64_t offset);

/// A run-ID.wandb file: seven bytes of header, then records.
class WandbLog {
 public:
  /// Throws IoError when `path` exists or cannot be written.
  explicit WandbLog(const std::string& path);

  /// Appends one record, whole or not at all. Throws IoError.
  void append(std::string_view payload);
  /// fsync. Throws IoError.
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
  std::uint64_t size_ = 0;
};

}  // namespace linformer
