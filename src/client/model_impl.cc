#include "client/model_impl.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "trims/dtype.h"

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/model_limits.h"
#include "client/open_trace.h"
#include "wire/alignment.h"
#include "wire/protocol.h"
#include "wire/range_layout.h"
#include "wire/tensor_type.h"

namespace trims {
namespace {

Status Nonsense(const std::string& what) {
  return Status(StatusCode::kInternal, "trimsd answered with " + what,
                "libtrims and trimsd of one release");
}

constexpr bool SameValue(index::DType in_index, DType dtype) {
  return static_cast<DType>(in_index) == dtype;
}
static_assert(SameValue(index::DType::Unknown, DType::kUnknown));
static_assert(SameValue(index::DType::F32, DType::kF32));
static_assert(SameValue(index::DType::F64, DType::kF64));
static_assert(SameValue(index::DType::F16, DType::kF16));
static_assert(SameValue(index::DType::BF16, DType::kBF16));
static_assert(SameValue(index::DType::I8, DType::kI8));
static_assert(SameValue(index::DType::U8, DType::kU8));
static_assert(SameValue(index::DType::I16, DType::kI16));
static_assert(SameValue(index::DType::U16, DType::kU16));
static_assert(SameValue(index::DType::I32, DType::kI32));
static_assert(SameValue(index::DType::U32, DType::kU32));
static_assert(SameValue(index::DType::I64, DType::kI64));
static_assert(SameValue(index::DType::U64, DType::kU64));
static_assert(SameValue(index::DType::Bool, DType::kBool));
static_assert(SameValue(index::DType::F8E4M3, DType::kF8E4M3));
static_assert(SameValue(index::DType::F8E5M2, DType::kF8E5M2));
static_assert(SameValue(index::DType::C64, DType::kC64));
static_assert(SameValue(index::DType::C128, DType::kC128));
static_assert(SameValue(index::DType::F4, DType::kF4));
static_assert(SameValue(index::DType::F6E2M3, DType::kF6E2M3));
static_assert(SameValue(index::DType::F6E3M2, DType::kF6E3M2));
static_assert(SameValue(index::DType::F8E8M0, DType::kF8E8M0));
static_assert(SameValue(index::DType::F8E4M3FNUZ, DType::kF8E4M3FNUZ));
static_assert(SameValue(index::DType::F8E5M2FNUZ, DType::kF8E5M2FNUZ));
static_assert(SameValue(index::DType::U4, DType::kU4));
static_assert(SameValue(index::DType::I4, DType::kI4));
static_assert(SameValue(index::DType::U2, DType::kU2));
static_assert(SameValue(index::DType::I2, DType::kI2));
static_assert(index::DType::MAX == index::DType::I2);

// All extents of a segment lie in the same kind of memory.
Status CheckKinds(std::span<const wire::ExtentInfo> infos) {
  for (const wire::ExtentInfo& info : infos) {
    if (info.kind > HandleKind::kCudaIpc) {
      return Status(StatusCode::kUnimplemented,
                    "trimsd hands out a kind of memory (" +
                        std::to_string(static_cast<int>(info.kind)) +
                        ") that this libtrims can't map",
                    "a libtrims as new as trimsd, or the tier 'host'");
    }
    if (info.kind != infos.front().kind) return Nonsense("extents of two kinds of memory");
  }
  return Status();
}

// Of host memory: so that no look at the pages can meet SIGBUS.
Result<uint64_t> SizeHolding(int fd, uint64_t length) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus("looking at a descriptor of trimsd's");
  if (!S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) < length)
    return Nonsense("a descriptor of fewer bytes than it said");
  return static_cast<uint64_t>(info.st_size);
}

// Each run lies in the descriptor that it is of, and that in memory that it holds. Of a device's it is all of it: nothing less can be
// mapped there.
Status CheckRunsOf(const wire::OpenReply& reply, std::span<const UniqueFd> fds) {
  for (size_t i = 0; i < reply.extents.size(); ++i) {
    if (reply.extents[i].kind == HandleKind::kCudaDevice) continue;
    if (reply.extents[i].kind == HandleKind::kCudaIpc) return Nonsense("runs of CUDA IPC memory");
    TRIMS_RETURN_IF_ERROR(SizeHolding(fds[i].get(), reply.extents[i].length).status());
  }
  for (const wire::RunInfo& run : reply.runs) {
    if (run.extent >= reply.extents.size()) return Nonsense("a run of no extent");
    const wire::ExtentInfo& extent = reply.extents[run.extent];
    const uint64_t length = extent.length;
    const bool lies = run.length > 0 && run.offset <= length && run.length <= length - run.offset;
    if (!lies || run.offset % kPageSize != 0) return Nonsense("a run beyond its extent");
    if (extent.kind != HandleKind::kHostMemory && run.length != length)
      return Nonsense("a run of a part of a device's allocation");
  }
  return Status();
}

// A run of a device's memory begins where an allocation can be mapped.
Status CheckPlace(const wire::RunInfo& run, HandleKind kind, uint64_t at, uint64_t left) {
  const uint64_t multiple = kind == HandleKind::kHostMemory ? kPageSize : kHugePageSize;
  if (run.length > left || at % multiple != 0) return Nonsense("a run that lies nowhere");
  return Status();
}

// For whoever reads the bytes it is the same, however the memory was shared.
HandleKind MemoryOf(const wire::OpenReply& reply) {
  if (reply.extents.empty()) return HandleKind::kHostMemory;
  const HandleKind kind = reply.extents.front().kind;
  return kind == HandleKind::kCudaIpc ? HandleKind::kCudaDevice : kind;
}

OpenInfo InfoOf(const wire::OpenReply& reply) {
  return {.reference = std::string(reply.reference),
          .digest = std::string(reply.digest),
          .variant = reply.variant,
          .variant_key = std::string(reply.variant_key),
          .tier = std::string(reply.tier),
          .device = std::string(reply.device),
          .memory = MemoryOf(reply),
          .pages = reply.extents.empty() ? Pages::kSmall : reply.extents.front().pages,
          .hit = reply.hit,
          .waited = std::chrono::microseconds(reply.waited_us)};
}

Status Lying(std::string_view name) {
  return Status(StatusCode::kDataLoss,
                "the index places '" + std::string(name) + "' where it can't be",
                "trims rm and trims add");
}

}  // namespace

Result<std::unique_ptr<Model::Impl>> Model::Impl::Make(
    const wire::OpenReply& reply, std::vector<UniqueFd> fds,
    std::shared_ptr<client::Connection> connection) {
  std::unique_ptr<Impl> impl(new Impl(std::move(connection), reply.lease));
  if (fds.size() != reply.extents.size() + 1) {
    return Nonsense(std::to_string(fds.size()) + " descriptors for " +
                    std::to_string(reply.extents.size()) + " extents");
  }
  if (reply.index_length > kMaxIndexBytes) return Nonsense("an index larger than any");
  impl->index_fd_ = std::move(fds.front());
  impl->index_length_ = reply.index_length;
  TRIMS_RETURN_IF_ERROR(impl->MapExtents(reply, std::span(fds).subspan(1)));
  impl->info = InfoOf(reply);
  if (impl->device_range_ != nullptr) impl->info.device_ordinal = impl->device_range_->ordinal();
  return impl;
}

// What is mapped goes before the lease, so that the daemon finds the memory free.
Model::Impl::~Impl() {
  client::Tracer* const tracer = client::Tracer::OfProcess();
  const TimePoint begin = tracer == nullptr ? TimePoint() : SteadyClock().Now();
  index_bytes_ = Mapping();
  index_fd_ = UniqueFd();
  device_range_.reset();
  range_ = Mapping();
  extents.clear();
  connection_->CloseLease(lease_);
  if (tracer != nullptr) {
    client::RecordSince(tracer, "close", begin, {{"model", JsonString(info.reference)}});
  }
}

Result<const wire::IndexReader*> Model::Impl::Index() const {
  std::call_once(index_once_, [this] { index_status_ = MapIndex(); });
  TRIMS_RETURN_IF_ERROR(index_status_);
  return &index_;
}

Status Model::Impl::MapIndex() const {
  const UniqueFd fd = std::move(index_fd_);
  if (!SizeHolding(fd.get(), index_length_).ok())
    return Status(StatusCode::kDataLoss, "the index is shorter than trimsd said",
                  "libtrims and trimsd of one release");
  TRIMS_ASSIGN_OR_RETURN(index_bytes_, Mapping::OfFile(fd.get(), index_length_, PROT_READ));
  index_ = wire::IndexReader(index_bytes_.bytes());
  return Status();
}

Status Model::Impl::MapExtents(const wire::OpenReply& reply, std::span<UniqueFd> fds) {
  TRIMS_RETURN_IF_ERROR(CheckKinds(reply.extents));
  if (!reply.runs.empty()) return MapRuns(reply, fds);
  TRIMS_RETURN_IF_ERROR(TakeExtents(reply.extents, fds));
  if (extents.empty()) return Status();
  if (MemoryOf(reply) == HandleKind::kCudaDevice) {
    std::vector<DeviceRange::Extent> to_map;
    for (const Extent& extent : extents) {
      to_map.push_back({.fd = extent.fd.get(), .offset = extent.offset, .length = extent.length});
    }
    return MapOnDevice(reply.extents.front().kind, std::string(reply.device_uuid), to_map);
  }
  for (Extent& extent : extents) TRIMS_RETURN_IF_ERROR(CheckExtent(&extent));
  return MapRange();
}

Status Model::Impl::TakeExtents(std::span<const wire::ExtentInfo> infos, std::span<UniqueFd> fds) {
  wire::RangeLayout layout;
  extents.reserve(infos.size());
  for (size_t i = 0; i < infos.size(); ++i) {
    const Result<uint64_t> offset = layout.Append(infos[i].length);
    if (!offset.ok()) return Nonsense("an extent that can't be");
    extents.push_back({.fd = std::move(fds[i]), .offset = *offset, .length = infos[i].length});
  }
  range_length = layout.length();
  return Status();
}

// What the range is put together of. The descriptors are of no more use once they are mapped: none holds an extent alone.
Status Model::Impl::MapRuns(const wire::OpenReply& reply, std::span<const UniqueFd> fds) {
  TRIMS_RETURN_IF_ERROR(CheckRunsOf(reply, fds));
  wire::RangeLayout layout;
  for (const uint64_t length : reply.lengths) {
    const Result<uint64_t> offset = layout.Append(length);
    if (!offset.ok()) return Nonsense("an extent that can't be");
    extents.push_back({.fd = {}, .offset = *offset, .length = length});
  }
  range_length = layout.length();
  if (extents.empty()) return Nonsense("runs that make nothing");
  TRIMS_ASSIGN_OR_RETURN(const std::vector<uint64_t> places, PlacesOf(reply));
  if (reply.extents.front().kind == HandleKind::kCudaDevice) {
    std::vector<DeviceRange::Extent> to_map;
    for (size_t i = 0; i < places.size(); ++i) {
      const wire::RunInfo& run = reply.runs[i];
      to_map.push_back({.fd = fds[run.extent].get(), .offset = places[i], .length = run.length});
    }
    return MapOnDevice(HandleKind::kCudaDevice, std::string(reply.device_uuid), to_map);
  }
  TRIMS_ASSIGN_OR_RETURN(range_,
                         Mapping::Reserve(AlignUp(range_length, kHugePageSize), kHugePageSize));
  for (size_t i = 0; i < places.size(); ++i) {
    const wire::RunInfo& run = reply.runs[i];
    TRIMS_RETURN_IF_ERROR(
        range_.MapInto(places[i], run.length, fds[run.extent].get(), PROT_READ, run.offset));
  }
  base = range_.data();
  return Status();
}

// Of each run, in the range. Together they are its extents.
Result<std::vector<uint64_t>> Model::Impl::PlacesOf(const wire::OpenReply& reply) const {
  std::vector<uint64_t> places;
  for (const Extent& extent : extents) {
    for (uint64_t done = 0; done < extent.length;) {
      if (places.size() == reply.runs.size()) return Nonsense("runs that end too early");
      const wire::RunInfo& run = reply.runs[places.size()];
      TRIMS_RETURN_IF_ERROR(
          CheckPlace(run, reply.extents[run.extent].kind, done, extent.length - done));
      places.push_back(extent.offset + done);
      done += run.length;
    }
  }
  if (places.size() != reply.runs.size()) return Nonsense("runs that make nothing");
  return places;
}

Status Model::Impl::MapOnDevice(HandleKind kind, const std::string& device_uuid,
                                std::span<const DeviceRange::Extent> to_map) {
  Result<std::unique_ptr<DeviceRange>> range =
      kind == HandleKind::kCudaIpc ? DeviceRange::OpenIpc(device_uuid, to_map)
                                   : DeviceRange::Map(device_uuid, range_length, to_map);
  if (range.status().code() == StatusCode::kInvalidArgument)
    return Nonsense(range.status().message());
  TRIMS_RETURN_IF_ERROR(range.status());
  device_range_ = *std::move(range);
  base = device_range_->data();
  if (kind != HandleKind::kCudaIpc) return Status();
  // A handle is none of what info().memory says that descriptors are.
  for (Extent& extent : extents) extent.fd = {};
  return Status();
}

Status Model::Impl::CheckExtent(Extent* extent) const {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t size, SizeHolding(extent->fd.get(), extent->length));
  extent->exact = size == extent->length;
  return Status();
}

// Whole huge pages: the kernel maps a hugetlb extent to the end of its last one.
Status Model::Impl::MapRange() {
  if (extents.size() == 1) {
    const int fd = extents.front().fd.get();
    TRIMS_ASSIGN_OR_RETURN(range_,
                           Mapping::OfFileAligned(fd, range_length, kHugePageSize, PROT_READ));
  } else {
    TRIMS_ASSIGN_OR_RETURN(range_,
                           Mapping::Reserve(AlignUp(range_length, kHugePageSize), kHugePageSize));
    for (const Extent& extent : extents) {
      TRIMS_RETURN_IF_ERROR(
          range_.MapInto(extent.offset, extent.length, extent.fd.get(), PROT_READ));
    }
  }
  base = range_.data();
  return Status();
}

Result<std::span<const std::byte>> Model::Impl::Slice(uint64_t offset, uint64_t length) const {
  if (length == 0) return std::span<const std::byte>();
  // The last extent that starts at or before `offset`.
  const auto after = std::ranges::upper_bound(extents, offset, {}, &Extent::offset);
  if (after != extents.begin()) {
    const Extent& extent = *(after - 1);
    if (length <= extent.length && offset - extent.offset <= extent.length - length)
      return std::span<const std::byte>(base + offset, length);
  }
  return Status(StatusCode::kDataLoss, "not in one extent");
}

Result<TensorView> Model::Impl::View(const index::Tensor& tensor) const {
  TensorView view;
  view.name = tensor.name()->string_view();
  view.dtype = static_cast<DType>(tensor.dtype());
  if (!wire::IsAligned(tensor.shape())) return Lying(view.name);
  if (const auto* shape = tensor.shape())
    view.shape = std::span<const uint64_t>(shape->data(), shape->size());
  Result<std::span<const std::byte>> bytes = Slice(tensor.offset(), tensor.length());
  if (!bytes.ok() || !wire::HasType(tensor) || !wire::HasRightLength(tensor))
    return Lying(view.name);
  const bool known = view.dtype != DType::kUnknown;
  view.type_name = known ? DTypeName(view.dtype) : wire::OwnTypeName(tensor);
  view.bytes = *bytes;
  return view;
}

Result<FileView> Model::Impl::View(const index::File& file) const {
  FileView view;
  view.name = file.name()->string_view();
  Result<std::span<const std::byte>> bytes = Slice(file.offset(), file.length());
  if (!bytes.ok()) return Lying(view.name);
  view.bytes = *bytes;
  if (!file.alone() || file.length() == 0) return view;
  if (file.extent() >= extents.size()) return Lying(view.name);
  const Extent& extent = extents[file.extent()];
  if (extent.offset != file.offset() || extent.length != file.length()) return Lying(view.name);
  if (extent.exact) view.fd = extent.fd.get();
  return view;
}

}  // namespace trims
