// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace linformer {

/// A key of Weights & Biases. It goes into the Authorization of requests to the service and nowhere
/// else: never to a log, a file or a command line.
struct WandbKey {
  std::string text;
  std::string origin;  // for messages: WANDB_API_KEY or the netrc file's path
};

/// The key for `host`: WANDB_API_KEY, else the password of `host` in the netrc file (NETRC, else
/// ~/.netrc). Throws UsageError naming both places when neither has one.
WandbKey wandb_key(const std::string& host);

/// The password for `host` in the text of a netrc file, else that of its `default`; empty when
/// there is none.
std::string netrc_password(std::string_view text, std::string_view host);

}  // namespace linformer
