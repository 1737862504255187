#include "tools/trims/interrupt.h"

namespace trims::cli {
namespace {

volatile std::sig_atomic_t signal_came = 0;

void OnSignal(int) { signal_came = 1; }

}  // namespace

Interrupt::Interrupt() {
  signal_came = 0;
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  ::sigaction(SIGINT, &action, &before_int_);
  ::sigaction(SIGTERM, &action, &before_term_);
}

Interrupt::~Interrupt() {
  ::sigaction(SIGINT, &before_int_, nullptr);
  ::sigaction(SIGTERM, &before_term_, nullptr);
}

bool Interrupt::came() const { return signal_came != 0; }

}  // namespace trims::cli
