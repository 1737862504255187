#include "prepare/tensor_layout.h"

#include <algorithm>
#include <utility>

#include "base/granularity.h"
#include "base/macros.h"
#include "base/mapping.h"

namespace trims {
namespace {

constexpr size_t kCopyBytes = size_t{1} << 20;

}  // namespace

TensorLayout::TensorLayout(OutFile file, PrepareProgress& progress, uint64_t total)
    : out_(std::move(file)), progress_(progress), total_(total), buffer_(kCopyBytes) {}

Status TensorLayout::Begin(const TensorEntry& entry) {
  const uint64_t usual = AlignUp(out_.size(), kTensorAlignment);
  const bool at_block = tensors_.size() < aligned_.size() && aligned_[tensors_.size()];
  const uint64_t begin = at_block ? AlignUp(usual, kShareBlockBytes) : usual;
  wasted_ += begin - usual;
  TRIMS_RETURN_IF_ERROR(out_.PadTo(begin));
  tensors_.push_back({.name = entry.name,
                      .dtype = entry.dtype,
                      .shape = entry.shape,
                      .extent = 0,
                      .offset = out_.size(),
                      .length = entry.length,
                      .type_name = entry.type_name});
  return Status();
}

Status TensorLayout::Append(std::span<const std::byte> bytes) {
  TRIMS_RETURN_IF_ERROR(out_.Append(bytes));
  progress_.Report("write", std::min(out_.size(), total_), total_);
  return Status();
}

Status TensorLayout::AddRange(const TensorEntry& entry, const RandomAccess& file) {
  TRIMS_RETURN_IF_ERROR(Begin(entry));
  return ForEachChunk(file, entry.offset, entry.length, buffer_,
                      [this](auto chunk) { return Append(chunk); });
}

Status TensorLayout::AddTyped(const OnnxTensor& tensor, const RandomAccess& file) {
  TRIMS_RETURN_IF_ERROR(Begin(tensor.entry));
  const uint64_t end = out_.size() + tensor.entry.length;
  TRIMS_RETURN_IF_ERROR(DecodeTyped(file, tensor, [&](std::span<const std::byte> chunk) {
    return Append(chunk.first(std::min<size_t>(chunk.size(), end - out_.size())));
  }));
  return out_.PadTo(end);
}

Status TensorLayout::AddFile(const std::string& name, std::string_view bytes) {
  TRIMS_RETURN_IF_ERROR(out_.PadTo(AlignUp(out_.size(), kPageSize)));
  files_.push_back(
      {.name = name, .extent = 0, .offset = out_.size(), .length = bytes.size(), .alone = false});
  return Append(std::as_bytes(std::span(bytes)));
}

Result<TensorLayout::Laid> TensorLayout::Finish() && {
  const uint64_t pages = AlignUp(std::max<uint64_t>(out_.size(), 1), kPageSize);
  TRIMS_RETURN_IF_ERROR(out_.PadTo(pages));
  TRIMS_ASSIGN_OR_RETURN(Written written, std::move(out_).Finish());
  return Laid{std::move(written), std::move(tensors_), std::move(files_)};
}

}  // namespace trims
