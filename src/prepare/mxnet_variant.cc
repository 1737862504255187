#include "prepare/mxnet_variant.h"

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "base/shown_name.h"
#include "format/mxnet_params.h"
#include "format/mxnet_symbol.h"
#include "prepare/finish_variant.h"
#include "prepare/tensor_layout.h"
#include "prepare/tensors_variant.h"

namespace trims {
namespace {

constexpr char kMxnetExtent[] = "tensors.extent";
constexpr uint64_t kMaxSymbolBytes = uint64_t{64} << 20;

// What a reader says, with the file that it says it of.
Status InFile(const std::string& name, const Status& why) {
  const bool cut = why.code() == StatusCode::kDataLoss;
  return Status(why.code(), "'" + ShownName(name) + "': " + why.message(),
                cut ? "get the file again" : "keep it as it is: trims add … --variant files");
}

Result<std::string> ReadSymbol(const FileTree& source, const std::string& name) {
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source.Open(name));
  if (bytes->size() > kMaxSymbolBytes) {
    return InFile(name, Status(StatusCode::kTooLarge,
                               "a symbol of " + std::to_string(bytes->size()) +
                                   " bytes: expected at most " + std::to_string(kMaxSymbolBytes)));
  }
  std::string text(static_cast<size_t>(bytes->size()), '\0');
  if (!text.empty()) {
    TRIMS_RETURN_IF_ERROR(bytes->ReadAt(0, std::as_writable_bytes(std::span(text))));
  }
  const Result<MxnetSymbol> symbol = ReadMxnetSymbol(text);
  if (!symbol.ok()) return InFile(name, symbol.status());
  return text;
}

class MxnetCheckpoint {
 public:
  MxnetCheckpoint(const PrepareContext& context, const MxnetChoice& choice)
      : context_(context), name_(context.source.files()[*choice.params].name) {
    if (choice.symbol) symbol_name_ = context.source.files()[*choice.symbol].name;
  }

  Status Read(std::vector<std::string>* notes) {
    TRIMS_ASSIGN_OR_RETURN(file_, context_.source.Open(name_));
    Result<MxnetParams> params = ReadMxnetParams(*file_);
    if (!params.ok()) return InFile(name_, params.status());
    params_ = *std::move(params);
    NoteLeftOut(params_.left_out, notes);
    if (params_.tensors.empty()) {
      return Status(StatusCode::kFailedPrecondition,
                    "'" + ShownName(name_) + "' has no arrays to share");
    }
    if (symbol_name_) {
      TRIMS_ASSIGN_OR_RETURN(symbol_, ReadSymbol(context_.source, *symbol_name_));
      return Status();
    }
    notes->push_back("no symbol beside '" + ShownName(name_) + "' (expected '" +
                     ShownName(MxnetSymbolName(ParseMxnetName(name_))) + "'): tensors only");
    return Status();
  }

  Result<ManifestVariant> Lay() {
    TRIMS_ASSIGN_OR_RETURN(OutFile out, context_.out.Create(kMxnetExtent));
    TensorLayout layout(std::move(out), context_.progress, Total());
    for (const TensorEntry& entry : params_.tensors)
      TRIMS_RETURN_IF_ERROR(layout.AddRange(entry, *file_));
    if (symbol_name_) TRIMS_RETURN_IF_ERROR(layout.AddFile(*symbol_name_, symbol_));
    TRIMS_ASSIGN_OR_RETURN(TensorLayout::Laid laid, std::move(layout).Finish());
    return FinishVariant(context_.out, Variant::kTensors, "", {WholeFileExtent(laid.file)},
                         {.extent_lengths = {},
                          .tensors = std::move(laid.tensors),
                          .files = std::move(laid.files),
                          .metadata = Metadata()});
  }

 private:
  uint64_t Total() const {
    uint64_t total = symbol_.size();
    for (const TensorEntry& entry : params_.tensors)
      total += AlignUp(entry.length, kTensorAlignment);
    return total;
  }

  std::map<std::string, std::string> Metadata() const {
    std::map<std::string, std::string> metadata{{"format", "mxnet"}};
    const MxnetName parsed = ParseMxnetName(name_);
    if (parsed.epoch) metadata["mxnet.epoch"] = std::to_string(*parsed.epoch);
    if (symbol_name_) metadata["mxnet.symbol"] = *symbol_name_;
    return metadata;
  }

  const PrepareContext& context_;
  std::string name_;
  std::optional<std::string> symbol_name_;
  std::unique_ptr<RandomAccess> file_;
  MxnetParams params_;
  std::string symbol_;
};

}  // namespace

Result<ManifestVariant> MakeTensorsFromMxnet(const PrepareContext& context,
                                             const MxnetChoice& choice,
                                             std::vector<std::string>* notes) {
  MxnetCheckpoint checkpoint(context, choice);
  TRIMS_RETURN_IF_ERROR(checkpoint.Read(notes));
  return checkpoint.Lay();
}

}  // namespace trims
