// SPDX-License-Identifier: Apache-2.0
// A library to preload: what a program does below SHIM_ROOT/ fails at a chosen call, or is written
// down. SHIM_FAULT=N:ACTION acts at the N-th (1-based) call: kill, short (half of a write), or an
// error (ENOSPC, EIO, EINTR), which the call returns without doing anything. SHIM_LOG=FILE: one
// line a call, "CALL PATH [PATH2 | OFFSET HEX]", paths relative to the root.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace {

template <typename F>
F* next_function(const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}
#define NEXT(name) static auto* const next = next_function<decltype(::name)>(#name)

struct OpenFile {
  std::string name;
  off_t offset = 0;
};

struct Shim {
  std::string root;
  long fault_at = 0;
  std::string action;
  std::FILE* log = nullptr;
  long num_calls = 0;
  std::map<int, OpenFile> files;

  Shim() {
    if (const char* text = std::getenv("SHIM_ROOT")) root = std::string(text) + "/";
    if (const char* text = std::getenv("SHIM_FAULT")) {
      char* end = nullptr;
      fault_at = std::strtol(text, &end, 10);
      action = end + 1;
    }
    if (const char* path = std::getenv("SHIM_LOG")) log = std::fopen(path, "w");
  }

  bool covers(const char* path) const {
    return !root.empty() &&
           (std::string_view(path).starts_with(root) || std::string(path) + "/" == root);
  }
  std::string name_of(const char* path) const {
    const std::string_view text(path);
    return text.size() < root.size() ? "." : std::string(text.substr(root.size()));
  }

  /// Counts the call. True when it is to fail: errno is set. A short write is left to the caller.
  bool fails() {
    if (++num_calls != fault_at) return false;
    write_down("fault", action);
    if (action == "kill") ::raise(SIGKILL);
    static const std::map<std::string, int> errors{
        {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EINTR", EINTR}};
    const auto error = errors.find(action);
    if (error == errors.end()) return false;
    errno = error->second;
    return true;
  }
  bool is_short() const { return num_calls == fault_at && action == "short"; }

  void write_down(const std::string& call, const std::string& rest) {
    if (log == nullptr) return;
    std::fprintf(log, "%s %s\n", call.c_str(), rest.c_str());
    std::fflush(log);
  }
};

Shim& shim() {
  static Shim instance;
  return instance;
}

std::string hexadecimal(const void* data, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned byte = static_cast<const unsigned char*>(data)[i];
    out += kDigits[byte / 16];
    out += kDigits[byte % 16];
  }
  return out;
}

/// A call on one or two paths below the root, written down when it succeeded.
template <typename Call>
int on_paths(const char* name, const char* path, const char* other, Call call) {
  if (!shim().covers(path)) return call();
  if (shim().fails()) return -1;
  const int result = call();
  if (result == 0) {
    shim().write_down(name,
                      shim().name_of(path) + (other == nullptr ? "" : " " + shim().name_of(other)));
  }
  return result;
}

}  // namespace

extern "C" {

/// For the program itself: a line in the log.
void syscall_shim_note(const char* text) { shim().write_down("note", text); }

int open(const char* path, int flags, ...) {
  NEXT(open);
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  const bool is_read = (flags & O_ACCMODE) == O_RDONLY && (flags & O_DIRECTORY) == 0;
  if (is_read || !shim().covers(path)) return next(path, flags, mode);
  if (shim().fails()) return -1;
  const int descriptor = next(path, flags, mode);
  if (descriptor < 0) return descriptor;
  shim().files[descriptor] = {shim().name_of(path), 0};
  if ((flags & O_CREAT) != 0) shim().write_down("create", shim().name_of(path));
  return descriptor;
}

ssize_t write(int descriptor, const void* data, std::size_t size) {
  NEXT(write);
  const auto file = shim().files.find(descriptor);
  if (file == shim().files.end()) return next(descriptor, data, size);
  if (shim().fails()) return -1;
  const ssize_t count = next(descriptor, data, shim().is_short() && size > 1 ? size / 2 : size);
  if (count > 0) {
    shim().write_down("write", file->second.name + " " + std::to_string(file->second.offset) + " " +
                                   hexadecimal(data, static_cast<std::size_t>(count)));
    file->second.offset += count;
  }
  return count;
}

int fsync(int descriptor) {
  NEXT(fsync);
  const auto file = shim().files.find(descriptor);
  if (file == shim().files.end()) return next(descriptor);
  if (shim().fails()) return -1;
  const int result = next(descriptor);
  if (result == 0) shim().write_down("fsync", file->second.name);
  return result;
}

int close(int descriptor) {
  NEXT(close);
  const bool is_known = shim().files.erase(descriptor) > 0;
  const int result = next(descriptor);  // a close that fails closes too
  return is_known && shim().fails() ? -1 : result;
}

int rename(const char* from, const char* to) {
  NEXT(rename);
  return on_paths("rename", from, to, [&] { return next(from, to); });
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to,
              unsigned int flags) {
  NEXT(renameat2);
  return on_paths("exchange", from, to,
                  [&] { return next(from_directory, from, to_directory, to, flags); });
}

int unlink(const char* path) {
  NEXT(unlink);
  return on_paths("unlink", path, nullptr, [&] { return next(path); });
}

int mkdir(const char* path, mode_t mode) {
  NEXT(mkdir);
  return on_paths("mkdir", path, nullptr, [&] { return next(path, mode); });
}

int rmdir(const char* path) {
  NEXT(rmdir);
  return on_paths("rmdir", path, nullptr, [&] { return next(path); });
}

}  // extern "C"
