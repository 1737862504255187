// WhileAlive: completions that must not run once their owner is gone.
//
//   worker->Run(work, alive_.Only([this, incoming = std::move(incoming)] { … }));
//
// What Only() gives can be copied, as std::function wants it, though the call holds what can only be
// moved; the copies share that. Thread-safety: the owner and the calls are on the loop.
#ifndef TRIMS_LOOP_WHILE_ALIVE_H_
#define TRIMS_LOOP_WHILE_ALIVE_H_

#include <memory>
#include <utility>

namespace trims {

class WhileAlive {
 public:
  WhileAlive() = default;
  WhileAlive(const WhileAlive&) = delete;
  WhileAlive& operator=(const WhileAlive&) = delete;

  // `call`, or nothing once this is gone.
  template <typename Call>
  auto Only(Call call) const {
    return [owner = std::weak_ptr<const bool>(token_),
            call = std::make_shared<Call>(std::move(call))](auto&&... values) {
      if (!owner.expired()) (*call)(std::forward<decltype(values)>(values)...);
    };
  }

 private:
  const std::shared_ptr<const bool> token_ = std::make_shared<const bool>(true);
};

}  // namespace trims

#endif  // TRIMS_LOOP_WHILE_ALIVE_H_
