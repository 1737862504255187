#include "trims/model.h"

#include <functional>
#include <string>

#include "base/macros.h"
#include "base/near_names.h"
#include "client/model_impl.h"

namespace trims {
namespace {

constexpr size_t kMaxSuggestions = 3;

const OpenInfo& EmptyInfo() {
  static const OpenInfo& info = *new OpenInfo;  // never destroyed: models may outlive main
  return info;
}

Status Closed() { return Status(StatusCode::kFailedPrecondition, "the model is closed"); }

// What a member of IndexReader answers, or why there is none to ask.
template <typename Impl, typename Answer, typename... Of>
Answer InIndex(const Impl& impl, Answer (wire::IndexReader::*look_up)(Of...) const, Of... of) {
  TRIMS_ASSIGN_OR_RETURN(const wire::IndexReader* index, impl.Index());
  return (index->*look_up)(of...);
}

Status NoSuch(const std::string& kind, std::string_view name, size_t count,
              const std::function<std::string_view(size_t)>& name_at) {
  return Status(StatusCode::kNotFound, "no " + kind + " '" + std::string(name) + "' in this model",
                Alternatives(NearNames(name, count, name_at, kMaxSuggestions)));
}

}  // namespace

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const OpenInfo& Model::info() const { return impl_ ? impl_->info : EmptyInfo(); }

std::span<const std::byte> Model::bytes() const {
  if (!impl_) return {};
  return {impl_->base, impl_->range_length};
}

size_t Model::tensor_count() const {
  if (!impl_) return 0;
  const Result<size_t> count = InIndex(*impl_, &wire::IndexReader::TensorCount);
  return count.ok() ? *count : 0;
}

TensorView Model::tensor(size_t i) const {
  if (!impl_) return {};
  const Result<const index::Tensor*> tensor = InIndex(*impl_, &wire::IndexReader::Tensor, i);
  if (!tensor.ok() || *tensor == nullptr) return {};
  Result<TensorView> view = impl_->View(**tensor);
  return view.ok() ? *view : TensorView();
}

Result<TensorView> Model::Tensor(std::string_view name) const {
  if (!impl_) return Closed();
  TRIMS_ASSIGN_OR_RETURN(const index::Tensor* tensor,
                         InIndex(*impl_, &wire::IndexReader::FindTensor, name));
  if (tensor != nullptr) return impl_->View(*tensor);
  return NoSuch("tensor", name, tensor_count(), [this](size_t i) { return this->tensor(i).name; });
}

size_t Model::file_count() const {
  if (!impl_) return 0;
  const Result<size_t> count = InIndex(*impl_, &wire::IndexReader::FileCount);
  return count.ok() ? *count : 0;
}

FileView Model::file(size_t i) const {
  if (!impl_) return {};
  const Result<const index::File*> file = InIndex(*impl_, &wire::IndexReader::File, i);
  if (!file.ok() || *file == nullptr) return {};
  Result<FileView> view = impl_->View(**file);
  return view.ok() ? *view : FileView();
}

Result<FileView> Model::File(std::string_view name) const {
  if (!impl_) return Closed();
  TRIMS_ASSIGN_OR_RETURN(const index::File* file,
                         InIndex(*impl_, &wire::IndexReader::FindFile, name));
  if (file != nullptr) return impl_->View(*file);
  return NoSuch("file", name, file_count(), [this](size_t i) { return this->file(i).name; });
}

std::string_view Model::Metadata(std::string_view key) const {
  if (!impl_) return {};
  const Result<const index::Metadata*> entry =
      InIndex(*impl_, &wire::IndexReader::FindMetadata, key);
  if (!entry.ok() || *entry == nullptr || (*entry)->value() == nullptr) return {};
  return (*entry)->value()->string_view();
}

size_t Model::extent_count() const { return impl_ ? impl_->extents.size() : 0; }

int Model::extent_fd(size_t i) const {
  return i < extent_count() ? impl_->extents[i].fd.get() : -1;
}

void Model::Close() { impl_.reset(); }

}  // namespace trims
