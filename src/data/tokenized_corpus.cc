// SPDX-License-Identifier: Apache-2.0
#include "data/tokenized_corpus.h"

#include <vector>

#include "base/signals.h"
#include "data/npz_corpus.h"
#include "data/token_store.h"

namespace linformer {
namespace {

using Ids = std::vector<std::int32_t>;

/// What is done with pair after pair.
class Receiver {
 public:
  Receiver(const std::string& file, const EncodeOptions& options,
           const std::function<void(const EncodedPair&)>& receive)
      : file_(file), options_(options), receive_(receive) {}

  bool is_done() const { return counts_.rows == options_.rows; }
  const EncodeCounts& counts() const { return counts_; }

  void add(const Ids& source, const Ids& target) {
    if (counts_.rows % 1024 == 0) throw_if_interrupted();
    ++counts_.rows;
    if (options_.empty != EmptyPolicy::kKeep && (source.empty() || target.empty())) {
      return add_empty(source.empty() ? "source" : "target");
    }
    receive_({source, target, counts_.rows, {}});
  }

 private:
  void add_empty(const char* side) {
    const Place place{file_, counts_.rows, 0, {}};
    if (options_.empty == EmptyPolicy::kError) {
      throw DataError(place, std::string(side) +
                                 " has no ids; --empty skip leaves such pairs out, --empty keep "
                                 "keeps them");
    }
    ++counts_.skipped_empty;
    if (!counts_.first_empty) counts_.first_empty = place;
  }

  const std::string& file_;
  const EncodeOptions& options_;
  const std::function<void(const EncodedPair&)>& receive_;
  EncodeCounts counts_;
};

void read_store(const std::string& file, const Tokenizer& tokenizer, Receiver& receiver) {
  const TokenStore store(file);
  store.require_tokenizer(tokenizer.digest());
  Ids source;
  Ids target;
  for (std::uint32_t pair = 0; pair < store.size() && !receiver.is_done(); ++pair) {
    source.clear();
    target.clear();
    store.append_row(pair, Side::kSource, source);
    store.append_row(pair, Side::kTarget, target);
    receiver.add(source, target);
  }
}

void read_npz(const std::string& file, const Tokenizer& tokenizer, Receiver& receiver) {
  const NpzCorpus npz(file);
  NpzRowReader reader(npz, tokenizer);
  Ids source;
  Ids target;
  while (!receiver.is_done() && reader.next(source, target)) receiver.add(source, target);
}

}  // namespace

bool is_tokenized(const CorpusSpec& corpus) {
  return corpus.source_file.empty() && corpus.target_file.empty() &&
         (corpus.file.ends_with(".lfs") || corpus.file.ends_with(".npz"));
}

std::int64_t count_tokenized_pairs(const std::string& file) {
  return file.ends_with(".npz") ? NpzCorpus(file).size() : TokenStore(file).size();
}

EncodeCounts read_tokenized_corpus(const std::string& file, const Tokenizer& tokenizer,
                                   const EncodeOptions& options,
                                   const std::function<void(const EncodedPair&)>& receive) {
  Receiver receiver(file, options, receive);
  if (file.ends_with(".npz")) {
    read_npz(file, tokenizer, receiver);
  } else {
    read_store(file, tokenizer, receiver);
  }
  return receiver.counts();
}

}  // namespace linformer
