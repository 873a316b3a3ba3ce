// SPDX-License-Identifier: Apache-2.0
#include "tracking/jsonl_sink.h"

#include <sys/stat.h>

#include <cmath>

#include "base/file.h"
#include "base/log.h"
#include "linformer/error.h"
#include "nlohmann/json.hpp"
#include "storage/json_state.h"

namespace linformer {
namespace {

/// One line of the log, member by member.
class LineBuilder {
 public:
  explicit LineBuilder(std::string_view type) : out_("{\"type\":" + json_string(type)) {}

  LineBuilder& add(std::string_view name, std::int64_t value) {
    return put(name, std::to_string(value));
  }
  LineBuilder& add(std::string_view name, double value) {
    return put(name, std::isfinite(value) ? real_text(value) : json_string(real_text(value)));
  }
  LineBuilder& add(std::string_view name, const std::optional<double>& value) {
    return value ? add(name, *value) : *this;
  }
  LineBuilder& add(std::string_view name, bool value) {
    return put(name, value ? "true" : "false");
  }
  LineBuilder& add(std::string_view name, std::string_view value) {
    return put(name, json_string(value));
  }

  std::string take() { return out_ + "}\n"; }

 private:
  LineBuilder& put(std::string_view name, const std::string& text) {
    out_ += "," + json_string(name) + ":" + text;
    return *this;
  }

  std::string out_;
};

/// True for a whole record of `step` or before.
bool is_kept(std::string_view line, std::int64_t step) {
  const nlohmann::json record = nlohmann::json::parse(line, nullptr, false);
  if (!record.is_object() || !record.contains("type") || !record.contains("step")) return false;
  return record["type"] != "final" && record["step"].is_number_integer() &&
         record["step"].get<std::int64_t>() <= step;
}

/// Bytes of the file up to its last newline.
std::size_t whole_lines(std::string_view text) {
  const std::size_t newline = text.rfind('\n');
  return newline == std::string_view::npos ? 0 : newline + 1;
}

bool is_present(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

}  // namespace

JsonlSink::JsonlSink(const std::string& path)
    : whole_(is_present(path) ? whole_lines(MappedFile(path).bytes()) : 0),
      file_(path, AppendFile::Mode::kExisting) {
  file_.truncate(whole_);
}

void JsonlSink::on_step(const StepRecord& record) {
  append(LineBuilder("step")
             .add("step", record.step)
             .add("epoch", record.epoch)
             .add("epochs", record.epochs)
             .add("progress", record.progress)
             .add("loss", record.loss)
             .add("perplexity", record.perplexity)
             .add("learning_rate", record.learning_rate)
             .add("gradient_norm", record.gradient_norm)
             .add("tokens_per_second", record.tokens_per_second)
             .add("source_tokens", record.source_tokens)
             .add("target_tokens", record.target_tokens)
             .add("elapsed_seconds", record.elapsed_seconds)
             .add("memory_bytes", record.memory_bytes)
             .take());
}

void JsonlSink::on_validation(const ValidationRecord& record) {
  append(LineBuilder("validation")
             .add("step", record.step)
             .add("epoch", record.epoch)
             .add("loss", record.loss)
             .add("perplexity", record.perplexity)
             .add("bleu", record.bleu)
             .add("chrf", record.chrf)
             .add("seconds", record.seconds)
             .add("is_best", record.is_best)
             .take());
}

void JsonlSink::on_final(const FinalRecord& record) {
  LineBuilder line("final");
  line.add("step", record.step)
      .add("epoch", record.epoch)
      .add("reason", std::string_view(record.reason));
  if (!record.metric.empty()) {
    line.add("metric", std::string_view(record.metric))
        .add("best_value", record.best_value)
        .add("best_step", record.best_step);
  }
  line.add("source_tokens", record.source_tokens)
      .add("target_tokens", record.target_tokens)
      .add("seconds", record.seconds)
      .add("data_wait_seconds", record.data_wait_seconds)
      .add("save_wait_seconds", record.save_wait_seconds);
  append(line.take());
}

void JsonlSink::on_text(std::int64_t step, std::string_view text) {
  append(LineBuilder("text").add("step", step).add("text", text).take());
}

/// The disk may have room again later; flush() is where it must have.
void JsonlSink::append(const std::string& line) {
  const bool is_known = !waiting_.empty();
  waiting_ += line;
  try {
    write_waiting();
  } catch (const IoError& error) {
    if (!is_known) log_warning(error.what() + std::string("; its records wait in memory"));
  }
}

void JsonlSink::write_waiting() {
  file_.append(waiting_);
  waiting_.clear();
}

void JsonlSink::flush() {
  if (!waiting_.empty()) write_waiting();
  file_.sync();
}

void JsonlSink::truncate_after(const std::string& path, std::int64_t step) {
  if (!is_present(path)) return;
  std::string kept;
  {
    const MappedFile file(path);
    std::string_view rest = file.bytes().substr(0, whole_lines(file.bytes()));
    while (!rest.empty()) {
      const std::size_t newline = rest.find('\n');
      const std::string_view line = rest.substr(0, newline);
      if (is_kept(line, step)) (kept += line) += '\n';
      rest.remove_prefix(newline + 1);
    }
    if (kept == file.bytes()) return;
  }
  write_file_atomically(path, kept);
}

}  // namespace linformer
