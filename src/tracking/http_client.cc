// SPDX-License-Identifier: Apache-2.0
#include "tracking/http_client.h"

#include <curl/curl.h>

#include <exception>
#include <memory>
#include <new>

#include "base/signals.h"
#include "linformer/version.h"

namespace linformer {
namespace {

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

struct Reception {
  CURL* handle;
  const HttpReceiver& receive;
  std::exception_ptr error;
};

int status_of(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

/// No exception may pass through libcurl, which is C.
std::size_t on_body(char* data, std::size_t /*one*/, std::size_t size, void* context) {
  auto& reception = *static_cast<Reception*>(context);
  try {
    reception.receive(status_of(reception.handle), {data, size});
    return size;
  } catch (...) {
    reception.error = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
}

int on_progress(void* /*context*/, curl_off_t /*all*/, curl_off_t /*done*/, curl_off_t /*to_send*/,
                curl_off_t /*sent*/) {
  return pending_signal();  // other than 0 ends the transfer
}

void set_request(CURL* handle, const HttpRequest& request, Headers& headers) {
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_USERAGENT, (std::string("linformer/") + kVersion).c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, request.connect_seconds);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, request.stall_seconds);
  if (request.offset > 0) {
    // Not CURLOPT_RESUME_FROM, which takes a whole file in answer for an error.
    curl_easy_setopt(handle, CURLOPT_RANGE, (std::to_string(request.offset) + "-").c_str());
  }
  if (!request.key.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(handle, CURLOPT_USERNAME, "api");
    curl_easy_setopt(handle, CURLOPT_PASSWORD, request.key.c_str());
  }
  if (!request.json.empty()) {
    headers.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.json.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.json.c_str());
  }
}

}  // namespace

HttpAnswer send_http(const HttpRequest& request, const HttpReceiver& receive) {
  const Handle handle(curl_easy_init(), &curl_easy_cleanup);
  if (!handle) throw std::bad_alloc();
  Headers headers(nullptr, &curl_slist_free_all);
  Reception reception{handle.get(), receive, nullptr};
  char problem[CURL_ERROR_SIZE] = "";
  set_request(handle.get(), request, headers);
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, problem);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &reception);
  curl_easy_setopt(handle.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, on_progress);
  const CURLcode code = curl_easy_perform(handle.get());
  if (reception.error) std::rethrow_exception(reception.error);
  throw_if_interrupted();
  HttpAnswer answer{.status = status_of(handle.get())};
  if (code != CURLE_OK) answer.problem = *problem != '\0' ? problem : curl_easy_strerror(code);
  const char* location = nullptr;
  curl_easy_getinfo(handle.get(), CURLINFO_REDIRECT_URL, &location);
  if (location != nullptr) answer.location = location;
  return answer;
}

std::string host_of(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const std::string_view rest = url.substr(scheme.size());
    return std::string(rest.substr(0, rest.find_first_of(":/?#")));
  }
  return {};
}

}  // namespace linformer
