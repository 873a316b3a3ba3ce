// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/run_config.h"
#include "tracking/event_file.h"
#include "tracking/record.h"

namespace linformer {

/// Event files for TensorBoard: scalars of steps and validations (as float, the format's type),
/// sample translations for its text plugin, the configuration for its hparams plugin. Each step is
/// shown once however often the run was cut off: a file begins with a session start at the step
/// after its checkpoint, which makes TensorBoard drop what older files have from there on.
class TensorboardSink final : public Sink {
 public:
  /// A file of its own in `directory`, which is made when it is missing; `step` is that of the
  /// checkpoint the run goes on from, 0 at its beginning. Throws IoError.
  TensorboardSink(const std::string& directory, const RunConfig& config, std::int64_t step);

  void on_step(const StepRecord& record) override;
  void on_validation(const ValidationRecord& record) override;
  void on_final(const FinalRecord& record) override;
  void on_text(std::int64_t step, std::string_view text) override;
  void flush() override { file_.sync(); }

 private:
  EventFile file_;
};

}  // namespace linformer
