// SPDX-License-Identifier: Apache-2.0
#include "tracking/status_line.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace linformer {
namespace {

StepRecord sample() {
  return {.step = 12345,
          .epoch = 3,
          .epochs = 10,
          .progress = 0.41,
          .loss = 2.345678,
          .perplexity = 10.44,
          .learning_rate = 7e-4,
          .gradient_norm = 0.812,
          .tokens_per_second = 15230,
          .elapsed_seconds = 3725,
          .memory_bytes = 2100000000};
}

/// A terminal of the test's own making.
struct Screen {
  std::string output;
  double now = 0;
  int columns = 80;

  StatusLineOptions options(bool terminal) {
    return {.terminal = terminal,
            .columns = [this] { return columns; },
            .now = [this] { return now; },
            .timestamp = [] { return std::string("2026-08-01T12:00:00Z"); },
            .write = [this](std::string_view text) { output += text; }};
  }

  /// What a person sees in the last line, trailing blanks removed.
  std::string visible() const {
    std::string line;
    std::size_t column = 0;
    for (const char c : output) {
      if (c == '\n') line.clear();
      if (c == '\n' || c == '\r') {
        column = 0;
        continue;
      }
      line.resize(std::max(line.size(), column + 1), ' ');
      line[column++] = c;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  }
};

TEST(StatusText, ShowsEverythingWhereThereIsRoom) {
  EXPECT_EQ(status_text(sample(), 5360, 200),
            "epoch 3/10 41% step 12345 loss 2.346 ppl 10.44 lr 7.00e-04 gnorm 0.812 15.2k tok/s "
            "2.1GB 1:02:05<1:29:20");
}

TEST(StatusText, DropsTheLeastImportantPartsWhereThereIsNot) {
  EXPECT_EQ(status_text(sample(), 5360, 79),
            "epoch 3/10 41% step 12345 loss 2.346 ppl 10.44 15.2k tok/s 1:02:05<1:29:20");
  EXPECT_EQ(status_text(sample(), 5360, 59), "epoch 3/10 41% step 12345 loss 2.346 15.2k tok/s");
  EXPECT_EQ(status_text(sample(), 5360, 22), "step 12345 loss 2.346");
  EXPECT_EQ(status_text(sample(), 5360, 4), "step");
}

TEST(StatusText, FitsEveryWidth) {
  for (std::size_t width = 1; width <= 200; ++width) {
    EXPECT_LE(status_text(sample(), 5360, width).size(), width);
  }
}

TEST(StatusText, UnknownTimesStayUnknown) {
  EXPECT_EQ(status_text(sample(), std::nullopt, 200).find('<'), std::string::npos);
  EXPECT_NE(status_text(sample(), 1e300, 200).find("<?"), std::string::npos);
}

TEST(StatusLine, OnATerminalRedrawsAtMostTenTimesASecondWithinTheWidth) {
  for (const int columns : {60, 80, 200}) {
    Screen screen;
    screen.columns = columns;
    StatusLine line(screen.options(true));
    for (int i = 0; i < 1000; ++i) {
      StepRecord record = sample();
      record.step = 1 + i;
      record.progress = i / 1000.0;
      line.on_progress(record);
      screen.now += 0.001;
    }
    EXPECT_EQ(std::count(screen.output.begin(), screen.output.end(), '\r'), 10);
    EXPECT_EQ(screen.output.find_first_of("\n\x1b"), std::string::npos);
    EXPECT_NE(screen.visible().find("step 901"), std::string::npos);
    EXPECT_LT(screen.visible().size(), static_cast<std::size_t>(columns));
  }
}

TEST(StatusLine, AShorterLineLeavesNothingOfALongerOne) {
  Screen screen;
  StatusLine line(screen.options(true));
  line.on_progress(sample());
  const std::size_t before = screen.visible().size();
  screen.now = 1;
  line.on_progress({.step = 1, .epoch = 1, .epochs = 1});
  EXPECT_LT(screen.visible().size(), before);
  EXPECT_EQ(screen.visible().find("1:02:05"), std::string::npos);
}

TEST(StatusLine, RecordsGoAboveTheLine) {
  Screen screen;
  StatusLine line(screen.options(true));
  line.on_progress(sample());
  line.on_validation(
      {.step = 7, .loss = 2, .perplexity = 7.389, .bleu = 18.678, .seconds = 65, .is_best = true});
  EXPECT_NE(
      screen.output.find("\rvalidation step 7 loss 2.0000 ppl 7.389 BLEU 18.68 (01:05, best)\n"),
      std::string::npos);
  EXPECT_EQ(screen.visible(), "");
  line.on_progress(sample());
  EXPECT_NE(screen.visible().find("step 12345"), std::string::npos);
}

TEST(StatusLine, IsGoneAtTheEnd) {
  Screen screen;
  {
    StatusLine line(screen.options(true));
    line.on_progress(sample());
    line.clear();
    line.on_progress(sample());
  }
  EXPECT_EQ(screen.output.back(), '\r');
  EXPECT_EQ(screen.output.find('\n'), std::string::npos);
}

TEST(StatusLine, OffATerminalWritesPlainLines) {
  Screen screen;
  StatusLine line(screen.options(false));
  line.on_step(sample());
  line.on_progress(sample());
  line.on_text(5, "a\tb\x1b[31mc\n");
  line.on_final({.step = 9,
                 .epoch = 1,
                 .reason = "finished",
                 .metric = "loss",
                 .best_value = 1.5,
                 .best_step = 8,
                 .seconds = 10});
  EXPECT_EQ(screen.output,
            "2026-08-01T12:00:00Z epoch 3/10 41% step 12345 loss 2.346 ppl 10.44 lr 7.00e-04 gnorm "
            "0.812 15.2k tok/s 2.1GB 1:02:05\n"
            "2026-08-01T12:00:00Z step 5: a b [31mc \n"
            "2026-08-01T12:00:00Z finished: step 9 epoch 1 in 00:10, best loss 1.5000 at step 8\n");
}

TEST(StatusLine, OffATerminalNeverStaysSilentForLong) {
  Screen screen;
  StatusLine line(screen.options(false));
  for (int second = 0; second < 60; ++second) {
    line.on_progress(sample());
    screen.now += 1;
  }
  EXPECT_EQ(std::count(screen.output.begin(), screen.output.end(), '\n'), 5);
  EXPECT_EQ(screen.output.find('\r'), std::string::npos);
}

TEST(StatusLine, TheEstimateCountsFromThisProcessOnly) {
  Screen screen;
  StatusLine line(screen.options(false));
  StepRecord record = sample();
  record.progress = 0.5;
  record.elapsed_seconds = 1000;
  line.on_step(record);
  record.progress = 0.6;
  record.elapsed_seconds = 1010;
  screen.output.clear();
  line.on_step(record);
  EXPECT_NE(screen.output.find("16:50<00:40"), std::string::npos) << screen.output;
}

TEST(StderrStatusLine, DumbTerminalsAndPipesGetPlainLines) {
  const StatusLineOptions options = stderr_status_line();
  EXPECT_GT(options.columns(), 0);
  EXPECT_EQ(options.timestamp().size(), 20U);
  const double before = options.now();
  EXPECT_GE(options.now(), before);
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(stderr_status_line().terminal);
  ::setenv("COLUMNS", "61", 1);
  EXPECT_EQ(options.columns(), 61);
}

}  // namespace
}  // namespace linformer
