// SPDX-License-Identifier: Apache-2.0
// Every system call of a process that saves checkpoints fails in every way, or is the last before
// the power goes. The calls are intercepted by a preloaded library (support/syscall_shim.cc).

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <sstream>

#include "support/crash_scenario.h"
#include "support/memory_directory.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

std::vector<std::pair<std::string, std::string>> shimmed(const std::string& run,
                                                         const std::string& variable,
                                                         const std::string& value) {
  return {{"LD_PRELOAD", LF_SYSCALL_SHIM},
          {"ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0"},
          {"SHIM_ROOT", run},
          {variable, value}};
}

/// Lines of a log that begin with this, or with anything but a note.
int count_lines(const std::string& path, const std::string& start = "") {
  std::ifstream log(path);
  int count = 0;
  for (std::string line; std::getline(log, line);) {
    count += line.starts_with(start) && !line.starts_with("note") ? 1 : 0;
  }
  return count;
}

/// How many calls the process makes without a fault.
int count_calls() {
  const TempDirectory directory;
  const std::string run = directory.file("run");
  make_crash_run(run);
  EXPECT_EQ(run_crash_process(run, shimmed(run, "SHIM_LOG", directory.file("log"))), 0);
  return count_lines(directory.file("log"));
}

class SystemCall : public testing::TestWithParam<const char*> {};

TEST_P(SystemCall, ThatFailsLosesNothing) {
  const std::string action = GetParam();
  const int num_logged = count_calls();
  ASSERT_GT(num_logged, 100);
  int num_calls = 0;
  for (int call = 1; !HasFailure(); ++call, ++num_calls) {
    const TempDirectory directory;
    const std::string log = directory.file("log");
    const std::string run = directory.file("run");
    make_crash_run(run);
    const std::string fault = std::to_string(call) + ":" + action;
    auto variables = shimmed(run, "SHIM_FAULT", fault);
    variables.emplace_back("SHIM_LOG", log);
    const int status = run_crash_process(run, variables);
    if (count_lines(log, "fault") == 0) break;  // past the last call
    if (action == "kill") {
      ASSERT_TRUE(WIFSIGNALED(status));
      EXPECT_EQ(WTERMSIG(status), SIGKILL);
    } else {
      ASSERT_TRUE(WIFEXITED(status));
      EXPECT_EQ(WEXITSTATUS(status), last_saved(run) == 5 ? 0 : 4) << fault;
      if (action == "short") {
        EXPECT_EQ(WEXITSTATUS(status), 0) << fault;
      }
    }
    expect_intact(run, fault);
  }
  EXPECT_GE(num_calls, num_logged);
  RecordProperty("calls", num_calls);
}

INSTANTIATE_TEST_SUITE_P(Actions, SystemCall,
                         testing::Values("kill", "ENOSPC", "EIO", "EINTR", "short"),
                         [](const auto& info) { return std::string(info.param); });

/// A file or directory, apart from its names.
struct Inode {
  std::string data;            // as the program sees it
  std::size_t num_synced = 0;  // bytes of it that are on the disk
  std::map<std::string, std::shared_ptr<Inode>> entries;
  bool is_directory = false;
};
using InodePointer = std::shared_ptr<Inode>;

/// Names that one call gives and takes.
struct NameChange {
  struct Entry {
    InodePointer directory;
    std::string name;
    InodePointer inode;  // null = the name goes
  };
  std::vector<Entry> entries;
  bool is_synced = false;
};

InodePointer read_tree(const std::filesystem::path& path) {
  auto inode = std::make_shared<Inode>();
  inode->is_directory = std::filesystem::is_directory(path);
  if (!inode->is_directory) {
    inode->data = read_file(path.string(), 1 << 20);
    inode->num_synced = inode->data.size();
    return inode;
  }
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    inode->entries[entry.path().filename().string()] = read_tree(entry.path());
  }
  return inode;
}

/// A file system that has seen the first calls of a log: what it holds, and what of it would
/// survive.
class Disk {
 public:
  explicit Disk(const std::string& path) : root_(read_tree(path)) { remember(*root_); }

  void apply(const std::string& line) {
    std::istringstream words(line);
    std::string call, path, other;
    words >> call >> path >> other;
    if (call == "write") return write(*find(path), words);
    if (call == "fsync") return sync(find(path));
    if (call == "note") return note(path, other);
    const auto [directory, name] = place(path);
    if (call == "create" || call == "mkdir") {
      auto inode = std::make_shared<Inode>();
      inode->is_directory = call == "mkdir";
      return change({{directory, name, inode}});
    }
    if (call == "unlink" || call == "rmdir") return change({{directory, name, nullptr}});
    const auto [to, to_name] = place(other);
    const InodePointer moved = directory->entries.at(name);
    const InodePointer replaced = call == "exchange" ? to->entries.at(to_name) : nullptr;
    change({{directory, name, replaced}, {to, to_name, moved}});
  }

  std::int64_t last_saved() const { return last_saved_; }

  /// Writes what a loss of power may leave: names changed since their directory was synced are
  /// there or not, each by chance; of data written since its file was synced some 512-byte pieces.
  void lose_power(std::mt19937& random, const std::string& path) const {
    std::map<const Inode*, std::map<std::string, InodePointer>> names = first_names_;
    const auto odds = random() % 3;  // none, half, all of what is not synced
    for (const NameChange& change : changes_) {
      if (!change.is_synced && (odds == 0 || (odds == 1 && random() % 2 == 0))) continue;
      for (const auto& [directory, name, inode] : change.entries) {
        if (inode) {
          names[directory.get()][name] = inode;
        } else {
          names[directory.get()].erase(name);
        }
      }
    }
    write_tree(*root_, names, random, path);
  }

 private:
  void remember(const Inode& inode) {
    if (inode.is_directory) first_names_[&inode] = inode.entries;
    for (const auto& [name, child] : inode.entries) remember(*child);
  }
  InodePointer find(const std::string& path) const {
    InodePointer inode = root_;
    std::istringstream parts(path == "." ? "" : path);
    for (std::string part; std::getline(parts, part, '/');) inode = inode->entries.at(part);
    return inode;
  }
  std::pair<InodePointer, std::string> place(const std::string& path) const {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {root_, path};
    return {find(path.substr(0, slash)), path.substr(slash + 1)};
  }
  static void write(Inode& file, std::istringstream& words) {
    std::string text;
    words >> text;
    for (std::size_t i = 0; i < text.size(); i += 2) {
      file.data += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    }
  }
  void sync(const InodePointer& inode) {
    inode->num_synced = inode->data.size();
    for (NameChange& change : changes_) {
      change.is_synced |= std::any_of(change.entries.begin(), change.entries.end(),
                                      [&](const auto& entry) { return entry.directory == inode; });
    }
  }
  void note(const std::string& what, const std::string& step) {
    if (what == "saved") last_saved_ = std::stoll(step);
  }
  void change(std::vector<NameChange::Entry> entries) {
    for (const auto& [directory, name, inode] : entries) {
      if (inode) {
        directory->entries[name] = inode;
      } else {
        directory->entries.erase(name);
      }
    }
    changes_.push_back({.entries = std::move(entries)});
  }
  static void write_tree(const Inode& inode,
                         const std::map<const Inode*, std::map<std::string, InodePointer>>& names,
                         std::mt19937& random, const std::string& path) {
    if (!inode.is_directory) {
      const std::size_t unsynced = (inode.data.size() - inode.num_synced + 511) / 512;
      const std::size_t kept = inode.num_synced + 512 * (random() % (unsynced + 1));
      std::ofstream(path, std::ios::binary) << inode.data.substr(0, kept);
      return;
    }
    std::filesystem::create_directory(path);
    const auto entries = names.find(&inode);
    if (entries == names.end()) return;
    for (const auto& [name, child] : entries->second) {
      write_tree(*child, names, random, path + "/" + name);
    }
  }

  InodePointer root_;
  std::map<const Inode*, std::map<std::string, InodePointer>> first_names_;
  std::vector<NameChange> changes_;
  std::int64_t last_saved_ = 0;
};

TEST(PowerLoss, AfterEveryCallLeavesAValidGeneration) {
  const TempDirectory directory;
  const std::string run = directory.file("run");
  make_crash_run(run);
  Disk disk(run);
  ASSERT_EQ(run_crash_process(run, shimmed(run, "SHIM_LOG", directory.file("log"))), 0);
  std::ifstream log(directory.file("log"));
  std::mt19937 random(7);
  int num_states = 0;
  int num_calls = 0;
  for (std::string line; std::getline(log, line) && !HasFailure(); ++num_calls) {
    SCOPED_TRACE(line.substr(0, 100));
    disk.apply(line);
    for (int i = 0; i < 25 && !HasFailure(); ++i, ++num_states) {
      const TempDirectory after;
      const std::string left = after.file("run");
      disk.lose_power(random, left);
      EXPECT_GE(newest_valid_generation(left, {}).step,
                std::max<std::int64_t>(2, disk.last_saved()));
      EXPECT_NO_THROW(resolve_checkpoint(left));
      const RunDirectory again = RunDirectory::open(left);
      EXPECT_NO_THROW(save_small_checkpoint(left, 9));
    }
  }
  EXPECT_GT(num_calls, 100);
  RecordProperty("states", num_states);
  EXPECT_EQ(disk.last_saved(), 5);
}

}  // namespace
}  // namespace linformer
