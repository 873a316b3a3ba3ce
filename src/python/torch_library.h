// SPDX-License-Identifier: Apache-2.0
#pragma once

// The headers that registering operators takes; ops/torch.h has the others.
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>
