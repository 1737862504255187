// FakeModel: two extents with two tensors and two files, and the reply that hands them out.
#ifndef TRIMS_TESTS_CLIENT_FAKE_MODEL_H_
#define TRIMS_TESTS_CLIENT_FAKE_MODEL_H_

#include <string>
#include <vector>

#include "base/mapping.h"
#include "client/fake_daemon.h"
#include "support/index_builder.h"

namespace trims::test {

inline IndexSpec FakeIndex() {
  IndexSpec spec;
  spec.length = kHugePageSize + 3;
  spec.extents = {{0, 64}, {kHugePageSize, 3}};
  spec.tensors = {
      {.name = "bias", .dtype = index::DType::U8, .shape = {8}, .offset = 0, .length = 8},
      {.name = "weight", .dtype = index::DType::F32, .shape = {2, 2}, .offset = 16, .length = 16}};
  spec.files = {
      {.name = "config.json", .offset = kHugePageSize, .length = 3, .extent = 1, .alone = true},
      {.name = "part", .offset = 4, .length = 4, .extent = 0}};
  spec.metadata = {{"format", "onnx"}};
  return spec;
}

class FakeModel {
 public:
  explicit FakeModel(const IndexSpec& spec = FakeIndex()) : index_bytes_(BuildIndex(spec)) {
    std::vector<std::byte> first(64);
    for (size_t i = 0; i < first.size(); ++i) first[i] = static_cast<std::byte>(i);
    fds_.push_back(Sealed(index_bytes_));
    fds_.push_back(Sealed(first));
    fds_.push_back(Sealed(ToBytes("{ }")));
  }

  wire::OpenReply Reply(uint64_t lease) const {
    static constexpr wire::ExtentInfo kExtents[] = {{64, Pages::kTransparentHuge},
                                                    {3, Pages::kSmall}};
    return {.lease = lease,
            .reference = "default/ocr:1",
            .digest = "abc",
            .variant = Variant::kTensors,
            .variant_key = "",
            .index_length = index_bytes_.size(),
            .extents = kExtents,
            .hit = true,
            .waited_us = 7,
            .tier = "host"};
  }

  std::vector<int> fds() const {
    std::vector<int> numbers;
    for (const UniqueFd& fd : fds_) numbers.push_back(fd.get());
    return numbers;
  }

  void Serve(const wire::Request& request, FakeDaemon::Peer& peer) {
    peer.Send(peer.encoder.Open(request.id, Reply(++last_lease_)), fds());
  }

 private:
  std::vector<std::byte> index_bytes_;
  std::vector<UniqueFd> fds_;
  uint64_t last_lease_ = 0;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_CLIENT_FAKE_MODEL_H_
