// Operations: all that happens to models on a node, over a few names and contents, so that sequences of them
// made at random meet often. An operation means something in every state: numbers that are too large begin
// anew, and what there is nothing of is left out. So a sequence from which some were taken is one, too, which
// is what shrinking does.
//
// Thread-safety: values and pure functions.
#ifndef TRIMS_TESTS_SUPPORT_OPERATIONS_H_
#define TRIMS_TESTS_SUPPORT_OPERATIONS_H_

#include <rapidcheck.h>

#include <array>
#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trims::test {

// What each does with an operation's a, b and c.
enum class Act {
  kAdd,            // model a, version b, content c
  kFinishAdd,      // the a-th under way
  kOpen,           // reference a, by client b, with a short deadline where c is 0
  kClose,          // the b-th that client a has open, or waits for
  kDie,            // client a
  kPin,            // reference a
  kUnpin,          // reference a
  kPrefetch,       // reference a
  kEvict,          // reference a; when it is idle, where b is even
  kDrain,          // on, where a is 0, else off
  kSetAlias,       // alias a, to reference b
  kDeleteAlias,    // alias a
  kRollback,       // alias a
  kRemove,         // reference a
  kPolicy,         // eviction a, admission b, reclaim c
  kKeepAlive,      // reference a, for the b-th time
  kFinishFill,     // the a-th under way; it fails where b is 6 or 7
  kFinishRelease,  // the a-th under way
  kAdvance,        // time, by step a
  kRestart,        // of the daemon
};

struct Operation {
  Act act = Act::kOpen;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
};

// "default/NAME:LABEL", or of the model's versions the one that has a content.
struct Reference {
  std::string_view name;
  std::string_view label = {};
  int content = -1;  // -1: not by its content
};

inline constexpr int kContents = 6;
inline constexpr std::array<std::string_view, 3> kModelNames{"a", "b", "prod"};
inline constexpr std::array<std::string_view, 3> kVersions{"", "v1", "v2"};  // "": by its digest
// Some are models' names, too.
inline constexpr std::array<Reference, 4> kAliasNames{
    {{.name = "prod"}, {.name = "canary"}, {.name = "a", .label = "stable"}, {.name = "b"}}};
inline constexpr std::array<Reference, 13> kReferences{{{.name = "a"},
                                                        {.name = "a", .label = "v1"},
                                                        {.name = "a", .label = "v2"},
                                                        {.name = "b"},
                                                        {.name = "b", .label = "v1"},
                                                        {.name = "b", .label = "v2"},
                                                        {.name = "prod"},
                                                        {.name = "prod", .label = "v1"},
                                                        {.name = "canary"},
                                                        {.name = "a", .label = "stable"},
                                                        {.name = "a", .label = "latest"},
                                                        {.name = "a", .content = 1},
                                                        {.name = "prod", .content = 1}}};
// What is known from the start, one of each content.
struct FirstModel {
  std::string_view name;
  std::string_view version;
};
inline constexpr std::array<FirstModel, kContents> kFirstModels{
    {{"a", "v1"}, {"a", "v2"}, {"b", "v1"}, {"b", "v2"}, {"prod", "v1"}, {"prod", "v2"}}};

using Digests = std::array<std::string, kContents>;
const Digests& MadeUpDigests();  // where nobody computes any
inline const std::string& DigestOf(int content) {
  return MadeUpDigests()[static_cast<size_t>(content)];
}
std::string TextOf(const Reference& reference, const Digests& digests = MadeUpDigests());

template <typename Values>
const auto& Nth(const Values& values, unsigned n) {
  return values[n % values.size()];
}

// The weights say how often each comes; there are up to `longest`, from the first sequence on.
using Weights = std::vector<std::pair<size_t, Act>>;
rc::Gen<std::vector<Operation>> AnyOperations(const Weights& weights, int longest);

std::ostream& operator<<(std::ostream& out, const Operation& operation);  // "open a:v1 by client 2"

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_OPERATIONS_H_
