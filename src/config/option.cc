// SPDX-License-Identifier: Apache-2.0
#include "config/option.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "config/number_text.h"
#include "config/spelling.h"

namespace linformer {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;  // clang 14 deduces none for an aggregate

/// Visits the structs and collects their fields; `prefixes_` holds every accepted spelling of the
/// section, "" at the root.
class Collector {
 public:
  explicit Collector(Schema& schema) : schema_(schema) {}

  template <typename T, typename... Tags>
  void operator()(std::string_view name, T& member, const Tags&... tags) {
    Option option;
    option.member = member_of(member);
    std::string_view alias;
    bool is_original = false;
    const Overloaded apply{[&](const Alias& tag) { alias = tag.name; },
                           [&](const Original&) { is_original = true; },
                           [&](const Range& tag) { option.range = tag; },
                           [&](const Required& tag) { option.required = tag.example; },
                           [&](const MayChange&) { option.may_change = true; },
                           [&](const char* text) { option.help = text; }};
    (apply(tags), ...);
    option.spellings = paths(name, alias);
    option.key = option.spellings.front();
    if (!alias.empty() || is_original)
      option.original = prefixes_.back() + std::string(alias.empty() ? name : alias);
    schema_.options.push_back(std::move(option));
  }

  template <typename T>
  void section(std::string_view name, T& nested, std::string_view help) {
    section(name, nested, Alias{}, help);
  }

  template <typename T>
  void section(std::string_view name, T& nested, const Alias& alias, std::string_view help) {
    std::vector<std::string> spellings = paths(name, alias.name);
    schema_.sections.push_back({spellings.front(), spellings, help});
    for (std::string& spelling : spellings) spelling += '.';
    std::swap(prefixes_, spellings);
    T::visit_fields(nested, *this);
    std::swap(prefixes_, spellings);
  }

 private:
  std::vector<std::string> paths(std::string_view name, std::string_view alias) const {
    std::vector<std::string> out;
    for (const std::string& prefix : prefixes_) out.push_back(prefix + std::string(name));
    if (!alias.empty()) {
      for (const std::string& prefix : prefixes_) out.push_back(prefix + std::string(alias));
    }
    return out;
  }

  template <typename T>
  static OptionMember member_of(T& member) {
    if constexpr (std::is_enum_v<T>) {
      EnumMember out;
      for (const auto& [value, name] : EnumNames<T>::kValues) out.names.push_back(name);
      out.get = [&member] {
        std::size_t index = 0;
        while (EnumNames<T>::kValues[index].first != member) ++index;
        return index;
      };
      out.set = [&member](std::size_t index) { member = EnumNames<T>::kValues[index].first; };
      return out;
    } else {
      return &member;
    }
  }

  Schema& schema_;
  std::vector<std::string> prefixes_{""};
};

/// In double quotes, with escapes for all that parse_yaml refuses in a file.
std::string quoted(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (text.substr(i).starts_with(kByteOrderMark)) {
      out += "\\uFEFF";
      i += kByteOrderMark.size() - 1;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool in_range(double value, const Range& range) {
  return (range.above ? value > range.low : value >= range.low) && value <= range.high;
}

std::string range_text(const Range& range) {
  if (range.above)
    return "above " + number_text(range.low) + ", at most " + number_text(range.high);
  return "from " + number_text(range.low) + " to " + number_text(range.high);
}

std::string_view last_name(std::string_view path) { return path.substr(path.rfind('.') + 1); }

std::string_view section_part(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

template <typename Entry>
const Entry* find_entry(const std::vector<Entry>& entries, std::string_view path) {
  for (const Entry& entry : entries) {
    if (std::ranges::find(entry.spellings, path) != entry.spellings.end()) return &entry;
  }
  return nullptr;
}

}  // namespace

std::string_view Option::type_name() const {
  return std::visit(
      Overloaded{[](const bool*) { return "true or false"; },
                 [](const std::optional<bool>*) { return "true or false"; },
                 [](const std::int64_t*) { return "integer"; },
                 [](const std::uint64_t*) { return "integer"; },
                 [](const double*) { return "number"; }, [](const std::string*) { return "text"; },
                 [](const EnumMember&) { return "name"; }},
      member);
}

std::string Option::wanted() const {
  if (const auto* names = std::get_if<EnumMember>(&member)) {
    std::string out;
    for (std::size_t i = 0; i < names->names.size(); ++i) {
      if (i > 0) out += i + 1 == names->names.size() ? " or " : ", ";
      out += names->names[i];
    }
    return out;
  }
  if (std::holds_alternative<double*>(member)) {
    return "a finite number" + (range ? " " + range_text(*range) : "");
  }
  if (std::holds_alternative<std::int64_t*>(member)) {
    return "an integer" + (range ? " " + range_text(*range) : "");
  }
  if (std::holds_alternative<std::uint64_t*>(member)) {
    return "an integer from 0 to 18446744073709551615";
  }
  return std::string(type_name());
}

std::optional<std::string> Option::value_text() const {
  return std::visit(
      Overloaded{
          [](const bool* value) -> std::optional<std::string> { return *value ? "true" : "false"; },
          [](const std::optional<bool>* value) -> std::optional<std::string> {
            if (!*value) return std::nullopt;
            return **value ? "true" : "false";
          },
          [&](const std::int64_t* value) -> std::optional<std::string> {
            if (range && !in_range(static_cast<double>(*value), *range)) return std::nullopt;
            return std::to_string(*value);
          },
          [](const std::uint64_t* value) -> std::optional<std::string> {
            return std::to_string(*value);
          },
          [](const double* value) -> std::optional<std::string> { return number_text(*value); },
          [](const std::string* value) -> std::optional<std::string> { return quoted(*value); },
          [](const EnumMember& value) -> std::optional<std::string> {
            return std::string(value.names[value.get()]);
          }},
      member);
}

const Option* Schema::find(std::string_view path) const { return find_entry(options, path); }

const SectionInfo* Schema::find_section(std::string_view path) const {
  return find_entry(sections, path);
}

std::string Schema::suggest(std::string_view path) const {
  std::vector<std::string_view> same_section;
  std::vector<std::string_view> all;
  std::vector<std::string_view> same_name;
  const auto add = [&](const std::string& spelling) {
    all.push_back(spelling);
    if (section_part(spelling) == section_part(path)) same_section.push_back(spelling);
    if (last_name(spelling) == last_name(path)) same_name.push_back(spelling);
  };
  for (const Option& option : options) std::ranges::for_each(option.spellings, add);
  for (const SectionInfo& section : sections) std::ranges::for_each(section.spellings, add);

  const std::size_t edits = tolerated_edits(last_name(path));
  if (const auto found = nearest(path, same_section, edits); !found.empty())
    return std::string(found);
  if (!same_name.empty()) return std::string(same_name.front());
  if (const auto found = nearest(path, all, edits); !found.empty()) return std::string(found);
  return {};
}

void copy_value(const Option& from, const Option& to) {
  std::visit(
      [&](const auto& source) {
        using Member = std::decay_t<decltype(source)>;
        const auto& target = std::get<Member>(to.member);
        if constexpr (std::is_same_v<Member, EnumMember>) {
          target.set(source.get());
        } else {
          *target = *source;
        }
      },
      from.member);
}

Schema schema_of(RunConfig& config) {
  Schema schema;
  Collector collector(schema);
  RunConfig::visit_fields(config, collector);
  return schema;
}

}  // namespace linformer
