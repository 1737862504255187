// ReadDocument: the text that the daemon sent as a descriptor.
#ifndef TRIMS_CLIENT_DOCUMENT_H_
#define TRIMS_CLIENT_DOCUMENT_H_

#include <cstdint>
#include <string>

#include "trims/status.h"

namespace trims::client {

// Exactly `length` bytes. TOO_LARGE: more than wire::kMaxDocumentBytes; DATA_LOSS: the descriptor
// holds fewer.
Result<std::string> ReadDocument(int fd, uint64_t length);

}  // namespace trims::client

#endif  // TRIMS_CLIENT_DOCUMENT_H_
