// The examples of src/format/, src/source/ and src/store/.
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/granularity.h"
#include "base/macros.h"
#include "base/named_rows.h"
#include "base/random_access.h"
#include "format/chunk_digests.h"
#include "format/device_forms.h"
#include "format/image.h"
#include "format/json_node.h"
#include "format/manifest_runs.h"
#include "format/mxnet_params.h"
#include "format/mxnet_symbol.h"
#include "format/onnx.h"
#include "format/protobuf_reader.h"
#include "format/safetensors.h"
#include "format/shared_bytes.h"
#include "loop/event_loop.h"
#include "source/file_bytes.h"
#include "source/file_tree.h"
#include "source/folder_listing.h"
#include "source/hub_cache.h"
#include "source/link_bounds.h"
#include "source/source_tree.h"
#include "source/source_uri.h"
#include "store/budget.h"
#include "store/eviction_order.h"
#include "store/eviction_policy.h"
#include "store/evictor.h"
#include "store/host_memory.h"
#include "store/huge_pages.h"
#include "store/machine_memory.h"
#include "store/memory_keepers.h"
#include "store/memory_pressure.h"
#include "store/memory_watch.h"
#include "store/prepared_store.h"
#include "store/tier_policy.h"
#include "store/use_frequency.h"
#include "store/use_history.h"

namespace trims {
namespace {

Status Walk(FileRange) { return {}; }
void Copy(const RandomAccess&, uint64_t, uint64_t) {}
void Fill(std::byte*) {}
void Use(double) {}
Status NoRoom() { return {}; }

struct PolicyTable {
  void SetPolicy(const TierPolicy&) {}
};

struct Entry {
  Manifest manifest;
  std::vector<ImagePtr> images;
};
void ImageExample(Entry& entry, const std::map<std::string, int>& resident) {
  // example: src/format/image.h
  entry.images = MakeImages(entry.manifest, "default/ocr", "v1");
  const ImagePtr image = entry.images.front();
  resident.find(image->key);
  // end
}

Status JsonNodeExample(std::string_view text, const JsonLimits& limits) {
  // example: src/format/json_node.h
  TRIMS_ASSIGN_OR_RETURN(const nlohmann::json document, ParseJson(text, limits));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode name, JsonNode(document).Member("name"));
  TRIMS_ASSIGN_OR_RETURN(std::string value, name.String(256));
  // end
  return {};
}

Status OnnxExample(const RandomAccess& file) {
  // example: src/format/onnx.h
  TRIMS_ASSIGN_OR_RETURN(const OnnxModel model, ReadOnnx(file));
  for (const OnnxTensor& tensor : model.initializers) {
  }
  // end
  return {};
}

Status ProtobufReaderExample(const RandomAccess& file) {
  // example: src/format/protobuf_reader.h
  ProtobufWindow window(file);
  return ForEachField(window, {0, file.size()}, [&](const ProtobufField& field) {
    return field.number == 7 && field.is_bytes() ? Walk(field.payload) : Status();
  });
  // end
}

Status SafetensorsExample(const RandomAccess& file) {
  // example: src/format/safetensors.h
  TRIMS_ASSIGN_OR_RETURN(const Safetensors model, ReadSafetensors(file));
  for (const TensorEntry& tensor : model.tensors) Copy(file, tensor.offset, tensor.length);
  // end
  return {};
}

Status MxnetParamsExample(const RandomAccess& file) {
  // example: src/format/mxnet_params.h
  TRIMS_ASSIGN_OR_RETURN(const MxnetParams model, ReadMxnetParams(file));
  for (const TensorEntry& tensor : model.tensors) Copy(file, tensor.offset, tensor.length);
  // end
  return {};
}

Result<size_t> MxnetSymbolExample(const std::string& text) {
  // example: src/format/mxnet_symbol.h
  TRIMS_ASSIGN_OR_RETURN(const MxnetSymbol symbol, ReadMxnetSymbol(text));
  // end
  return symbol.nodes;
}

Status FileBytesExample(const std::vector<std::byte>& room, std::span<std::byte> writer,
                        size_t length) {
  // example: src/source/file_bytes.h
  TRIMS_ASSIGN_OR_RETURN(FileBytes file, FileBytes::OpenBeneath("/models", "net/weights.bin"));
  TRIMS_RETURN_IF_ERROR(file.ReadAt(0, {writer.data(), length}));
  // end
  return {};
}

Status FolderListingExample(const LinkBounds& bounds) {
  // example: src/source/folder_listing.h
  TRIMS_ASSIGN_OR_RETURN(const std::vector<ListedFile> files, ListFolder("/models/ocr", bounds));
  // end
  return files.empty() ? Status(StatusCode::kNotFound, "") : Status();
}

Status HubCacheExample() {
  // example: src/source/hub_cache.h
  TRIMS_ASSIGN_OR_RETURN(const std::string path, HubCachePath("hf-cache:org/name@main", getenv));
  // "…/huggingface/hub/models--org--name/snapshots/1f2e…"
  // end
  return path.empty() ? Status(StatusCode::kNotFound, "") : Status();
}

void LinkBoundsExample() {
  // example: src/source/link_bounds.h
  const LinkBounds bounds = LinkBounds::Of("/hub/models--a--b/snapshots/1f", false);
  bounds.Allow("/hub/models--a--b/blobs/77");  // true
  // end
}

Status FileTreeExample() {
  // example: src/source/file_tree.h
  TRIMS_ASSIGN_OR_RETURN(FileTree tree, FileTree::At(SourceUri::OfPath("/models/ocr")));
  TRIMS_RETURN_IF_ERROR(tree.List().status());
  TRIMS_ASSIGN_OR_RETURN(const auto file, tree.Open(tree.files().front().name));
  TRIMS_RETURN_IF_ERROR(tree.CheckUnchanged());
  // end
  return {};
}

Status SourceTreeExample(const Image& image) {
  // example: src/source/source_tree.h
  TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri(image.source));
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<SourceTree> tree, OpenSourceTree(uri));
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> file, tree->Open("net/w.bin"));
  // end
  return {};
}

Status SourceUriExample() {
  // example: src/source/source_uri.h
  TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri("file:///models/my%20net.onnx"));
  uri.path;        // "/models/my net.onnx"
  uri.ToString();  // "file:///models/my%20net.onnx"
  // end
  return {};
}

Status BudgetExample(Budget& budget, uint64_t bytes) {
  // example: src/store/budget.h
  TRIMS_ASSIGN_OR_RETURN(Reservation room, budget.Reserve(bytes));  // given back when it goes
  // end
  return {};
}

Status EvictionPolicyExample(const EvictionCandidate& candidate) {
  // example: src/store/eviction_policy.h
  TRIMS_ASSIGN_OR_RETURN(const EvictionPolicy* policy, FindEvictionPolicy("lru"));
  const double rank = policy->rank(candidate);
  // end
  return {};
}

Result<const EvictionPolicy*> NamedRowsExample(std::string_view typed) {
  // example: src/base/named_rows.h
  const std::string names = NamesOf(EvictionPolicies());  // "worth, never, lru"
  return FindNamed(EvictionPolicies(), typed, "eviction policy");
  // end
}

void EvictionOrderExample(EvictionOrder& order, const EvictionCandidate& candidate,
                          uint64_t needed) {
  // example: src/store/eviction_order.h
  order.Insert(candidate);                                             // its last lease has ended
  order.Erase(candidate.segment);                                      // somebody holds it again
  for (const Victim& victim : order.Choose(needed)) Use(victim.rank);  // nothing is evicted yet
  // end
}

void EvictorExample(Evictor& evictor, const std::string& key, TimePoint now, Duration load_time,
                    EvictionCandidate use, uint64_t needed) {
  // example: src/store/evictor.h
  evictor.Entered(key, now, load_time, &use);  // a segment became resident
  evictor.Opened(&use);                        // for each lease
  evictor.Offer(use);                          // it may go: nobody holds it
  evictor.Withdraw(use.segment);               // it may not any more
  for (const Victim& victim : evictor.Choose(needed)) {
    evictor.Evicted(use, victim.rank);  // it is one of those
    evictor.Left(key, use, /*evicted=*/true);
  }
  // end
}

Status TierPolicyExample(PolicyTable& table) {
  // example: src/store/tier_policy.h
  TRIMS_ASSIGN_OR_RETURN(const EvictionPolicy* gdsf, FindEvictionPolicy("gdsf"));
  table.SetPolicy({.reclaim = Reclaim::kLazy, .eviction = gdsf});
  // end
  return {};
}

void UseFrequencyExample(UseClock& clock, double frequency, size_t known) {
  // example: src/store/use_frequency.h
  clock.Tick(known);
  frequency = AddUse(frequency, clock.now());
  // end
}

Status MemoryWatchExample(EventLoop& loop, ResidentBytes bytes, const std::function<void()>& told) {
  // example: src/store/memory_watch.h
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<MemoryWatch> watch, MemoryWatch::Start(&loop));
  watch->LetGo(std::move(bytes), {.freed = told});  // on a thread that may block
  // end
  return {};
}

void MemoryKeepersExample(const std::vector<MemoryId>& memory) {
  // example: src/store/memory_keepers.h
  for (const MemoryKeeper& keeper : FindMemoryKeepers(memory)) Use(keeper.pid);
  // end
}

Status MemoryPressureExample(EventLoop& loop, const std::string& path,
                             const std::function<void()>& let_something_go) {
  // example: src/store/memory_pressure.h
  TRIMS_ASSIGN_OR_RETURN(const auto pressure,
                         MemoryPressure::Watch(&loop.poller(), path, let_something_go));
  // end
  return {};
}

Status HostMemoryExample(uint64_t bytes) {
  // example: src/store/host_memory.h
  TRIMS_ASSIGN_OR_RETURN(ExtentWriter writer,
                         ExtentWriter::Create("ocr", bytes, HugePagePolicy::kBest));
  Fill(writer.data());
  TRIMS_ASSIGN_OR_RETURN(SealedExtent extent, std::move(writer).Seal());
  // end
  return {};
}

void HugePagesExample(int fd, std::byte* start, uint64_t regions) {
  // example: src/store/huge_pages.h
  HugeMethod method = BackWithHugePages(fd, start, 0, regions, HugeMethod::kCollapse);
  if (method == HugeMethod::kNone) return;  // some of the regions are on 4 KiB pages
  // end
}

Status MachineMemoryExample(uint64_t bytes) {
  // example: src/store/machine_memory.h
  const MachineMemory memory = ReadMachineMemory();
  if (memory.available < bytes) return NoRoom();
  // end
  return {};
}

void PreparedStoreExample(PreparedStore& store, PreparedStore::Incoming incoming,
                          const Manifest& manifest,
                          const std::set<std::string>& folders_that_the_catalog_names) {
  // example: src/store/prepared_store.h
  store.NewIncoming([&](Result<PreparedStore::Incoming> incoming) {});
  store.Publish(std::move(incoming), manifest, [&](Result<PreparedStore::Published> published) {
    store.Retain(folders_that_the_catalog_names);
  });
  // end
}

void UseHistoryExample(UseHistories& histories, const std::string& key, TimePoint now) {
  // example: src/store/use_history.h
  histories.Remember(key, {.opens = 12, .evictions = 1, .last_used = now});  // as it goes
  const UseHistory history = histories.Take(key);                            // as it comes back
  // end
}

void ChunkDigestsExample(std::span<const std::byte> bytes,
                         const std::vector<Sha256::Digest>& digests, ManifestExtent& extent) {
  // example: src/format/chunk_digests.h
  ChunkSums sums;
  sums.Update(bytes);
  extent.xxh3 = sums.Finish();
  extent.sha256 = TreeDigest(digests);
  // end
}

Status ManifestRunsExample(const ManifestVariant& variant) {
  // example: src/format/manifest_runs.h
  TRIMS_RETURN_IF_ERROR(CheckRuns(variant));
  // end
  return {};
}

void SharedBytesExample(const ImagePtr& fine_tune, const ImagePtr& base) {
  // example: src/format/shared_bytes.h
  SharedBytes(fine_tune, base);
  // end
}

void DeviceFormsExample(const std::vector<ImagePtr>& sharing, const ImagePtr& image,
                        const std::function<void(const ImagePtr&)>& Open) {
  // example: src/format/device_forms.h
  DeviceForms forms({.granule = 2 << 20});
  forms.SetSharing(sharing);
  Open(forms.Of(image));
  // end
}

void PlanPiecesExample(const std::vector<ImagePtr>& sharing, const ImagePtr& image,
                       const std::function<void(uint64_t)>& Allocate) {
  // example: src/format/piece_plan.h
  PartCuts cuts;
  for (const ImagePtr& each : sharing) cuts.Add(*each);
  for (const PlannedExtent& extent : PlanPieces(image, cuts, {.granule = 2 << 20}))
    Allocate(extent.front().length);
  // end
}

Status GranularityExample() {
  // example: src/base/granularity.h
  TRIMS_ASSIGN_OR_RETURN(const Granularity granularity, GranularityFromName("block"));
  // end
  Use(static_cast<double>(granularity));
  return {};
}

}  // namespace
}  // namespace trims
