// SPDX-License-Identifier: Apache-2.0
// Wrong configurations, given by a file, and what each gets.
#include <gtest/gtest.h>

#include "support/bad_input.h"

namespace linformer {
namespace {

/// `config show` of one file.
BadInput file(const std::string& name, const std::string& yaml,
              const std::vector<std::string>& expected, int exit_code = 2) {
  return {name, {"config", "show", "--config", "c.yaml"}, {{"c.yaml", yaml}}, expected, exit_code};
}

/// The good configuration with one text replaced by another.
std::string with(const std::string& from, const std::string& to) {
  std::string yaml = seed_config(
      "",
      "training:\n  epochs: 2\n  batch_size: 8\n  learning_rate: 1e-4\n  lr_scheduler:\n"
      "    warmup_steps: 10\n    cosine_annealing: True\n    cosine_tmax: 10\n    cosine_factor: "
      "1.0\n"
      "    cosine_restart: False\n    min_lr: 1e-6\ndataset:\n  max_length: 256\n");
  const std::size_t at = yaml.find(from);
  return at == std::string::npos ? "the test is wrong: " + from : yaml.replace(at, from.size(), to);
}

std::string alias_bomb() {
  std::string out = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const std::string below = std::string("*") + static_cast<char>(c - 1);
    out += std::string(1, c) + ": &" + c + " [" + below;
    for (int i = 0; i < 8; ++i) out += ", " + below;
    out += "]\n";
  }
  return out;
}

std::vector<BadInput> syntax() {
  const std::string no_anchors = "anchors and aliases are not allowed";
  return {
      file("Tab", "model:\n\tdim: 5\n", {"c.yaml:2:1: a tab in the indentation (want spaces)"}),
      file("UnclosedQuote", "model:\n  type: \"Linformer\n",
           {"c.yaml:2:9: invalid YAML: the quote is never closed"}),
      file("AliasBomb", alias_bomb(), {"c.yaml:1:4: " + no_anchors}),
      file("Cycle", "a: &x [*x]\n", {"c.yaml:1:4: " + no_anchors}),
      file("Anchor", "model: &m\n  dim: 5\n", {"c.yaml:1:8: " + no_anchors}),
      file("MergeKey", "model:\n  <<: {dim: 5}\n", {"c.yaml:2:3: " + no_anchors}),
      file("PythonTag", "model: !!python/object/apply:os.system [x]\n",
           {"c.yaml:1:8: tags are not allowed"}),
      file("SecondDocument", seed_config() + "---\na: 1\n",
           {"c.yaml:8:1: a second document (want one)"}),
      file("Depth", "a: " + std::string(100000, '['),
           {"is nested too deep (want at most 8 levels)"}),
      file("DepthOfMaps", "a: " + std::string(100000, '{'), {"c.yaml:1:"}),
      file("TooLarge", std::string((1U << 20) + 1, '#'),
           {"c.yaml: is too large (got 1048577 bytes, want at most 1048576)"}),
      file("DuplicateKey", with("  mlp_dim", "  dim: 64\n  mlp_dim"),
           {"c.yaml:4:3: dim is given twice (first in line 3)"}),
      file("BothSpellings", with("  mlp_dim", "  model_dim: 64\n  mlp_dim"),
           {"c.yaml:4:3: model.dim and model.model_dim are the same option", "lines 3 and 4"}),
      file("Utf16", std::string("\xFF\xFE\x6D\x00", 4), {"c.yaml@0: is UTF-16 (want UTF-8)"}),
      file("Utf16WithoutMark", std::string("m\0o\0", 4), {"c.yaml@1: NUL byte"}),
      file("Nul", "model:\n" + std::string("\0", 1), {"c.yaml@7: NUL byte"}),
      file("InvalidUtf8", "a: \xED\xA0\x80\n", {"c.yaml@3: is not valid UTF-8"}),
      file("TwoByteOrderMarks", "\xEF\xBB\xBF\xEF\xBB\xBF" + seed_config(),
           {"c.yaml@3: a byte order mark"}),
      file("OneByteOrderMarkIsAccepted", "\xEF\xBB\xBF" + seed_config(), {"model_dim: 64"}, 0),
  };
}

std::vector<BadInput> names() {
  return {
      file("UnknownOption", with("learning_rate", "learning_rat"),
           {"c.yaml:11:3: training.learning_rat is not an option (did you mean "
            "training.learning_rate?)"}),
      file("WrongSection", with("  k: 8", "  epochs: 8"),
           {"c.yaml:7:3: model.epochs is not an option (did you mean training.epochs?)"}),
      file("UnknownSection", with("training:", "trainig:"),
           {"c.yaml:8:1: trainig is not an option (did you mean training?)"}),
      file("MissingDim", with("  dim: 64\n", ""),
           {"c.yaml: model.dim is missing", "example: dim: 512"}),
      file("MissingType", with("  type: Linformer\n", ""),
           {"c.yaml: model.type is missing", "example: type: Linformer"}),
      file("LowerCaseType", with("Linformer", "linformer"),
           {"c.yaml:2:9: model.type is not a known name", "Vanilla transformer or Linformer",
            "did you mean Linformer?"}),
      file("MisspeltType", with("Linformer", "Vanila"),
           {"Vanilla transformer or Linformer", "did you mean Vanilla transformer?"}),
  };
}

std::vector<BadInput> types() {
  const std::string want = ", want an integer from 2 to 2147483648)";
  const std::string rate = ", want a finite number above 0, at most 1000)";
  return {
      file("QuotedInteger", with("dim: 64", "dim: \"512\""),
           {"c.yaml:3:8: model.dim has the wrong type (got \"512\" in quotes" + want}),
      file("FractionForInteger", with("dim: 64", "dim: 512.5"),
           {"model.dim has the wrong type (got 512.5" + want}),
      file("UnderscoreInInteger", with("dim: 64", "dim: 1_000"),
           {"model.dim has the wrong type (got 1_000" + want}),
      file("HexadecimalInteger", with("dim: 64", "dim: 0x200"),
           {"model.dim has the wrong type (got 0x200" + want}),
      file("NullInteger", with("dim: 64", "dim: null"),
           {"model.dim has the wrong type (got nothing (null)" + want}),
      file("ListForInteger", with("dim: 64", "dim: [64]"),
           {"model.dim has the wrong type (got a list" + want}),
      file("ExponentWithoutPointIsAccepted", with("1e-4", "1e-5"), {"learning_rate: 1.0e-05"}, 0),
      file("DimZero", with("dim: 64", "dim: 0"), {"model.dim is out of range (got 0" + want}),
      file("DimNegative", with("dim: 64", "dim: -4"), {"model.dim is out of range (got -4" + want}),
      file("DimTwoToThe31", with("dim: 64", "dim: 2147483648"),
           {"c.yaml:3:3: model.dim is too large", "would take about", "bytes"}),
      file("DimTenToThe30", with("dim: 64", "dim: 1000000000000000000000000000000"),
           {"model.dim is out of range"}),
      file("RateNan", with("1e-4", ".nan"),
           {"training.learning_rate is out of range (got .nan" + rate}),
      file("RateNegative", with("1e-4", "-1"),
           {"training.learning_rate is out of range (got -1" + rate}),
      file("RateZero", with("1e-4", "0"), {"training.learning_rate is out of range (got 0" + rate}),
      file("RateOverflow", with("1e-4", "1e400"),
           {"training.learning_rate is out of range (got 1e400" + rate}),
      file("RateUnderflow", with("1e-4", "1e-400"),
           {"training.learning_rate is out of range (got 1e-400" + rate}),
      file("BooleanYes", with("cosine_annealing: True", "cosine_annealing: yes"),
           {"(got yes, want true or false; YAML 1.2 reads yes as text)"}),
      file("BooleanTrue1", with("cosine_annealing: True", "cosine_annealing: True1"),
           {"(got True1, want true or false)"}),
      file("BooleanTrueIsAccepted", with("cosine_annealing: True", "cosine_annealing: true"),
           {"cosine_annealing: true"}, 0),
      file("BatchZero", with("batch_size: 8", "batch_size: 0"),
           {"training.batch_size is out of range (got 0, want an integer from 1 to 1000000)"}),
      file("EpochsZero", with("epochs: 2", "epochs: 0"),
           {"training.epochs is out of range (got 0"}),
      file("EpochsFraction", with("epochs: 2", "epochs: 2.5"),
           {"training.epochs has the wrong type (got 2.5"}),
      file("MaxLengthOne", with("max_length: 256", "max_length: 1"),
           {"dataset.max_length is out of range (got 1, want an integer from 2"}),
      file("WarmupNegative", with("warmup_steps: 10", "warmup_steps: -1"),
           {"warmup_steps is out of range (got -1"}),
      file("TmaxZero", with("cosine_tmax: 10", "cosine_tmax: 0"),
           {"cosine_tmax is out of range (got 0"}),
  };
}

std::vector<BadInput> combinations() {
  return {
      file("DimNotAMultiple", with("dim: 64", "dim: 510"),
           {"c.yaml:3:3: model.dim (510) must be a multiple of model.n_heads (4)"}),
      file("DimOdd",
           with("dim: 64\n  mlp_dim: 128\n  n_heads: 4", "dim: 63\n  mlp_dim: 128\n  n_heads: 3"),
           {"model.dim (63) must be even"}),
      file("LinformerWithoutK", with("  k: 8\n", ""),
           {"c.yaml:2:3: model.k is missing: a Linformer must say"}),
      file("KZero", with("k: 8", "k: 0"),
           {"model.k is out of range (got 0, want an integer from 1 to 65536)"}),
      file("KAboveMaxLength", with("k: 8", "k: 257"),
           {"c.yaml:7:3: model.k (257) must not be above dataset.max_length (256)"}),
      file("KOnVanilla", with("Linformer", "Vanilla transformer"),
           {"c.yaml:7:3: model.k is for type Linformer alone"}),
      file("MinLrAboveRate", with("min_lr: 1e-6", "min_lr: 1e-3"),
           {"training.lr_scheduler.min_lr (0.001) must not be above training.learning_rate "
            "(0.0001)"}),
      file("FactorZeroWithRestart",
           with("cosine_factor: 1.0\n    cosine_restart: False",
                "cosine_factor: 0\n    cosine_restart: True"),
           {"cosine_factor (0) must be a whole number of at least 1 when "
            "training.lr_scheduler.cosine_restart is true"}),
      file("FractionZero", seed_config("", "data:\n  fraction: 0\n"),
           {"data.fraction is out of range (got 0"}),
      file("FractionNan", seed_config("", "data:\n  fraction: .nan\n"),
           {"data.fraction is out of range (got .nan"}),
  };
}

class BadConfig : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadConfig, GetsOneLineAndChangesNothing) { check_bad_input(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Syntax, BadConfig, ::testing::ValuesIn(syntax()), bad_input_name);
INSTANTIATE_TEST_SUITE_P(Names, BadConfig, ::testing::ValuesIn(names()), bad_input_name);
INSTANTIATE_TEST_SUITE_P(Types, BadConfig, ::testing::ValuesIn(types()), bad_input_name);
INSTANTIATE_TEST_SUITE_P(Combinations, BadConfig, ::testing::ValuesIn(combinations()),
                         bad_input_name);

}  // namespace
}  // namespace linformer
