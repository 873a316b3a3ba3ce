// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace linformer {

/// What a process returns; the type of an error decides which (see base/exit_code.h for the texts).
enum class ExitCode : int {
  kSuccess = 0,
  kUser = 2,
  kDivergence = 3,
  kIo = 4,
  kOutOfMemory = 5,
  kWorker = 6,
  kPeerLost = 7,
  kInternal = 70,
  kSigint = 130,
  kSigterm = 143,
};

/// A place in an input: a file with a line and column (both 1-based, 0 = unknown) or with a byte
/// offset.
struct Place {
  std::string file;
  std::int64_t line = 0;
  std::int64_t column = 0;
  std::optional<std::uint64_t> offset;

  /// "FILE", "FILE:LINE", "FILE:LINE:COL" or "FILE@OFFSET".
  std::string text() const;
};

/// Base of everything thrown on purpose. what() is the text after "linformer: error: ".
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Bad flag, config, input or corrupt file: exit 2, nothing written, nothing deleted.
class UserError : public Error {
 public:
  explicit UserError(const std::string& message) : Error(ExitCode::kUser, message) {}
  UserError(const Place& place, std::string_view reason);
};
/// A flag or an argument of the command line.
class UsageError : public UserError {
  using UserError::UserError;
};
/// A configuration key or its value.
class ConfigError : public UserError {
  using UserError::UserError;
};
/// A corpus, tokenizer, token store or text.
class DataError : public UserError {
  using UserError::UserError;
};
/// A checkpoint, manifest or tensor file.
class CheckpointError : public UserError {
  using UserError::UserError;
};
/// Non-finite loss, gradient, weight or score: exit 3.
class DivergenceError : public Error {
 public:
  explicit DivergenceError(const std::string& message) : Error(ExitCode::kDivergence, message) {}
};
/// Full disk, EIO, permission, closed stdout, failed save: exit 4.
class IoError : public Error {
 public:
  explicit IoError(const std::string& message) : Error(ExitCode::kIo, message) {}
};
/// Host or device memory: exit 5.
class OutOfMemoryError : public Error {
 public:
  explicit OutOfMemoryError(const std::string& message) : Error(ExitCode::kOutOfMemory, message) {}
};
/// A loader thread died or stalled: exit 6.
class WorkerError : public Error {
 public:
  explicit WorkerError(const std::string& message) : Error(ExitCode::kWorker, message) {}
};
/// A bug of ours: exit 70.
class InternalError : public Error {
 public:
  explicit InternalError(const std::string& message) : Error(ExitCode::kInternal, message) {}
};
/// SIGINT, or SIGTERM or SIGUSR1, was seen: exit 130 or 143.
class Interrupted : public Error {
 public:
  explicit Interrupted(int signal);
};

}  // namespace linformer
