// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace linformer {

/// SHA-256 (FIPS 180-4) over any number of updates, by OpenSSL.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(const void* data, std::size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }
  /// 64 lower-case hexadecimal digits. Call once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of a buffer in hexadecimal.
std::string sha256_hex(std::string_view data);

/// SHA-256 of a file's content in hexadecimal. Throws IoError when it cannot be read.
std::string sha256_file(const std::string& path);

/// MD5 (RFC 1321) of a buffer in Base64, as object stores give it: against damage, not against
/// forgery.
std::string md5_base64(std::string_view data);

}  // namespace linformer
