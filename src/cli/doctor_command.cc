// SPDX-License-Identifier: Apache-2.0
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/fixed_text.h"
#include "cli/elf_libraries.h"
#include "cli/hand_over.h"
#include "cli/verbs.h"
#include "linformer/error.h"
#include "linformer/version.h"

namespace linformer {
namespace {

namespace fs = std::filesystem;

enum class State { kOk, kNote, kMissing };

/// One line of the report. kNote does without, kMissing means that training cannot start.
struct Finding {
  std::string name;
  State state;
  std::string found;
  std::string fix;
};

std::string_view state_name(State state) {
  switch (state) {
    case State::kOk:
      return "ok";
    case State::kNote:
      return "note";
    case State::kMissing:
      break;
  }
  return "missing";
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::vector<std::string> library_directories(const std::string& engine) {
  std::vector<std::string> out;
  if (const char* torch = std::getenv("LINFORMER_TORCH_DIR"); torch != nullptr && *torch != '\0')
    out.push_back(std::string(torch) + "/lib");
  if (const char* path = std::getenv("LD_LIBRARY_PATH")) {
    std::istringstream list(path);
    for (std::string directory; std::getline(list, directory, ':');) out.push_back(directory);
  }
  const ElfLibraries libraries = elf_libraries(engine);
  out.insert(out.end(), libraries.directories.begin(), libraries.directories.end());
  return out;
}

Finding find_torch(const std::string& engine) {
  const std::string fix =
      "install torch 2.11.0 (./build.sh does), or set LINFORMER_TORCH_DIR to its directory";
  try {
    const std::vector<std::string> directories = library_directories(engine);
    for (const std::string& directory : directories) {
      if (is_there(directory + "/libtorch_cpu.so")) return {"LibTorch", State::kOk, directory, ""};
    }
    std::string tried;
    for (const std::string& directory : directories)
      tried += (tried.empty() ? "" : ", ") + directory;
    return {"LibTorch", State::kMissing, "libtorch_cpu.so is not in " + tried, fix};
  } catch (const UserError& error) {
    return {"LibTorch", State::kMissing, error.what(), "build the engine again: ./build.sh"};
  }
}

void check_engines(const EnginePlace& place, std::vector<Finding>& out) {
  const std::string engine = place.directory + "/linformer-engine";
  const std::string cuda = engine + "-cuda";
  if (place.has_cpu_engine) {
    out.push_back({"engine", State::kOk, engine, ""});
  } else if (place.has_cuda_engine && place.num_gpus > 0) {
    out.push_back(
        {"engine", State::kNote, "only the CUDA engine", "./build.sh release for --device cpu"});
  } else {
    out.push_back(
        {"engine", State::kMissing, "no linformer-engine in " + place.directory, "./build.sh"});
  }
  if (place.has_cuda_engine) {
    out.push_back({"CUDA engine", State::kOk, cuda, ""});
  } else {
    out.push_back({"CUDA engine", State::kNote, "none",
                   place.num_gpus > 0 ? "./build.sh cuda, to use the GPU" : ""});
  }
  if (place.has_cpu_engine || place.has_cuda_engine)
    out.push_back(find_torch(place.has_cpu_engine ? engine : cuda));
}

Finding find_gpus(const EnginePlace& place) {
  if (place.num_gpus == 0)
    return {"GPU", State::kNote, "none", "the CPU is used; in a container, pass the devices on"};
  return {"GPU", State::kOk, std::to_string(place.num_gpus) + " (device nodes)", ""};
}

/// The words of the first line "KEY...: VALUE" of a file under /proc.
std::vector<std::string> proc_words(const char* path, std::string_view key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    std::istringstream words(line.substr(std::min(line.find(':'), line.size() - 1) + 1));
    std::vector<std::string> out;
    for (std::string word; words >> word;) out.push_back(word);
    return out;
  }
  return {};
}

Finding find_cpu() {
  const std::vector<std::string> flags = proc_words("/proc/cpuinfo", "flags");
  std::string found = std::to_string(std::thread::hardware_concurrency()) + " threads";
  const auto has = [&](const char* flag) { return std::ranges::find(flags, flag) != flags.end(); };
  for (const char* flag : {"avx2", "avx512f", "avx512_bf16", "amx_bf16"}) {
    if (has(flag)) found += std::string(", ") + flag;
  }
  const bool has_bf16 = has("avx512_bf16") || has("amx_bf16");
  if (!has("avx2")) return {"processor", State::kNote, found, "no avx2: expect slow training"};
  return {"processor", State::kOk,
          found + (has_bf16 ? "; --dtype auto is bfloat16" : "; --dtype auto is float32"), ""};
}

Finding find_memory() {
  const std::vector<std::string> words = proc_words("/proc/meminfo", "MemAvailable");
  double kibibytes = 0;
  if (!words.empty())
    std::from_chars(words[0].data(), words[0].data() + words[0].size(), kibibytes);
  const std::string found = fixed(kibibytes / (1024 * 1024), 1) + " GiB available";
  const bool is_enough = kibibytes > 1024 * 1024;
  return {"memory", is_enough ? State::kOk : State::kMissing, found,
          is_enough ? "" : "training needs at least 1 GiB"};
}

Finding find_disk() {
  // Runs go to runs/NAME: in a container that is a folder of its own on a file system nobody may
  // write.
  const char* place = is_there("runs") ? "runs" : ".";
  struct statvfs status {};
  if (::statvfs(place, &status) != 0)
    return {"disk", State::kMissing, "this directory cannot be read",
            "change to another directory"};
  const double gibibytes = static_cast<double>(status.f_bavail) *
                           static_cast<double>(status.f_frsize) / (1024.0 * 1024 * 1024);
  const std::string found = fixed(gibibytes, 1) + " GiB free here";
  if (gibibytes < 1)
    return {"disk", State::kMissing, found,
            "checkpoints need at least 1 GiB; use --output on another disk"};
  if (::access(place, W_OK) != 0)
    return {"disk", State::kMissing, found + ", not writable", "use --output DIR elsewhere"};
  return {"disk", State::kOk, found, ""};
}

Finding find_tokenizers() {
  std::string found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("data", ignored)) {
    const fs::path path = entry.path();
    const bool is_tokenizer = is_there(path / "tokenizer.json") ||
                              (is_there(path / "vocab.json") && is_there(path / "merges.txt"));
    if (is_tokenizer) found += (found.empty() ? "" : ", ") + path.string();
  }
  if (!found.empty()) return {"tokenizers", State::kOk, found, ""};
  return {"tokenizers", State::kNote, "none in data/*/",
          "`linformer tokenizer train` makes one; the original's is facebook/bart-base"};
}

std::vector<Finding> examine() {
  const EnginePlace place = find_engines();
  std::vector<Finding> out{
      {"linformer", State::kOk, std::string(kVersion) + " in " + place.directory, ""}};
  check_engines(place, out);
  out.push_back(find_gpus(place));
  out.push_back(find_cpu());
  out.push_back(find_memory());
  out.push_back(find_disk());
  out.push_back(find_tokenizers());
  return out;
}

std::string report_text(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) {
    std::string line(state_name(finding.state));
    line.resize(9, ' ');
    line += finding.name;
    line.resize(23, ' ');
    out += line + finding.found + (finding.fix.empty() ? "" : " (" + finding.fix + ")") + "\n";
  }
  return out;
}

std::string report_json(const std::vector<Finding>& findings, bool is_ready) {
  using Json = nlohmann::ordered_json;
  Json checks = Json::array();
  for (const Finding& finding : findings) {
    checks.push_back({{"name", finding.name},
                      {"state", state_name(finding.state)},
                      {"found", finding.found},
                      {"fix", finding.fix}});
  }
  return Json{{"ready", is_ready}, {"checks", checks}}.dump() + "\n";
}

}  // namespace

int run_doctor(const DoctorOptions&, const CommonOptions& common) {
  const std::vector<Finding> findings = examine();
  const auto missing = std::ranges::find(findings, State::kMissing, &Finding::state);
  const bool is_ready = missing == findings.end();
  write_stdout(common.json ? report_json(findings, is_ready) : report_text(findings));
  if (!is_ready)
    throw UserError("training cannot start: " + missing->name + ": " + missing->found + " (" +
                    missing->fix + ")");
  return 0;
}

}  // namespace linformer
