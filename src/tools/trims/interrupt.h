// Interrupt: SIGINT and SIGTERM as a flag, so that what a command has begun is ended well.
//
//   const Interrupt interrupt;
//   while (!interrupt.came()) …
//
// While one lives the signals do nothing else; then they do what they did before. One at a time. Thread-safety: came(), from any.
#ifndef TRIMS_TOOLS_TRIMS_INTERRUPT_H_
#define TRIMS_TOOLS_TRIMS_INTERRUPT_H_

#include <csignal>

namespace trims::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool came() const;

 private:
  struct sigaction before_int_ = {};
  struct sigaction before_term_ = {};
};

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_INTERRUPT_H_
