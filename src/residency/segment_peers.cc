// Filling from another device's segment instead of the host's.
#include <utility>

#include "base/log.h"
#include "residency/segment_table.h"

namespace trims {

// What is in the host's memory comes from there, unless the way from peers is quicker; what is not would have to be read.
SegmentTable* SegmentTable::PeerFor(const Image& image) const {
  const Image& from = image.from != nullptr ? *image.from : image;
  const bool there = dependencies_.beneath != nullptr && dependencies_.beneath->IsHere(from);
  if (there && !tier_->peers_first()) return nullptr;
  for (SegmentTable* peer : peers_) {
    const Segment* segment = peer->FindByKey(image.key);
    const bool has = segment != nullptr && segment->state() == SegmentState::kResident;
    if (has && tier_->TakesFrom(*peer->tier_)) return peer;
  }
  return nullptr;
}

// The lease keeps the peer's copy as long as it is read.
bool SegmentTable::FillFromPeer(Segment* segment) {
  SegmentTable* const peer = PeerFor(segment->image());
  if (peer == nullptr) return false;
  Result<OpenOutcome> outcome = peer->OpenForPeer(*segment, [](const Result<Lease>&) {});
  Lease* const lease = outcome.ok() ? std::get_if<Lease>(&*outcome) : nullptr;
  if (lease == nullptr) return false;
  Beneath& beneath = beneath_[segment->id()];
  beneath.peers = true;
  beneath.lease.emplace(std::move(*lease));
  Fill(segment->id(),
       {.beneath = beneath.lease->shared_bytes(), .peer = std::string(peer->device_uuid())});
  return true;
}

// Where nothing comes from the peer, it comes by the host's memory after all. What a shortage of memory here is, it stays.
bool SegmentTable::TurnFromPeer(Segment* segment, const Status& why) {
  const auto found = beneath_.find(segment->id());
  if (found == beneath_.end() || !found->second.peers) return false;
  if (why.code() == StatusCode::kCancelled || segment->control()->out_of_memory()) return false;
  LogWarning("segment.not_from_peer", {{"model", segment->image().reference},
                                       {"variant", VariantName(segment->image().kind)},
                                       {"tier", tier_name()},
                                       {"error", why}});
  beneath_.erase(found);
  FillFromBeneath(segment);
  return true;
}

void SegmentTable::LetGoOfPeers() {
  peers_.clear();
  std::erase_if(beneath_, [](const auto& each) { return each.second.peers; });
}

}  // namespace trims
