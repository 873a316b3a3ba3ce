// SPDX-License-Identifier: Apache-2.0
#include "storage/torch_checkpoint.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/file.h"
#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/temp_directory.h"
#include "support/torch_file.h"

namespace linformer {
namespace {

const std::string kGolden = LF_SOURCE_DIR "/tests/golden/";

/// Name, type, shape and digest of every tensor of a dict of tensors.
nlohmann::json described(TorchFile& file) {
  nlohmann::json out;
  for (const auto& [key, value] : file.root().as<PickleDict>()->entries) {
    const std::string name(*key->as<std::string_view>());
    const TensorView view = file.tensor(name, *value->as<PickleTensor>());
    out[name] = {{"dtype", dtype_name(view.dtype)},
                 {"shape", view.shape},
                 {"sha256", sha256_hex(view.bytes)}};
  }
  return out;
}

nlohmann::json golden_kinds() {
  return nlohmann::json::parse(read_file(kGolden + "torch_kinds.json", 100000));
}

std::string refusal(const std::string& bytes) {
  return error_text<DataError>([&] {
    TorchFile file(bytes, "f");
    described(file);
  });
}

const std::string kSix =
    "(" + pickled_text("w") +
    pickled_tensor(pickled_storage(6), std::string("K\x00", 2) + "K\x06\x85K\x01\x85") + "u";

TEST(TorchFile, ReadsEveryKindThatTorchSaves) {
  TorchFile file(kGolden + "torch_kinds.pt");
  EXPECT_EQ(described(file), golden_kinds());
  EXPECT_EQ(file.size(), slurp(kGolden + "torch_kinds.pt").size());
}

TEST(TorchFile, WhatTheWriterWritesIsRead) {
  const TempDirectory directory;
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  const TensorView matrix{.name = "m",
                          .dtype = DType::kFloat32,
                          .shape = {2, 3},
                          .bytes = {reinterpret_cast<const char*>(values.data()), 24}};
  const TensorView empty{.name = "e", .dtype = DType::kInt64, .shape = {0}, .bytes = {}};
  TorchFileWriter writer;
  writer.pickle.begin_dict();
  for (const TensorView& tensor : {matrix, empty}) {
    writer.pickle.text(tensor.name);
    writer.tensor(tensor);
  }
  writer.pickle.end_dict();
  const std::string path = directory.file("x.pt");
  const std::uint64_t size = writer.commit(path);
  EXPECT_EQ(size, slurp(path).size());
  TorchFile file(path);
  const auto* root = file.root().as<PickleDict>();
  const TensorView read = file.tensor("m", *root->find("m")->as<PickleTensor>());
  EXPECT_EQ(read.bytes, matrix.bytes);
  EXPECT_EQ(read.shape, matrix.shape);
  EXPECT_EQ(file.tensor("e", *root->find("e")->as<PickleTensor>()).dtype, DType::kInt64);
}

TEST(TorchFile, NothingOfAHostileFileIsExecuted) {
  const std::string global = error_text<DataError>([] { TorchFile(kGolden + "torch_global.pt"); });
  EXPECT_NE(global.find(".system\" is not allowed"), std::string::npos) << global;
  EXPECT_NE(global.find("torch_global.pt@"), std::string::npos) << global;
  EXPECT_NE(error_text<DataError>([] {
              TorchFile(kGolden + "torch_protocol5.pt");
            }).find("pickle protocol 5 (want 2"),
            std::string::npos);
}

TEST(TorchFile, StoragesPastTheirMemberAreRefused) {
  EXPECT_NE(refusal(torch_bytes(pickle_of("}" + kSix), std::string(23, 'x')))
                .find("storage \"0\" reaches past its zip member (got 6 elements, want at most 5)"),
            std::string::npos);
  const std::string other = zip_bytes({{"a/data.pkl", pickle_of("}" + kSix)}, {"a/data/1", ""}});
  EXPECT_NE(refusal(other).find("there is no zip member for storage \"0\""), std::string::npos);
}

TEST(TorchFile, OtherArchivesAreRefused) {
  EXPECT_EQ(refusal(zip_bytes({{"src.npy", "x"}})),
            "f@0: is a zip archive without PREFIX/data.pkl (want a file of torch.save)");
  EXPECT_NE(refusal(zip_bytes({{"a/data.pkl", pickle_of("N"), true}})).find("is packed (want it"),
            std::string::npos);
  EXPECT_NE(refusal(zip_bytes({{"a/data.pkl", pickle_of("N")}, {"a/byteorder", "big"}}))
                .find("elements are not little endian"),
            std::string::npos);
  EXPECT_NE(refusal(zip_bytes({{"a/data.pkl", std::string((16U << 20U) + 1, 'N')}}))
                .find("has 16777217 bytes (want at most 16777216)"),
            std::string::npos);
}

TEST(TorchFile, OverlappingCopiesAreRefused) {
  std::string dict = "}(";
  for (const char* name : {"a", "b", "c", "d"}) {
    dict += pickled_text(name) +
            pickled_tensor(pickled_storage(200),
                           std::string("K\x00", 2) + "K\x0AK\x14\x86K\x01K\x0A\x86");
  }
  dict += "u";
  EXPECT_EQ(refusal(torch_bytes(pickle_of(dict), std::string(800, 'x'))),
            "f: tensors overlap (save what contiguous() makes of them)");
}

TEST(TorchFile, CutFilesAreRefused) {
  const std::string whole = slurp(kGolden + "torch_kinds.pt");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string_view cut = std::string_view(whole).substr(0, size);
    EXPECT_THROW(TorchFile(cut, "f"), DataError) << size;
  }
}

TEST(TorchFile, ChangedBitsAreRefusedOrChangeNoValue) {
  const std::string whole = slurp(kGolden + "torch_kinds.pt");
  const nlohmann::json want = golden_kinds();
  int refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    std::string bad = whole;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    try {
      TorchFile file(bad, "f");
      EXPECT_EQ(described(file), want) << bit;
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(whole.size()));
}

}  // namespace
}  // namespace linformer
