// SPDX-License-Identifier: Apache-2.0
#include "tracking/status_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <utility>
#include <vector>

#include "base/file.h"

namespace linformer {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kPlainSeconds = 10;
constexpr int kDefaultColumns = 80;
constexpr std::size_t kUnlimited = 10000;

/// A number of people's size: 3 significant digits with k, M or G.
std::string short_count(double value) {
  if (value >= 1e9) return fmt::format("{:.2f}G", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.2f}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

std::string clock_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = static_cast<std::int64_t>(seconds);
  const std::int64_t hours = whole / 3600;
  const std::int64_t minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{:02}:{:02}", minutes, whole % 60);
}

std::string memory_text(std::int64_t bytes) {
  const auto size = static_cast<double>(bytes);
  return size >= 1e9 ? fmt::format("{:.1f}GB", size / 1e9) : fmt::format("{:.0f}MB", size / 1e6);
}

struct Part {
  std::string text;
  int rank;  // parts of the highest rank go first when room is short
};

int terminal_columns() {
  int columns = 0;
  if (const char* variable = std::getenv("COLUMNS")) {
    const std::string_view text = variable;
    std::from_chars(text.data(), text.data() + text.size(), columns);
  }
  winsize size{};
  if (columns <= 0 && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  return columns > 0 ? columns : kDefaultColumns;
}

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string utc_timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

bool stderr_takes_redrawing() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

/// Talk is not a result: a closed stderr must not end a training.
void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

StatusLineOptions stderr_status_line() {
  return {.terminal = stderr_takes_redrawing(),
          .columns = terminal_columns,
          .now = monotonic_seconds,
          .timestamp = utc_timestamp,
          .write = write_stderr};
}

std::string status_text(const StepRecord& record, std::optional<double> remaining_seconds,
                        std::size_t width) {
  std::string time = clock_text(record.elapsed_seconds);
  if (remaining_seconds) time += "<" + clock_text(*remaining_seconds);
  std::vector<Part> parts{
      {fmt::format("epoch {}/{}", record.epoch, record.epochs), 2},
      {fmt::format("{:.0f}%", 100 * record.progress), 3},
      {fmt::format("step {}", record.step), 0},
      {fmt::format("loss {:.4g}", record.loss), 1},
      {fmt::format("ppl {:.4g}", record.perplexity), 6},
      {fmt::format("lr {:.2e}", record.learning_rate), 8},
      {fmt::format("gnorm {:.3g}", record.gradient_norm), 9},
      {short_count(record.tokens_per_second) + " tok/s", 4},
      {memory_text(record.memory_bytes), 7},
      {time, 5},
  };
  const auto length = [&parts] {
    std::size_t sum = 0;
    for (const Part& part : parts) sum += part.text.size() + 1;
    return sum == 0 ? 0 : sum - 1;
  };
  while (length() > width && parts.size() > 1) {
    parts.erase(std::max_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.rank < b.rank; }));
  }
  std::string out;
  for (const Part& part : parts) {
    if (!out.empty()) out += ' ';
    out += part.text;
  }
  return out.substr(0, width);
}

StatusLine::StatusLine(StatusLineOptions options)
    : options_(std::move(options)), last_printed_(options_.now()) {}

StatusLine::~StatusLine() { clear(); }

std::optional<double> StatusLine::remaining_seconds(const StepRecord& record) {
  if (!first_) first_ = record;
  const double done = record.progress - first_->progress;
  if (done <= 0) return std::nullopt;
  return (record.elapsed_seconds - first_->elapsed_seconds) / done * (1 - record.progress);
}

void StatusLine::draw(const StepRecord& record) {
  // The last column stays free: some terminals wrap when it is filled.
  const int columns = std::max(options_.columns(), 2);
  const std::size_t width = static_cast<std::size_t>(columns) - 1;
  std::string text = status_text(record, remaining_seconds(record), width);
  const std::size_t length = text.size();
  if (drawn_width_ > length) text.append(std::min(drawn_width_, width) - length, ' ');
  options_.write("\r" + text);
  drawn_width_ = length;
  last_drawn_ = options_.now();
}

void StatusLine::clear() {
  if (drawn_width_ == 0) return;
  options_.write("\r" + std::string(drawn_width_, ' ') + "\r");
  drawn_width_ = 0;
  last_drawn_ = -1e9;
}

void StatusLine::print_line(std::string_view text) {
  clear();
  std::string line = options_.terminal ? "" : options_.timestamp() + " ";
  line += text;
  options_.write(line + "\n");
  last_printed_ = options_.now();
}

void StatusLine::on_progress(const StepRecord& record) {
  if (options_.terminal) {
    if (options_.now() - last_drawn_ >= kRedrawSeconds) draw(record);
  } else if (options_.now() - last_printed_ >= kPlainSeconds) {
    print_line(status_text(record, remaining_seconds(record), kUnlimited));
  }
}

void StatusLine::on_step(const StepRecord& record) {
  if (options_.terminal) {
    on_progress(record);
  } else {
    print_line(status_text(record, remaining_seconds(record), kUnlimited));
  }
}

void StatusLine::on_validation(const ValidationRecord& record) {
  std::string text = fmt::format("validation step {} loss {:.4f} ppl {:.4g}", record.step,
                                 record.loss, record.perplexity);
  if (record.bleu) text += fmt::format(" BLEU {:.2f}", *record.bleu);
  if (record.chrf) text += fmt::format(" chrF {:.2f}", *record.chrf);
  text += fmt::format(" ({}{})", clock_text(record.seconds), record.is_best ? ", best" : "");
  print_line(text);
}

void StatusLine::on_final(const FinalRecord& record) {
  std::string text = fmt::format("{}: step {} epoch {} in {}", record.reason, record.step,
                                 record.epoch, clock_text(record.seconds));
  if (!record.metric.empty()) {
    text += fmt::format(", best {} {:.4f} at step {}", record.metric, record.best_value,
                        record.best_step);
  }
  print_line(text);
}

void StatusLine::on_text(std::int64_t step, std::string_view text) {
  std::string shown(text);
  for (char& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = ' ';
  }
  print_line(fmt::format("step {}: {}", step, shown));
}

}  // namespace linformer
