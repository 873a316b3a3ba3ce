// SPDX-License-Identifier: Apache-2.0
#include "linformer/error.h"

#include <csignal>

namespace linformer {

std::string Place::text() const {
  std::string out = file;
  if (offset) return out + "@" + std::to_string(*offset);
  if (line > 0) out += ":" + std::to_string(line);
  if (line > 0 && column > 0) out += ":" + std::to_string(column);
  return out;
}

UserError::UserError(const Place& place, std::string_view reason)
    : Error(ExitCode::kUser, place.text() + ": " + std::string(reason)) {}

Interrupted::Interrupted(int signal)
    : Error(signal == SIGINT ? ExitCode::kSigint : ExitCode::kSigterm,
            signal == SIGINT    ? "stopped by SIGINT"
            : signal == SIGTERM ? "stopped by SIGTERM"
                                : "stopped by SIGUSR1") {}

}  // namespace linformer
