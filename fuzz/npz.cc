// SPDX-License-Identifier: Apache-2.0
#include "support/npz.h"

#include "base/check.h"
#include "data/npz_corpus.h"
#include "support/byte_tokenizer.h"
#include "support/fuzz_input.h"

namespace linformer {
namespace {

const Rows kRows{{0, 9, 2, 1}, {0, 8, 7, 2}};

/// An archive whose checksums fit, which no fuzzer finds: `text` is the source array, whole if bit
/// 1 of `mode` is set, else its elements alone. Bit 2: deflated.
std::string archive_around(unsigned mode, std::string_view text) {
  std::vector<ZipEntry> entries = npz_entries(kRows, kRows, (mode & 4U) != 0);
  std::string& source = entries[0].content;
  source = (mode & 2U) != 0 ? "" : encode_npy_header("<i8", {kRows.size(), kRows[0].size()});
  source += text;
  entries[0].size = source.size();
  return zip_bytes(entries);
}

void check_rows(const NpzCorpus& corpus, const Tokenizer& tokenizer) {
  NpzRowReader reader(corpus, tokenizer);
  std::vector<std::int32_t> source;
  std::vector<std::int32_t> target;
  std::vector<std::int32_t> again;
  std::uint32_t rows = 0;
  for (; reader.next(source, target); ++rows) {
    for (const std::int32_t id : source)
      LF_CHECK(id >= 0 && id < tokenizer.vocab_size(), "id " + std::to_string(id));
    if (!corpus.is_mapped()) continue;
    again.clear();
    corpus.append_row(rows, Side::kSource, static_cast<std::uint32_t>(source.size()),
                      tokenizer.vocab_size(), again);
    LF_CHECK(again == source, "a row read twice");
  }
  LF_CHECK(rows == corpus.size(), "number of rows");
  require_accepted([&] { corpus.verify(); });
}

}  // namespace

/// Mode: bit 0: the text is in an archive; else it is one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Tokenizer tokenizer = byte_tokenizer();
  const FuzzInput input(data, size);
  const std::string bytes =
      (input.mode & 1U) != 0 ? archive_around(input.mode, input.text) : std::string(input.text);
  allow_refusal([&] { check_rows(NpzCorpus(bytes, "in.npz"), tokenizer); });
  return 0;
}

}  // namespace linformer
