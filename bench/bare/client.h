// BareClient: the client's half of the bare server's protocol. It allocates nothing per round trip.
//
//   TRIMS_ASSIGN_OR_RETURN(BareClient client, BareClient::Connect(path));
//   TRIMS_RETURN_IF_ERROR(client.RoundTrip({.request_bytes = 96, .reply_bytes = 240, .descriptors =
//   2})); Use(client.descriptor(1)); client.CloseDescriptors();
//
// Ownership: descriptors and mappings of the last round trip belong to the client. Thread-safety: none.
#ifndef TRIMS_BENCH_BARE_CLIENT_H_
#define TRIMS_BENCH_BARE_CLIENT_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "trims/status.h"

#include "bare/protocol.h"
#include "base/mapping.h"
#include "base/unique_fd.h"

namespace trims::bench {

// What one exchange is made of, so that it can be made of the same as an open of TrIMS.
struct ExchangeShape {
  size_t request_bytes = sizeof(BareRequest);
  size_t reply_bytes = 8;
  size_t descriptors = 1;
};

class BareClient {
 public:
  static Result<BareClient> Connect(const std::string& path);

  // One sendmsg(2) and one recvmsg(2). INTERNAL: the reply is not what was asked for.
  Status RoundTrip(const ExchangeShape& shape);
  int descriptor(size_t i) const { return descriptors_[i]; }
  void CloseDescriptors();

  // What it takes to look at the bytes that came: fstat(2) and mmap(2) of every extent's descriptor.
  Status MapExtents();
  const std::byte* first_extent() const { return mappings_.front().data(); }
  void UnmapExtents() { mappings_.clear(); }

  BareClient(BareClient&& other) noexcept;
  BareClient& operator=(BareClient&&) = delete;
  ~BareClient() { CloseDescriptors(); }

 private:
  explicit BareClient(UniqueFd socket);
  Status Receive(const ExchangeShape& shape);

  UniqueFd socket_;
  std::vector<std::byte> buffer_;
  std::array<int, kMaxBareDescriptors> descriptors_{};
  size_t count_ = 0;
  std::vector<Mapping> mappings_;
};

}  // namespace trims::bench

#endif  // TRIMS_BENCH_BARE_CLIENT_H_
