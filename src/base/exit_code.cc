// SPDX-License-Identifier: Apache-2.0
#include "base/exit_code.h"

#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include "base/utf8.h"

namespace linformer {
namespace {

constexpr std::size_t kMaxErrorLine = 400;

constexpr std::array<ExitCodeRow, 10> kTable{{
    {ExitCode::kSuccess, "the promised output exists, whole"},
    {ExitCode::kUser, "bad flag, config, input or corrupt file; nothing written, nothing deleted"},
    {ExitCode::kDivergence, "non-finite loss, gradient, weight or score"},
    {ExitCode::kIo, "full disk, I/O error, permission, closed stdout, failed save"},
    {ExitCode::kOutOfMemory, "out of memory, host or device"},
    {ExitCode::kWorker, "a data loader died or stalled"},
    {ExitCode::kPeerLost, "a peer rank was lost"},
    {ExitCode::kInternal, "a bug of this program"},
    {ExitCode::kSigint, "stopped by SIGINT after a verified save"},
    {ExitCode::kSigterm, "stopped by SIGTERM or SIGUSR1 after a verified save"},
}};

void append_hex(std::string& out, unsigned char byte) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

int report(const Error& error) {
  const std::string line = error_line(error.what());
  std::fwrite(line.data(), 1, line.size(), stderr);
  return static_cast<int>(error.code());
}

int report_unknown(const std::exception& error, bool debug) {
  if (debug) std::fprintf(stderr, "%s\n", error.what());
  return report(InternalError(std::string("internal error: ") + error.what()));
}

int report_current(const std::function<void()>& translate, bool debug) {
  try {
    if (translate) translate();
    throw;
  } catch (const Error& error) {
    return report(error);
  } catch (const std::bad_alloc&) {
    return report(OutOfMemoryError("out of host memory"));
  } catch (const std::system_error& error) {
    // How the library reports a thread that cannot be started.
    if (error.code() != std::errc::resource_unavailable_try_again)
      return report_unknown(error, debug);
    return report(OutOfMemoryError(std::string("cannot start a thread: ") + error.what()));
  } catch (const std::exception& error) {
    return report_unknown(error, debug);
  } catch (...) {
    return report(InternalError("internal error: unknown exception"));
  }
}

}  // namespace

std::span<const ExitCodeRow> exit_code_table() { return kTable; }

std::string error_line(std::string_view message) {
  std::string out = "linformer: error: ";
  for (std::size_t i = 0; i < message.size();) {
    const std::size_t length = utf8_sequence_length(message, i);
    const auto byte = static_cast<unsigned char>(message[i]);
    std::string piece;
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      append_hex(piece, byte);
    } else {
      piece = message.substr(i, length);
    }
    if (out.size() + piece.size() + 4 > kMaxErrorLine) {
      out += "...";
      break;
    }
    out += piece;
    i += length == 0 ? 1 : length;
  }
  return out + "\n";
}

int run_guarded(const std::function<int()>& body, const std::function<void()>& translate,
                const bool& debug) {
  try {
    return body();
  } catch (...) {
    return report_current(translate, debug);
  }
}

}  // namespace linformer
