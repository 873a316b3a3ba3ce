// SPDX-License-Identifier: Apache-2.0
#include "storage/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <system_error>

#include "base/fault.h"
#include "base/file.h"
#include "linformer/error.h"

namespace linformer {
bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool path_exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

std::vector<std::string> list_directory(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) throw_io(path, "list", errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(directory);
  if (error != 0) throw_io(path, "list", error);
  std::sort(names.begin(), names.end());
  return names;
}

void make_directory(const std::string& path) {
  fault_point("mkdir");
  if (::mkdir(path.c_str(), 0777) != 0) throw_io(path, "create", errno);
}

void remove_file(const std::string& path) {
  fault_point("unlink");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_io(path, "remove", errno);
}

bool remove_empty_directory(const std::string& path) {
  fault_point("rmdir");
  if (::rmdir(path.c_str()) == 0) return true;
  if (errno == ENOTEMPTY || errno == EEXIST) return false;
  throw_io(path, "remove", errno);
}

void replace_symlink(const std::string& target, const std::string& link) {
  std::error_code error;
  if (path_exists(link) && !std::filesystem::is_symlink(link, error)) return;
  const std::string temporary = random_name(link + ".tmp-");
  fault_point("symlink");
  if (::symlink(target.c_str(), temporary.c_str()) != 0) throw_io(link, "create", errno);
  try {
    rename_path(temporary, link);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void link_or_copy(const std::string& from, const std::string& to) {
  fault_point("link");
  if (::link(from.c_str(), to.c_str()) == 0) return;
  std::error_code error;
  std::filesystem::copy_file(from, to, error);
  if (error) throw_io(to, "create", error.value());
}

void rename_path(const std::string& from, const std::string& to) {
  fault_point("rename");
  if (::rename(from.c_str(), to.c_str()) != 0) throw_io(to, "rename", errno);
}

void exchange_directories(const std::string& from, const std::string& to) {
  fault_point("rename");
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return;
  if (errno != EINVAL && errno != ENOSYS) throw_io(to, "exchange", errno);
  const std::string aside = random_name(to + ".tmp-");
  rename_path(to, aside);
  rename_path(from, to);
  rename_path(aside, from);
}

void discard_directory(const std::string& path) noexcept {
  try {
    for (const std::string& name : list_directory(path)) remove_file(path + "/" + name);
    remove_empty_directory(path);
  } catch (const std::exception&) {
  }
}

}  // namespace linformer
