// SPDX-License-Identifier: Apache-2.0
#include "data/pair_set.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/digest.h"
#include "data/corpus_encoder.h"
#include "data/corpus_split.h"
#include "data/npz_corpus.h"
#include "data/token_store.h"
#include "data/tokenized_corpus.h"

namespace linformer {
namespace {

/// Ids of one side, all rows one after another.
struct FlatRows {
  std::vector<std::uint16_t> narrow;
  std::vector<std::int32_t> wide;
  std::vector<std::uint64_t> begins;

  void append(std::span<const std::int32_t> ids, bool is_wide) {
    begins.push_back(is_wide ? wide.size() : narrow.size());
    for (const std::int32_t id : ids) {
      if (is_wide) {
        wide.push_back(id);
      } else {
        narrow.push_back(static_cast<std::uint16_t>(id));
      }
    }
  }
};

}  // namespace

/// Either a mapped store or npz corpus with the rows that are kept, or ids in memory (16 bits each
/// where the vocabulary allows).
struct PairSet::Rows {
  std::unique_ptr<TokenStore> store;
  std::unique_ptr<NpzCorpus> npz;
  FlatRows source;
  FlatRows target;
  std::vector<std::uint32_t> kept;  // row in the file or in memory
  std::int64_t vocab_size = 0;
  bool is_wide = false;

  void append(std::uint32_t row, Side side, std::uint32_t length,
              std::vector<std::int32_t>& out) const {
    if (store) {
      store->append_row(row, side, out);
      return;
    }
    if (npz) {
      npz->append_row(row, side, length, vocab_size, out);
      return;
    }
    const FlatRows& rows = side == Side::kSource ? source : target;
    const auto begin = static_cast<std::ptrdiff_t>(rows.begins[row]);
    if (is_wide) {
      out.insert(out.end(), rows.wide.begin() + begin, rows.wide.begin() + begin + length);
    } else {
      out.insert(out.end(), rows.narrow.begin() + begin, rows.narrow.begin() + begin + length);
    }
  }
};

PairSet::PairSet(const PairSetOptions& options, const Tokenizer& tokenizer)
    : rows_(std::make_unique<Rows>()), bos_(tokenizer.bos_id()), eos_(tokenizer.eos_id()) {
  rows_->vocab_size = tokenizer.vocab_size();
  rows_->is_wide = tokenizer.vocab_size() > 65536;
  const bool has_ids = is_tokenized(options.corpus);
  if (has_ids && options.keep_text) {
    throw UsageError(options.corpus.file +
                     ": holds ids and no text to score against; give a .csv, .tsv or line files");
  }
  if (has_ids && options.corpus.file.ends_with(".npz")) {
    load_npz(options, tokenizer);
  } else if (has_ids) {
    load_store(options, tokenizer);
  } else {
    load_text(options, tokenizer);
  }
  if (size() == 0) {
    throw DataError(corpus_name(options.corpus) + ": no pair is left (" + std::to_string(dropped_) +
                    " longer than " + std::to_string(options.max_length) + " tokens, " +
                    std::to_string(skipped_empty_) + " with an empty side)");
  }
}

PairSet::~PairSet() = default;
PairSet::PairSet(PairSet&&) noexcept = default;

/// Lengths without specials; false = the pair is dropped. Cuts the lengths under
/// LongPolicy::kTruncate.
bool PairSet::accept_lengths(const PairSetOptions& options, std::size_t& source,
                             std::size_t& target, const std::string& place) {
  if (source == 0 || target == 0) {
    ++skipped_empty_;
    return false;
  }
  const auto limit = static_cast<std::size_t>(options.max_length - 2);
  if (source <= limit && target <= limit) return true;
  switch (options.long_pairs) {
    case LongPolicy::kDrop:
      ++dropped_;
      return false;
    case LongPolicy::kTruncate:
      ++truncated_;
      source = std::min(source, limit);
      target = std::min(target, limit);
      return true;
    case LongPolicy::kError:
      break;
  }
  throw DataError(place + ": the pair is too long (got " + std::to_string(source + 2) + " and " +
                  std::to_string(target + 2) + " tokens, want at most data.max_length " +
                  std::to_string(options.max_length) + ")");
}

void PairSet::load_store(const PairSetOptions& options, const Tokenizer& tokenizer) {
  rows_->store = std::make_unique<TokenStore>(options.corpus.file);
  const TokenStore& store = *rows_->store;
  store.require_tokenizer(tokenizer.digest());
  const std::int64_t used = leading_pairs(store.size(), options.fraction);
  for (std::int64_t i = 0; i < used; ++i) {
    const auto row = static_cast<std::uint32_t>(i);
    keep_row(options, row, store.length(row, Side::kSource), store.length(row, Side::kTarget));
  }
}

void PairSet::load_npz(const PairSetOptions& options, const Tokenizer& tokenizer) {
  auto npz = std::make_unique<NpzCorpus>(options.corpus.file);
  npz->require_max_length(options.max_length);
  if (!npz->is_mapped()) return load_text(options, tokenizer);
  EncodeOptions used;
  used.rows = leading_pairs(npz->size(), options.fraction);
  used.empty = EmptyPolicy::kKeep;
  read_tokenized_corpus(options.corpus.file, tokenizer, used, [&](const EncodedPair& pair) {
    keep_row(options, static_cast<std::uint32_t>(pair.line - 1), pair.source.size(),
             pair.target.size());
  });
  rows_->npz = std::move(npz);
}

/// Keeps a row of a mapped file whose sides have these lengths, without specials.
void PairSet::keep_row(const PairSetOptions& options, std::uint32_t row, std::size_t source,
                       std::size_t target) {
  const std::string place = options.corpus.file + ": pair " + std::to_string(row + std::int64_t{1});
  if (!accept_lengths(options, source, target, place)) return;
  rows_->kept.push_back(row);
  source_lengths_.push_back(static_cast<std::uint32_t>(source + 2));
  target_lengths_.push_back(static_cast<std::uint32_t>(target + 2));
}

void PairSet::load_text(const PairSetOptions& options, const Tokenizer& tokenizer) {
  const auto receive = [&](std::span<const std::int32_t> source,
                           std::span<const std::int32_t> target, std::int64_t line) {
    std::size_t source_length = source.size();
    std::size_t target_length = target.size();
    if (!accept_lengths(options, source_length, target_length,
                        Place{corpus_name(options.corpus), line, 0, {}}.text())) {
      return false;
    }
    rows_->kept.push_back(static_cast<std::uint32_t>(rows_->kept.size()));
    rows_->source.append(source.first(source_length), rows_->is_wide);
    rows_->target.append(target.first(target_length), rows_->is_wide);
    source_lengths_.push_back(static_cast<std::uint32_t>(source_length + 2));
    target_lengths_.push_back(static_cast<std::uint32_t>(target_length + 2));
    return true;
  };
  const std::int64_t used =
      options.fraction < 1.0 ? leading_pairs(count_pairs(options.corpus), options.fraction) : -1;
  if (!options.keep_text) {
    EncodeOptions encode;
    encode.rows = used;
    const EncodeCounts counts = encode_corpus(
        options.corpus, tokenizer, encode,
        [&](const EncodedPair& pair) { receive(pair.source, pair.target, pair.line); });
    skipped_empty_ += counts.skipped_empty;
    return;
  }
  ParallelCorpus corpus(options.corpus);
  std::vector<std::int32_t> source;
  std::vector<std::int32_t> target;
  for (SentencePair pair; (used < 0 || corpus.count() < used) && corpus.next(pair);) {
    source.clear();
    target.clear();
    if (!is_blank(pair.source) && !is_blank(pair.target)) {
      tokenizer.encode(pair.source, source);
      tokenizer.encode(pair.target, target);
    }
    if (receive(source, target, corpus.place().line)) texts_.push_back(pair);
  }
}

void PairSet::source(std::uint32_t pair, std::vector<std::int32_t>& out) const {
  out.assign(1, bos_);
  rows_->append(rows_->kept[pair], Side::kSource, source_lengths_[pair] - 2, out);
  out.resize(source_lengths_[pair] - 1);  // a truncated row of a store
  out.push_back(eos_);
}

void PairSet::target(std::uint32_t pair, std::vector<std::int32_t>& out) const {
  out.assign(1, bos_);
  rows_->append(rows_->kept[pair], Side::kTarget, target_lengths_[pair] - 2, out);
  out.resize(target_lengths_[pair] - 1);
  out.push_back(eos_);
}

void PairSet::keep(std::span<const std::uint32_t> pairs) {
  const auto pick = [&](auto& list) {
    if (list.empty()) return;
    std::remove_reference_t<decltype(list)> kept;
    kept.reserve(pairs.size());
    for (const std::uint32_t pair : pairs) kept.push_back(std::move(list.at(pair)));
    list = std::move(kept);
  };
  pick(rows_->kept);
  pick(source_lengths_);
  pick(target_lengths_);
  pick(texts_);
}

std::string PairSet::digest() const {
  Sha256 digest;
  std::vector<std::int32_t> ids;
  for (std::uint32_t i = 0; i < size(); ++i) {
    source(i, ids);
    digest.update(ids.data(), ids.size() * sizeof(std::int32_t));
    target(i, ids);
    digest.update(ids.data(), ids.size() * sizeof(std::int32_t));
  }
  return digest.hex();
}

}  // namespace linformer
