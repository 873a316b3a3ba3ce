// SPDX-License-Identifier: Apache-2.0
#include "storage/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

const std::string kGolden = LF_SOURCE_DIR "/tests/golden/";

std::string file_of(std::string_view header, std::string_view data = "") {
  const std::uint64_t length = header.size();
  std::string out(reinterpret_cast<const char*>(&length), 8);
  return out.append(header).append(data);
}

std::string error_of(const std::string& bytes) {
  return error_text<CheckpointError>([&] { SafetensorsFile(std::string_view(bytes), "f"); });
}

std::string tensor_header(std::string_view members) {
  return R"({"a":{)" + std::string(members) + "}}";
}

template <typename T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string written(std::span<const TensorView> tensors, const TensorMetadata& metadata = {}) {
  std::string out;
  write_safetensors([&](std::string_view piece) { out += piece; }, tensors, metadata);
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

void expect_as_golden(const std::string& name) {
  const auto golden = nlohmann::json::parse(std::ifstream(kGolden + "safetensors_package.json"));
  const SafetensorsFile file(kGolden + name);
  EXPECT_EQ(file.tensors().size(), golden["tensors"].size());
  for (const auto& [tensor, want] : golden["tensors"].items()) {
    const TensorView& view = file.at(tensor);
    EXPECT_EQ(safetensors_dtype(view.dtype), want["dtype"].get<std::string>()) << tensor;
    EXPECT_EQ(view.shape, want["shape"].get<std::vector<std::int64_t>>()) << tensor;
    EXPECT_EQ(hex(view.bytes), want["hex"].get<std::string>()) << tensor;
  }
  EXPECT_EQ(file.metadata(), golden["metadata"].get<TensorMetadata>());
}

TEST(Safetensors, ReadsWhatThePackageWrites) {
  expect_as_golden("safetensors_package.safetensors");
}

TEST(Safetensors, WritesTheBytesThatThePackageReads) {
  expect_as_golden("safetensors_ours.safetensors");
  const std::string want = slurp(kGolden + "safetensors_ours.safetensors");
  const SafetensorsFile file(kGolden + "safetensors_ours.safetensors");
  EXPECT_EQ(written(file.tensors(), file.metadata()), want);
}

TEST(Safetensors, WrittenTensorsAreAlignedWhateverTheirOrder) {
  const std::vector<std::uint8_t> narrow{1, 2, 3};
  const std::vector<double> wide{0.5, -2};
  const std::vector<float> middle{1.5F};
  const std::vector<TensorView> tensors{
      {.name = "n", .dtype = DType::kUInt8, .shape = {3}, .bytes = bytes_of(narrow)},
      {.name = "m", .dtype = DType::kFloat32, .shape = {}, .bytes = bytes_of(middle)},
      {.name = "w", .dtype = DType::kFloat64, .shape = {2, 1}, .bytes = bytes_of(wide)}};
  const TempDirectory directory;
  write_safetensors_file(directory.file("t.safetensors"), tensors);
  const SafetensorsFile file(directory.file("t.safetensors"));
  ASSERT_EQ(file.tensors().size(), 3U);
  for (const TensorView& want : tensors) {
    const TensorView& got = file.at(want.name);
    EXPECT_EQ(got.bytes, want.bytes);
    EXPECT_EQ(got.shape, want.shape);
    EXPECT_EQ(
        static_cast<std::size_t>(got.bytes.data() - file.bytes().data()) % dtype_size(got.dtype),
        0U)
        << got.name;
  }
}

TEST(Safetensors, ViewsStayValidWhenTheFileIsMoved) {
  SafetensorsFile file(kGolden + "safetensors_ours.safetensors");
  const std::string before(file.at("ids").bytes);
  const SafetensorsFile moved = std::move(file);
  EXPECT_EQ(moved.at("ids").bytes, before);
  EXPECT_EQ(moved.find("absent"), nullptr);
  EXPECT_NE(
      error_text<CheckpointError>([&] { moved.at("absent"); }).find("tensor \"absent\" is missing"),
      std::string::npos);
}

TEST(Safetensors, FilesWithoutTensorsAreFine) {
  EXPECT_TRUE(SafetensorsFile(std::string_view(file_of("{}")), "f").tensors().empty());
  EXPECT_TRUE(SafetensorsFile(std::string_view(written({})), "f").tensors().empty());
}

TEST(Safetensors, BadHeaderLengthsAreRefused) {
  EXPECT_EQ(error_of("abc"), "f@0: is no safetensors file (got 3 bytes)");
  EXPECT_EQ(error_of(std::string(8, '\0') + "{}"), "f@0: bad header length (got 0, want 1 to 2)");
  EXPECT_EQ(error_of(std::string("\3\0\0\0\0\0\0\0{}", 10)),
            "f@0: bad header length (got 3, want 1 to 2)");
  EXPECT_EQ(error_of(std::string("\0\0\0\0\0\0\0\x80{}", 10)),
            "f@0: bad header length (got 9223372036854775808, want 1 to 2)");
  EXPECT_EQ(error_of(file_of(std::string(16000001, ' '))),
            "f@0: bad header length (got 16000001, want 1 to 16000000)");
}

TEST(Safetensors, HeadersThatAreNoStrictJsonAreRefusedWithTheirOffset) {
  EXPECT_EQ(error_of(file_of("[]")), "f@8: is no safetensors file (want '{')");
  EXPECT_EQ(error_of(file_of(" {}")), "f@8: is no safetensors file (want '{')");
  EXPECT_EQ(error_of(file_of("{}x")).substr(0, 4), "f@10");
  EXPECT_EQ(error_of(file_of("{\"a\xff\":1}")).substr(0, 4), "f@11");
  EXPECT_EQ(error_of(file_of(std::string("{}\0{", 4))), "f@10: NUL byte in JSON");
  const std::string member = R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_EQ(error_of(file_of("{" + member + "," + member + "}")), "f@61: duplicate key \"a\"");
  const std::string deep(100000, '[');
  EXPECT_NE(error_of(file_of("{\"a\":" + deep)).find("nested too deeply"), std::string::npos);
}

TEST(Safetensors, MalformedTensorsAreRefusedByName) {
  const auto error = [](std::string_view members, std::string_view data = "") {
    return error_of(file_of(tensor_header(members), data));
  };
  EXPECT_NE(error(R"("dtype":"U8","shape":[1])").find("tensor \"a\" has other members"),
            std::string::npos);
  EXPECT_NE(error(R"("dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1)").find("other members"),
            std::string::npos);
  EXPECT_NE(error(R"("dtype":"F8","shape":[0],"data_offsets":[0,0])").find("got \"F8\""),
            std::string::npos);
  for (const char* shape : {"[-1]", "[1.5]", "[\"1\"]", "{}", "1", "[null]"}) {
    const std::string members =
        std::string(R"("dtype":"U8","data_offsets":[0,1],"shape":)") + shape;
    EXPECT_NE(error(members, "x").find("has a shape"), std::string::npos) << shape;
  }
  EXPECT_NE(error(R"("dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0])")
                .find("overflows"),
            std::string::npos);
  EXPECT_NE(error(R"("dtype":"U8","shape":[2],"data_offsets":[1,0])").find("contradict"),
            std::string::npos);
  EXPECT_NE(error(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", "1234")
                .find("contradict its shape (want 8 bytes)"),
            std::string::npos);
  EXPECT_NE(error(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", "1234")
                .find("past the end of the file"),
            std::string::npos);
  EXPECT_NE(error(R"("dtype":"U8","shape":[2],"data_offsets":[0,2])", "1234")
                .find("bytes after the last tensor (got 2, want 0)"),
            std::string::npos);
  EXPECT_NE(error(R"("dtype":"U8","shape":[2],"data_offsets":[2,4])", "1234").find("leaves a hole"),
            std::string::npos);
}

TEST(Safetensors, OverlapsAndAliasesAreRefused) {
  const auto two = [](std::string_view first, std::string_view second) {
    return R"({"a":{"dtype":"U8",)" + std::string(first) + R"(},"b":{"dtype":"U8",)" +
           std::string(second) + "}}";
  };
  EXPECT_NE(error_of(file_of(two(R"("shape":[3],"data_offsets":[0,3])",
                                 R"("shape":[2],"data_offsets":[2,4])"),
                             "1234"))
                .find("tensor \"b\" overlaps the data before it (got offset 2, want 3)"),
            std::string::npos);
  EXPECT_NE(error_of(file_of(two(R"("shape":[4],"data_offsets":[0,4])",
                                 R"("shape":[0],"data_offsets":[2,2])"),
                             "1234"))
                .find("tensor \"b\" overlaps"),
            std::string::npos);
  const std::string border = file_of(
      two(R"("shape":[4],"data_offsets":[0,4])", R"("shape":[0],"data_offsets":[4,4])"), "1234");
  EXPECT_EQ(SafetensorsFile(std::string_view(border), "f").at("b").bytes.size(), 0U);
}

TEST(Safetensors, MetadataMustBeStrings) {
  EXPECT_NE(error_of(file_of(R"({"__metadata__":{"k":1}})")).find("is no string"),
            std::string::npos);
  EXPECT_NE(error_of(file_of(R"({"__metadata__":[]})")).find("is no JSON object"),
            std::string::npos);
}

TEST(Safetensors, TooManyTensorsAreRefused) {
  std::string header = "{";
  for (int i = 0; i <= 100000; ++i) {
    if (i > 0) header += ',';
    header += "\"" + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  EXPECT_EQ(error_of(file_of(header + "}")), "f@8: more than 100000 tensors");
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string whole = slurp(kGolden + "safetensors_ours.safetensors");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string_view part = std::string_view(whole).substr(0, size);
    EXPECT_THROW(SafetensorsFile(part, "f"), CheckpointError) << size;
  }
}

TEST(Safetensors, EveryHeaderBitFlipIsRefusedOrLeavesAWellFormedFile) {
  std::string bytes = slurp(kGolden + "safetensors_ours.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  std::size_t num_refused = 0;
  for (std::size_t bit = 0; bit < (8 + length) * 8; ++bit) {
    const auto mask = static_cast<char>(1U << (bit % 8));
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    try {
      const SafetensorsFile file(std::string_view(bytes), "f");
      for (const TensorView& tensor : file.tensors()) {
        EXPECT_EQ(tensor.bytes.size(),
                  static_cast<std::size_t>(tensor.num_elements()) * dtype_size(tensor.dtype));
      }
    } catch (const CheckpointError&) {
      ++num_refused;
    }
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
  }
  EXPECT_GT(num_refused, length * 4);
}

TEST(Safetensors, NonFiniteValuesAreFoundWithTheirIndex) {
  std::vector<float> values(5000, 1.0F);
  TensorView view{.name = "w", .dtype = DType::kFloat32, .shape = {5000}};
  view.bytes = bytes_of(values);
  EXPECT_EQ(first_non_finite(view), -1);
  values[4321] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(first_non_finite(view), 4321);
  values[17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(first_non_finite(view), 17);
  const std::string bytes = written(std::span(&view, 1));
  const SafetensorsFile file(std::string_view(bytes), "f");
  EXPECT_EQ(error_text<CheckpointError>([&] { check_finite(file); }),
            "f: tensor \"w\" is not finite at flat index 17");
}

TEST(Safetensors, NonFiniteValuesAreFoundInEveryFloatType) {
  const std::vector<double> wide{0, std::numeric_limits<double>::max(),
                                 std::numeric_limits<double>::infinity()};
  EXPECT_EQ(first_non_finite({.name = "d", .dtype = DType::kFloat64, .bytes = bytes_of(wide)}), 2);
  const std::vector<std::uint16_t> half{0x7BFF, 0x7C01};
  EXPECT_EQ(first_non_finite({.name = "h", .dtype = DType::kFloat16, .bytes = bytes_of(half)}), 1);
  const std::vector<std::uint16_t> brain{0x7F7F, 0xFF80};
  EXPECT_EQ(first_non_finite({.name = "b", .dtype = DType::kBFloat16, .bytes = bytes_of(brain)}),
            1);
  EXPECT_EQ(first_non_finite({.name = "i", .dtype = DType::kInt32, .bytes = "\xff\xff\xff\xff"}),
            -1);
}

TEST(Safetensors, ContradictoryTensorsAreOurBug) {
  const TensorView wrong{.name = "a", .dtype = DType::kFloat32, .shape = {2}, .bytes = "1234"};
  EXPECT_THROW(written(std::span(&wrong, 1)), InternalError);
  const TensorView twice[]{{.name = "a", .dtype = DType::kUInt8, .shape = {1}, .bytes = "1"},
                           {.name = "a", .dtype = DType::kUInt8, .shape = {1}, .bytes = "2"}};
  EXPECT_THROW(written(twice), InternalError);
}

}  // namespace
}  // namespace linformer
