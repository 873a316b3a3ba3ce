// SPDX-License-Identifier: Apache-2.0
#include "storage/manifest.h"

#include <algorithm>

#include "base/digest.h"
#include "base/file.h"
#include "linformer/error.h"
#include "linformer/version.h"
#include "storage/json_state.h"
#include "storage/limited_json.h"

namespace linformer {
namespace {

using nlohmann::json;

constexpr std::string_view kFormatName = "linformer-checkpoint";
constexpr std::string_view kSealBegin = "  \"digest\": \"";
constexpr std::string_view kSealEnd = "\"\n}\n";
constexpr std::size_t kHexDigits = 64;
constexpr std::size_t kMaxManifest = std::size_t{1} << 20;

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw CheckpointError(path + ": " + reason);
}

std::uint64_t get_unsigned(const json& object, const char* key, const std::string& path) {
  if (!object.contains(key) || !object[key].is_number_unsigned()) {
    fail(path, std::string("member ") + key + " is no whole number");
  }
  return object[key].get<std::uint64_t>();
}

std::string get_text(const json& object, const char* key, const std::string& path) {
  if (!object.contains(key) || !object[key].is_string()) {
    fail(path, std::string("member ") + key + " is no string");
  }
  return object[key].get<std::string>();
}

std::string get_sha256(const json& object, const std::string& path) {
  std::string text = get_text(object, "sha256", path);
  if (text.size() != kHexDigits ||
      text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    fail(path, "member sha256 is no SHA-256 (got " + json_string(text) + ", want 64 digits)");
  }
  return text;
}

void check_version(const json& root, const std::string& path) {
  if (!root.is_object() || get_text(root, "format", path) != kFormatName) {
    fail(path, "is no manifest of a checkpoint");
  }
  const std::uint64_t version = get_unsigned(root, "version", path);
  if (version > static_cast<std::uint64_t>(kCheckpointVersion)) {
    fail(path, "checkpoint format " + std::to_string(version) + " needs version >= " +
                   get_text(root, "needs", path) + " of linformer (this is " + kVersion + ")");
  }
}

}  // namespace

std::string seal_json(std::string_view open_object) {
  std::string out(open_object);
  out += ",\n";
  const std::string digest = sha256_hex(out);
  out += kSealBegin;
  out += digest;
  out += kSealEnd;
  return out;
}

std::string_view check_seal(std::string_view text, const std::string& path) {
  const std::size_t tail = kSealBegin.size() + kHexDigits + kSealEnd.size();
  const std::size_t begin = text.size() < tail ? 0 : text.size() - tail;
  const std::string_view seal = text.substr(begin);
  if (seal.size() != tail || !seal.starts_with(kSealBegin) || !seal.ends_with(kSealEnd)) {
    fail(path, "does not end with its own digest (cut off or damaged)");
  }
  const std::string_view want = seal.substr(kSealBegin.size(), kHexDigits);
  const std::string got = sha256_hex(text.substr(0, begin));
  if (got != want) {
    fail(path, "SHA-256 differs (got " + got + ", want " + std::string(want) + ")");
  }
  return text;
}

std::string manifest_text(const Manifest& manifest) {
  std::string out = "{\n  \"format\": " + json_string(kFormatName);
  out += ",\n  \"version\": " + std::to_string(kCheckpointVersion);
  out += ",\n  \"needs\": \"0.1.0\"";
  out += ",\n  \"step\": " + std::to_string(manifest.step) + ",\n  \"files\": {";
  bool is_first = true;
  for (const auto& [name, file] : manifest.files) {
    out += is_first ? "\n    " : ",\n    ";
    out += json_string(name) + ": {\"size\": " + std::to_string(file.size) + ", \"sha256\": \"" +
           file.sha256 + "\"}";
    is_first = false;
  }
  return seal_json(out + "\n  }");
}

Manifest parse_manifest(std::string_view text, const std::string& path) {
  const json root = parse_limited_json(check_seal(text, path), path);
  check_version(root, path);
  Manifest out;
  const std::uint64_t step = get_unsigned(root, "step", path);
  if (step > std::uint64_t{1} << 62 || !root.contains("files") || !root["files"].is_object()) {
    fail(path, "is no manifest of a checkpoint");
  }
  out.step = static_cast<std::int64_t>(step);
  for (const auto& [name, entry] : root["files"].items()) {
    if (!is_safe_name(name) || name == kManifestFile || !entry.is_object()) {
      fail(path, "lists a file that no checkpoint has: " + json_string(name));
    }
    out.files[name] = {.size = get_unsigned(entry, "size", path),
                       .sha256 = get_sha256(entry, path)};
  }
  return out;
}

Manifest read_manifest(const std::string& directory) {
  const std::string path = directory + "/" + std::string(kManifestFile);
  try {
    return parse_manifest(read_file(path, kMaxManifest), path);
  } catch (const CheckpointError&) {
    throw;
  } catch (const UserError& error) {
    throw CheckpointError(error.what());
  }
}

MappedFile map_verified(const std::string& directory, const std::string& name,
                        const FileDigest& expected) {
  const std::string path = directory + "/" + name;
  try {
    MappedFile file(path);
    if (file.bytes().size() != expected.size) {
      fail(path, "size differs (got " + std::to_string(file.bytes().size()) + " bytes, want " +
                     std::to_string(expected.size) + ")");
    }
    const std::string digest = sha256_hex(file.bytes());
    if (digest != expected.sha256) {
      fail(path, "SHA-256 differs (got " + digest + ", want " + expected.sha256 + ")");
    }
    return file;
  } catch (const CheckpointError&) {
    throw;
  } catch (const UserError& error) {
    throw CheckpointError(error.what());
  }
}

bool is_safe_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), is_allowed);
}

}  // namespace linformer
