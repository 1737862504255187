// What a daemon may answer.
#include <cstdint>
#include <cstdlib>

#include "wire/answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using trims::wire::Answer;
  using trims::wire::OpenAnswer;
  Answer answer;
  if (!trims::wire::DecodeAnswer(std::as_bytes(std::span(data, size)), &answer).ok()) return 0;
  const auto* open = std::get_if<OpenAnswer>(&answer.body);
  if (open == nullptr) return 0;
  trims::wire::AnswerEncoder encoder;
  Answer again;
  if (!trims::wire::DecodeAnswer(encoder.Open(answer.id, *open), &again).ok()) std::abort();
  if (again.extents != answer.extents) std::abort();
  return 0;
}
