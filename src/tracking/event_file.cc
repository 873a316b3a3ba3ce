// SPDX-License-Identifier: Apache-2.0
#include "tracking/event_file.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>

#include "base/crc32c.h"
#include "storage/file_tree.h"
#include "tracking/process_info.h"

namespace linformer {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";

std::string masked_crc(std::string_view data) {
  return little_endian(std::rotr(crc32c(data), 15) + 0xa282ead8U, 4);
}

std::string new_path(const std::string& directory) {
  if (!is_directory(directory)) make_directory(directory);
  auto seconds = static_cast<std::int64_t>(unix_seconds());
  for (const std::string& name : list_directory(directory)) {
    std::int64_t other = 0;
    if (!name.starts_with(kPrefix)) continue;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), other);
    seconds = std::max(seconds, other + 1);
  }
  std::string digits = std::to_string(seconds);
  if (digits.size() < 10) digits.insert(0, 10 - digits.size(), '0');
  return directory + "/" + std::string(kPrefix) + digits + "." + host_name() + "." +
         std::to_string(::getpid()) + ".0";
}

}  // namespace

std::string tf_record(std::string_view data) {
  const std::string length = little_endian(data.size(), 8);
  std::string out = length + masked_crc(length);
  out += data;
  return out + masked_crc(data);
}

EventFile::EventFile(const std::string& directory)
    : file_(new_path(directory), AppendFile::Mode::kNew) {
  add(Message().text(3, "brain.Event:2"));
}

void EventFile::add(const Message& content) {
  file_.append(tf_record(Message().real(1, unix_seconds()).bytes() + content.bytes()));
}

}  // namespace linformer
