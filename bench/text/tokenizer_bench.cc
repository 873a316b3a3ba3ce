// SPDX-License-Identifier: Apache-2.0
// Speed of Tokenizer::encode on one thread, line by line.
// Usage: tokenizer_bench [BENCHMARK OPTION...] TOKENIZER FILE...   Files hold UTF-8 lines.
#include <benchmark/benchmark.h>

#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "linformer/error.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"

namespace {

using linformer::Tokenizer;

struct Text {
  std::vector<std::string> lines;
  std::int64_t num_bytes = 0;  // without line feeds
};

Text read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw linformer::UserError("cannot read " + path);
  Text text;
  for (std::string line; std::getline(file, line);) {
    text.num_bytes += static_cast<std::int64_t>(line.size());
    text.lines.push_back(std::move(line));
  }
  return text;
}

std::size_t encode_all(const Tokenizer& tokenizer, const Text& text,
                       std::vector<std::int32_t>& ids) {
  std::size_t count = 0;
  for (const std::string& line : text.lines) {
    ids.clear();
    tokenizer.encode(line, ids);
    count += ids.size();
  }
  return count;
}

/// Every pass meets the text for the first time: a tokenizer just loaded knows no word.
void encode_cold(benchmark::State& state, const Tokenizer& loaded, const Text& text) {
  std::vector<std::int32_t> ids;
  for (auto _ : state) {
    state.PauseTiming();
    const Tokenizer tokenizer(loaded.spec());
    state.ResumeTiming();
    benchmark::DoNotOptimize(encode_all(tokenizer, text, ids));
  }
  state.SetBytesProcessed(state.iterations() * text.num_bytes);
}

/// Every pass follows one over the same text.
void encode_warm(benchmark::State& state, const Tokenizer& tokenizer, const Text& text) {
  std::vector<std::int32_t> ids;
  benchmark::DoNotOptimize(encode_all(tokenizer, text, ids));
  for (auto _ : state) benchmark::DoNotOptimize(encode_all(tokenizer, text, ids));
  state.SetBytesProcessed(state.iterations() * text.num_bytes);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc < 3) {
    std::cerr << "usage: tokenizer_bench [BENCHMARK OPTION...] TOKENIZER FILE...\n";
    return 2;
  }
  try {
    const Tokenizer tokenizer = Tokenizer::load(argv[1]);
    std::vector<Text> texts;
    for (int i = 2; i < argc; ++i) texts.push_back(read_lines(argv[i]));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string name = argv[i + 2];
      const auto add = [&](const std::string& kind, auto encode) {
        benchmark::RegisterBenchmark((kind + name).c_str(), encode, std::cref(tokenizer),
                                     std::cref(texts[i]))
            ->Unit(benchmark::kMillisecond);
      };
      add("cold/", encode_cold);
      add("warm/", encode_warm);
    }
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    std::cerr << "tokenizer_bench: error: " << error.what() << "\n";
    return 1;
  }
}
