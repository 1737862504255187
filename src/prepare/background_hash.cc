#include "prepare/background_hash.h"

#include <new>
#include <utility>

#include "base/thread.h"

namespace trims {
namespace {

// The other thread has the terminal, or the pipe.
class NoProgress final : public PrepareProgress {
 public:
  void Fail(const Status&) override {}

 private:
  void Write(std::string_view, uint64_t, uint64_t) override {}
};

}  // namespace

BackgroundHash::BackgroundHash(const PrepareContext& context)
    : context_(context), hashed_(Status(StatusCode::kInternal, "not hashed yet")) {
  Result<std::thread> thread = StartThread([this] { Run(); });
  if (thread.ok()) thread_ = *std::move(thread);
}

BackgroundHash::~BackgroundHash() {
  stop_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void BackgroundHash::Run() {
  NoProgress progress;
  try {
    hashed_ = HashFiles(PrepareContext{context_.source, context_.out, progress}, &stop_);
  } catch (const std::bad_alloc&) {
    hashed_ = Status(StatusCode::kResourceExhausted, "hashing the source ran out of memory");
  }
}

Result<HashedFiles> BackgroundHash::Wait() {
  if (!thread_.joinable()) return HashFiles(context_);
  thread_.join();
  return std::move(hashed_);
}

}  // namespace trims
