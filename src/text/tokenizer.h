// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace linformer {

struct TokenizerSpec;

/// Byte-level BPE as BART and GPT-2 use it: text to ids and back, with the ids that Hugging Face's
/// `tokenizers` gives for the same tokenizer.json. Immutable: any number of threads may use one at
/// the same time. Copies share their content and are cheap.
class Tokenizer {
 public:
  /// Reads a directory that holds tokenizer.json, or vocab.json with merges.txt, or a
  /// tokenizer.json file itself. A `truncation` or `padding` block in tokenizer.json is checked and
  /// then unused: lengths are the caller's. Throws DataError naming the file and the token, merge,
  /// line or offset.
  static Tokenizer load(const std::string& path);

  /// Checks `spec` (dense unique ids, merges that resolve, ...). Throws DataError.
  explicit Tokenizer(TokenizerSpec spec);

  /// Number of ids: every id is in [0, vocab_size()).
  std::int64_t vocab_size() const;
  std::int32_t bos_id() const;  // <s>
  std::int32_t pad_id() const;  // <pad>
  std::int32_t eos_id() const;  // </s>
  std::int32_t unk_id() const;  // <unk>, -1 where the vocabulary has none
  /// Text is lower-cased before anything else happens to it.
  bool lowercase() const;
  const TokenizerSpec& spec() const;

  /// Appends the ids of `text`, without <s> and </s>. Added tokens ("<s>", "<mask>", ...) that
  /// stand in the text become their ids. `text` should be UTF-8: a byte that is not becomes a piece
  /// of its own, whose byte decodes to itself.
  void encode(std::string_view text, std::vector<std::int32_t>& ids) const;

  /// <s>, `ids`, </s>.
  std::vector<std::int32_t> with_special(std::span<const std::int32_t> ids) const;

  /// <s>, the ids of `text`, </s>. With max_length > 0 at most max_length ids: the text's are cut
  /// on the right. Throws UsageError for a max_length of 1 or below 0.
  std::vector<std::int32_t> encode_with_special(std::string_view text,
                                                std::int64_t max_length = 0) const;

  /// Text of `ids`; invalid UTF-8 becomes U+FFFD. `skip_special` leaves special tokens out,
  /// `clean_up` takes the blank out of " .", " ?", " n't" and the like (clean_up_tokenization).
  /// Throws DataError for an id outside [0, vocab_size()).
  std::string decode(std::span<const std::int32_t> ids, bool skip_special = true,
                     bool clean_up = true) const;

  /// SHA-256 in hexadecimal of everything that decides ids and text: the same for one tokenizer
  /// whichever files it came from.
  std::string digest() const;

  /// tokenizer.json, vocab.json and merges.txt as Hugging Face reads them.
  std::string to_json() const;
  /// Writes those three into `directory`, which is created and appears whole or not at all.
  /// Throws UserError when it exists and is not an empty directory, IoError when writing fails.
  void save(const std::string& directory) const;

 private:
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state);

  std::shared_ptr<const State> state_;
};

}  // namespace linformer
