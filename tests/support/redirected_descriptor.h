// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>

namespace linformer {

/// Puts a file in the place of a standard descriptor (0 or 1) as long as the object lives.
class RedirectedDescriptor {
 public:
  RedirectedDescriptor(int descriptor, const std::string& path, int flags)
      : descriptor_(descriptor), saved_(::dup(descriptor)) {
    const int file = ::open(path.c_str(), flags);
    ::dup2(file, descriptor);
    ::close(file);
  }
  ~RedirectedDescriptor() {
    ::dup2(saved_, descriptor_);
    ::close(saved_);
  }
  RedirectedDescriptor(const RedirectedDescriptor&) = delete;
  RedirectedDescriptor& operator=(const RedirectedDescriptor&) = delete;

 private:
  int descriptor_;
  int saved_;
};

}  // namespace linformer
