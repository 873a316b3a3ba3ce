// SPDX-License-Identifier: Apache-2.0
#include "storage/pickle_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "base/utf8.h"
#include "linformer/error.h"
#include "storage/json_state.h"

namespace linformer {
namespace {

constexpr std::size_t kMaxPickle = std::size_t{16} << 20;
constexpr std::size_t kMaxValues = 500000;
constexpr std::size_t kMaxText = 65536;
constexpr std::size_t kMaxDepth = 64;

/// The opcodes of protocol 2 that torch.save uses.
enum Opcode : unsigned char {
  kProto = 0x80,
  kMark = '(',
  kStop = '.',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8A,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kEmptyDict = '}',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kAppend = 'a',
  kAppends = 'e',
  kSetItem = 's',
  kSetItems = 'u',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kGlobal = 'c',
  kReduce = 'R',
  kBinPersId = 'Q',
  kBuild = 'b',
};

/// A machine with a stack, marks on it and a memo, as pickle defines it.
class Machine {
 public:
  Machine(std::string_view bytes, const std::string& path, std::uint64_t base,
          std::deque<PickleValue>& values)
      : bytes_(bytes), path_(path), base_(base), values_(values) {}

  const PickleValue* run() {
    if (bytes_.size() > kMaxPickle) {
      fail("pickle of " + std::to_string(bytes_.size()) + " bytes (want at most 16 MB)");
    }
    if (take_opcode() != kProto) fail("is no pickle of protocol 2 (want the bytes 80 02)");
    const auto version = take<std::uint8_t>();
    if (version != 2) {
      fail("pickle protocol " + std::to_string(version) +
           " (want 2, which torch.save writes unless told otherwise)");
    }
    while (true) {
      const Opcode opcode = take_opcode();
      if (opcode == kStop) break;
      step(opcode);
    }
    if (stack_.size() != 1 || !marks_.empty()) fail("pickle ends with more or less than one value");
    if (next_ != bytes_.size()) {
      at_ = next_;
      fail("bytes after the end of the pickle");
    }
    height_of(stack_.front(), 0);
    return stack_.front();
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { fail_at(base_ + at_, reason); }
  [[noreturn]] void fail_at(std::uint64_t offset, const std::string& reason) const {
    throw DataError(Place{path_, 0, 0, offset}, reason);
  }

  std::string_view take_bytes(std::size_t size) {
    if (bytes_.size() - next_ < size) fail("pickle is cut inside of this value");
    next_ += size;
    return bytes_.substr(next_ - size, size);
  }
  template <typename T>
  T take() {
    T value{};
    std::memcpy(&value, take_bytes(sizeof value).data(), sizeof value);
    return value;
  }
  Opcode take_opcode() {
    at_ = next_;
    if (next_ == bytes_.size()) fail("pickle is cut (no end here)");
    return static_cast<Opcode>(take<unsigned char>());
  }
  /// Up to the next line feed, which is passed over.
  std::string_view take_line() {
    const std::size_t end = bytes_.substr(next_, kMaxText).find('\n');
    if (end == std::string_view::npos) fail("pickle has a name without an end");
    return take_bytes(end + 1).substr(0, end);
  }

  template <typename T>
  void push(T content) {
    if (values_.size() == kMaxValues) fail("pickle of more than 500000 values");
    stack_.push_back(&values_.emplace_back(PickleValue{base_ + at_, std::move(content)}));
  }
  PickleValue* pop() {
    if (stack_.size() <= floor()) fail("pickle takes a value that is not there");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  /// Values below the last mark are out of reach.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  template <typename T>
  T& top(std::string_view what) {
    T* content = stack_.size() > floor() ? std::get_if<T>(&stack_.back()->content) : nullptr;
    if (content == nullptr) fail("pickle changes something that is no " + std::string(what));
    return *content;
  }

  std::vector<const PickleValue*> pop_last(std::size_t count) {
    if (stack_.size() - floor() < count) fail("pickle takes a value that is not there");
    std::vector<const PickleValue*> out(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                        stack_.end());
    stack_.resize(stack_.size() - count);
    return out;
  }
  std::vector<const PickleValue*> pop_to_mark() {
    if (marks_.empty()) fail("pickle looks for a mark that is not there");
    std::vector<const PickleValue*> out = pop_last(stack_.size() - floor());
    marks_.pop_back();
    return out;
  }

  void step(Opcode opcode) {
    if (push_scalar(opcode) || change_container(opcode) || use_memo(opcode)) return;
    switch (opcode) {
      case kGlobal:
        return push_global();
      case kReduce:
        return call();
      case kBinPersId:
        return push(make_storage(*pop(), path_));
      case kBuild:
        pop();
        if (!top<PickleDict>("OrderedDict").is_ordered) {
          fail("pickle changes something that is no OrderedDict");
        }
        return;
      default:
        refuse(opcode);
    }
  }

  [[noreturn]] void refuse(Opcode opcode) const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const unsigned code = opcode;
    fail("pickle opcode 0x" + std::string{kDigits[code >> 4U], kDigits[code & 15U]} +
         " is not allowed (want what torch.save writes; nothing was executed)");
  }

  bool push_scalar(Opcode opcode) {
    switch (opcode) {
      case kNone:
        push(PickleNone{});
        return true;
      case kNewTrue:
      case kNewFalse:
        push(opcode == kNewTrue);
        return true;
      case kBinInt:
        push(std::int64_t{take<std::int32_t>()});
        return true;
      case kBinInt1:
        push(std::int64_t{take<std::uint8_t>()});
        return true;
      case kBinInt2:
        push(std::int64_t{take<std::uint16_t>()});
        return true;
      case kLong1:
        push(take_long());
        return true;
      case kBinFloat:
        push(std::bit_cast<double>(__builtin_bswap64(take<std::uint64_t>())));
        return true;
      case kBinUnicode:
        push(take_text());
        return true;
      default:
        return false;
    }
  }

  /// Little endian two's complement of up to 8 bytes.
  std::int64_t take_long() {
    const std::string_view bytes = take_bytes(take<std::uint8_t>());
    if (bytes.size() > sizeof(std::int64_t)) fail("pickle has an integer of more than 64 bits");
    if (bytes.empty()) return 0;
    std::uint64_t value = bytes.back() < 0 ? ~std::uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return static_cast<std::int64_t>(value);
  }

  std::string_view take_text() {
    const auto size = take<std::uint32_t>();
    if (size > kMaxText) {
      fail("pickle has a text of " + std::to_string(size) + " bytes (want at most 65536)");
    }
    const std::string_view text = take_bytes(size);
    if (utf8_first_invalid(text)) fail("pickle has a text that is not UTF-8");
    return text;
  }

  bool change_container(Opcode opcode) {
    switch (opcode) {
      case kMark:
        if (marks_.size() == kMaxDepth) fail("pickle is nested deeper than 64 levels");
        marks_.push_back(stack_.size());
        return true;
      case kEmptyDict:
        push(PickleDict{});
        return true;
      case kEmptyList:
        push(PickleList{});
        return true;
      case kEmptyTuple:
        push(PickleTuple{});
        return true;
      case kTuple:
        push(PickleTuple{pop_to_mark()});
        return true;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        push(PickleTuple{pop_last(opcode - kTuple1 + std::size_t{1})});
        return true;
      case kAppend:
        append(pop_last(1));
        return true;
      case kAppends:
        append(pop_to_mark());
        return true;
      case kSetItem:
        set_items(pop_last(2));
        return true;
      case kSetItems:
        set_items(pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  void append(const std::vector<const PickleValue*>& items) {
    auto& list = top<PickleList>("list").items;
    list.insert(list.end(), items.begin(), items.end());
  }

  void set_items(const std::vector<const PickleValue*>& items) {
    auto& entries = top<PickleDict>("dict").entries;
    if (items.size() % 2 != 0) fail("pickle has a key without a value");
    for (std::size_t i = 0; i < items.size(); i += 2) {
      if (!items[i]->as<std::string_view>() && !items[i]->as<std::int64_t>()) {
        fail_at(items[i]->offset, "pickle has a key that is neither a text nor an integer");
      }
      entries.emplace_back(items[i], items[i + 1]);
    }
  }

  bool use_memo(Opcode opcode) {
    switch (opcode) {
      case kBinPut:
        put(take<std::uint8_t>());
        return true;
      case kLongBinPut:
        put(take<std::uint32_t>());
        return true;
      case kBinGet:
        stack_.push_back(get(take<std::uint8_t>()));
        return true;
      case kLongBinGet:
        stack_.push_back(get(take<std::uint32_t>()));
        return true;
      default:
        return false;
    }
  }

  /// torch.save numbers what it keeps one by one, so that no index asks for memory.
  void put(std::uint32_t index) {
    if (index > memo_.size()) {
      fail("pickle memo index " + std::to_string(index) + " (want at most " +
           std::to_string(memo_.size()) + ")");
    }
    PickleValue* value = pop();
    stack_.push_back(value);
    if (index == memo_.size()) memo_.push_back(value);
    memo_[index] = value;
  }
  PickleValue* get(std::uint32_t index) const {
    if (index >= memo_.size()) {
      fail("pickle memo has no index " + std::to_string(index) + " (it holds " +
           std::to_string(memo_.size()) + ")");
    }
    return memo_[index];
  }

  void push_global() {
    PickleGlobal global;
    global.module = take_line();
    global.name = take_line();
    if (!is_allowed(global)) {
      fail("global " + json_string(std::string(global.module) + "." + std::string(global.name)) +
           " is not allowed (want tensors, dicts, lists and plain values; nothing was executed)");
    }
    push(global);
  }

  void call() {
    const PickleValue* arguments = pop();
    const PickleValue* callee = pop();
    const auto* global = callee->as<PickleGlobal>();
    const auto* tuple = arguments->as<PickleTuple>();
    if (global == nullptr || tuple == nullptr) {
      fail("pickle calls something that is no function (nothing was executed)");
    }
    if (is_ordered_dict(*global)) {
      if (!tuple->items.empty()) fail("pickle calls OrderedDict with arguments (want none)");
      return push(PickleDict{.entries = {}, .is_ordered = true});
    }
    if (is_torch_function(*global, "_rebuild_tensor_v2")) {
      return push(make_tensor(*arguments, path_));
    }
    if (is_torch_function(*global, "_rebuild_parameter")) {
      const auto* parameter = tuple->items.empty() ? nullptr : tuple->items[0]->as<PickleTensor>();
      if (parameter == nullptr) fail("pickle makes a parameter of something that is no tensor");
      return push(*parameter);
    }
    fail("pickle calls " + json_string(global->name) + " (nothing was executed)");
  }

  /// Levels below a value, each visited once.
  std::size_t height_of(const PickleValue* value, std::size_t depth) {
    if (depth > kMaxDepth) {
      fail_at(value->offset, "pickle is nested deeper than 64 levels, or a value contains itself");
    }
    if (const auto known = heights_.find(value); known != heights_.end()) {
      if (depth + known->second > kMaxDepth) {
        fail_at(value->offset, "pickle is nested deeper than 64 levels");
      }
      return known->second;
    }
    std::size_t height = 0;
    const auto visit = [&](const PickleValue* item) {
      height = std::max(height, 1 + height_of(item, depth + 1));
    };
    if (const auto* list = value->as<PickleList>()) std::ranges::for_each(list->items, visit);
    if (const auto* tuple = value->as<PickleTuple>()) std::ranges::for_each(tuple->items, visit);
    if (const auto* dict = value->as<PickleDict>()) {
      for (const auto& [key, item] : dict->entries) visit(item);
    }
    heights_.emplace(value, height);
    return height;
  }

  std::string_view bytes_;
  const std::string& path_;
  std::uint64_t base_;
  std::deque<PickleValue>& values_;
  std::size_t at_ = 0;    // of the current opcode
  std::size_t next_ = 0;  // the next byte
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleValue*> memo_;
  std::unordered_map<const PickleValue*, std::size_t> heights_;
};

}  // namespace

PickleReader::PickleReader(std::string_view bytes, const std::string& path, std::uint64_t base)
    : root_(Machine(bytes, path, base, values_).run()) {}

}  // namespace linformer
