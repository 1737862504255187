// CudaStandin: the stand-in for the CUDA driver (tests/standin) as a test sees it, and its settings while one of these
// lives. Thread-safety: none.
#ifndef TRIMS_TESTS_SUPPORT_CUDA_STANDIN_H_
#define TRIMS_TESTS_SUPPORT_CUDA_STANDIN_H_

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace trims::test {

class CudaStandin {
 public:
  CudaStandin() : library_(::dlopen(CUDA_STANDIN, RTLD_NOW | RTLD_LOCAL)) {
    Set("STANDIN_DEVICES", "2");
  }
  ~CudaStandin() {
    for (const char* name :
         {"STANDIN_DEVICES", "STANDIN_MEMORY", "STANDIN_FAIL", "STANDIN_FIRST",
          "STANDIN_CANT_SHARE", "STANDIN_CANT_PIN", "STANDIN_CANT_IPC", "STANDIN_NO_PEERS"}) {
      ::unsetenv(name);
    }
  }
  CudaStandin(const CudaStandin&) = delete;
  CudaStandin& operator=(const CudaStandin&) = delete;

  static std::string Path() { return CUDA_STANDIN; }
  static void Set(const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), /*overwrite=*/1);
  }
  // The nth call of this name, from now on; 0: none.
  void Fail(const std::string& call, int nth, int result) const {
    Call<void()>("standin_forget_calls")();
    nth == 0 ? static_cast<void>(::unsetenv("STANDIN_FAIL"))
             : Set("STANDIN_FAIL", call + ":" + std::to_string(nth) + ":" + std::to_string(result));
  }
  // What is held of the driver's.
  int Live() const { return Call<int()>("standin_live")(); }
  // Of all copies so far, what they took from registered memory.
  uint64_t DirectBytes() const { return Call<uint64_t()>("standin_direct_bytes")(); }

 private:
  template <typename Function>
  Function* Call(const char* name) const {
    return reinterpret_cast<Function*>(::dlsym(library_, name));
  }
  void* const library_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_CUDA_STANDIN_H_
