// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.h"
#include "base/signals.h"
#include "data/npz_corpus.h"
#include "linformer/error.h"
#include "storage/json_state.h"
#include "storage/zip_writer.h"

namespace linformer {
namespace {

class Writer {
 public:
  Writer(const TokenStore& store, const Tokenizer& tokenizer, std::uint32_t max_length,
         const std::string& path)
      : store_(store), tokenizer_(tokenizer), row_(max_length), zip_(path) {}

  std::uint64_t write() {
    write_array("src.npy", [&](std::uint32_t pair) { fill_ids(pair, Side::kSource); });
    write_array("tgt.npy", [&](std::uint32_t pair) { fill_ids(pair, Side::kTarget); });
    write_array("src_masks.npy", [&](std::uint32_t pair) { fill_masks(pair, Side::kSource); });
    write_array("tgt_masks.npy", [&](std::uint32_t pair) { fill_masks(pair, Side::kTarget); });
    JsonState meta;
    meta.set_text("tokenizer_sha256", tokenizer_.digest());
    meta.set_int("max_length", static_cast<std::int64_t>(row_.size()));
    const std::string text = meta.text();
    const std::string header = encode_npy_header("|u1", {text.size()});
    zip_.begin_member("meta.npy", header.size() + text.size());
    zip_.write(header);
    zip_.write(text);
    zip_.end_member();
    zip_.commit();
    return zip_.size();
  }

 private:
  template <typename FillRow>
  void write_array(const std::string& name, const FillRow& fill_row) {
    const std::string header = encode_npy_header("<i8", {store_.size(), row_.size()});
    const std::string_view row(reinterpret_cast<const char*>(row_.data()),
                               row_.size() * sizeof(std::int64_t));
    zip_.begin_member(name, header.size() + std::uint64_t{store_.size()} * row.size());
    zip_.write(header);
    for (std::uint32_t pair = 0; pair < store_.size(); ++pair) {
      if (pair % 1024 == 0) throw_if_interrupted();
      fill_row(pair);
      zip_.write(row);
    }
    zip_.end_member();
  }

  void fill_ids(std::uint32_t pair, Side side) {
    ids_.assign(1, tokenizer_.bos_id());
    store_.append_row(pair, side, ids_);
    if (std::ranges::find(ids_, tokenizer_.pad_id()) != ids_.end()) {
      throw DataError("pair " + std::to_string(pair + 1) +
                      " holds <pad>, which an npz corpus cannot tell from its padding; write a "
                      "token store (.lfs)");
    }
    ids_.push_back(tokenizer_.eos_id());
    LF_CHECK(ids_.size() <= row_.size(), "a row of " + std::to_string(ids_.size()) + " ids");
    const auto end = std::ranges::copy(ids_, row_.begin()).out;
    std::fill(end, row_.end(), tokenizer_.pad_id());
  }

  void fill_masks(std::uint32_t pair, Side side) {
    const auto end = row_.begin() + store_.length(pair, side) + 2;
    std::fill(row_.begin(), end, 1);
    std::fill(end, row_.end(), 0);
  }

  const TokenStore& store_;
  const Tokenizer& tokenizer_;
  std::vector<std::int64_t> row_;
  std::vector<std::int32_t> ids_;
  ZipWriter zip_;
};

}  // namespace

std::uint64_t write_npz_corpus(const TokenStore& store, const Tokenizer& tokenizer,
                               std::uint32_t max_length, const std::string& path) {
  return Writer(store, tokenizer, max_length, path).write();
}

}  // namespace linformer
