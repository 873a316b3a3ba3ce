// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/safetensors.h"

namespace linformer {

/// Writes a pickle of protocol 2 that torch.load(weights_only=True) reads: values one after
/// another, those of a container between its begin and end. A dict takes keys and values in turn;
/// keys are texts or integers. Nothing is checked: the result is as well formed as the calls.
class PickleWriter {
 public:
  void begin_dict() { out_ += "}("; }
  void begin_ordered_dict();
  void end_dict() { out_ += 'u'; }
  void begin_list() { out_ += "]("; }
  void end_list() { out_ += 'e'; }
  void begin_tuple() { out_ += '('; }
  void end_tuple() { out_ += 't'; }
  void none() { out_ += 'N'; }
  void boolean(bool value) { out_ += value ? '\x88' : '\x89'; }
  void integer(std::int64_t value);
  void real(double value);
  void text(std::string_view value);
  /// A contiguous tensor on the CPU whose elements are the whole storage `key`.
  void tensor(const TensorView& tensor, std::string_view key);

  /// The pickle. Call once, at the end.
  std::string finish() { return std::move(out_ += '.'); }

 private:
  void global(std::string_view module, std::string_view name);
  void empty_ordered_dict();

  std::string out_{"\x80\x02"};
};

}  // namespace linformer
