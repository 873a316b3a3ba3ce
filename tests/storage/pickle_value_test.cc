// SPDX-License-Identifier: Apache-2.0
#include "storage/pickle_value.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "storage/pickle_reader.h"
#include "support/expect_error.h"
#include "support/torch_file.h"

namespace linformer {
namespace {

std::string refusal(const std::string& view, unsigned char elements = 6) {
  const std::string bytes = pickle_of(pickled_tensor(pickled_storage(elements), view));
  return error_text<DataError>([&] { const PickleReader reader(bytes, "f", 0); });
}

std::string past(int elements) {
  return ": tensor reaches past its storage \"0\" of " + std::to_string(elements) + " elements";
}

const std::string kTwoByThree = "K\x02K\x03\x86";
const std::string kDense = "K\x03K\x01\x86";

TEST(PickleValue, StorageClassesAndTypesAreInverse) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kFloat64,
                            DType::kInt64, DType::kInt32, DType::kUInt8, DType::kBool}) {
    EXPECT_EQ(storage_dtype({"torch", storage_class(dtype)}), dtype);
  }
  EXPECT_FALSE(storage_dtype({"numpy", "FloatStorage"}));
  EXPECT_FALSE(storage_dtype({"torch", "ShortStorage"}));
}

TEST(PickleValue, OnlyWhatTensorsNeedIsAllowed) {
  EXPECT_TRUE(is_allowed({"collections", "OrderedDict"}));
  EXPECT_TRUE(is_allowed({"torch._utils", "_rebuild_tensor_v2"}));
  EXPECT_TRUE(is_allowed({"torch._utils", "_rebuild_parameter"}));
  EXPECT_FALSE(is_allowed({"torch._utils", "_rebuild_tensor"}));
  EXPECT_FALSE(is_allowed({"os", "system"}));
  EXPECT_FALSE(is_allowed({"builtins", "OrderedDict"}));
}

TEST(PickleValue, TensorsKeepTheirPlace) {
  const std::string bytes =
      pickle_of(pickled_tensor(pickled_storage(7), std::string("K\x01", 2) + kTwoByThree + kDense));
  const PickleReader reader(bytes, "f", 0);
  const auto* tensor = reader.root().as<PickleTensor>();
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->storage.key, "0");
  EXPECT_EQ(tensor->storage.num_elements, 7);
  EXPECT_EQ(tensor->offset, 1);
  EXPECT_EQ(tensor->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(tensor->stride, (std::vector<std::int64_t>{3, 1}));
}

TEST(PickleValue, TensorsPastTheirStorageAreRefused) {
  const std::string start("K\x00", 2);
  EXPECT_TRUE(refusal(start + kTwoByThree + kDense, 5).ends_with(past(5)));
  EXPECT_TRUE(refusal(std::string("K\x01", 2) + kTwoByThree + kDense).ends_with(past(6)));
  EXPECT_TRUE(refusal(start + kTwoByThree + "K\x04K\x01\x86").ends_with(past(6)));
  const std::string huge("\x8A\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 10);
  EXPECT_TRUE(refusal(huge + kTwoByThree + kDense).ends_with(past(6)));
  EXPECT_TRUE(refusal(start + huge + huge + "\x86" + kDense).ends_with(past(6)));
  EXPECT_TRUE(refusal(start + "K\x02K\x01\x86" + huge + huge + "\x86").ends_with(past(6)));
  // No element, but a shape whose product has more than 64 bits.
  EXPECT_TRUE(
      refusal(start + "(" + std::string("K\x00", 2) + huge + huge + "t" + "K\x01K\x01K\x01\x87")
          .ends_with(past(6)));
}

TEST(PickleValue, TensorsThatMultiplyTheirStorageAreRefused) {
  const std::string expanded = std::string("K\x00", 2) + "J" + std::string("\x00\x00\x00\x40", 4) +
                               "\x85" + std::string("K\x00", 2) + "\x85";
  EXPECT_TRUE(refusal(expanded).ends_with(
      ": tensor repeats elements of its storage (save what contiguous() makes of it)"));
}

TEST(PickleValue, MalformedTensorsAreRefused) {
  const std::string start("K\x00", 2);
  EXPECT_NE(refusal("N" + kTwoByThree + kDense).find("sizes are not whole numbers"),
            std::string::npos);
  EXPECT_NE(refusal("J\xFF\xFF\xFF\xFF" + kTwoByThree + kDense).find("whole numbers from 0"),
            std::string::npos);
  EXPECT_NE(refusal(start + "NN").find("tensor without a shape"), std::string::npos);
  std::string deep = "(";
  for (int i = 0; i < 9; ++i) deep += "K\x01";
  EXPECT_NE(refusal(start + deep + "t" + kDense).find("at most 8 sizes"), std::string::npos);
  EXPECT_NE(refusal(start + kTwoByThree + "K\x01\x85").find("more or fewer strides"),
            std::string::npos);
  const std::string bare = pickle_of(pickled_tensor("N", start + kTwoByThree + kDense));
  EXPECT_NE(error_text<DataError>([&] {
              const PickleReader reader(bare, "f", 0);
            }).find("tensor of something that is no storage"),
            std::string::npos);
  const std::string id = pickle_of("(" + pickled_text("module") + "NNNNtQ");
  EXPECT_NE(error_text<DataError>([&] {
              const PickleReader reader(id, "f", 0);
            }).find("refers to something that is no storage"),
            std::string::npos);
}

}  // namespace
}  // namespace linformer
