// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/file.h"

namespace linformer {

/// Newest manifest and checkpoint format that this program reads and writes.
inline constexpr std::int64_t kCheckpointVersion = 1;
inline constexpr std::string_view kManifestFile = "manifest.json";

/// Size and SHA-256 (hexadecimal) of one file.
struct FileDigest {
  std::uint64_t size = 0;
  std::string sha256;
};

/// What a generation consists of. In a file its last member is the SHA-256 of all bytes before that
/// member, so that any change of the manifest itself is seen too.
struct Manifest {
  std::int64_t step = 0;
  std::map<std::string, FileDigest> files;
};

/// A JSON object's text `{...` without its closing brace, completed with its own digest as last
/// member.
std::string seal_json(std::string_view open_object);

/// The text of a sealed object, when its digest is right. Throws CheckpointError naming `path` and
/// both digests.
std::string_view check_seal(std::string_view text, const std::string& path);

/// The exact text of manifest.json.
std::string manifest_text(const Manifest& manifest);

/// The inverse. Throws CheckpointError naming `path`: a wrong digest (both are named), no manifest
/// of ours, a file name that leaves the directory, or a newer format ("needs version >= X").
Manifest parse_manifest(std::string_view text, const std::string& path);

/// Reads DIRECTORY/manifest.json. Throws CheckpointError, also when it is missing.
Manifest read_manifest(const std::string& directory);

/// Maps DIRECTORY/name and compares it with the manifest. Throws CheckpointError naming the file
/// and both sizes or both digests, or that it is missing.
MappedFile map_verified(const std::string& directory, const std::string& name,
                        const FileDigest& expected);

/// True for what a file of a checkpoint may be called: [A-Za-z0-9._-]{1,64}, not starting with '.'.
bool is_safe_name(std::string_view name);

}  // namespace linformer
