// RunKeeper: the inside of trims-keeper: holds the descriptors of resident segments for the daemon that gave them,
// and for the one that comes after it.
//
//   return RunKeeper(listening, std::chrono::minutes(5));
//
// One daemon at a time: who connects meanwhile waits until that one has hung up. From then on it waits for the next
// one for as long as the last one said, and ends, and with it the memory. It ends at once when the daemon says so, or
// leaves it with nothing. It maps nothing and looks into nothing.
//
// Whoever connects must be this process's user. A descriptor is taken only if it is a memfd with all seals, and only
// as many as keeper_protocol.h says. A daemon that says what can't be understood is hung up on, and what it gave
// before stays. Thread-safety: one thread.
#ifndef TRIMS_KEEPER_KEEPER_SERVER_H_
#define TRIMS_KEEPER_KEEPER_SERVER_H_

#include <chrono>

#include "trims/status.h"

namespace trims {

// `listening` is borrowed. `patience` is how long it waits for the first daemon, and for a connection's first
// message.
Status RunKeeper(int listening, std::chrono::milliseconds patience);

}  // namespace trims

#endif  // TRIMS_KEEPER_KEEPER_SERVER_H_
