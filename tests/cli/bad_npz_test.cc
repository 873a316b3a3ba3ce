// SPDX-License-Identifier: Apache-2.0
// Wrong npz corpora, and what each gets.
#include <gtest/gtest.h>

#include "support/bad_input.h"
#include "support/npz.h"

namespace linformer {
namespace {

constexpr std::size_t kHeader = 128;  // of an array in these files

std::string good() { return zip_bytes(npz_entries(kGoldenSource, kGoldenTarget)); }

/// The good archive with one element changed.
std::string with_element(std::size_t array, std::size_t row, std::size_t column,
                         std::int64_t value) {
  auto entries = npz_entries(kGoldenSource, kGoldenTarget);
  entries[array].content =
      with_value(entries[array].content, kHeader + 8 * (row * 8 + column), value);
  return zip_bytes(entries);
}

/// With src.npy replaced.
std::string with_source(const std::string& npy, bool is_deflated = false) {
  auto entries = npz_entries(kGoldenSource, kGoldenTarget);
  entries[0] = {"src.npy", npy, is_deflated};
  return zip_bytes(entries);
}

std::string with_header(const std::string& from, const std::string& to) {
  std::string npy = npy_bytes(kGoldenSource);
  return with_source(npy.replace(npy.find(from), from.size(), to));
}

/// With another name for the last member.
std::string with_name(const std::string& name) {
  auto entries = npz_entries(kGoldenSource, kGoldenTarget);
  entries[3].name = name;
  return zip_bytes(entries);
}

std::string without_member(std::size_t index) {
  auto entries = npz_entries(kGoldenSource, kGoldenTarget);
  entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(index));
  return zip_bytes(entries);
}

/// With a value of the last directory entry changed.
template <typename T>
std::string with_entry(std::size_t at, T value) {
  const std::string bytes = good();
  return with_value(bytes, bytes.rfind(kZipCentralMagic) + at, value);
}

std::string with_flipped_content() {
  std::string bytes = good();
  bytes[bytes.find(kZipLocalMagic, 4) - 1] ^= 1;
  return bytes;
}

std::string with_meta(const std::string& json) {
  auto entries = npz_entries(kGoldenSource, kGoldenTarget);
  entries.push_back({"meta.npy", encode_npy_header("|u1", {json.size()}) + json});
  return zip_bytes(entries);
}

/// src.npy deflated, which declares one byte less than it inflates to.
std::string inflating_past_its_size() {
  std::vector<ZipEntry> entries = npz_entries(kGoldenSource, kGoldenTarget);
  entries[0] = {"src.npy", npy_bytes(kGoldenSource) + "x", true, kHeader + 3 * 8 * 8};
  return zip_bytes(entries);
}

std::string bomb(std::uint64_t rows) {
  const std::string npy = encode_npy_header("<i8", {rows, 8});
  return zip_bytes({{"src.npy", npy, true, npy.size() + rows * 64}});
}

std::string with_many_members() {
  std::vector<ZipEntry> entries;
  for (int i = 0; i < 20001; ++i) entries.push_back({"m" + std::to_string(i), ""});
  return zip_bytes(entries);
}

/// What `pretokenize x.npz` says.
BadInput npz(const std::string& name, const std::string& content,
             const std::vector<std::string>& expected) {
  return {name,
          {"pretokenize", "x.npz", "--tokenizer", "tok", "--output", "out.lfs", "--quiet"},
          {{"x.npz", content}},
          expected};
}

std::vector<BadInput> archives() {
  const std::string whole = good();
  const std::size_t end = whole.size() - 22;
  return {
      npz("TextFile", "de,en\na,b\n", {"x.npz@0: is no zip archive"}),
      npz("EmptyFile", "", {"x.npz@0: is no zip archive"}),
      npz("EmptyZip", zip_bytes({}), {"x.npz@0: zip archive without members"}),
      npz("Truncated", whole.substr(0, 700), {"x.npz@700: no zip end record here"}),
      npz("MissingEndRecord", whole.substr(0, end),
          {"x.npz@" + std::to_string(end) + ": no zip end record here"}),
      npz("EndRecordLies", with_value<std::uint32_t>(whole, end + 16, 5),
          {"x.npz@" + std::to_string(end) + ": zip end record contradicts itself"}),
      npz("Zip64Lies", with_value<std::uint64_t>(whole, 30 + 7 + 4, 5),
          {"x.npz@0: zip member \"src.npy\" has a local header that contradicts"}),
      npz("CrcMismatch", with_flipped_content(), {"x.npz: src.npy: is damaged (CRC-32 "}),
      npz("LocalAndCentralDisagree", with_entry<std::uint32_t>(16, 7),
          {"x.npz@", "\"tgt_masks.npy\" has a local header that contradicts"}),
      npz("OverlappingMembers", with_entry<std::uint32_t>(42, 0),
          {"x.npz@0: zip member \"tgt_masks.npy\""}),
      npz("NameThatClimbs", with_name("../src.npy"), {"unknown member \"../src.npy\""}),
      npz("AbsoluteName", with_name("/etc/passwd"), {"unknown member \"/etc/passwd\""}),
      npz("Encrypted", with_entry<std::uint16_t>(8, 1), {"\"tgt_masks.npy\" is encrypted"}),
      npz("Link", with_entry<std::uint32_t>(38, 0120777U << 16),
          {"\"tgt_masks.npy\" is no regular file"}),
      npz("Bomb", bomb(1000000000000), {"\"src.npy\" declares 64000000000128 bytes in "}),
      npz("InflatesPastItsSize", inflating_past_its_size(),
          {"x.npz: src.npy: inflates past its size of 320"}),
      npz("ManyMembers", with_many_members(), {"holds 20001 members (want at most 20000)"}),
      npz("UnknownMember", with_name("labels.npy"), {"unknown member \"labels.npy\""}),
      npz("MasksMissing", without_member(3), {"x.npz: has no member tgt_masks.npy"}),
  };
}

std::vector<BadInput> headers() {
  return {
      npz("NpyVersionNine", with_header("\x01", "\x09"), {"x.npz: src.npy: npy version 9.0"}),
      npz("HeaderLongerThanMember", with_source(npy_bytes(kGoldenSource).substr(0, 100)),
          {"x.npz: src.npy: ends too early"}),
      npz("HeaderIsCode", with_header("{'descr'", "__import__('os')"),
          {"x.npz: src.npy: npy header is malformed"}),
      npz("Objects", with_header("'<i8'", "'|O' "), {"src.npy: has dtype \"|O\" (want \"<i8\")"}),
      npz("BigEndian", with_header("<i8", ">i8"), {"src.npy: has dtype \">i8\" (want \"<i8\")"}),
      npz("Floats", with_header("<i8", "<f4"), {"src.npy: has dtype \"<f4\" (want \"<i8\")"}),
      npz("FortranOrder", with_header("False", "True "),
          {"src.npy: npy header says 'fortran_order': True"}),
      npz("OtherShape", with_source(npy_bytes({{0, 5, 2}})),
          {"tgt.npy: has shape (3, 8) (want (1, 3) as src.npy)"}),
      npz("RankOne", with_header("(3, 8), }", "(24,), } "), {"src.npy: has shape (24,)"}),
      npz("RankThree", with_header("(3, 8), }   ", "(1, 3, 8), }"),
          {"src.npy: has shape (1, 3, 8)"}),
      npz("NoRows", with_source(encode_npy_header("<i8", {0, 8})), {"src.npy: has shape (0, 8)"}),
      npz("ShapeOverflows", with_source(encode_npy_header("<i8", {1ULL << 60, 1ULL << 60})),
          {"src.npy: shape (1152921504606846976, 1152921504606846976) contradicts its 128 bytes"}),
  };
}

std::vector<BadInput> rows() {
  const std::string place = " (from 0): ";
  return {
      npz("IdBelowZero", with_element(0, 1, 1, -5),
          {"x.npz: src.npy row 1 column 1" + place + "id -5 (want 0 to 260)"}),
      npz("IdBeyondTheVocabulary", with_element(1, 0, 2, 261),
          {"x.npz: tgt.npy row 0 column 2" + place + "id 261 (want 0 to 260)"}),
      npz("MaskOfTwo", with_element(2, 2, 3, 2), {"src_masks.npy row 2 column 3" + place}),
      npz("MaskOfAnIdIsZero", with_element(3, 0, 1, 0), {"tgt_masks.npy row 0 column 1" + place}),
      npz("AllPad", zip_bytes(npz_entries({{1, 1, 1}}, {{0, 5, 2}})),
          {"src.npy row 0 column 0" + place + "the row is all <pad>"}),
      npz("NoBeginning", with_element(0, 0, 0, 9), {"src.npy row 0 column 0" + place + "id 9"}),
      npz("NoEnd", with_element(1, 2, 2, 9),
          {"tgt.npy row 2 column 2" + place + "id 9 ends the row (want </s> 2)"}),
  };
}

std::vector<BadInput> uses() {
  const std::string digest = byte_tokenizer().digest();
  const std::string other(64, 'b');
  return {
      npz("OtherTokenizer",
          with_meta("{\"tokenizer_sha256\": \"" + other + "\", \"max_length\": 8}"),
          {"x.npz: was made by another tokenizer (got " + other + ", want " + digest + ")"}),
      npz("MetaOfAnotherLength",
          with_meta("{\"tokenizer_sha256\": \"" + digest + "\", \"max_length\": 256}"),
          {"x.npz: meta.npy: max_length 256 contradicts the arrays (8 columns)"}),
      {"OtherMaxLength",
       {"train", "--dry-run", "--quiet", "--config", "good.yaml", "--train", "x.npz"},
       {{"x.npz", good()}},
       {"x.npz: was made with max_length 8, data.max_length is 256"}},
      {"StatsWithoutTokenizer",
       {"stats", "x.npz"},
       {{"x.npz", good()}},
       {"--tokenizer is missing"}},
      {"OutputWithoutLength",
       {"pretokenize", "good.csv", "--tokenizer", "tok", "--output", "out.npz", "--quiet"},
       {},
       {"out.npz: --max-length is missing"}},
      {"InspectOfDamage",
       {"inspect", "x.npz"},
       {{"x.npz", with_flipped_content()}},
       {"x.npz: src.npy: is damaged (CRC-32 "}},
      {"OtherArchive", {"inspect", "x.zip"}, {{"x.zip", good()}}, {"x.zip: is a zip archive"}},
      {"TextOfIds",
       {"tokenizer", "train", "x.npz", "--vocab-size", "300", "--output", "new", "--quiet"},
       {{"x.npz", good()}},
       {"x.npz"}},
  };
}

class BadNpz : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadNpz, GetsOneLineAndChangesNothing) { check_bad_input(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Archives, BadNpz, ::testing::ValuesIn(archives()), bad_input_name);
INSTANTIATE_TEST_SUITE_P(Headers, BadNpz, ::testing::ValuesIn(headers()), bad_input_name);
INSTANTIATE_TEST_SUITE_P(Rows, BadNpz, ::testing::ValuesIn(rows()), bad_input_name);
INSTANTIATE_TEST_SUITE_P(Uses, BadNpz, ::testing::ValuesIn(uses()), bad_input_name);

}  // namespace
}  // namespace linformer
