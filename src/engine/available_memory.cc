// SPDX-License-Identifier: Apache-2.0
#include "engine/available_memory.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include "ops/device.h"

namespace linformer {
namespace {

std::optional<std::int64_t> first_number(const std::string& text) {
  const std::size_t digit = text.find_first_of("0123456789");
  if (digit == std::string::npos) return std::nullopt;
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data() + digit, text.data() + text.size(), value);
  if (result.ec != std::errc()) return std::nullopt;
  return value;
}

/// Nothing for files that are missing or hold no number ("max").
std::optional<std::int64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return first_number(line);
}

std::int64_t system_available() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("MemAvailable:")) return first_number(line).value_or(0) * 1024;
  }
  return std::numeric_limits<std::int64_t>::max();
}

/// The limit and the use of this process's control group, by either version of their interface.
std::int64_t control_group_available() {
  constexpr std::array<std::array<const char*, 2>, 2> kFiles{
      {{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
       {"/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes"}}};
  for (const auto& [limit_file, used_file] : kFiles) {
    const std::optional<std::int64_t> limit = number_in(limit_file);
    const std::optional<std::int64_t> used = number_in(used_file);
    if (limit && used) return std::max<std::int64_t>(0, *limit - *used);
  }
  return std::numeric_limits<std::int64_t>::max();
}

}  // namespace

std::int64_t available_memory(at::Device device) {
  if (device.is_cpu()) return std::min(system_available(), control_group_available());
  const UnusedMemory unused = unused_memory(device);
  return unused.free + unused.cached;
}

}  // namespace linformer
