// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_log.h"

#include <zlib.h>

#include <algorithm>

#include "tracking/wire_format.h"

namespace linformer {
namespace {

constexpr std::size_t kBlock = 32768;
constexpr std::size_t kChunkHeader = 7;
constexpr std::string_view kFileHeader{":W&B\xe1\xbe\0", 7};

std::string chunk(char type, std::string_view data) {
  std::string body(1, type);
  body += data;
  const auto crc =
      ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return little_endian(crc, 4) + little_endian(data.size(), 2) + body;
}

}  // namespace

std::string wandb_chunks(std::string_view payload, std::uint64_t offset) {
  std::string out;
  bool is_first = true;
  bool is_last = false;
  while (!is_last) {
    std::size_t room = kBlock - (offset + out.size()) % kBlock;
    if (room < kChunkHeader) {
      out.append(room, '\0');
      room = kBlock;
    }
    const std::string_view part = payload.substr(0, std::min(payload.size(), room - kChunkHeader));
    payload.remove_prefix(part.size());
    is_last = payload.empty();
    const char whole_or_first = is_last ? 1 : 2;
    const char last_or_middle = is_last ? 4 : 3;
    out += chunk(is_first ? whole_or_first : last_or_middle, part);
    is_first = false;
  }
  return out;
}

WandbLog::WandbLog(const std::string& path) : file_(path, AppendFile::Mode::kNew) {
  file_.append(kFileHeader);
  size_ = kFileHeader.size();
}

void WandbLog::append(std::string_view payload) {
  const std::string chunks = wandb_chunks(payload, size_);
  file_.append(chunks);
  size_ += chunks.size();
}

}  // namespace linformer
