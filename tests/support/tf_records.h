// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/proto_fields.h"
#include "tracking/event_file.h"

namespace linformer {

/// The Event messages of an event file's bytes, up to the first record that is not whole.
inline std::vector<ProtoFields> events_of(std::string_view bytes) {
  std::vector<ProtoFields> out;
  while (bytes.size() >= 12) {
    std::size_t size = 0;
    for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(bytes[i]);
    if (size > bytes.size() - 12 || bytes.size() - 12 - size < 4) break;
    const std::string_view data = bytes.substr(12, size);
    EXPECT_EQ(bytes.substr(0, size + 16), tf_record(data));
    out.emplace_back(data);
    bytes.remove_prefix(size + 16);
  }
  return out;
}

}  // namespace linformer
