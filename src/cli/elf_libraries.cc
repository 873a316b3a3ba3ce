// SPDX-License-Identifier: Apache-2.0
#include "cli/elf_libraries.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/file.h"
#include "linformer/error.h"

namespace linformer {
namespace {

/// Bounds-checked reads of one file.
class Elf {
 public:
  explicit Elf(const std::string& path) : file_(path) {
    header_ = at<Elf64_Ehdr>(0);
    if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 ||
        header_.e_ident[EI_CLASS] != ELFCLASS64)
      fail(0);
  }

  std::vector<Elf64_Phdr> segments() const {
    std::vector<Elf64_Phdr> out;
    for (std::uint64_t i = 0; i < header_.e_phnum; ++i)
      out.push_back(at<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr)));
    return out;
  }

  template <typename T>
  T at(std::uint64_t offset) const {
    const std::string_view bytes = file_.bytes();
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) fail(offset);
    T out;
    std::memcpy(&out, bytes.data() + offset, sizeof(T));
    return out;
  }

  std::string text_at(std::uint64_t offset) const {
    const std::string_view bytes = file_.bytes();
    if (offset >= bytes.size()) fail(offset);
    const std::size_t end = bytes.find('\0', offset);
    if (end == std::string_view::npos) fail(offset);
    return std::string(bytes.substr(offset, end - offset));
  }

  [[noreturn]] void fail(std::uint64_t offset) const {
    throw DataError({.file = file_.path(), .offset = offset},
                    "is not a 64-bit ELF program, or is damaged");
  }

 private:
  MappedFile file_;
  Elf64_Ehdr header_{};
};

/// Where the byte that is mapped to `address` lies in the file.
std::uint64_t file_offset(const Elf& elf, const std::vector<Elf64_Phdr>& segments,
                          std::uint64_t address) {
  for (const Elf64_Phdr& segment : segments) {
    const bool is_inside = segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
                           address - segment.p_vaddr < segment.p_filesz;
    if (is_inside) return segment.p_offset + (address - segment.p_vaddr);
  }
  elf.fail(0);
}

void add_directories(const std::string& list, const std::string& origin,
                     std::vector<std::string>& out) {
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    std::string directory = list.substr(begin, end - begin);
    if (const std::size_t at = directory.find("$ORIGIN"); at != std::string::npos)
      directory.replace(at, 7, origin);
    if (!directory.empty()) out.push_back(directory);
    begin = end + 1;
  }
}

}  // namespace

ElfLibraries elf_libraries(const std::string& path) {
  const Elf elf(path);
  const std::vector<Elf64_Phdr> segments = elf.segments();
  const auto dynamic =
      std::ranges::find(segments, static_cast<Elf64_Word>(PT_DYNAMIC), &Elf64_Phdr::p_type);
  ElfLibraries out;
  if (dynamic == segments.end()) return out;
  std::vector<Elf64_Dyn> entries;
  for (std::uint64_t offset = 0; offset + sizeof(Elf64_Dyn) <= dynamic->p_filesz;
       offset += sizeof(Elf64_Dyn)) {
    entries.push_back(elf.at<Elf64_Dyn>(dynamic->p_offset + offset));
    if (entries.back().d_tag == DT_NULL) break;
  }
  const auto strings =
      std::ranges::find(entries, static_cast<Elf64_Sxword>(DT_STRTAB), &Elf64_Dyn::d_tag);
  if (strings == entries.end()) return out;
  const std::uint64_t table = file_offset(elf, segments, strings->d_un.d_ptr);
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_NEEDED) out.needed.push_back(elf.text_at(table + entry.d_un.d_val));
    if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH) {
      add_directories(elf.text_at(table + entry.d_un.d_val), parent_directory(path),
                      out.directories);
    }
  }
  return out;
}

}  // namespace linformer
