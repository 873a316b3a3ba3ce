// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/lab_plan.h"
#include "engine/lab_report.h"
#include "ops/device.h"

namespace linformer {

/// Runs the studies of a plan, within its minutes. What the time does not hold is `skipped`.
LabResult run_studies(const LabPlan& plan, const DeviceChoice& device);

}  // namespace linformer
