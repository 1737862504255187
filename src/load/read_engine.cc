#include "load/read_engine.h"

#include "base/uring.h"

namespace trims {

std::string_view ReadEngineName(ReadEngineKind kind) {
  return kind == ReadEngineKind::kUring ? "uring" : "pread";
}

ReadEngineSupport ProbeReadEngine() {
  const Status uring = Uring::Create(1).status();
  return {uring.ok() ? ReadEngineKind::kUring : ReadEngineKind::kPread, uring};
}

Result<std::unique_ptr<ReadEngine>> MakeReadEngine(ReadEngineKind kind, int threads) {
  if (kind == ReadEngineKind::kUring) {
    Result<std::unique_ptr<ReadEngine>> engine = MakeUringEngine();
    if (engine.ok()) return engine;
  }
  return MakePreadEngine(threads);
}

}  // namespace trims
