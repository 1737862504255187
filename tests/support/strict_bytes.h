// StrictBytes: bytes in memory that are less patient than a file. For the tests of whatever reads
// bytes that somebody else wrote.
//
// A test fails when its reader asks for nothing, asks again for anything after it was told that the
// bytes end, or, with Strictness::kOnce, asks for a byte that it was given already.
#ifndef TRIMS_TESTS_SUPPORT_STRICT_BYTES_H_
#define TRIMS_TESTS_SUPPORT_STRICT_BYTES_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "base/random_access.h"

namespace trims::test {

enum class Strictness { kAnyOrder, kOnce };

class StrictBytes final : public RandomAccess {
 public:
  explicit StrictBytes(std::string bytes, Strictness strictness = Strictness::kAnyOrder)
      : bytes_(std::move(bytes)), strictness_(strictness) {}

  const std::string& name() const override { return name_; }
  uint64_t size() const override { return bytes_.size(); }

  Status ReadAt(uint64_t offset, std::span<std::byte> out) const override {
    if (out.empty()) return Misuse("a read of nothing");
    if (ended_) return Misuse("a read after the end was seen");
    const Status status = SpanBytes(std::as_bytes(std::span(bytes_)), name_).ReadAt(offset, out);
    ended_ = !status.ok();
    if (status.ok() && strictness_ == Strictness::kOnce) return Remember(offset, out.size());
    return status;
  }

 private:
  static Status Misuse(const std::string& what) {
    ADD_FAILURE() << what;
    return Status(StatusCode::kInternal, what);
  }

  // Ranges given, from begin to end; none touch another.
  Status Remember(uint64_t offset, uint64_t length) const {
    const auto after = given_.lower_bound(offset + length);
    if (after != given_.begin() && std::prev(after)->second > offset) {
      return Misuse("bytes at " + std::to_string(offset) + " are read twice");
    }
    given_.emplace(offset, offset + length);
    return Status();
  }

  const std::string name_ = "the file";
  const std::string bytes_;
  const Strictness strictness_;
  mutable bool ended_ = false;
  mutable std::map<uint64_t, uint64_t> given_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_STRICT_BYTES_H_
