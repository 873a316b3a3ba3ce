// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "support/temp_directory.h"

namespace linformer {

/// A directory for PATH with a program `wandb` that only notes how it was called.
class FakeWandb {
 public:
  /// Waits for the footer, which comes after the exit record, and makes the mark of a whole upload.
  static constexpr char kUploads[] =
      "until tail -c 3 \"$4\"/run-*.wandb | od -An -tx1 | grep -q 'b2 01 00'; do sleep 0.05; done\n"
      "for log in \"$4\"/run-*.wandb; do : > \"$log.synced\"; done\n";

  /// `script` is what the program does then, for sh.
  explicit FakeWandb(const std::string& script) {
    const std::string path =
        directory_.write("wandb", "#!/bin/sh\nprintf %s \"$*\" > '" + directory_.file("arguments") +
                                      "'\nprintf %s \"$WANDB_DIR\" > '" +
                                      directory_.file("wandb_dir") + "'\n" + script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  std::string directory() const { return directory_.path(); }
  /// Of the call, separated by spaces; empty when there was none.
  std::string arguments() const { return slurp(directory_.file("arguments")); }
  std::string wandb_dir() const { return slurp(directory_.file("wandb_dir")); }

 private:
  TempDirectory directory_;
};

}  // namespace linformer
