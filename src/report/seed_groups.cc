// SPDX-License-Identifier: Apache-2.0
#include "report/seed_groups.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace linformer {
namespace {

struct Member {
  const RunInput* run;
  const EvaluationRecord* record;
};
using Members = std::vector<Member>;

/// The same for evaluations that belong together.
std::string key_of(const RunInput& run, const EvaluationInput& evaluation) {
  const EvaluationRecord& record = evaluation.record;
  return run.recipe + "\n" + (evaluation.is_averaged ? "averaged" : "trained") + "\n" +
         record.test_set + "\n" + record.signature + "\n" + evaluation_digest(record);
}

void add(Members& members, const Member& next) {
  const auto same = std::ranges::find_if(
      members, [&](const Member& member) { return *member.run->seed == *next.run->seed; });
  if (same == members.end()) {
    members.push_back(next);
  } else if (same->run == next.run && same->record->step < next.record->step) {
    same->record = next.record;
  }
}

SeedScore score_of(const Members& members, double EvaluationRecord::*score) {
  const auto count = static_cast<double>(members.size());
  SeedScore out;
  for (const Member& member : members) out.mean += member.record->*score / count;
  double squares = 0;
  for (const Member& member : members) squares += std::pow(member.record->*score - out.mean, 2);
  out.deviation = std::sqrt(squares / (count - 1));
  return out;
}

SeedGroup group_of(const Members& members, bool is_averaged) {
  SeedGroup out;
  for (const Member& member : members)
    out.runs += (out.runs.empty() ? "" : ", ") + member.run->name;
  if (is_averaged) out.runs += ", averaged";
  out.test_set = members.front().record->test_set;
  out.signature = members.front().record->signature;
  out.num_seeds = std::ssize(members);
  const auto step_of = [](const Member& member) { return member.record->step; };
  out.first_step = step_of(std::ranges::min(members, {}, step_of));
  out.last_step = step_of(std::ranges::max(members, {}, step_of));
  out.bleu = score_of(members, &EvaluationRecord::bleu);
  out.chrf = score_of(members, &EvaluationRecord::chrf);
  out.perplexity = score_of(members, &EvaluationRecord::perplexity);
  out.bits_per_byte = score_of(members, &EvaluationRecord::bits_per_byte);
  return out;
}

}  // namespace

std::vector<SeedGroup> seed_groups(const ReportInputs& inputs) {
  struct Alike {
    std::string key;
    bool is_averaged;
    Members members;
  };
  std::vector<Alike> all;
  for (const EvaluationInput& evaluation : inputs.evaluations) {
    if (!evaluation.run) continue;
    const RunInput& run = inputs.runs.at(*evaluation.run);
    if (!run.seed) continue;
    const std::string key = key_of(run, evaluation);
    auto place = std::ranges::find(all, key, &Alike::key);
    if (place == all.end()) place = all.insert(place, {key, evaluation.is_averaged, {}});
    add(place->members, {&run, &evaluation.record});
  }
  std::vector<SeedGroup> out;
  for (const Alike& alike : all) {
    if (alike.members.size() > 1) out.push_back(group_of(alike.members, alike.is_averaged));
  }
  return out;
}

}  // namespace linformer
