// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace linformer {

struct HttpRequest {
  std::string url;
  std::string key;           // sent as password of the user `api`; empty: no Authorization
  std::string json;          // posted; empty: a GET
  std::uint64_t offset = 0;  // asks for the bytes from here on, which the server may ignore
  long connect_seconds = 15;
  long stall_seconds = 30;  // without a byte, until the server is given up
};

struct HttpAnswer {
  int status = 0;        // 0: none came
  std::string problem;   // why the answer did not come or broke off; empty: it came whole
  std::string location;  // where a redirection leads, absolute
};

/// Takes a part of the answer's body with its status.
using HttpReceiver = std::function<void(int status, std::string_view part)>;

/// One request by libcurl. Redirections are not followed. Throws Interrupted when a signal comes,
/// and what `receive` throws.
HttpAnswer send_http(const HttpRequest& request, const HttpReceiver& receive);

/// The host in http://HOST[:PORT][/...] or https://...; empty when `url` is neither.
std::string host_of(std::string_view url);

}  // namespace linformer
