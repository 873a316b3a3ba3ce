// SPDX-License-Identifier: Apache-2.0
// The arguments of every verb, bound to its options.
#include "cli/verb_table.h"

namespace linformer {
namespace {

using Arguments = std::vector<Argument>;

constexpr Range kLength{1, 1048576};
constexpr Range kGreedy{1, 1};
constexpr char kTokenizerHelp[] =
    "Directory with tokenizer.json, or with vocab.json and merges.txt.";
constexpr char kCheckpointHelp[] =
    "A run directory, one of its checkpoints (.../step-N), a .pt of PyTorch, a .safetensors or "
    "wandb:ENTITY/PROJECT/RUN.";
constexpr char kBeamHelp[] = "Hypotheses kept; 1 = greedy search.";
constexpr char kNewTokensHelp[] =
    "Longest translation in tokens; left out, twice the source and 20 more.";
constexpr char kBatchTokensHelp[] =
    "Source tokens translated at a time; left out, 4,096 on a CPU and 65,536 on a GPU, fewer where "
    "they do not fit its memory.";
constexpr char kSeparatorHelp[] = "Token between joined sentences.";
constexpr char kOverrideHelp[] = "Options that replace those of the file: a.b=value.";

/// The pair of line files and the columns; the one file is a positional here and a flag there.
void add_corpus(Arguments& out, CorpusOptions& corpus) {
  out.push_back({"--source", "FILE", &corpus.source_file,
                 "Source lines of a corpus in two files (with --target)."});
  out.push_back({"--target", "FILE", &corpus.target_file, "Target lines of that corpus."});
  out.push_back(
      {"--source-column", "COLUMN", &corpus.source_column,
       "Source column: a name (the file has a header) or a number from 1 (it has none)."});
  out.push_back({"--target-column", "COLUMN", &corpus.target_column, "Target column."});
}

/// What .pt and .safetensors files do not hold.
void add_model_file(Arguments& out, ModelFileOptions& options) {
  out.push_back({"--tokenizer", "DIR", &options.tokenizer,
                 "The model's tokenizer, which .pt and .safetensors files do not hold."});
  out.push_back({"--config", "FILE", &options.config,
                 "The model's configuration, which they do not hold either; left out, the "
                 "original's with the sizes of the tensors and 8 heads."});
}

Arguments list(DemoOptions& o) {
  return {{"--minutes", "M", &o.minutes,
           "Stop training after so long; left out, when the model is good enough.",
           Range{0, 1440, true}},
          {"--output", "DIR", &o.output, "Run directory; left out, runs/demo."},
          {"--overwrite", "", &o.overwrite, "Replace a run that is there."}};
}

Arguments list(TokenizerTrainOptions& o) {
  return {
      {"INPUT", "", &o.inputs, "Text files: lines, .csv, .tsv, each also .gz.", {}, {}, true},
      {"--vocab-size",
       "N",
       &o.vocab_size,
       "Tokens in all, special ones included.",
       Range{261, 1000000},
       {},
       true},
      {"--lowercase", "", &o.lowercase, "Lower-case all text, when encoding too."},
      {"--min-frequency", "N", &o.min_frequency, "Merge no pair seen less often.", Range{1, 1e12}},
      {"--output",
       "DIR",
       &o.output,
       "Where tokenizer.json, vocab.json and merges.txt go.",
       {},
       {},
       true}};
}

Arguments list(TokenizerCodeOptions& o) {
  Arguments out{{"--tokenizer", "DIR", &o.tokenizer, kTokenizerHelp, {}, {}, true}};
  if (!o.decode) {
    out.push_back({"--no-special", "", &o.no_special, "Leave out <s> and </s>."});
    out.push_back({"--max-length", "N", &o.max_length,
                   "Cut to so many tokens, <s> and </s> counted; left out, no limit.",
                   Range{2, 1048576}});
  }
  return out;
}

Arguments list(PretokenizeOptions& o) {
  Arguments out{
      {"CORPUS", "", &o.corpus.file, "A corpus: .csv, .tsv, each also .gz, .lfs or .npz."}};
  add_corpus(out, o.corpus);
  out.push_back({"--tokenizer", "DIR", &o.tokenizer, kTokenizerHelp, {}, {}, true});
  out.push_back({"--output",
                 "STORE",
                 &o.output,
                 "The token store (.lfs) or npz corpus (.npz) to write.",
                 {},
                 {},
                 true});
  out.push_back({"--fraction", "F", &o.fraction, "Leading part of the corpus that is kept.",
                 Range{0, 1, true}});
  out.push_back(
      {"--max-length", "N", &o.max_length,
       "Longest sentence in tokens, <s> and </s> counted, and columns of an npz corpus; left "
       "out, no limit.",
       Range{2, 1048576}});
  out.push_back({"--document-column", "COLUMN", &o.document_column,
                 "Column that names the document: its consecutive sentences are joined to pairs of "
                 "up to --max-length tokens."});
  out.push_back({"--separator", "TOKEN", &o.separator, kSeparatorHelp});
  out.push_back({"--long",
                 "POLICY",
                 &o.long_pairs,
                 "What happens to longer pairs.",
                 {},
                 {"drop", "truncate", "error"}});
  out.push_back({"--empty",
                 "POLICY",
                 &o.empty,
                 "What happens to pairs with an empty side.",
                 {},
                 {"skip", "error", "keep"}});
  out.push_back({"--invalid-utf8",
                 "POLICY",
                 &o.invalid_utf8,
                 "What happens to invalid UTF-8.",
                 {},
                 {"error", "replace"}});
  return out;
}

Arguments list(StatsOptions& o) {
  Arguments out{{"CORPUS", "", &o.corpus.file,
                 "A corpus (.csv, .tsv, each also .gz, .npz) or a token store (.lfs)."}};
  add_corpus(out, o.corpus);
  out.push_back({"--tokenizer", "DIR", &o.tokenizer, kTokenizerHelp});
  return out;
}

Arguments list(TrainOptions& o) {
  return {{"OVERRIDE", "", &o.overrides, kOverrideHelp},
          {"--config", "FILE", &o.config, "The configuration, YAML.", {}, {}, true},
          {"--train", "CORPUS", &o.train, "Short for data.train=CORPUS."},
          {"--validation", "CORPUS", &o.validation, "Short for data.validation=CORPUS."},
          {"--tokenizer", "DIR", &o.tokenizer, "Short for data.tokenizer=DIR."},
          {"--output", "DIR", &o.output, "Run directory; left out, runs/NAME."},
          {"--name", "NAME", &o.name, "Name of the run; left out, that of the configuration file."},
          {"--overwrite", "", &o.overwrite, "Replace a run that is there."},
          {"--resume", "[DIR]", &o.resume,
           "Go on with the run in DIR; without a value, with the run in the output directory."},
          {"--allow-inexact", "", &o.allow_inexact,
           "Resume although machine or library differ, so that the last bits may."},
          {"--init", "CHECKPOINT", &o.init,
           "Start from the weights of a checkpoint: as --checkpoint of evaluate."},
          {"--dry-run", "", &o.dry_run, "Check everything, print a summary, train nothing."},
          {"--smoke", "STEPS", &o.smoke, "Train so many real steps and stop.", Range{1, 1e6}}};
}

Arguments list(EvaluateOptions& o) {
  Arguments out{{"--checkpoint", "C", &o.checkpoint, kCheckpointHelp, {}, {}, true},
                {"--data", "CORPUS", &o.corpus.file, "The test set: .csv, .tsv, each also .gz."}};
  add_corpus(out, o.corpus);
  add_model_file(out, o.model_file);
  out.push_back({"--output", "OUT.csv", &o.output,
                 "Write input, candidate and reference of every sentence."});
  out.push_back({"--tokenize",
                 "T",
                 &o.tokenize,
                 "Tokens that BLEU counts: 13a for raw text, none for tokenized text.",
                 {},
                 {"13a", "none"}});
  out.push_back({"--beam", "N", &o.beam, kBeamHelp, kGreedy});
  out.push_back({"--max-new-tokens", "N", &o.max_new_tokens, kNewTokensHelp, kLength});
  out.push_back({"--batch-tokens", "N", &o.batch_tokens, kBatchTokensHelp, Range{1, 1e8}});
  out.push_back({"--as-seed", "", &o.as_seed,
                 "Print the original's BLEU and perplexity too, labelled as such."});
  out.push_back({"--document-column", "COLUMN", &o.document_column,
                 "Column that names the document: its consecutive sentences are translated "
                 "together, as many as the model's max_length holds, and scored apart."});
  out.push_back({"--separator", "TOKEN", &o.separator, kSeparatorHelp});
  return out;
}

Arguments list(ScoreOptions& o) {
  return {{"FILE",
           "",
           &o.files,
           "Hypotheses and references as line files, or one OUT.csv of evaluate.",
           {},
           {},
           true},
          {"--paired", "", &o.paired,
           "Compare two systems: A B REFERENCES, or A.csv B.csv of evaluate."},
          {"--tokenize",
           "T",
           &o.tokenize,
           "Tokens that BLEU counts: 13a for raw text, none for tokenized text.",
           {},
           {"13a", "none"}},
          {"--bootstrap", "", &o.bootstrap, "A 95 % interval by bootstrap resampling."},
          {"--as-seed", "", &o.as_seed, "Print the original's BLEU too, labelled as such."}};
}

Arguments list(TranslateOptions& o) {
  Arguments out{{"--checkpoint", "C", &o.checkpoint, kCheckpointHelp, {}, {}, true},
                {"--beam", "N", &o.beam, kBeamHelp, kGreedy},
                {"--max-new-tokens", "N", &o.max_new_tokens, kNewTokensHelp, kLength},
                {"--batch-tokens", "N", &o.batch_tokens, kBatchTokensHelp, Range{1, 1e8}},
                {"--long",
                 "POLICY",
                 &o.long_lines,
                 "What happens to lines that are too long for the model.",
                 {},
                 {"error", "truncate"}},
                {"--prompt", "TEXT", &o.prompt,
                 "What every translation begins with; the limit counts what follows."},
                {"--documents", "", &o.documents,
                 "Lines are sentences of documents, an empty line ends one: as many as the model's "
                 "max_length holds are translated together."},
                {"--separator", "TOKEN", &o.separator, kSeparatorHelp}};
  add_model_file(out, o.model_file);
  return out;
}

Arguments list(CompareOptions& o) {
  return {
      {"OVERRIDE", "", &o.overrides, kOverrideHelp},
      {"--config", "FILE", &o.config, "The configuration, YAML.", {}, {}, true},
      {"--lengths", "N,N,...", &o.lengths, "Sentence lengths; left out, powers of two.", kLength},
      {"--tokens", "N", &o.tokens,
       "Tokens of a batch; left out, 2,048 on a CPU and 16,384 on a GPU.", Range{1, 1e8}},
      {"--repeats", "N", &o.repeats, "Timed runs a row; left out, as many as a few seconds hold.",
       Range{1, 10000}},
      {"--head",
       "OUTPUT",
       &o.head,
       "What becomes of the logits; auto: softmax in compatibility mode, else logits.",
       {},
       {"auto", "none", "logits", "softmax", "nll", "argmax"}},
      {"--long-attention",
       "KERNEL",
       &o.long_attention,
       "Attention in the rows 'ours' on a GPU: auto the fastest for the length; the others for "
       "more than 512 tokens.",
       {},
       {"auto", "own", "flash", "cudnn"}},
      {"--check", "", &o.check,
       "First compare every row's results with unfused attention in float32; exit 70 where they "
       "differ."},
      {"--output", "OUT.csv", &o.output, "Write the medians in the original's format."}};
}

Arguments list(LabOptions& o) {
  return {{"--minutes", "M", &o.minutes,
           "Time for all studies; left out, 10 on a CPU and 9 on a GPU.", Range{0, 1440, true}},
          {"--output", "DIR", &o.output, "Where lab.json goes."},
          {"--overwrite", "", &o.overwrite, "Replace a lab.json that is there."}};
}

Arguments list(ConvertOptions& o) {
  Arguments out{{"IN",
                 "",
                 &o.input,
                 "A .pt of PyTorch, a .safetensors, a run directory or one of its checkpoints.",
                 {},
                 {},
                 true},
                {"OUT",
                 "",
                 &o.output,
                 "What to write: .pt, .safetensors, else a run directory.",
                 {},
                 {},
                 true}};
  add_model_file(out, o.model_file);
  return out;
}

Arguments list(AverageOptions& o) {
  return {{"RUN", "", &o.run, "A run directory.", {}, {}, true},
          {"--last", "N", &o.last, "How many of its last checkpoints.", Range{1, 1000}, {}, true},
          {"--output", "DIR", &o.output, "Run directory to write.", {}, {}, true}};
}

Arguments list(InspectOptions& o) {
  return {{"FILE",
           "",
           &o.files,
           "Token stores, npz corpora, run directories, checkpoints, .pt and safetensors files.",
           {},
           {},
           true}};
}

Arguments list(ReportOptions& o) {
  return {{"INPUT",
           "",
           &o.inputs,
           "Run directories, directories or files of lab, JSON of compare, evaluate and score, "
           "timing CSVs of compare --output, OUT.csv of evaluate, each also the original's.",
           {},
           {},
           true},
          {"--output", "FILE", &o.output, "The report: .pdf or .html.", {}, {}, true}};
}

Arguments list(ConfigOptions& o) {
  if (o.schema)
    return {{"--markdown", "", &o.markdown, "Print it as docs/options.md: Markdown tables."}};
  return {{"OVERRIDE", "", &o.overrides, kOverrideHelp},
          {"--config", "FILE", &o.config, "The configuration, YAML.", {}, {}, true}};
}

Arguments list(DoctorOptions&) { return {}; }

Arguments list(CompletionOptions& o) {
  return {
      {"SHELL", "", &o.shell, "The shell that is to complete.", {}, {"bash", "zsh", "fish"}, true}};
}

}  // namespace

std::vector<Argument> arguments_of(VerbOptions& options) {
  return std::visit([](auto& concrete) { return list(concrete); }, options);
}

std::vector<Argument> common_arguments(CommonOptions& common, bool is_tensor_verb) {
  Arguments out;
  if (is_tensor_verb) {
    out.push_back({"--device", "DEVICE", &common.device, "auto, cpu, cuda or cuda:I."});
    out.push_back({"--dtype",
                   "TYPE",
                   &common.dtype,
                   "Type of the arithmetic.",
                   {},
                   {"auto", "float32", "bfloat16"}});
  }
  out.push_back({"--threads", "N", &common.threads,
                 "Threads; left out, as many as the machine has.", Range{1, 1024}});
  out.push_back({"--json", "", &common.json, "Print exactly one JSON object."});
  out.push_back({"--quiet", "", &common.quiet,
                 "No information on standard error; warnings and errors stay."});
  out.push_back({"--debug", "", &common.debug, "Print the whole text of internal errors."});
  return out;
}

}  // namespace linformer
