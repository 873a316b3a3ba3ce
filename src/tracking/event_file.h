// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tracking/append_file.h"
#include "tracking/wire_format.h"

namespace linformer {

/// `data` as a TFRecord: u64 length, u32 masked CRC-32C of the length, data, u32 masked CRC-32C of
/// data, all little-endian.
std::string tf_record(std::string_view data);

/// An event file of TensorBoard: TFRecords of Event messages, the first one naming version 2.
class EventFile {
 public:
  /// Makes DIRECTORY/events.out.tfevents.SECONDS.HOST.PID.0, and the directory where it is missing
  /// (not its parents). SECONDS has ten digits and is greater than that of every event file there,
  /// for TensorBoard reads them in the order of their names. Throws IoError.
  explicit EventFile(const std::string& directory);

  /// Appends an Event; `content` holds its fields but for wall_time. Throws IoError.
  void add(const Message& content);
  /// fsync. Throws IoError.
  void sync() { file_.sync(); }
  const std::string& path() const { return file_.path(); }

 private:
  AppendFile file_;
};

}  // namespace linformer
