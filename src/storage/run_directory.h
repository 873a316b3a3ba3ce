// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace linformer {

/// The directory of one run, locked for one writer as long as the object lives (flock on its file
/// `lock`, so that the lock of a dead process is no obstacle). Layout: config.yaml, env.json,
/// metrics.jsonl, tokenizer/, best.json, step-N/, tensorboard/, wandb_run_id, wandb/,
/// evaluations/, averaged/ (another run directory).
class RunDirectory {
 public:
  /// Makes the directory (and its parents). One that exists is refused unless `overwrite`; then
  /// what runs leave there is deleted, and nothing else; a directory without a run's `lock` file is
  /// refused with its content intact. Throws UserError naming the path: exists, is a file, cannot
  /// be created, is in use by process N.
  static RunDirectory create(const std::string& path, bool overwrite);
  /// One that exists, to go on with; leftovers of saves that were cut off are removed. Throws
  /// UserError as create().
  static RunDirectory open(const std::string& path);

  /// Throws UserError naming the process that holds the lock, where one does; a look before long
  /// work, no lock.
  static void require_unlocked(const std::string& path);

  ~RunDirectory();
  RunDirectory(RunDirectory&& other) noexcept;
  RunDirectory& operator=(RunDirectory&& other) noexcept;

  const std::string& path() const { return path_; }
  /// PATH/name.
  std::string file(std::string_view name) const;
  /// Writes a small file that appears whole or not at all. Throws IoError.
  void write_text(std::string_view name, std::string_view text) const;
  /// PATH's sibling `latest` points here, replaced atomically; only for runs in a directory called
  /// `runs`, and never in place of something that is no symbolic link. Throws IoError.
  void update_latest_link() const;

 private:
  RunDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_ = -1;
};

/// Throws UsageError unless `name` matches [A-Za-z0-9._-]{1,64} and does not start with '.'.
void check_run_name(std::string_view name);

}  // namespace linformer
