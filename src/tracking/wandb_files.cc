// SPDX-License-Identifier: Apache-2.0
#include "tracking/wandb_files.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "linformer/error.h"
#include "storage/file_tree.h"
#include "storage/limited_json.h"
#include "tracking/append_file.h"
#include "tracking/environment.h"
#include "tracking/http_client.h"

namespace linformer {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxAnswer = std::size_t{4} << 20;
constexpr int kMaxRedirections = 5;
constexpr int kMaxFailures = 4;  // in a row, without a byte
constexpr std::chrono::milliseconds kPause{250};

constexpr char kQuery[] =
    "query RunFiles($entity: String!, $project: String!, $name: String!, $fileNames: [String]) "
    "{ project(name: $project, entityName: $entity) { run(name: $name) "
    "{ files(names: $fileNames, first: 50) "
    "{ edges { node { name url directUrl sizeBytes md5 } } } } } }";

std::string http_text(int status) { return "HTTP status " + std::to_string(status); }

[[noreturn]] void fail(const WandbService& service, int status) {
  if (status == 401 || status == 403) {
    throw UserError(service.host + ": refuses the key of " + service.key.origin + " (" +
                    http_text(status) + "); 'wandb login' stores another");
  }
  if (status == 404) {
    throw UserError(service.base + ": is no service of Weights & Biases (" + http_text(status) +
                    "); WANDB_BASE_URL names another");
  }
  throw IoError(service.host + ": no answer but " + http_text(status) + "; try again later");
}

/// The member `name` of an object, null where there is none.
const Json& member(const Json& value, const char* name) {
  static const Json kNull;
  if (!value.is_object()) return kNull;
  const auto found = value.find(name);
  return found == value.end() ? kNull : *found;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// The service writes sizes as numbers or as texts.
std::optional<std::uint64_t> size_of(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  const std::string text = text_of(value);
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return size;
}

/// `data` of the answer to a GraphQL query.
Json ask(const WandbService& service, const Json& query) {
  std::string body;
  const HttpAnswer answer = send_http({.url = service.base + "/graphql",
                                       .key = service.key.text,
                                       .json = query.dump(),
                                       .stall_seconds = service.stall_seconds},
                                      [&](int, std::string_view part) {
                                        body += part;
                                        if (body.size() <= kMaxAnswer) return;
                                        throw IoError(service.host + ": an answer of over 4 MiB");
                                      });
  if (!answer.problem.empty()) {
    throw IoError(service.host + ": cannot be reached: " + answer.problem);
  }
  if (answer.status != 200) fail(service, answer.status);
  Json out;
  try {
    out = parse_limited_json(body, service.host, 0, {.depth = 16});
  } catch (const CheckpointError& error) {
    throw IoError(std::string(error.what()) + "; no answer of Weights & Biases");
  }
  const Json& errors = member(out, "errors");
  if (errors.is_array() && !errors.empty()) {
    throw UserError(service.host + ": " + text_of(member(errors[0], "message")));
  }
  return member(out, "data");
}

/// Where a file is asked for, and with which key: the service's own only at its own address.
HttpRequest request_for(const WandbService& service, const WandbFile& file) {
  const bool is_signed = !file.direct_url.empty() && file.direct_url != file.url;
  HttpRequest out{.url = is_signed ? file.direct_url : file.url};
  if (!is_signed && out.url.starts_with(service.base + "/")) out.key = service.key.text;
  out.stall_seconds = service.stall_seconds;
  return out;
}

/// The file that a download is collected in.
class Part {
 public:
  explicit Part(const std::string& path) : file_(path, AppendFile::Mode::kExisting) {
    size_ = std::filesystem::file_size(path);
    was_begun_ = size_ > 0;
  }

  std::uint64_t size() const { return size_; }
  /// True when a process before this one left some of its bytes.
  bool was_begun() const { return was_begun_; }
  void append(std::string_view bytes) {
    file_.append(bytes);
    size_ += bytes.size();
  }
  void clear() {
    file_.truncate(0);
    size_ = 0;
    was_begun_ = false;
  }
  void sync() { file_.sync(); }

 private:
  AppendFile file_;
  std::uint64_t size_ = 0;
  bool was_begun_ = false;
};

/// Asks for the bytes that `part` lacks; redirections are followed without the key.
HttpAnswer fetch_rest(HttpRequest request, Part& part) {
  request.offset = part.size();
  const auto receive = [&](int status, std::string_view bytes) {
    if (status != 200 && status != 206) return;
    if (status == 200 && request.offset > 0) {  // the whole file, whatever was asked for
      part.clear();
      request.offset = 0;
    }
    part.append(bytes);
  };
  const bool is_secure = request.url.starts_with("https:");
  HttpAnswer answer = send_http(request, receive);
  for (int i = 0; i < kMaxRedirections && !answer.location.empty(); ++i) {
    if (is_secure && !answer.location.starts_with("https:")) {
      answer.problem = "a redirection to an address without TLS";
      return answer;
    }
    request.url = answer.location;
    request.key.clear();
    answer = send_http(request, receive);
  }
  return answer;
}

/// Why `answer` did not complete the file; empty when it did.
std::string shortfall(const HttpAnswer& answer, const Part& part, const WandbFile& file) {
  if (!answer.problem.empty()) return answer.problem;
  if (answer.status != 200 && answer.status != 206) return http_text(answer.status);
  if (file.size && part.size() != *file.size) return "the connection was closed";
  return {};
}

void fetch(const WandbService& service, const WandbFile& file, Part& part) {
  if (file.size && part.size() > *file.size) part.clear();
  int failures = 0;
  const HttpRequest request = request_for(service, file);
  while (!file.size || part.size() < *file.size) {
    const std::uint64_t before = part.size();
    const HttpAnswer answer = fetch_rest(request, part);
    const std::string problem = shortfall(answer, part, file);
    if (problem.empty()) return;
    const bool is_refused = answer.status == 401 || answer.status == 403;
    if (is_refused && !request.key.empty()) fail(service, answer.status);
    if (answer.status == 416) part.clear();  // it begins after the end of the file
    failures = part.size() > before ? 0 : failures + 1;
    if (failures == kMaxFailures) {
      throw IoError(file.name + " of Weights & Biases broke off after " +
                    std::to_string(part.size()) + " bytes: " + problem +
                    " (the same command goes on from there)");
    }
    throw_if_interrupted();
    std::this_thread::sleep_for(kPause * failures);
  }
}

bool has_content(const std::string& path, const WandbFile& file) {
  if (!path_exists(path)) return false;
  const MappedFile content(path);
  return (!file.size || content.bytes().size() == *file.size) &&
         md5_base64(content.bytes()) == file.md5;
}

/// Removes what is not the file; false when bytes of an older process may be to blame.
bool verify(const std::string& path, const WandbFile& file, bool was_begun) {
  const std::string got = md5_base64(MappedFile(path).bytes());
  if (file.md5.empty() || got == file.md5) return true;
  remove_file(path);
  if (was_begun) return false;
  throw CheckpointError(file.name +
                        " of Weights & Biases is damaged: another MD5 than the service "
                        "says (got " +
                        got + ", want " + file.md5 + "); it was deleted");
}

}  // namespace

WandbService wandb_service() {
  std::string base = environment("WANDB_BASE_URL", "https://api.wandb.ai");
  while (base.ends_with('/')) base.pop_back();
  const std::string host = host_of(base);
  if (host.empty() || base.find_first_of("@ \t\r\n") != std::string::npos) {
    throw UsageError("WANDB_BASE_URL: is no address (want https://HOST)");
  }
  return {base, host, wandb_key(host)};
}

std::vector<WandbFile> list_wandb_files(const WandbService& service, const WandbRunPath& run,
                                        const std::vector<std::string>& names) {
  Json variables{{"entity", run.entity}, {"project", run.project}, {"name", run.run}};
  if (!names.empty()) variables["fileNames"] = names;
  const Json data = ask(service, {{"query", kQuery}, {"variables", variables}});
  const Json& project = member(data, "project");
  if (!project.is_object()) {
    throw UserError("wandb:" + run.text() + ": " + service.host + " has no project " + run.entity +
                    "/" + run.project + ", or the key of " + service.key.origin +
                    " may not read it");
  }
  const Json& found = member(project, "run");
  if (!found.is_object()) {
    throw UserError("wandb:" + run.text() + ": project " + run.entity + "/" + run.project +
                    " has no run " + run.run + " (want its id, the end of its address)");
  }
  std::vector<WandbFile> out;
  for (const Json& edge : member(member(found, "files"), "edges")) {
    const Json& node = member(edge, "node");
    out.push_back({.name = text_of(member(node, "name")),
                   .url = text_of(member(node, "url")),
                   .direct_url = text_of(member(node, "directUrl")),
                   .size = size_of(member(node, "sizeBytes")),
                   .md5 = text_of(member(node, "md5"))});
  }
  return out;
}

void download_wandb_file(const WandbService& service, const WandbFile& file,
                         const std::string& path) {
  if (has_content(path, file)) return;
  const std::string part_path = path + ".part";
  log_info("W&B: fetching " + file.name +
           (file.size ? " (" + std::to_string((*file.size >> 20) + 1) + " MiB)" : ""));
  bool is_right = false;
  while (!is_right) {
    Part part(part_path);
    fetch(service, file, part);
    part.sync();
    is_right = verify(part_path, file, part.was_begun());
  }
  rename_path(part_path, path);
  sync_directory(parent_directory(path));
}

}  // namespace linformer
