// SPDX-License-Identifier: Apache-2.0
#include "storage/file_tree.h"

#include <gtest/gtest.h>

#include "linformer/error.h"
#include "support/expect_error.h"
#include "support/memory_directory.h"
#include "support/temp_directory.h"

namespace linformer {
namespace {

TEST(FileTree, ListsNamesInOrder) {
  const TempDirectory directory;
  directory.write("b", "");
  directory.write(".a", "");
  EXPECT_EQ(list_directory(directory.path()), (std::vector<std::string>{".a", "b"}));
  EXPECT_NE(error_text<IoError>([&] {
              list_directory(directory.file("none"));
            }).find("cannot list: No such file"),
            std::string::npos);
}

TEST(FileTree, LinksFilesAndCopiesThemWhereThatIsImpossible) {
  const TempDirectory directory;
  const std::string from = directory.write("a", "content");
  link_or_copy(from, directory.file("b"));
  EXPECT_EQ(std::filesystem::hard_link_count(from), 2U);
  EXPECT_EQ(slurp(directory.file("b")), "content");
  const std::string elsewhere = random_name(LF_BINARY_DIR "/elsewhere-");
  link_or_copy(from, elsewhere);  // TMPDIR is in memory
  EXPECT_EQ(slurp(elsewhere), "content");
  EXPECT_EQ(std::filesystem::hard_link_count(from), 2U);
  remove_file(elsewhere);
  EXPECT_NE(error_text<IoError>([&] {
              link_or_copy(from, directory.file("b"));
            }).find("b: cannot create: File exists"),
            std::string::npos);
}

TEST(FileTree, DirectoriesAreMadeExclusively) {
  const TempDirectory directory;
  make_directory(directory.file("d"));
  EXPECT_TRUE(is_directory(directory.file("d")));
  EXPECT_NE(error_text<IoError>([&] { make_directory(directory.file("d")); }).find("File exists"),
            std::string::npos);
}

TEST(FileTree, RemovalStopsAtWhatIsStillThere) {
  const TempDirectory directory;
  make_directory(directory.file("d"));
  directory.write("d/x", "1");
  EXPECT_FALSE(remove_empty_directory(directory.file("d")));
  remove_file(directory.file("d/x"));
  remove_file(directory.file("d/x"));
  EXPECT_TRUE(remove_empty_directory(directory.file("d")));
  EXPECT_THROW(remove_empty_directory(directory.file("d")), IoError);
}

TEST(FileTree, ExchangedDirectoriesSwapTheirContent) {
  const TempDirectory directory;
  make_directory(directory.file("old"));
  make_directory(directory.file("new"));
  directory.write("old/x", "old");
  directory.write("new/x", "new");
  exchange_directories(directory.file("new"), directory.file("old"));
  EXPECT_EQ(slurp(directory.file("old/x")), "new");
  EXPECT_EQ(slurp(directory.file("new/x")), "old");
}

TEST(FileTree, ALinkTakesThePlaceOfALinkAlone) {
  const TempDirectory directory;
  for (const char* target : {"a", "b"}) {
    replace_symlink(target, directory.file("link"));
    EXPECT_EQ(std::filesystem::read_symlink(directory.file("link")), target);
  }
  directory.write("file", "mine");
  replace_symlink("a", directory.file("file"));
  EXPECT_EQ(slurp(directory.file("file")), "mine");
  EXPECT_EQ(list_directory(directory.path()), (std::vector<std::string>{"file", "link"}));
  EXPECT_NE(error_text<IoError>([&] {
              replace_symlink("a", directory.file("none/link"));
            }).find("cannot create"),
            std::string::npos);
}

TEST(FileTree, DanglingLinksExist) {
  const TempDirectory directory;
  std::filesystem::create_symlink("nowhere", directory.file("link"));
  EXPECT_TRUE(path_exists(directory.file("link")));
  EXPECT_FALSE(is_directory(directory.file("link")));
}

TEST(FileTree, DiscardingNeverThrows) {
  const TempDirectory directory;
  make_directory(directory.file("d"));
  directory.write("d/x", "1");
  discard_directory(directory.file("d"));
  EXPECT_FALSE(path_exists(directory.file("d")));
  discard_directory(directory.file("d"));
}

}  // namespace
}  // namespace linformer
