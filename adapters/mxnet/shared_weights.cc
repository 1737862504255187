#include "adapters/mxnet/shared_weights.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string_view>

namespace trims::mxnet {
namespace {

constexpr char kReorder[] = "_ZNK5mxnet7NDArray22MKLDNNDataReorderAsyncERKN4dnnl6memory4descE";
constexpr char kGetData[] = "MXNDArrayGetData";

using Reorder = void (*)(const void* array, const void* layout);
using GetData = int (*)(void* array, void** data);

struct Redirection {
  std::mutex mutex;
  std::shared_mutex ranges_mutex;
  std::map<uintptr_t, uintptr_t> ranges;  // from begin to end
  // Set before the entry leads here, and not changed then.
  Reorder original = nullptr;
  GetData get_data = nullptr;
};

Redirection& Here() {
  static auto* redirection = new Redirection;  // MXNet's threads outlive static objects
  return *redirection;
}

bool IsShared(uintptr_t address) {
  Redirection& here = Here();
  const std::shared_lock lock(here.ranges_mutex);
  auto after = here.ranges.upper_bound(address);
  return after != here.ranges.begin() && address < (--after)->second;
}

void ReorderUnlessShared(const void* array, const void* layout) {
  void* data = nullptr;
  const bool known = Here().get_data(const_cast<void*>(array), &data) == 0;
  if (known && IsShared(reinterpret_cast<uintptr_t>(data))) return;
  Here().original(array, layout);
}

// What a loaded library imports, by its dynamic section.
struct Imports {
  const ElfW(Rela) * relocations = nullptr;
  size_t bytes = 0;
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
};

Imports ImportsOf(const link_map& library) {
  Imports found;
  for (const ElfW(Dyn)* entry = library.l_ld; entry->d_tag != DT_NULL; ++entry) {
    const auto address = entry->d_un.d_ptr;
    if (entry->d_tag == DT_JMPREL) found.relocations = reinterpret_cast<ElfW(Rela)*>(address);
    if (entry->d_tag == DT_PLTRELSZ) found.bytes = entry->d_un.d_val;
    if (entry->d_tag == DT_SYMTAB) found.symbols = reinterpret_cast<ElfW(Sym)*>(address);
    if (entry->d_tag == DT_STRTAB) found.names = reinterpret_cast<const char*>(address);
  }
  return found;
}

// The table's entry of a function; nullptr: it isn't called.
void** EntryOf(const link_map& library, std::string_view function) {
  const Imports imports = ImportsOf(library);
  if (imports.relocations == nullptr || imports.symbols == nullptr || imports.names == nullptr)
    return nullptr;
  for (size_t i = 0; i < imports.bytes / sizeof(ElfW(Rela)); ++i) {
    const ElfW(Rela)& relocation = imports.relocations[i];
    const ElfW(Sym)& symbol = imports.symbols[ELF64_R_SYM(relocation.r_info)];
    if (imports.names + symbol.st_name != function) continue;
    return reinterpret_cast<void**>(library.l_addr + relocation.r_offset);
  }
  return nullptr;
}

Status Lead(void** entry, Reorder where) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(entry) & ~(page - 1);
  if (mprotect(reinterpret_cast<void*>(begin), page, PROT_READ | PROT_WRITE) != 0) {
    return Status(StatusCode::kInternal,
                  std::string("mprotect of libmxnet.so's imports: ") + std::strerror(errno));
  }
  __atomic_store_n(entry, reinterpret_cast<void*>(where), __ATOMIC_RELEASE);
  return Status();
}

Status Unknown(const std::string& library) {
  return Status(StatusCode::kUnimplemented,
                "'" + library + "' is none that TrIMS knows how to share weights with",
                "pip install mxnet==1.9.1");
}

}  // namespace

Status KeepSharedWeights(const std::string& library) {
  Redirection& here = Here();
  const std::lock_guard lock(here.mutex);
  if (here.original != nullptr) return Status();
  void* loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_NOLOAD);  // never closed
  if (loaded == nullptr)
    return Status(StatusCode::kFailedPrecondition, "'" + library + "' isn't loaded",
                  "import mxnet");
  link_map* map = nullptr;
  if (dlinfo(loaded, RTLD_DI_LINKMAP, &map) != 0) return Unknown(library);
  const auto original = reinterpret_cast<Reorder>(dlsym(loaded, kReorder));
  here.get_data = reinterpret_cast<GetData>(dlsym(loaded, kGetData));
  void** entry = EntryOf(*map, kReorder);
  if (original == nullptr || here.get_data == nullptr || entry == nullptr) return Unknown(library);
  here.original = original;
  Status led = Lead(entry, &ReorderUnlessShared);
  if (!led.ok()) here.original = nullptr;
  return led;
}

void AddSharedWeights(uintptr_t begin, size_t length) {
  Redirection& here = Here();
  const std::unique_lock lock(here.ranges_mutex);
  uintptr_t& end = here.ranges[begin];
  if (end < begin + length) end = begin + length;
}

}  // namespace trims::mxnet
