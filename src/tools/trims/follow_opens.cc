#include "tools/trims/follow_opens.h"

#include <algorithm>
#include <iterator>
#include <random>

#include "base/clock.h"
#include "base/macros.h"
#include "tools/trims/document.h"
#include "tools/trims/interrupt.h"

namespace trims::cli {
namespace {

using std::chrono::milliseconds;

// At most so long until a signal is heard.
constexpr milliseconds kLongestWait{500};
// For a load of an open that was told already.
constexpr milliseconds kLoadPatience{5000};

uint64_t RandomSeed() {
  std::random_device device;
  const uint64_t high = device();
  return high << 32 | device();
}

class Follower {
 public:
  Follower(Admin* admin, const FollowWishes& wishes,
           const std::function<Status(const FollowedBatch&)>& on_batch)
      : admin_(*admin), wishes_(wishes), on_batch_(on_batch), spans_(RandomSeed()) {
    options_.kinds = {"segment", "open"};
    options_.model = wishes.model;
  }

  Result<Followed> Run() {
    const TimePoint end = clock_.Now() + wishes_.lasting;
    TRIMS_RETURN_IF_ERROR(Ask(milliseconds(1)));  // from its end on opens are recorded
    if (wishes_.on_begin) wishes_.on_begin();
    while (!enough() && !interrupt_.came()) {
      milliseconds wait = kLongestWait;
      if (wishes_.lasting.count() > 0) {
        const auto left = std::chrono::ceil<milliseconds>(end - clock_.Now());
        if (left.count() <= 0) break;
        wait = std::min(wait, left);
      }
      TRIMS_RETURN_IF_ERROR(Ask(wait));
    }
    TRIMS_RETURN_IF_ERROR(AwaitLoads());
    // What was done until now.
    while (!enough() && !last_was_empty_) TRIMS_RETURN_IF_ERROR(Ask(milliseconds(0)));
    TRIMS_RETURN_IF_ERROR(Tell({.trees = spans_.End()}));
    return followed_;
  }

 private:
  bool enough() const { return wishes_.count > 0 && followed_.opens >= wishes_.count; }

  Status AwaitLoads() {
    const TimePoint end = clock_.Now() + kLoadPatience;
    while (spans_.awaits_load() && !interrupt_.came() && clock_.Now() < end) {
      TRIMS_RETURN_IF_ERROR(Ask(kLongestWait));
    }
    return Status();
  }

  Status Ask(milliseconds wait) {
    options_.wait = wait;
    TRIMS_ASSIGN_OR_RETURN(const std::string document, admin_.Events(options_));
    TRIMS_ASSIGN_OR_RETURN(const Json batch, ParseDocument(document));
    options_.since = Number(batch, "next");
    options_.opens_since = Number(batch, "opens_next");
    last_was_empty_ = wait.count() == 0 && List(batch, "events").empty();
    return Tell(Read(batch));
  }

  FollowedBatch Read(const Json& batch) {
    FollowedBatch read{
        .trees = {}, .lost = Number(batch, "lost"), .opens_lost = Number(batch, "opens_lost")};
    for (const Json& event : List(batch, "events")) {
      const bool is_open = Text(event, "kind").starts_with("open.");
      if (enough() && (is_open || !spans_.awaits_load())) continue;
      std::vector<SpanTree> trees = spans_.Take(event);
      if (is_open) ++followed_.opens;
      std::move(trees.begin(), trees.end(), std::back_inserter(read.trees));
    }
    std::vector<SpanTree> left = spans_.EndBatch();
    std::move(left.begin(), left.end(), std::back_inserter(read.trees));
    return read;
  }

  Status Tell(const FollowedBatch& batch) {
    for (const SpanTree& tree : batch.trees) followed_.spans += tree.spans.size();
    followed_.lost += batch.lost;
    followed_.opens_lost += batch.opens_lost;
    return on_batch_(batch);
  }

  Admin& admin_;
  const FollowWishes& wishes_;
  const std::function<Status(const FollowedBatch&)>& on_batch_;
  const SteadyClock clock_;
  const Interrupt interrupt_;
  EventSpans spans_;
  EventsOptions options_;
  Followed followed_;
  bool last_was_empty_ = false;
};

}  // namespace

Result<Followed> FollowOpens(Admin* admin, const FollowWishes& wishes,
                             const std::function<Status(const FollowedBatch&)>& on_batch) {
  return Follower(admin, wishes, on_batch).Run();
}

}  // namespace trims::cli
