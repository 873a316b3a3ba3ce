// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "tracking/record.h"

namespace linformer {

/// A number of a record under the name that dashboards show, e.g. "train/loss".
struct Scalar {
  std::string_view name;
  double value = 0;
};

/// Names are those of metrics.jsonl after "train/".
std::vector<Scalar> scalars_of(const StepRecord& record);

/// After "validation/"; scores that were not computed are left out.
std::vector<Scalar> scalars_of(const ValidationRecord& record);

/// The name of a sample translation beside them.
inline constexpr std::string_view kSampleName = "validation/sample";

}  // namespace linformer
