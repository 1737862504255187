// What each operation does, and how it should be answered.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>

#include "manager/properties/node.h"

namespace trims::test {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortDeadline(50);
constexpr std::array<milliseconds, 4> kTimeSteps{milliseconds(1), milliseconds(30),
                                                 milliseconds(2000), milliseconds(70'000)};

constexpr std::array<Reclaim, 4> kReclaims{Reclaim::kEager, Reclaim::kLazy, Reclaim::kLazy,
                                           Reclaim{.after = milliseconds(1000)}};
constexpr std::array<std::optional<Reclaim>, 5> kKeptFor{
    std::nullopt, Reclaim::kEager, Reclaim::kLazy, Reclaim{.after = milliseconds(20)},
    Reclaim{.after = milliseconds(60'000)}};

std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// What a tier would have made of it.
ResidentBytes Filled(const Image& image) {
  ResidentBytes bytes{.index = HandleOf(SealedCopy("index", BytesOf(image.key)).value()),
                      .extents = {}};
  bytes.extents.push_back(HandleOf(SealedCopy("extent", BytesOf(image.key)).value()));
  return bytes;
}

// Completes what was asked; the answer is read once nothing is under way any more.
template <typename Answer>
auto Told(const std::shared_ptr<Answer>& answer) {
  return [answer](const auto& result) {
    EXPECT_FALSE(answer->answer) << "answered twice";
    if constexpr (std::is_same_v<std::decay_t<decltype(result)>, Status>) {
      answer->answer = result;
    } else {
      answer->answer = result.status();
    }
  };
}

struct Answer {
  std::optional<Status> answer;
};

}  // namespace

void Node::Do(const Operation& operation) {
  const SeenAll before = Look();
  DoOnRequest(operation);
  DoByItself(operation);
  TakeAnswers({});
  TakeAsks();
  Compare(before, operation);
}

void Node::DoOnRequest(const Operation& operation) {
  switch (operation.act) {
    case Act::kAdd:
      return BeginAdd(Nth(kModelNames, operation.a), Nth(kVersions, operation.b),
                      static_cast<int>(operation.c % kContents));
    case Act::kOpen:
      return Open(operation);
    case Act::kClose:
      return Close(operation);
    case Act::kPin:
    case Act::kPrefetch:
      return Pin(operation, operation.act == Act::kPin);
    case Act::kUnpin:
      return Unpin(operation);
    case Act::kEvict:
      return Evict(operation);
    case Act::kDrain:
      return Drain(operation.a == 0);
    case Act::kSetAlias:
    case Act::kDeleteAlias:
    case Act::kRollback:
      return ChangeAlias(operation);
    case Act::kRemove:
      return Remove(operation);
    case Act::kPolicy:
      return ChangePolicy({.reclaim = Nth(kReclaims, operation.c),
                           .eviction = &Nth(EvictionPolicies(), operation.a),
                           .admission = &Nth(AdmissionPolicies(), operation.b)});
    case Act::kKeepAlive:
      return KeepAlive(operation);
    default:
      return;
  }
}

void Node::DoByItself(const Operation& operation) {
  switch (operation.act) {
    case Act::kDie:
      return clients_[operation.a % kClients].clear();
    case Act::kFinishAdd:
      return FinishAdd(operation.a);
    case Act::kFinishFill:
      return FinishFill(operation.a, operation.b % 8 >= 6);
    case Act::kFinishRelease:
      return FinishRelease(operation.a);
    case Act::kAdvance:
      return Advance(operation.a);
    case Act::kRestart:
      return Restart();
    default:
      return;
  }
}

void Node::BeginAdd(std::string_view name, std::string_view version, int content) {
  auto adding = std::make_shared<Adding>(
      Adding{.name = name, .version = version, .content = content, .answer = {}});
  const StatusCode expected = known_.BeginAdd(adding->name, adding->version);
  manager_->Add({}, TextOf({.name = adding->name, .label = adding->version}), "file://" + source_,
                {}, {}, Told(adding));
  if (expected == StatusCode::kOk) {
    Expect(!adding->answer, "an add is answered before it is prepared");
    adding_.push_back(std::move(adding));
  } else {
    ExpectCode(expected, adding->answer.value_or(Status()), "add");
  }
}

void Node::FinishAdd(unsigned nth) {
  if (adding_.empty()) return;
  const auto place = std::next(adding_.begin(), static_cast<ptrdiff_t>(nth % adding_.size()));
  const auto request =
      std::next(preparer_.requests.begin(), static_cast<ptrdiff_t>(nth % adding_.size()));
  const std::shared_ptr<Adding> adding = *place;
  adding_.erase(place);
  preparer_.requests.splice(preparer_.requests.begin(), preparer_.requests, request);
  const std::string out = preparer_.requests.front().job.out_folder + "/files";
  std::filesystem::create_directory(out);
  std::ofstream(out + "/data") << std::string(100, DigestOf(adding->content).front());
  preparer_.Finish(ManifestOf(adding->content));
  Pump();
  Expect(adding->answer.has_value(), "an add is not answered");
  ExpectCode(known_.Add(adding->name, adding->version, adding->content),
             adding->answer.value_or(Status()), "the end of an add");
}

void Node::Open(const Operation& operation) {
  const Reference& reference = Nth(kReferences, operation.a);
  const KnownModel* model = known_.Find(reference);
  const SeenAll seen = Look();
  const TierSnapshot host = manager_->Snapshot().tiers.at(0);
  const milliseconds deadline = operation.c == 0 ? kShortDeadline : kDefaultDeadline;
  auto hold = std::make_shared<Hold>(Hold{.content = model == nullptr ? 0 : model->content,
                                          .due = clock_.Now() + deadline,
                                          .wait = {},
                                          .lease = {},
                                          .answer = {}});
  const std::string text = TextOf(reference);
  Result<OpenOutcome> outcome =
      manager_->Open({.reference = text, .variant_key = {}, .tier = {}, .deadline = deadline},
                     [weak = std::weak_ptr(hold)](Result<Lease> lease) {
                       const auto waiting = weak.lock();
                       ASSERT_TRUE(waiting) << "a wait was answered after its end";
                       EXPECT_FALSE(waiting->answer) << "answered twice";
                       waiting->answer = lease.status();
                       if (lease.ok()) waiting->lease = *std::move(lease);
                     });
  Expect(!hold->answer, "an open calls back inside the call");
  if (draining_) return ExpectCode(StatusCode::kUnavailable, outcome.status(), "open, draining");
  if (model == nullptr) return ExpectCode(StatusCode::kNotFound, outcome.status(), "open");
  ExpectOpened(hold->content, seen[static_cast<size_t>(hold->content)], host, outcome);
  if (!outcome.ok()) return;
  if (Lease* lease = std::get_if<Lease>(&*outcome)) {
    Expect(lease->image().reference == model->Text(), "the version that was opened is another");
    hold->lease = std::move(*lease);
  } else {
    hold->wait = std::get<OpenWait>(*std::move(outcome));
  }
  clients_[operation.b % kClients].push_back(std::move(hold));
}

// What the policy gives up of what may go.
uint64_t Node::Evictable(const RoomUse& use) const {
  return policy_.eviction->rank == nullptr ? 0 : use.idle;
}

void Node::ExpectOpened(int content, const Seen& before, const TierSnapshot& host,
                        const Result<OpenOutcome>& outcome) {
  const Status status = outcome.status();
  const bool hit = status.ok() && std::holds_alternative<Lease>(*outcome);
  if (before.state == SegmentState::kResident) return Expect(hit, "a resident model is no hit");
  Expect(!hit, "a hit of what is not resident");
  const bool on_its_way = before.state == SegmentState::kReserved ||
                          before.state == SegmentState::kLoading ||
                          (before.state == SegmentState::kDraining && before.waiters > 0);
  if (on_its_way) return ExpectCode(StatusCode::kOk, status, "an open that joins a load");
  if (before.backs_off && !status.ok()) return;  // of these files, or of another name's
  if (before.state == SegmentState::kDraining) {
    return ExpectCode(StatusCode::kOk, status, "an open of what is being freed");
  }
  if (Footprint(content) > host.budget_bytes) {
    return ExpectCode(StatusCode::kTooLarge, status, "an open of what is larger than the tier");
  }
  const uint64_t stays = host.used_bytes - host.use.draining - Evictable(host.use);
  const bool fits = stays + host.use.waiting + Footprint(content) <= host.budget_bytes;
  ExpectCode(fits ? StatusCode::kOk : StatusCode::kResourceExhausted, status, "a miss");
}

void Node::Close(const Operation& operation) {
  Client& client = clients_[operation.a % kClients];
  if (client.empty()) return;
  client.erase(std::next(client.begin(), static_cast<ptrdiff_t>(operation.b % client.size())));
}

void Node::Pin(const Operation& operation, bool pin) {
  const Reference& reference = Nth(kReferences, operation.a);
  const KnownModel* model = known_.Find(reference);
  const SeenAll seen = Look();
  const ControlWishes wishes{.reference = TextOf(reference)};
  auto ask = std::make_shared<Ask>(Ask{.name = model == nullptr ? "" : model->name,
                                       .version = model == nullptr ? "" : model->version,
                                       .pin = pin,
                                       .answer = {}});
  pin ? manager_->Pin({}, wishes, {}, Told(ask)) : manager_->Prefetch({}, wishes, {}, Told(ask));
  Pump();
  if (model == nullptr) {
    return ExpectCode(StatusCode::kNotFound, ask->answer.value_or(Status()), "pin or prefetch");
  }
  if (!pin && !known_.ReclaimOf(model->content, policy_.ReclaimOfAny()).Keeps()) {
    return ExpectCode(StatusCode::kFailedPrecondition, ask->answer.value_or(Status()), "prefetch");
  }
  const bool refused = ask->answer && !ask->answer->ok();
  const Seen& before = seen[static_cast<size_t>(model->content)];
  if (before.state == SegmentState::kResident && (!pin || before.pinned)) {
    Expect(ask->answer.has_value() && !refused, "a resident model can't be prefetched or pinned");
  }
  if (!refused) leaving_.erase(model->content);
  asks_.push_back(std::move(ask));
}

void Node::Unpin(const Operation& operation) {
  const Reference& reference = Nth(kReferences, operation.a);
  auto answer = std::make_shared<Answer>();
  manager_->Unpin({}, {.reference = TextOf(reference)}, Told(answer));
  Pump();
  Expect(answer->answer.has_value(), "an unpin is not answered");
  ExpectCode(known_.Unpin(reference), answer->answer.value_or(Status()), "unpin");
}

void Node::Evict(const Operation& operation) {
  const Reference& reference = Nth(kReferences, operation.a);
  const bool when_idle = operation.b % 2 == 0;
  const KnownModel* model = known_.Find(reference);
  const SeenAll seen = Look();
  const Status status =
      manager_->Evict({}, {.reference = TextOf(reference), .when_idle = when_idle}).status();
  if (model == nullptr) return ExpectCode(StatusCode::kNotFound, status, "evict");
  const Seen& before = seen[static_cast<size_t>(model->content)];
  const bool there = before.state == SegmentState::kResident ||
                     before.state == SegmentState::kReserved ||
                     before.state == SegmentState::kLoading;
  const bool used =
      before.leases > 0 || before.waiters > 0 || (there && before.state != SegmentState::kResident);
  // What is not there at all is no candidate, though somebody may wait for it to come back.
  if (before.state == SegmentState::kAbsent) return ExpectCode(StatusCode::kOk, status, "evict");
  const bool refused = before.pinned || (used && !when_idle);
  ExpectCode(refused ? StatusCode::kFailedPrecondition : StatusCode::kOk, status, "evict");
  if (status.ok() && there && used) leaving_.insert(model->content);
  if (status.ok() && there && !used) {
    Expect(Look()[static_cast<size_t>(model->content)].state == SegmentState::kDraining,
           "what was evicted is there");
  }
}

void Node::Drain(bool on) {
  const Result<DrainSnapshot> drained = manager_->Drain({}, on, {});
  draining_ = on;
  Expect(drained.ok() && drained->draining == on, "a drain is not what was asked for");
}

void Node::ChangeAlias(const Operation& operation) {
  const Reference& alias = Nth(kAliasNames, operation.a);
  const Reference& to = Nth(kReferences, operation.b);
  auto answer = std::make_shared<Answer>();
  StatusCode expected = StatusCode::kOk;
  switch (operation.act) {
    case Act::kSetAlias:
      manager_->SetAlias({}, TextOf(alias), TextOf(to), Told(answer));
      expected = known_.SetAlias(alias, to);
      break;
    case Act::kDeleteAlias:
      manager_->DeleteAlias({}, TextOf(alias), Told(answer));
      expected = known_.DeleteAlias(alias);
      break;
    default:
      manager_->Rollback({}, TextOf(alias), Told(answer));
      expected = known_.Rollback(alias);
      break;
  }
  Pump();
  Expect(answer->answer.has_value(), "a change of an alias is not answered");
  ExpectCode(expected, answer->answer.value_or(Status()), "a change of an alias");
}

void Node::Remove(const Operation& operation) {
  const Reference& reference = Nth(kReferences, operation.a);
  auto answer = std::make_shared<Answer>();
  manager_->Remove({}, TextOf(reference), Told(answer));
  Pump();
  Expect(answer->answer.has_value(), "a removal is not answered");
  ExpectCode(known_.Remove(reference), answer->answer.value_or(Status()), "remove");
}

void Node::ChangePolicy(const TierPolicy& policy) {
  policy_ = policy;
  const Status status = manager_
                            ->ChangePolicy({}, {.tier = {},
                                                .eviction = policy.eviction->name,
                                                .admission = policy.admission->name,
                                                .reclaim = ReclaimText(policy.reclaim)})
                            .status();
  ExpectCode(StatusCode::kOk, status, "policy");
}

void Node::KeepAlive(const Operation& operation) {
  const Reference& reference = Nth(kReferences, operation.a);
  const std::optional<Reclaim>& kept = Nth(kKeptFor, operation.b);
  auto answer = std::make_shared<Answer>();
  manager_->SetKeepAlive({}, TextOf(reference), kept ? KeepAliveText(*kept) : "default",
                         Told(answer));
  Pump();
  Expect(answer->answer.has_value(), "a keep-alive time is not answered");
  ExpectCode(known_.KeepAlive(reference, kept), answer->answer.value_or(Status()), "keep alive");
}

void Node::FinishFill(unsigned nth, bool fails) {
  if (tier_->fills.empty()) return;
  const auto place =
      std::next(tier_->fills.begin(), static_cast<ptrdiff_t>(nth % tier_->fills.size()));
  FakeTier::Job job = std::move(*place);
  tier_->fills.erase(place);
  const bool cancelled = job.request.control->cancelled();
  if (cancelled && !fails) {
    job.done(Status(StatusCode::kCancelled, "the load was cancelled"));
  } else if (fails) {
    job.done(Status(StatusCode::kDataLoss, "the load failed"));
  } else {
    job.done(Filled(*job.request.image));
  }
  Pump();
  TakeAnswers({StatusCode::kOk, StatusCode::kDataLoss, StatusCode::kResourceExhausted});
}

void Node::FinishRelease(unsigned nth) {
  if (tier_->releases.empty()) return;
  const auto place =
      std::next(tier_->releases.begin(), static_cast<ptrdiff_t>(nth % tier_->releases.size()));
  const LetGoCalls calls = std::move(*place);
  tier_->releases.erase(place);
  calls.freed();
  Pump();
  TakeAnswers({StatusCode::kResourceExhausted});
}

void Node::Advance(unsigned step) {
  timers_.Advance(Nth(kTimeSteps, step));
  Pump();
  for (const Client& client : clients_) {
    for (const auto& hold : client) {
      const bool due = hold->wait && hold->due <= clock_.Now();
      Expect(!due || hold->answer.has_value(), "a deadline has passed and nobody was told");
    }
  }
  TakeAnswers({StatusCode::kDeadlineExceeded});
}

}  // namespace trims::test
