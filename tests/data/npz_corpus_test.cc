// SPDX-License-Identifier: Apache-2.0
#include "data/npz_corpus.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "linformer/error.h"
#include "support/byte_tokenizer.h"
#include "support/expect_error.h"
#include "support/npz.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

using Ids = std::vector<std::int32_t>;
const std::string kGolden = LF_SOURCE_DIR "/tests/golden/";

/// All pairs, sources and targets in turn.
std::vector<Ids> read_all(const NpzCorpus& npz, const Tokenizer& tokenizer) {
  NpzRowReader reader(npz, tokenizer);
  std::vector<Ids> out;
  Ids source;
  Ids target;
  while (reader.next(source, target)) {
    out.push_back(source);
    out.push_back(target);
  }
  return out;
}

/// Opens and reads everything, as `inspect` and `pretokenize` do.
std::vector<Ids> read_all(const std::string& bytes) {
  const NpzCorpus npz(bytes, "f");
  npz.verify();
  return read_all(npz, byte_tokenizer());
}

std::string refusal(const std::vector<ZipEntry>& entries) {
  const std::string bytes = zip_bytes(entries);
  return error_text<UserError>([&] { read_all(bytes); });
}

std::vector<ZipEntry> golden_entries() { return npz_entries(kGoldenSource, kGoldenTarget); }

/// The refusal of the golden pairs with one element changed; `array` as in golden_entries().
std::string changed(std::size_t array, std::size_t row, std::size_t column, std::int64_t value) {
  std::vector<ZipEntry> entries = golden_entries();
  entries[array].content = with_value(entries[array].content, 128 + 8 * (row * 8 + column), value);
  return refusal(entries);
}

const std::vector<Ids> kGoldenPairs{
    {82, 81, 72}, {87, 90, 82}, {5}, {260, 6, 7}, {10, 11, 12, 13, 14, 15}, {20}};

std::string meta_npy(const std::string& text) {
  return encode_npy_header("|u1", {text.size()}) + text;
}

TEST(NpzCorpus, ReadsWhatNumpyWrites) {
  for (const char* name : {"npz_stored.npz", "npz_deflated.npz"}) {
    const NpzCorpus npz(kGolden + name);
    EXPECT_EQ(npz.size(), 3U);
    EXPECT_EQ(npz.max_length(), 8U);
    EXPECT_EQ(npz.is_mapped(), std::string_view(name) == "npz_stored.npz");
    EXPECT_EQ(npz.tokenizer_digest(), std::nullopt);
    EXPECT_EQ(npz.arrays().size(), 4U);
    npz.verify();
    EXPECT_EQ(read_all(npz, byte_tokenizer()), kGoldenPairs);
  }
}

TEST(NpzCorpus, RowsOfAStoredCorpusAreReadInAnyOrder) {
  const NpzCorpus npz(kGolden + "npz_stored.npz");
  Ids ids{9};
  npz.append_row(2, Side::kSource, 3, 261, ids);
  npz.append_row(0, Side::kTarget, 3, 261, ids);
  EXPECT_EQ(ids, (Ids{9, 10, 11, 12, 87, 90, 82}));
  const std::string text =
      error_text<DataError>([&] { npz.append_row(1, Side::kTarget, 3, 260, ids); });
  EXPECT_NE(text.find("npz_stored.npz@"), std::string::npos);
  EXPECT_NE(text.find("changed while it was read (id 260, want below 260)"), std::string::npos);
}

TEST(NpzCorpus, MissingAndUnknownMembersAreRefused) {
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<ZipEntry> entries = golden_entries();
    const std::string name = entries[i].name;
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(refusal(entries), "f: has no member " + name);
  }
  for (const char* name : {"../src.npy", "/src.npy", "src.npy/", "extra.npy", ""}) {
    std::vector<ZipEntry> entries = golden_entries();
    entries.push_back({name, npy_bytes(kGoldenSource)});
    EXPECT_EQ(refusal(entries), "f: unknown member \"" + std::string(name) +
                                    "\" (want src.npy, tgt.npy, src_masks.npy, tgt_masks.npy)");
  }
}

TEST(NpzCorpus, OtherTypesAndOrdersAreRefused) {
  const auto typed = [](const std::string& dtype) {
    std::vector<ZipEntry> entries = golden_entries();
    entries[1].content = encode_npy_header(dtype, {3, 8}) + entries[1].content.substr(128);
    return refusal(entries);
  };
  for (const char* dtype : {"O", "|O", ">i8", "<f4", "<i4", "<u8", "i8", ""}) {
    EXPECT_EQ(typed(dtype), "f: tgt.npy: has dtype \"" + std::string(dtype) + "\" (want \"<i8\")");
  }
  std::vector<ZipEntry> entries = golden_entries();
  entries[2].content.replace(entries[2].content.find("False"), 5, "True ");
  EXPECT_EQ(refusal(entries),
            "f: src_masks.npy: npy header says 'fortran_order': True (want "
            "False)");
  entries = golden_entries();
  entries[3].content[6] = 9;
  EXPECT_EQ(refusal(entries), "f: tgt_masks.npy: npy version 9.0 (want 1.0, 2.0 or 3.0)");
  entries[3] = {"tgt_masks.npy", golden_entries()[3].content.substr(0, 64)};
  EXPECT_EQ(refusal(entries), "f: tgt_masks.npy: ends too early (64 bytes)");
}

TEST(NpzCorpus, ShapesThatDifferOrLieAreRefused) {
  const auto shaped = [](const std::vector<std::uint64_t>& shape, std::size_t array,
                         std::size_t bytes = 3 * 8 * 8) {
    std::vector<ZipEntry> entries = golden_entries();
    entries[array].content = encode_npy_header("<i8", shape) + std::string(bytes, '\0');
    entries[array].size = entries[array].content.size();
    return refusal(entries);
  };
  EXPECT_EQ(shaped({24}, 0),
            "f: src.npy: has shape (24,) (want rows below 2^32 and 3 to 1048576 columns)");
  EXPECT_EQ(shaped({1, 3, 8}, 0),
            "f: src.npy: has shape (1, 3, 8) (want rows below 2^32 and 3 to 1048576 columns)");
  EXPECT_EQ(shaped({0, 8}, 0, 0),
            "f: src.npy: has shape (0, 8) (want rows below 2^32 and 3 to 1048576 columns)");
  EXPECT_EQ(shaped({12, 2}, 0),
            "f: src.npy: has shape (12, 2) (want rows below 2^32 and 3 to 1048576 columns)");
  EXPECT_EQ(shaped({8, 3}, 3), "f: tgt_masks.npy: has shape (8, 3) (want (3, 8) as src.npy)");
  EXPECT_EQ(shaped({3, 9}, 1), "f: tgt.npy: shape (3, 9) contradicts its 320 bytes");
  EXPECT_EQ(shaped({1ULL << 61, 8}, 1),
            "f: tgt.npy: shape (2305843009213693952, 8) contradicts its 320 bytes");
  EXPECT_EQ(shaped({1000000000000, 8}, 1),
            "f: tgt.npy: shape (1000000000000, 8) contradicts its 320 bytes");
}

TEST(NpzCorpus, RowsThatAreNoSentencesAreRefusedWithMemberRowAndColumn) {
  EXPECT_EQ(changed(0, 1, 1, -1), "f: src.npy row 1 column 1 (from 0): id -1 (want 0 to 260)");
  EXPECT_EQ(changed(1, 2, 1, 261), "f: tgt.npy row 2 column 1 (from 0): id 261 (want 0 to 260)");
  EXPECT_EQ(changed(1, 0, 1, std::int64_t{1} << 32),
            "f: tgt.npy row 0 column 1 (from 0): id 4294967296 (want 0 to 260)");
  const std::string rule = " (want 0 for <pad> 1, else 1)";
  EXPECT_EQ(changed(2, 0, 0, 2), "f: src_masks.npy row 0 column 0 (from 0): mask 2 of id 0" + rule);
  EXPECT_EQ(changed(3, 0, 4, 0), "f: tgt_masks.npy row 0 column 4 (from 0): mask 0 of id 2" + rule);
  EXPECT_EQ(changed(3, 2, 7, 1), "f: tgt_masks.npy row 2 column 7 (from 0): mask 1 of id 1" + rule);
  EXPECT_EQ(changed(0, 0, 0, 5), "f: src.npy row 0 column 0 (from 0): id 5 (want <s> 0)");
  EXPECT_EQ(changed(0, 2, 7, 16),
            "f: src.npy row 2 column 7 (from 0): id 16 ends the row (want </s> 2)");
  const auto refused_row = [](const std::vector<std::int64_t>& row) {
    Rows source = kGoldenSource;
    source[1] = row;
    return refusal(npz_entries(source, kGoldenTarget));
  };
  EXPECT_EQ(refused_row({1, 1, 1, 1, 1, 1, 1, 1}),
            "f: src.npy row 1 column 0 (from 0): the row is all <pad>");
  EXPECT_EQ(refused_row({0, 1, 1, 1, 1, 1, 1, 1}),
            "f: src.npy row 1 column 0 (from 0): id 0 ends the row (want </s> 2)");
  EXPECT_EQ(refused_row({0, 5, 1, 2, 1, 1, 1, 1}),
            "f: src.npy row 1 column 3 (from 0): id 2 after <pad>");
}

TEST(NpzCorpus, EmptySentencesAreRead) {
  const Rows rows{{0, 2, 1}, {0, 3, 2}};
  EXPECT_EQ(read_all(zip_bytes(npz_entries(rows, rows))), (std::vector<Ids>{{}, {}, {3}, {3}}));
}

TEST(NpzCorpus, MetaNamesTokenizerAndMaxLength) {
  const std::string digest = byte_tokenizer().digest();
  const auto with_meta = [](const std::string& npy) {
    std::vector<ZipEntry> entries = golden_entries();
    entries.push_back({"meta.npy", npy});
    return entries;
  };
  const auto json = [](const std::string& tokenizer, int length) {
    return R"({"tokenizer_sha256": ")" + tokenizer + R"(", "max_length": )" +
           std::to_string(length) + "}";
  };
  EXPECT_EQ(read_all(zip_bytes(with_meta(meta_npy(json(digest, 8))))), kGoldenPairs);
  const std::string other(64, 'a');
  EXPECT_EQ(refusal(with_meta(meta_npy(json(other, 8)))),
            "f: was made by another tokenizer (got " + other + ", want " + digest + ")");
  EXPECT_EQ(refusal(with_meta(meta_npy(json(digest, 9)))),
            "f: meta.npy: max_length 9 contradicts the arrays (8 columns)");
  EXPECT_TRUE(refusal(with_meta(meta_npy("{}"))).starts_with("f: meta.npy"));
  EXPECT_TRUE(refusal(with_meta(meta_npy("x"))).starts_with("f: meta.npy@0: is not valid JSON"));
  EXPECT_EQ(refusal(with_meta(npy_bytes(kGoldenSource))),
            "f: meta.npy: has dtype \"<i8\" (want \"|u1\")");
  EXPECT_EQ(refusal(with_meta(encode_npy_header("|u1", {1, 2}) + "{}")),
            "f: meta.npy: has shape (1, 2) (want one axis of 1 to 65536 bytes)");
  EXPECT_EQ(refusal(with_meta(meta_npy(std::string(65537, ' ')))),
            "f: meta.npy: has shape (65537,) (want one axis of 1 to 65536 bytes)");
}

TEST(NpzCorpus, AnotherMaxLengthIsRefusedWithBoth) {
  const NpzCorpus npz(kGolden + "npz_stored.npz");
  npz.require_max_length(8);
  EXPECT_EQ(error_text<DataError>([&] { npz.require_max_length(256); }),
            kGolden +
                "npz_stored.npz: was made with max_length 8, data.max_length is 256; make them "
                "equal, or pretokenize it to a token store (.lfs)");
}

/// Bits that mean nothing here: "version made by" and the attributes of a directory entry, but for
/// those that would make a regular file something else.
bool is_unused(const std::string& bytes, std::size_t bit) {
  for (std::size_t at = bytes.find(kZipCentralMagic); at != std::string::npos;
       at = bytes.find(kZipCentralMagic, at + 1)) {
    const std::size_t byte = bit / 8;
    if (byte == at + 4 || byte == at + 5) return true;
    if (byte >= at + 38 && byte <= at + 41) {
      return byte < at + 41 || bit % 8 < 4 || bit % 8 == 7;
    }
  }
  return false;
}

TEST(NpzCorpus, EveryBitFlipOfAStoredCorpusIsRefused) {
  std::string bytes = slurp(kGolden + "npz_stored.npz");
  const std::string good = bytes;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<char>(1U << (bit % 8));
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    if (is_unused(good, bit)) {
      EXPECT_EQ(read_all(bytes), kGoldenPairs) << "byte " << bit / 8;
    } else {
      EXPECT_THROW(read_all(bytes), UserError) << "byte " << bit / 8 << " bit " << bit % 8;
    }
    bytes[bit / 8] = good[bit / 8];
  }
}

TEST(NpzCorpus, EveryBitFlipOfADeflatedCorpusIsRefusedOrChangesNothing) {
  std::string bytes = slurp(kGolden + "npz_deflated.npz");
  const std::string good = bytes;
  std::size_t num_refused = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1U << (bit % 8)));
    try {
      EXPECT_EQ(read_all(bytes), kGoldenPairs) << "byte " << bit / 8;
    } catch (const UserError&) {
      ++num_refused;
    }
    bytes[bit / 8] = good[bit / 8];
  }
  EXPECT_GT(num_refused, bytes.size() * 8 * 9 / 10);
}

TEST(NpzCorpus, EveryTruncationAndInsertionIsRefused) {
  for (const char* name : {"npz_stored.npz", "npz_deflated.npz"}) {
    const std::string good = slurp(kGolden + name);
    for (std::size_t size = 0; size < good.size(); ++size) {
      EXPECT_THROW(read_all(good.substr(0, size)), UserError) << name << " " << size;
      EXPECT_THROW(read_all(good.substr(0, size) + "x" + good.substr(size)), UserError)
          << name << " " << size;
    }
  }
}

TEST(NpzCorpus, MembersBeyondFourGigabytesAreMapped) {
  const TempDirectory directory;
  const std::string path = directory.file("large.npz");
  constexpr std::uint64_t kRows = 600000, kColumns = 1024;
  const std::string header = encode_npy_header("<i8", {kRows, kColumns});
  const std::uint64_t size = header.size() + kRows * kColumns * 8;
  const std::int64_t last_row[]{0, 77, 78, 2};
  std::ofstream out(path, std::ios::binary);
  std::string entries;
  for (const ZipEntry& entry : golden_entries()) {
    const ZipMember member{.name = entry.name,
                           .size = size,
                           .packed_size = size,
                           .header_offset = static_cast<std::uint64_t>(out.tellp())};
    out << encode_zip_local(member) << header;
    const auto end =
        static_cast<std::streamoff>(member.header_offset + 30 + entry.name.size() + 20 + size);
    out.seekp(end - static_cast<std::streamoff>(kColumns * 8));
    out.write(reinterpret_cast<const char*>(last_row), sizeof last_row);
    out.seekp(end);
    entries += encode_zip_central(member);
  }
  const auto offset = static_cast<std::uint64_t>(out.tellp());
  out << entries << encode_zip_end(4, entries.size(), offset);
  out.close();
  const NpzCorpus npz(path);
  EXPECT_EQ(npz.size(), kRows);
  Ids ids;
  npz.append_row(kRows - 1, Side::kTarget, 3, 261, ids);
  EXPECT_EQ(ids, (Ids{77, 78, 2}));
}

}  // namespace
}  // namespace linformer
