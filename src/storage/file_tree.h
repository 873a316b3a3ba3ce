// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace linformer {

// Directory operations of this module, each with its fault point. Every one throws IoError naming
// the path.

/// True for a directory (through symbolic links). Never throws.
bool is_directory(const std::string& path);

/// True when something has this name, even a dangling symbolic link. Never throws.
bool path_exists(const std::string& path);

/// Names in a directory, sorted, without "." and "..".
std::vector<std::string> list_directory(const std::string& path);

/// mkdir of one directory that must not exist.
void make_directory(const std::string& path);

/// unlink; a missing file is no error. Never follows a symbolic link.
void remove_file(const std::string& path);

/// rmdir. False when the directory is not empty.
bool remove_empty_directory(const std::string& path);

/// Makes the symbolic link `link` to `target`, in one step where another link has its place;
/// anything else there is left as it is.
void replace_symlink(const std::string& target, const std::string& link);

/// Makes `to`, which must not exist, a hard link to the file `from`, or a copy of it where the file
/// system cannot link the two.
void link_or_copy(const std::string& from, const std::string& to);

void rename_path(const std::string& from, const std::string& to);

/// Puts `from` in the place of the directory `to`, whose old content is found under `from`
/// afterwards. One step where the file system can exchange names, two elsewhere.
void exchange_directories(const std::string& from, const std::string& to);

/// Removes a directory of regular files without looking at their names; whatever cannot be removed
/// stays. Never throws: for clearing up.
void discard_directory(const std::string& path) noexcept;

}  // namespace linformer
