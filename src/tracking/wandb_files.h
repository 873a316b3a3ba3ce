// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tracking/wandb_key.h"
#include "tracking/wandb_run_path.h"

namespace linformer {

/// The public interface of Weights & Biases.
struct WandbService {
  std::string base;  // WANDB_BASE_URL, else that of the company; without '/' at its end
  std::string host;
  WandbKey key;
  long stall_seconds = 30;  // without a byte, until it is given up
};

/// By the environment. Throws UsageError for a base that is no URL, and without a key.
WandbService wandb_service();

/// A file of a run.
struct WandbFile {
  std::string name;
  std::string url;         // to be asked with the key
  std::string direct_url;  // signed: to be asked without it; may be empty
  std::optional<std::uint64_t> size;
  std::string md5;  // in Base64; may be empty
};

/// The files of a run that have one of `names`, or its first 50 files of any name when there are no
/// names, by one GraphQL query. Throws UserError when the service refuses the key and when there is
/// no such project or run; IoError when it cannot be reached or gives no answer of the known form.
std::vector<WandbFile> list_wandb_files(const WandbService& service, const WandbRunPath& run,
                                        const std::vector<std::string>& names);

/// Downloads a file to `path`, unless that has its content already: to PATH.part, which is gone on
/// with after a cut or by the next process, checked by size and MD5, synced and renamed. The key is
/// sent to the service itself alone, never on to a signed address or a redirection. Throws IoError
/// when the file keeps breaking off, CheckpointError when its content is not what the service says.
void download_wandb_file(const WandbService& service, const WandbFile& file,
                         const std::string& path);

}  // namespace linformer
