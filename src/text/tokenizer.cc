// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "linformer/error.h"
#include "text/added_token_matcher.h"
#include "text/byte_map.h"
#include "text/byte_pair_encoder.h"
#include "text/clean_up.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer_reader.h"
#include "text/tokenizer_spec.h"
#include "text/tokenizer_writer.h"
#include "text/unicode_class.h"
#include "text/word_cache.h"

namespace linformer {
namespace {

/// What one thread keeps for one tokenizer.
struct ThreadState {
  std::uint64_t owner = 0;
  WordCache words;
  std::vector<char> padded;
  std::vector<std::int32_t> out;
  std::string lowered;
};

/// The calling thread's state for the tokenizer with this serial number. Two are kept, so that a
/// source and a target tokenizer can alternate.
ThreadState& thread_state(std::uint64_t serial) {
  thread_local std::array<std::unique_ptr<ThreadState>, 2> states;
  if (states[0] && states[0]->owner == serial) return *states[0];
  std::swap(states[0], states[1]);
  if (!states[0] || states[0]->owner != serial) {
    states[0] = std::make_unique<ThreadState>();
    states[0]->owner = serial;
  }
  return *states[0];
}

std::vector<AddedToken> select_added(const TokenizerSpec& spec, bool normalized) {
  std::vector<AddedToken> out;
  std::copy_if(spec.added.begin(), spec.added.end(), std::back_inserter(out),
               [normalized](const AddedToken& token) { return token.normalized == normalized; });
  return out;
}

std::int32_t find_token(const TokenizerSpec& spec, std::string_view token) {
  const auto entry = std::find(spec.tokens.begin(), spec.tokens.end(), token);
  return entry == spec.tokens.end() ? -1 : static_cast<std::int32_t>(entry - spec.tokens.begin());
}

std::array<std::int32_t, 256> find_bytes(const TokenizerSpec& spec) {
  std::array<std::int32_t, 256> ids{};
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
    const std::string& token = spec.tokens[id];
    if (token.size() > 2 || (token.size() == 2 && static_cast<unsigned char>(token[0]) < 0x80)) {
      continue;
    }
    const auto bytes = symbols_to_bytes(token);
    if (bytes && bytes->size() == 1) {
      ids[static_cast<unsigned char>(bytes->front())] = static_cast<std::int32_t>(id);
    }
  }
  return ids;
}

std::atomic<std::uint64_t> next_serial{1};

}  // namespace

struct Tokenizer::State {
  explicit State(TokenizerSpec tokenizer_spec)
      : spec(std::move(tokenizer_spec)),
        encoder(find_bytes(spec), spec.merges),
        raw_matcher(select_added(spec, false)),
        normalized_matcher(select_added(spec, true)),
        bos(find_token(spec, "<s>")),
        pad(find_token(spec, "<pad>")),
        eos(find_token(spec, "</s>")),
        unk(find_token(spec, "<unk>")),
        serial(next_serial++) {
    for (const std::string& token : spec.tokens) {
      const auto bytes = symbols_to_bytes(token);
      token_bytes += bytes ? *bytes : token;
      token_ends.push_back(token_bytes.size());
    }
    special.resize(spec.tokens.size(), false);
    for (const AddedToken& token : spec.added) {
      special[static_cast<std::size_t>(token.id)] = token.special;
    }
  }

  void encode(std::string_view text, ThreadState& state, std::vector<std::int32_t>& ids) const;
  void encode_normalized(std::string_view text, ThreadState& state,
                         std::vector<std::int32_t>& ids) const;
  void encode_words(std::string_view text, ThreadState& state,
                    std::vector<std::int32_t>& ids) const;
  std::size_t encode_pieces(const char* text, std::size_t size, ThreadState& state) const;
  std::size_t encode_long(std::string_view word, WordCache& words, std::int32_t* out) const;

  std::string_view bytes_of(std::size_t id) const {
    const std::size_t begin = id == 0 ? 0 : token_ends[id - 1];
    return std::string_view(token_bytes).substr(begin, token_ends[id] - begin);
  }

  TokenizerSpec spec;
  BytePairEncoder encoder;
  AddedTokenMatcher raw_matcher;
  AddedTokenMatcher normalized_matcher;
  std::int32_t bos;
  std::int32_t pad;
  std::int32_t eos;
  std::int32_t unk;
  std::uint64_t serial;  // never used again, unlike an address
  std::string token_bytes;
  std::vector<std::size_t> token_ends;
  std::vector<bool> special;
};

void Tokenizer::State::encode(std::string_view text, ThreadState& state,
                              std::vector<std::int32_t>& ids) const {
  std::size_t begin = 0;
  while (const auto match = raw_matcher.find(text, begin)) {
    encode_normalized(text.substr(begin, match->begin - begin), state, ids);
    ids.push_back(match->id);
    begin = match->end;
  }
  encode_normalized(text.substr(begin), state, ids);
}

void Tokenizer::State::encode_normalized(std::string_view text, ThreadState& state,
                                         std::vector<std::int32_t>& ids) const {
  if (spec.lowercase) {
    state.lowered.clear();
    append_lowercase(state.lowered, text);
    text = state.lowered;
  }
  std::size_t begin = 0;
  while (const auto match = normalized_matcher.find(text, begin)) {
    encode_words(text.substr(begin, match->begin - begin), state, ids);
    ids.push_back(match->id);
    begin = match->end;
  }
  encode_words(text.substr(begin), state, ids);
}

void Tokenizer::State::encode_words(std::string_view text, ThreadState& state,
                                    std::vector<std::int32_t>& ids) const {
  if (text.empty()) return;
  const std::size_t prefix = spec.add_prefix_space && text.front() != ' ' ? 1 : 0;
  const std::size_t size = prefix + text.size();
  if (state.padded.size() < size + kTextPadding) state.padded.resize(2 * size + kTextPadding);
  state.padded[0] = ' ';
  std::memcpy(state.padded.data() + prefix, text.data(), text.size());
  std::memset(state.padded.data() + size, 0, kTextPadding);
  // Each id stands for at least one byte; an entry's ids are copied four at a time.
  const std::size_t most = size + WordCache::kMaxInlineIds;
  if (state.out.size() < most) state.out.resize(2 * most);
  const std::size_t count = encode_pieces(state.padded.data(), size, state);
  ids.insert(ids.end(), state.out.data(), state.out.data() + count);
}

/// Fills state.out; returns how many ids.
std::size_t Tokenizer::State::encode_pieces(const char* text, std::size_t size,
                                            ThreadState& state) const {
  constexpr std::size_t kBatch = 32;
  std::array<std::size_t, kBatch> ends;
  std::array<WordCache::Key, kBatch> keys;
  std::array<WordCache::Entry*, kBatch> buckets;
  WordCache& words = state.words;
  std::int32_t* out = state.out.data();
  std::size_t begin = 0;
  while (begin < size) {
    words.make_room();
    const std::size_t count = split_pieces(text, size, begin, ends);
    std::size_t from = begin;
    for (std::size_t i = 0; i < count; ++i) {  // all first, so that memory is fetched ahead
      const std::size_t length = std::min(ends[i] - from, WordCache::kMaxShortBytes);
      keys[i] = WordCache::key_of(text + from, length);
      buckets[i] = words.bucket_of(keys[i]);
      __builtin_prefetch(buckets[i]);
      from = ends[i];
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view word(text + begin, ends[i] - begin);
      begin = ends[i];
      if (word.size() > WordCache::kMaxShortBytes) {
        out += encode_long(word, words, out);
        continue;
      }
      const WordCache::Entry* entry = WordCache::find(buckets[i], keys[i]);
      if (entry == nullptr) {
        const std::size_t num_ids = encoder.encode(word, out);
        words.insert(buckets[i], keys[i], std::span(out, num_ids));
        out += num_ids;
      } else if (WordCache::num_ids(*entry) <= WordCache::kMaxInlineIds) {
        std::memcpy(out, entry->ids.data(), sizeof entry->ids);
        out += WordCache::num_ids(*entry);
      } else {
        const auto ids = words.ids_of(*entry);
        out = std::copy(ids.begin(), ids.end(), out);
      }
    }
  }
  return static_cast<std::size_t>(out - state.out.data());
}

std::size_t Tokenizer::State::encode_long(std::string_view word, WordCache& words,
                                          std::int32_t* out) const {
  const auto known = words.find_long(word);
  if (!known.empty()) {
    std::copy(known.begin(), known.end(), out);
    return known.size();
  }
  const std::size_t num_ids = encoder.encode(word, out);
  words.insert_long(word, std::span(out, num_ids));
  return num_ids;
}

Tokenizer Tokenizer::load(const std::string& path) {
  return Tokenizer(std::make_shared<const State>(read_tokenizer(path)));
}

Tokenizer::Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Tokenizer::Tokenizer(TokenizerSpec spec) {
  check_spec(spec, "tokenizer");
  state_ = std::make_shared<const State>(std::move(spec));
}

std::int64_t Tokenizer::vocab_size() const {
  return static_cast<std::int64_t>(state_->spec.tokens.size());
}
std::int32_t Tokenizer::bos_id() const { return state_->bos; }
std::int32_t Tokenizer::pad_id() const { return state_->pad; }
std::int32_t Tokenizer::eos_id() const { return state_->eos; }
std::int32_t Tokenizer::unk_id() const { return state_->unk; }
bool Tokenizer::lowercase() const { return state_->spec.lowercase; }
const TokenizerSpec& Tokenizer::spec() const { return state_->spec; }

void Tokenizer::encode(std::string_view text, std::vector<std::int32_t>& ids) const {
  state_->encode(text, thread_state(state_->serial), ids);
}

std::vector<std::int32_t> Tokenizer::with_special(std::span<const std::int32_t> ids) const {
  std::vector<std::int32_t> out{state_->bos};
  out.reserve(ids.size() + 2);
  out.insert(out.end(), ids.begin(), ids.end());
  out.push_back(state_->eos);
  return out;
}

std::vector<std::int32_t> Tokenizer::encode_with_special(std::string_view text,
                                                         std::int64_t max_length) const {
  if (max_length < 0 || max_length == 1) {
    throw UsageError("max_length is " + std::to_string(max_length) +
                     " (want at least 2, for <s> and </s>, or 0 for no limit)");
  }
  std::vector<std::int32_t> ids{state_->bos};
  encode(text, ids);
  if (max_length > 0) ids.resize(std::min(ids.size(), static_cast<std::size_t>(max_length) - 1));
  ids.push_back(state_->eos);
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special,
                              bool clean_up) const {
  std::string bytes;
  for (const std::int32_t id : ids) {
    const auto index = static_cast<std::size_t>(id);
    if (id < 0 || index >= state_->spec.tokens.size()) {
      throw DataError("token id " + std::to_string(id) + " is outside the vocabulary (want 0.." +
                      std::to_string(vocab_size() - 1) + ")");
    }
    if (!skip_special || !state_->special[index]) bytes += state_->bytes_of(index);
  }
  std::string text = utf8_first_invalid(bytes) ? utf8_replace_invalid(bytes) : std::move(bytes);
  return clean_up ? clean_up_tokenization(std::move(text)) : text;
}

std::string Tokenizer::digest() const { return digest_spec(state_->spec); }

std::string Tokenizer::to_json() const { return tokenizer_json(state_->spec); }

void Tokenizer::save(const std::string& directory) const {
  write_tokenizer(state_->spec, directory);
}

}  // namespace linformer
