// Secret: a text that nothing prints, such as a key or a token.
//
//   const Secret token("hf_…");
//   std::cerr << token;                                   // (secret)
//   headers.push_back("Authorization: Bearer " + token.Reveal());  // the one way to its text
//
// Its memory is overwritten when it goes. Thread-safety: a value.
#ifndef TRIMS_SOURCE_SECRET_H_
#define TRIMS_SOURCE_SECRET_H_

#include <string.h>

#include <ostream>
#include <string>
#include <utility>

namespace trims {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.Wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    Wipe();
    text_ = std::move(other.text_);
    other.Wipe();
    return *this;
  }
  ~Secret() { Wipe(); }

  bool empty() const { return text_.empty(); }
  const std::string& Reveal() const { return text_; }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) {
    return out << (secret.empty() ? "(none)" : "(secret)");
  }

 private:
  void Wipe() {
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }

  std::string text_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_SECRET_H_
