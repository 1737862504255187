#include "prepare/shard_name.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>

#include "base/ascii.h"

namespace trims {
namespace {

constexpr size_t kDigits = 5;
constexpr std::string_view kOf = "-of-";
constexpr size_t kShardChars = 1 + kDigits + kOf.size() + kDigits;  // "-00001-of-00003"

bool Number(std::string_view text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// Takes "-00001-of-00003" off the end of `rest`.
void TakeShard(std::string_view* rest, ShardName* name) {
  if (rest->size() <= kShardChars) return;
  const std::string_view tail = rest->substr(rest->size() - kShardChars);
  uint32_t shard = 0;
  uint32_t shards = 0;
  if (tail[0] != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf ||
      !Number(tail.substr(1, kDigits), &shard) ||
      !Number(tail.substr(1 + kDigits + kOf.size()), &shards) || shard == 0 || shard > shards) {
    return;
  }
  name->shard = shard;
  name->shards = shards;
  rest->remove_suffix(kShardChars);
}

void TakePrecision(std::string_view* rest, ShardName* name) {
  const size_t at = rest->find_last_of("._-");
  // Words that hold an underscore themselves.
  for (const std::string_view word : {"non_ema", "ema_only"}) {
    if (rest->size() > word.size() + 1 && rest->ends_with(word) &&
        (*rest)[rest->size() - word.size() - 1] == '.') {
      name->precision = word;
      rest->remove_suffix(word.size() + 1);
      return;
    }
  }
  if (at == std::string_view::npos || at == 0 || !IsPrecision(rest->substr(at + 1))) return;
  name->precision = rest->substr(at + 1);
  *rest = rest->substr(0, at);
}

}  // namespace

bool IsPrecision(std::string_view word) {
  static constexpr std::string_view kWords[] = {
      "fp32",     "fp16", "bf16",  "f32", "f16",   "fp8",   "fp4",  "int8",      "uint8", "int4",
      "uint4",    "nf4",  "q4",    "q8",  "q4f16", "q8f16", "bnb4", "quantized", "ema",   "non_ema",
      "ema_only", "w8a8", "w4a16", "awq", "gptq",  "q2f16", "q1",   "q2",        "q1f16"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

bool HasSuffix(std::string_view name, std::string_view suffix) {
  if (name.size() < suffix.size()) return false;
  return std::ranges::equal(name.substr(name.size() - suffix.size()), suffix, {}, LowerAscii);
}

ShardName ParseShardName(std::string_view name, std::string_view suffix) {
  ShardName parsed;
  name.remove_suffix(suffix.size());
  const size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) {
    parsed.folder = name.substr(0, slash + 1);
    name.remove_prefix(slash + 1);
  }
  TakeShard(&name, &parsed);
  TakePrecision(&name, &parsed);
  if (parsed.shard == 0) TakeShard(&name, &parsed);
  parsed.stem = name;
  return parsed;
}

std::string SiblingShard(std::string_view name, const ShardName& parsed, uint32_t shard) {
  char from[32];
  char to[32];
  std::snprintf(from, sizeof(from), "-%05u-of-%05u", parsed.shard, parsed.shards);
  std::snprintf(to, sizeof(to), "-%05u-of-%05u", shard, parsed.shards);
  std::string sibling(name);
  const size_t at = sibling.rfind(from);
  if (at != std::string::npos) sibling.replace(at, std::string_view(from).size(), to);
  return sibling;
}

}  // namespace trims
