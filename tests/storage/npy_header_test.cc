// SPDX-License-Identifier: Apache-2.0
#include "storage/npy_header.h"

#include <gtest/gtest.h>

#include <cstring>

#include "linformer/error.h"
#include "support/expect_error.h"

namespace linformer {
namespace {

std::string file_of(const std::string& text, char major = 1, char minor = 0) {
  std::string out = std::string("\x93NUMPY") + major + minor;
  const auto size = static_cast<std::uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), major == 1 ? 2 : 4);
  return out + text;
}

NpyHeader read(const std::string& bytes) {
  std::size_t at = 0;
  return read_npy_header(
      [&](char* out, std::size_t size) {
        if (size > bytes.size() - at) throw DataError("f: ends too early");
        std::memcpy(out, bytes.data() + at, size);
        at += size;
      },
      "f");
}

std::string refusal(const std::string& bytes) {
  return error_text<DataError>([&] { read(bytes); });
}

/// The refusal of a header with this text.
std::string refused(const std::string& text) { return refusal(file_of(text)); }

/// With this shape.
std::string shaped(const std::string& shape) {
  return "{'descr': '<i8', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

TEST(NpyHeader, ReadsBackWhatItWrites) {
  for (const std::vector<std::uint64_t>& shape :
       {std::vector<std::uint64_t>{}, {5}, {3, 256}, {4500000, 256, 1, 0}, {~std::uint64_t{0}}}) {
    const std::string bytes = encode_npy_header("<i8", shape);
    EXPECT_EQ(bytes.size() % 64, 0U);
    const NpyHeader header = read(bytes + "elements");
    EXPECT_EQ(header.shape, shape);
    EXPECT_EQ(header.dtype, "<i8");
    EXPECT_EQ(header.bytes, bytes.size());
  }
}

TEST(NpyHeader, EveryVersionAndSpellingOfNumpyIsRead) {
  const std::string text = "{\"shape\":(2,3),'fortran_order' : False,   'descr':'|u1'}  \n";
  for (const char major : {1, 2, 3}) {
    const NpyHeader header = read(file_of(text, major));
    EXPECT_EQ(header.shape, (std::vector<std::uint64_t>{2, 3}));
    EXPECT_EQ(header.dtype, "|u1");
    EXPECT_EQ(header.bytes, text.size() + (major == 1 ? 10 : 12));
  }
}

TEST(NpyHeader, ShapesLookAsInPython) {
  EXPECT_EQ(shape_text({}), "()");
  EXPECT_EQ(shape_text({7}), "(7,)");
  EXPECT_EQ(shape_text({2, 3}), "(2, 3)");
}

TEST(NpyHeader, OtherFilesVersionsAndSizesAreRefused) {
  EXPECT_EQ(refusal("PK\x03\x04 something"), "f: is no npy array (want 93 4e 55 4d 50 59)");
  EXPECT_EQ(refusal(file_of(shaped("(2, 3)"), 9)), "f: npy version 9.0 (want 1.0, 2.0 or 3.0)");
  EXPECT_EQ(refusal(file_of(shaped("(2, 3)"), 0)), "f: npy version 0.0 (want 1.0, 2.0 or 3.0)");
  EXPECT_EQ(refusal(file_of(shaped("(2, 3)"), 1, 1)), "f: npy version 1.1 (want 1.0, 2.0 or 3.0)");
  EXPECT_EQ(refused(std::string(10001, ' ')), "f: npy header of 10001 bytes (want at most 10000)");
  EXPECT_EQ(refusal(file_of(std::string(3, ' '), 2).replace(8, 4, "\xff\xff\xff\xff")),
            "f: npy header of 4294967295 bytes (want at most 10000)");
  const std::string good = encode_npy_header("<i8", {2, 3});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(refusal(good.substr(0, size)), "f: ends too early");
  }
}

TEST(NpyHeader, NothingIsEvaluated) {
  EXPECT_EQ(refused("__import__('os').system('id')\n"),
            "f: npy header is malformed (want '{', got \"__import__('os')\")");
  EXPECT_EQ(refused("{'descr': __import__('os')}\n"),
            "f: npy header is malformed (want ''', got \"__import__('os')\")");
  EXPECT_EQ(refused("{'descr': 'O', 'fortran_order': 1}\n"),
            "f: npy header has a 'fortran_order' that is neither True nor False");
}

TEST(NpyHeader, MalformedHeadersAreRefusedWithTheField) {
  EXPECT_EQ(refused(""), "f: npy header is malformed (want '{', got \"\")");
  EXPECT_EQ(refused("{'descr"), "f: npy header is malformed (want ''', got \"\")");
  EXPECT_EQ(refused("{'descr': '<i8'\n"), "f: npy header is malformed (want '}', got \"\\n\")");
  EXPECT_EQ(refused("{}\n"), "f: npy header has no 'descr'");
  EXPECT_EQ(refused("{'descr': '<i8'}\n"), "f: npy header has no 'fortran_order'");
  EXPECT_EQ(refused("{'descr': '<i8', 'fortran_order': False}\n"), "f: npy header has no 'shape'");
  EXPECT_EQ(refused("{'descr': '<i8', 'fortran_order': True}\n"),
            "f: npy header says 'fortran_order': True (want False)");
  EXPECT_EQ(refused("{'descr': [('a', '<i8')]}\n"),
            "f: npy header has a 'descr' of several fields (want one type)");
  const std::string names = " (want 'descr', 'fortran_order' and 'shape', once each)";
  EXPECT_EQ(refused("{'x': 1}\n"), "f: npy header names \"x\"" + names);
  EXPECT_EQ(refused("{'descr': 'O', 'descr': 'O'}\n"), "f: npy header names \"descr\"" + names);
  EXPECT_EQ(refused(shaped("(2, 3)") + "x"), "f: npy header does not end in spaces and a newline");
  for (const char* shape : {"(-1, 2)", "(2.5,)", "(a)", "((2,), 3)", "(99999999999999999999,)",
                            "[2, 3]", "2", "(2 3)", "(2,,)"}) {
    EXPECT_TRUE(refused(shaped(shape)).starts_with("f: npy header ")) << shape;
  }
  std::string many = "(";
  for (int i = 0; i < 33; ++i) many += "1, ";
  EXPECT_EQ(refused(shaped(many + ")")),
            "f: npy header has a shape of too many axes (want at most 32)");
}

}  // namespace
}  // namespace linformer
