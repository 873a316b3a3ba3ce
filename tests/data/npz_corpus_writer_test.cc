// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "data/npz_corpus.h"
#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/npz.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

using Ids = std::vector<std::int32_t>;

class NpzCorpusWriter : public testing::Test {
 protected:
  /// Stores pairs and writes them as an npz corpus of 8 columns.
  std::uint64_t write(const std::vector<std::pair<Ids, Ids>>& pairs) {
    TokenStoreWriter writer(directory_.file("a.lfs"),
                            static_cast<std::uint64_t>(tokenizer_.vocab_size()),
                            tokenizer_.digest());
    for (const auto& [source, target] : pairs) writer.append(source, target);
    writer.commit();
    return write_npz_corpus(TokenStore(directory_.file("a.lfs")), tokenizer_, 8, path_);
  }

  TempDirectory directory_;
  Tokenizer tokenizer_ = byte_tokenizer();
  std::string path_ = directory_.file("a.npz");
};

TEST_F(NpzCorpusWriter, WritesTheArraysOfNumpyAndMeta) {
  const std::uint64_t size =
      write({{{82, 81, 72}, {87, 90, 82}}, {{5}, {260, 6, 7}}, {{10, 11, 12, 13, 14, 15}, {20}}});
  const std::string bytes = slurp(path_);
  EXPECT_EQ(size, bytes.size());
  const std::string numpy = slurp(LF_SOURCE_DIR "/tests/golden/npz_stored.npz");
  const std::size_t arrays = numpy.find(kZipCentralMagic);
  EXPECT_EQ(bytes.substr(0, arrays), numpy.substr(0, arrays));
  const NpzCorpus npz(path_);
  npz.verify();
  EXPECT_EQ(npz.tokenizer_digest(), tokenizer_.digest());
  EXPECT_EQ(npz.arrays().back().member.name, "meta.npy");
}

TEST_F(NpzCorpusWriter, WhatItWritesReadsBack) {
  write({{{}, {9}}, {{260, 2, 0}, {8, 7, 6, 5, 4, 3}}});
  const NpzCorpus npz(path_);
  NpzRowReader reader(npz, tokenizer_);
  Ids source;
  Ids target;
  ASSERT_TRUE(reader.next(source, target));
  EXPECT_EQ(source, Ids{});
  EXPECT_EQ(target, Ids{9});
  ASSERT_TRUE(reader.next(source, target));
  EXPECT_EQ(source, (Ids{260, 2, 0}));
  EXPECT_EQ(target, (Ids{8, 7, 6, 5, 4, 3}));
  EXPECT_FALSE(reader.next(source, target));
}

TEST_F(NpzCorpusWriter, APadAmongTheIdsIsRefusedAndNothingIsWritten) {
  EXPECT_EQ(error_text<DataError>([&] {
              write({{{5}, {6}}, {{5}, {6, 1, 7}}});
            }),
            "pair 2 holds <pad>, which an npz corpus cannot tell from its padding; write a token "
            "store (.lfs)");
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(NpzCorpusWriter, ARowThatDoesNotFitIsABug) {
  EXPECT_THROW(write({{{5, 5, 5, 5, 5, 5, 5}, {6}}}), InternalError);
}

}  // namespace
}  // namespace linformer
