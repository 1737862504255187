// Turns: publishing and removing, one at a time and in the order in which they asked.
//
// Each of them reads the catalog, decides, and writes what it decided; two at once could decide about
// one name on the same state. Whoever has the Turn may do so; the next one has it when it goes.
//
//   turns.Take([this](Turns::Turn turn) { … keeps `turn` until it has written … });
//
// Thread-safety: loop only. Those who wait when this goes are not called; a Turn may outlive it.
#ifndef TRIMS_INGEST_TURNS_H_
#define TRIMS_INGEST_TURNS_H_

#include <deque>
#include <functional>
#include <memory>
#include <utility>

namespace trims {

class Turns {
 public:
  class Turn {
   public:
    Turn(Turn&& other) noexcept : turns_(std::move(other.turns_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() { End(); }

   private:
    friend class Turns;
    explicit Turn(std::weak_ptr<Turns*> turns) : turns_(std::move(turns)) {}
    void End();

    std::weak_ptr<Turns*> turns_;  // none: moved from
  };

  Turns() : self_(std::make_shared<Turns*>(this)) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // Calls back at once if nobody has the turn.
  template <typename Call>
  void Take(Call call) {
    waiting_.push_back([call = std::make_shared<Call>(std::move(call))](Turn turn) {
      Call now = std::move(*call);
      now(std::move(turn));
    });
    GoOn();
  }

 private:
  void GoOn();

  std::deque<std::function<void(Turn)>> waiting_;
  bool taken_ = false;
  bool going_on_ = false;  // a turn that ends inside its own call must not nest the next one
  const std::shared_ptr<Turns*> self_;
};

}  // namespace trims

#endif  // TRIMS_INGEST_TURNS_H_
