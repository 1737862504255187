// What is compared after each operation.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "manager/properties/node.h"

namespace trims::test {
namespace {

constexpr size_t kDigitsShown = 12;

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n    " + line;
  return text.empty() ? " nothing" : text;
}

bool HasBytesOf(const Image& image, const ResidentBytes& bytes) {
  std::string text(image.key.size() + 1, '\0');
  const ssize_t got = ::pread(bytes.extents.at(0).fd.get(), text.data(), text.size(), 0);
  return got == static_cast<ssize_t>(image.key.size()) &&
         text.substr(0, image.key.size()) == image.key;
}

bool IsLeased(uint64_t before, uint64_t now) { return before > 0 && now > 0; }

}  // namespace

Node::SeenAll Node::Look() const {
  SeenAll all;
  if (manager_ == nullptr) return all;
  for (const SegmentSnapshot& segment : manager_->Snapshot().segments) {
    const auto content = static_cast<size_t>(segment.digest.at(0) - 'a');
    all.at(content) = {.state = segment.state,
                       .leases = segment.leases,
                       .waiters = segment.waiters,
                       .pinned = segment.pinned,
                       .leaving = segment.leaving,
                       .backs_off = segment.retry_in.count() > 0,
                       .idle = segment.idle};
  }
  return all;
}

size_t Node::LeasesOf(int content) const {
  size_t count = 0;
  for (const Client& client : clients_) {
    for (const auto& hold : client) count += hold->content == content && hold->lease;
  }
  return count;
}

size_t Node::WaitsOf(int content) const {
  size_t count = 0;
  for (const Client& client : clients_) {
    for (const auto& hold : client) count += hold->content == content && hold->wait;
  }
  return count;
}

void Node::Compare(const SeenAll& before, const Operation& operation) {
  const ManagerSnapshot snapshot = manager_->Snapshot();
  CompareCatalog();
  CompareLookUps();
  CompareRoom(snapshot.tiers.at(0));
  CompareSegments(before, Look(), operation.act == Act::kRestart);
  CompareFolders();
  CompareCounters(snapshot);
}

void Node::CompareCatalog() {
  std::vector<std::string> lines;
  for (const ModelSnapshot& model : manager_->Models()) {
    std::string line = model.reference + " " + model.digest.substr(0, kDigitsShown);
    if (model.newest) line += " newest";
    for (const std::string& alias : model.aliases) line += " " + alias;
    lines.push_back(std::move(line));
  }
  Expect(lines == known_.Lines(),
         "the models are" + Joined(lines) + "\n  and should be" + Joined(known_.Lines()));
  std::vector<std::string> aliases;
  for (const Alias& alias : manager_->Aliases()) {
    aliases.push_back(alias.name.ToString() + "=" + alias.target().ToString());
  }
  Expect(aliases == known_.AliasLines(),
         "the aliases are" + Joined(aliases) + "\n  and should be" + Joined(known_.AliasLines()));
}

void Node::CompareLookUps() {
  for (const Reference& reference : kReferences) {
    const Result<ModelDetails> found = manager_->Model(TextOf(reference));
    const KnownModel* known = known_.Find(reference);
    const std::string is = found.ok() ? found->model.reference : "nothing";
    const std::string should = known == nullptr ? "nothing" : known->Text();
    Expect(is == should, TextOf(reference) + " means " + is + ", and should mean " + should);
  }
}

void Node::CompareRoom(const TierSnapshot& host) {
  const SeenAll now = Look();
  uint64_t used = 0;
  for (int content = 0; content < kContents; ++content) {
    const SegmentState state = now[static_cast<size_t>(content)].state;
    const bool takes = state == SegmentState::kLoading || state == SegmentState::kResident ||
                       state == SegmentState::kDraining;
    used += takes ? Footprint(content) : 0;
  }
  Expect(host.used_bytes == used, "the budget counts " + std::to_string(host.used_bytes) +
                                      " bytes, the segments have " + std::to_string(used));
  Expect(used <= host.budget_bytes, "more is resident than the budget allows");
  const uint64_t coming = host.budget_bytes - used + host.use.draining;
  Expect(host.use.waiting <= coming, "room was promised that will not be there");
  Expect(host.use.waiting == 0 || host.use.draining > 0,
         "somebody waits for room that nobody is about to give");
  uint64_t pinned = 0;
  for (const int content : known_.PinnedContents()) pinned += Footprint(content);
  Expect(pinned <= host.budget_bytes, "more is pinned than the budget allows");
}

void Node::CompareSegments(const SeenAll& before, const SeenAll& now, bool restarted) {
  const std::set<int> pinned = known_.PinnedContents();
  for (int content = 0; content < kContents; ++content) {
    const Seen& was = before[static_cast<size_t>(content)];
    const Seen& is = now[static_cast<size_t>(content)];
    const std::string what = "content " + std::to_string(content) + " ";
    const bool resident = is.state == SegmentState::kResident;
    if (!resident) leaving_.erase(content);
    if (is.pinned) leaving_.erase(content);
    Expect(is.leases == LeasesOf(content), what + "has " + std::to_string(is.leases) +
                                               " leases, and should have " +
                                               std::to_string(LeasesOf(content)));
    Expect(is.waiters >= WaitsOf(content), what + "has lost who waits for it");
    Expect(is.state == SegmentState::kAbsent || is.pinned == pinned.contains(content),
           what + (is.pinned ? "is pinned" : "is not pinned"));
    Expect(is.leases == 0 || resident, what + "is leased and not resident");
    const bool held = IsLeased(was.leases, is.leases) || (was.pinned && is.pinned);
    const bool stayed = was.state != SegmentState::kResident || resident || restarted;
    Expect(!held || stayed, what + "went although it is leased or pinned");
    if (!resident || is.leases > 0) continue;
    const Reclaim kept = known_.ReclaimOf(content, policy_.ReclaimOfAny());
    Expect(is.pinned || kept.Keeps(), what + "stays where nothing is kept");
    Expect(is.pinned || !kept.after || is.idle < *kept.after,
           what + "stays longer than it is kept");
    Expect(is.pinned || !leaving_.contains(content), what + "stays although it was told to go");
    Expect(known_.HasContent(content), what + "stays although no model has it");
  }
  for (const Client& client : clients_) {
    for (const auto& hold : client) {
      if (!hold->lease) continue;
      const Image& image = *images_[static_cast<size_t>(hold->content)];
      Expect(HasBytesOf(image, hold->lease->bytes()), "a lease has another model's bytes");
    }
  }
}

// What is loading keeps its folder; else there are those that the catalog names, and no others.
void Node::CompareFolders() {
  std::set<std::string> named;
  for (const CatalogEntry* entry : catalog_->All()) {
    for (const ImagePtr& image : entry->images) named.insert(image->variant.folder);
  }
  std::set<std::string> there;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(prepared_->root(), none)) {
    const std::string name = entry.path().filename().string();
    if (name.front() != '.') there.insert(name);
  }
  Expect(std::includes(there.begin(), there.end(), named.begin(), named.end()),
         "a model's folder is missing");
  if (SomethingLoads() || manager_->Snapshot().loads_in_flight > 0) return;
  Expect(there == named, "a folder is left of which no model knows");
}

void Node::CompareCounters(const ManagerSnapshot& snapshot) {
  const Counters& counters = snapshot.counters;
  Expect(counters.opens == counters.hits + counters.misses + counters.joined + counters.refused,
         "the opens are not the sum of how they were answered");
  size_t waits = 0;
  size_t leases = 0;
  for (int content = 0; content < kContents; ++content) {
    waits += WaitsOf(content);
    leases += LeasesOf(content);
  }
  Expect(snapshot.leases == leases, "the leases are miscounted");
  Expect(snapshot.waiters >= waits, "the waiters are miscounted");
  Expect(snapshot.draining == draining_, "it drains, or not, against what was asked");
  Expect(snapshot.preparations_in_flight == adding_.size(), "adds are miscounted");
  const bool busy =
      leases > 0 || snapshot.waiters > 0 || snapshot.loads_in_flight > 0 || !adding_.empty();
  Expect(manager_->Idle() == !busy, "it is idle, or not, against what it does");
}

}  // namespace trims::test
