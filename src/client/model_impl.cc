#include "client/model_impl.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "trims/dtype.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "wire/protocol.h"
#include "wire/range_layout.h"

namespace trims {
namespace {

Status Nonsense(const std::string& what) {
  return Status(StatusCode::kInternal, "trimsd answered with " + what,
                "libtrims and trimsd of one release");
}

// So that no look at the pages can meet SIGBUS.
Status CheckHolds(int fd, uint64_t length) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus("looking at a descriptor of trimsd's");
  if (!S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) < length)
    return Nonsense("a descriptor of fewer bytes than it said");
  return Status();
}

OpenInfo InfoOf(const wire::OpenAnswer& answer) {
  return {.reference = std::string(answer.reference),
          .digest = std::string(answer.digest),
          .variant = answer.variant,
          .variant_key = std::string(answer.variant_key),
          .pages = answer.extents.empty() ? Pages::kSmall : answer.extents.front().pages,
          .hit = answer.hit,
          .waited = std::chrono::microseconds(answer.waited_us)};
}

Status Lying(std::string_view name) {
  return Status(StatusCode::kDataLoss,
                "the index places '" + std::string(name) + "' where it can't be",
                "trims rm and trims add");
}

// UINT64_MAX where the product does not fit.
uint64_t BytesOf(DType dtype, std::span<const uint64_t> shape) {
  uint64_t bytes = DTypeSize(dtype);
  for (uint64_t extent : shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return UINT64_MAX;
  }
  return bytes;
}

}  // namespace

Result<std::unique_ptr<Model::Impl>> Model::Impl::Make(
    const wire::OpenAnswer& answer, std::vector<UniqueFd> fds,
    std::shared_ptr<client::Connection> connection) {
  std::unique_ptr<Impl> impl(new Impl(std::move(connection), answer.lease));
  if (fds.size() != answer.extents.size() + 1) {
    return Nonsense(std::to_string(fds.size()) + " descriptors for " +
                    std::to_string(answer.extents.size()) + " extents");
  }
  UniqueFd index_fd = std::move(fds.front());
  fds.erase(fds.begin());
  impl->extents = std::move(fds);
  TRIMS_RETURN_IF_ERROR(impl->MapIndex(std::move(index_fd), answer.index_length));
  TRIMS_RETURN_IF_ERROR(impl->MapExtents(answer.extents));
  impl->info = InfoOf(answer);
  return impl;
}

// The mappings go by themselves after this, while the lease may end already: pages that are mapped
// stay.
Model::Impl::~Impl() { connection_->CloseLease(lease_); }

Status Model::Impl::MapIndex(UniqueFd fd, uint64_t length) {
  if (length > wire::kMaxIndexBytes) return Nonsense("an index larger than any");
  TRIMS_RETURN_IF_ERROR(CheckHolds(fd.get(), length));
  TRIMS_ASSIGN_OR_RETURN(index_bytes, Mapping::OfFile(fd.get(), length, PROT_READ));
  index = wire::IndexReader(std::span<const std::byte>(index_bytes.data(), length));
  return Status();
}

Status Model::Impl::MapExtents(std::span<const wire::ExtentInfo> infos) {
  wire::RangeLayout layout;
  std::vector<uint64_t> offsets;
  offsets.reserve(infos.size());
  extent_lengths.reserve(infos.size());
  for (const wire::ExtentInfo& info : infos) {
    Result<uint64_t> offset = layout.Append(info.length);
    if (!offset.ok()) return Nonsense("an extent that can't be");
    offsets.push_back(*offset);
    extent_lengths.push_back(info.length);
  }
  if (infos.empty()) return Status();
  // Whole huge pages: the kernel maps a hugetlb extent to the end of its last one.
  TRIMS_ASSIGN_OR_RETURN(range,
                         Mapping::Reserve(AlignUp(layout.length(), kHugePageSize), kHugePageSize));
  range_length = layout.length();
  for (size_t i = 0; i < infos.size(); ++i) {
    TRIMS_RETURN_IF_ERROR(CheckHolds(extents[i].get(), infos[i].length));
    TRIMS_RETURN_IF_ERROR(range.MapInto(offsets[i], infos[i].length, extents[i].get(), PROT_READ));
  }
  return Status();
}

Result<std::span<const std::byte>> Model::Impl::Slice(uint64_t offset, uint64_t length) const {
  if (length == 0) return std::span<const std::byte>();
  uint64_t start = 0;
  for (uint64_t extent : extent_lengths) {
    const bool inside = offset >= start && length <= extent && offset - start <= extent - length;
    if (inside) return std::span<const std::byte>(range.data() + offset, length);
    start = AlignUp(start + extent, kHugePageSize);
  }
  return Status(StatusCode::kDataLoss, "outside");
}

Result<TensorView> Model::Impl::View(const index::Tensor& tensor) const {
  TensorView view;
  view.name = tensor.name()->string_view();
  view.dtype = static_cast<DType>(tensor.dtype());
  if (const auto* shape = tensor.shape())
    view.shape = std::span<const uint64_t>(shape->data(), shape->size());
  Result<std::span<const std::byte>> bytes = Slice(tensor.offset(), tensor.length());
  if (!bytes.ok() || DTypeSize(view.dtype) == 0 ||
      BytesOf(view.dtype, view.shape) != tensor.length()) {
    return Lying(view.name);
  }
  view.bytes = *bytes;
  return view;
}

Result<FileView> Model::Impl::View(const index::File& file) const {
  FileView view;
  view.name = file.name()->string_view();
  Result<std::span<const std::byte>> bytes = Slice(file.offset(), file.length());
  const bool alone = file.alone() && file.length() > 0;
  if (!bytes.ok() || (alone && (file.extent() >= extents.size() ||
                                extent_lengths[file.extent()] != file.length()))) {
    return Lying(view.name);
  }
  view.bytes = *bytes;
  if (alone) view.fd = extents[file.extent()].get();
  return view;
}

}  // namespace trims
