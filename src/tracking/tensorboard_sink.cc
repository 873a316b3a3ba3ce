// SPDX-License-Identifier: Apache-2.0
#include "tracking/tensorboard_sink.h"

#include <type_traits>
#include <variant>

#include "tracking/config_values.h"
#include "tracking/process_info.h"
#include "tracking/scalars.h"

namespace linformer {
namespace {

// Numbers of fields and enumerators are those of TensorBoard's event.proto, summary.proto,
// tensor.proto and plugins/hparams/plugin_data.proto.
constexpr std::int64_t kSessionStart = 1;
constexpr std::int64_t kStatusSuccess = 1;
constexpr std::int64_t kTypeFloat = 1;
constexpr std::int64_t kTypeString = 7;
constexpr std::int64_t kClassTensor = 2;

/// Event.step and Event.summary.
Message summary_event(std::int64_t step, const Message& summary) {
  return Message().integer(2, step).message(5, summary);
}

template <typename Record>
Message scalar_event(const Record& record) {
  Message summary;
  for (const Scalar& scalar : scalars_of(record)) {
    summary.message(1, Message().text(1, scalar.name).real32(2, static_cast<float>(scalar.value)));
  }
  return summary_event(record.step, summary);
}

/// A value that is metadata alone: the plugin reads it from there, beside an empty tensor.
Message hparams_event(std::string_view tag, const Message& content) {
  const Message plugin = Message().text(1, "hparams").message(2, content);
  const Message shape = Message().message(2, Message().integer(1, 0));
  const Message tensor = Message().integer(1, kTypeFloat).message(2, shape);
  const Message value =
      Message().text(1, tag).message(8, tensor).message(9, Message().message(1, plugin));
  return summary_event(0, Message().message(1, value));
}

/// google.protobuf.Value
Message value_message(const ConfigValue& value) {
  return std::visit(
      [](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, bool>) return Message().boolean(4, held);
        if constexpr (std::is_same_v<T, double>) return Message().real(2, held);
        if constexpr (std::is_same_v<T, std::string>) return Message().text(3, held);
      },
      value);
}

Message session_start_info(const RunConfig& config) {
  Message info;
  for (const auto& [key, value] : config_values(config)) {
    info.message(1, Message().text(1, key).message(2, value_message(value)));
  }
  info.real(5, unix_seconds());
  return Message().message(3, info);
}

}  // namespace

TensorboardSink::TensorboardSink(const std::string& directory, const RunConfig& config,
                                 std::int64_t step)
    : file_(directory) {
  file_.add(Message().integer(2, step + 1).message(7, Message().integer(1, kSessionStart)));
  file_.add(hparams_event("_hparams_/session_start_info", session_start_info(config)));
}

void TensorboardSink::on_step(const StepRecord& record) { file_.add(scalar_event(record)); }

void TensorboardSink::on_validation(const ValidationRecord& record) {
  file_.add(scalar_event(record));
}

void TensorboardSink::on_final(const FinalRecord& /*record*/) {
  const Message info = Message().integer(1, kStatusSuccess).real(2, unix_seconds());
  file_.add(hparams_event("_hparams_/session_end_info", Message().message(4, info)));
}

void TensorboardSink::on_text(std::int64_t step, std::string_view text) {
  const Message tensor = Message().integer(1, kTypeString).message(2, Message()).text(8, text);
  const Message metadata = Message().message(1, Message().text(1, "text")).integer(4, kClassTensor);
  const Message value = Message().text(1, kSampleName).message(8, tensor).message(9, metadata);
  file_.add(summary_event(step, Message().message(1, value)));
}

}  // namespace linformer
