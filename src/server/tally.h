// Tally: how many there are of something that several holders have together.
//
//   const auto tally = std::make_shared<Tally>();
//   Tally::One counted(tally);  // until it goes
//
// Thread-safety: none; the loop's.
#ifndef TRIMS_SERVER_TALLY_H_
#define TRIMS_SERVER_TALLY_H_

#include <cstddef>
#include <memory>
#include <utility>

namespace trims {

class Tally {
 public:
  // Counts as long as it is there. Move-only.
  class One {
   public:
    explicit One(std::shared_ptr<Tally> tally) : tally_(std::move(tally)) { ++tally_->count_; }
    One(One&&) noexcept = default;
    One& operator=(One&&) = delete;
    ~One() {
      if (tally_ != nullptr) --tally_->count_;
    }

   private:
    std::shared_ptr<Tally> tally_;
  };

  size_t count() const { return count_; }

 private:
  size_t count_ = 0;
};

}  // namespace trims

#endif  // TRIMS_SERVER_TALLY_H_
