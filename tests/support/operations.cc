#include "support/operations.h"

#include <ostream>
#include <tuple>

namespace trims::test {
namespace {

std::string_view NameOf(Act act) {
  constexpr std::array<std::string_view, 20> kNames{
      "add",        "finish-add",   "open",           "close",   "die",
      "pin",        "unpin",        "prefetch",       "evict",   "drain",
      "alias",      "delete-alias", "rollback",       "remove",  "policy",
      "keep-alive", "finish-fill",  "finish-release", "advance", "restart"};
  return kNames.at(static_cast<size_t>(act));
}

// What its first number means; empty: the number.
std::string FirstOf(const Operation& operation) {
  switch (operation.act) {
    case Act::kAdd: {
      const std::string_view version = Nth(kVersions, operation.b);
      return std::string(Nth(kModelNames, operation.a)) + ":" +
             (version.empty() ? "(digest)" : std::string(version)) + " content " +
             std::to_string(operation.c % kContents);
    }
    case Act::kOpen:
    case Act::kPin:
    case Act::kUnpin:
    case Act::kPrefetch:
    case Act::kEvict:
    case Act::kRemove:
    case Act::kKeepAlive:
      return TextOf(Nth(kReferences, operation.a));
    case Act::kSetAlias:
      return TextOf(Nth(kAliasNames, operation.a)) + "=" + TextOf(Nth(kReferences, operation.b));
    case Act::kDeleteAlias:
    case Act::kRollback:
      return TextOf(Nth(kAliasNames, operation.a));
    default:
      return std::to_string(operation.a);
  }
}

}  // namespace

const Digests& MadeUpDigests() {
  static const Digests digests = [] {
    Digests made;
    for (size_t i = 0; i < made.size(); ++i) made[i] = std::string(64, static_cast<char>('a' + i));
    return made;
  }();
  return digests;
}

std::string TextOf(const Reference& reference, const Digests& digests) {
  std::string text(reference.name);
  if (reference.content >= 0) {
    return text + "@sha256:" + digests[static_cast<size_t>(reference.content)];
  }
  return reference.label.empty() ? text : text + ":" + std::string(reference.label);
}

rc::Gen<std::vector<Operation>> AnyOperations(const Weights& weights, int longest) {
  std::vector<Act> acts;  // RapidCheck's own weights are a list in braces
  for (const auto& [weight, act] : weights) acts.insert(acts.end(), weight, act);
  constexpr unsigned kMost = 13;
  auto number = [] { return rc::gen::inRange<unsigned>(0, kMost); };
  auto operation =
      rc::gen::map(rc::gen::tuple(rc::gen::elementOf(acts), number(), number(), number()),
                   [](const std::tuple<Act, unsigned, unsigned, unsigned>& fields) {
                     const auto& [act, a, b, c] = fields;
                     return Operation{.act = act, .a = a, .b = b, .c = c};
                   });
  return rc::gen::resize(longest, rc::gen::container<std::vector<Operation>>(std::move(operation)));
}

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  return out << NameOf(operation.act) << ' ' << FirstOf(operation) << " (" << operation.a << ", "
             << operation.b << ", " << operation.c << ')';
}

}  // namespace trims::test
