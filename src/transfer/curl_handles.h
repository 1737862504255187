// Owners of libcurl's handles. Thread-safety: one thread at a time, but for CurlMulti::Wake().
#ifndef TRIMS_TRANSFER_CURL_HANDLES_H_
#define TRIMS_TRANSFER_CURL_HANDLES_H_

#include <curl/curl.h>

#include <memory>
#include <string>

#include "trims/status.h"

namespace trims {

struct CurlListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListFree>;

class CurlEasy {
 public:
  // RESOURCE_EXHAUSTED.
  static Result<CurlEasy> Make();

  CURL* get() const { return handle_.get(); }
  // An option that this build of libcurl knows and that can't fail but for memory.
  template <typename Value>
  void Set(CURLoption option, Value value) {
    curl_easy_setopt(handle_.get(), option, value);
  }
  template <typename Value>
  Value Get(CURLINFO info) const {
    Value value{};
    curl_easy_getinfo(handle_.get(), info, &value);
    return value;
  }

 private:
  explicit CurlEasy(CURL* handle) : handle_(handle) {}
  struct Free {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  std::unique_ptr<CURL, Free> handle_;
};

class CurlMulti {
 public:
  static Result<CurlMulti> Make();
  CURLM* get() const { return handle_.get(); }
  // Ends curl_multi_poll(), from any thread.
  void Wake() { curl_multi_wakeup(handle_.get()); }

 private:
  explicit CurlMulti(CURLM* handle) : handle_(handle) {}
  struct Free {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  std::unique_ptr<CURLM, Free> handle_;
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_CURL_HANDLES_H_
