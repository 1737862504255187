#include <fmt/format.h>

#include <algorithm>

#include "tools/trims/humanise.h"
#include "tools/trims/render.h"
#include "tools/trims/table.h"

namespace trims::cli {
namespace {

constexpr size_t kShownFiles = 20;

std::string Join(const std::string& a, const std::string& b) { return a.empty() ? b : a + "," + b; }

std::string Age(const Json& model, int64_t now) {
  const int64_t added = UnixTime(model, "added");
  return added == 0 ? "-" : HumanAge(std::chrono::seconds(now - added));
}

// The kinds of variants in `state`, or of all where it is empty.
std::string Kinds(const Json& model, std::string_view state) {
  std::string kinds;
  for (const Json& variant : List(model, "variants")) {
    if (state.empty() || Text(variant, "state") == state)
      kinds = Join(kinds, Text(variant, "kind"));
  }
  return kinds.empty() ? "-" : kinds;
}

uint64_t Leases(const Json& model) {
  uint64_t leases = 0;
  for (const Json& variant : List(model, "variants")) leases += Number(variant, "leases");
  return leases;
}

std::string Aliases(const Json& model) {
  std::string aliases;
  for (const Json& alias : List(model, "aliases")) {
    if (!alias.is_string()) continue;
    aliases += (aliases.empty() ? "" : ", ") +
               ShortReference(Printable(alias.get_ref<const std::string&>()));
  }
  return aliases;
}

std::string RenderVariants(const Json& model) {
  Table table({{"VARIANT"},
               {"SIZE", Table::Align::kRight},
               {"STATE"},
               {"LEASES", Table::Align::kRight},
               {"BOUND TO"}});
  for (const Json& variant : List(model, "variants")) {
    const std::string key = Text(variant, "key");
    table.AddRow({Text(variant, "kind"), HumanBytes(Number(variant, "bytes")),
                  Text(variant, "state"), std::to_string(Number(variant, "leases")),
                  key.empty() ? "-" : key});
  }
  return table.Render();
}

std::string RenderFiles(const Json& files) {
  Table table({{"FILE"}, {"SIZE", Table::Align::kRight}, {"SHA-256"}});
  const size_t shown = std::min(files.size(), kShownFiles);
  for (size_t i = 0; i < shown; ++i) {
    table.AddRow({Text(files[i], "name"), HumanBytes(Number(files[i], "bytes")),
                  Text(files[i], "sha256").substr(0, 12)});
  }
  std::string text = table.Render();
  if (shown < files.size())
    text += fmt::format("… and {} more: --json lists them\n", files.size() - shown);
  return text;
}

// Who has some of its bytes too, the most of them first.
std::string RenderSharers(const Json& sharers) {
  std::vector<const Json*> by_bytes;
  for (const Json& sharer : sharers) by_bytes.push_back(&sharer);
  std::ranges::stable_sort(by_bytes, std::greater<>(),
                           [](const Json* sharer) { return Number(*sharer, "bytes"); });
  Table table({{"SHARES WITH"}, {"VARIANT"}, {"SIZE", Table::Align::kRight}});
  const size_t shown = std::min(by_bytes.size(), kShownFiles);
  for (size_t i = 0; i < shown; ++i) {
    table.AddRow({ShortReference(Text(*by_bytes[i], "reference")), Text(*by_bytes[i], "kind"),
                  HumanBytes(Number(*by_bytes[i], "bytes"))});
  }
  std::string text = table.Render();
  if (shown < by_bytes.size())
    text += fmt::format("… and {} more: --json lists them\n", by_bytes.size() - shown);
  return text;
}

}  // namespace

std::string RenderList(const Json& list, int64_t now) {
  const Json& models = List(list, "models");
  if (models.empty()) {
    return "No models yet. Add one:\n  trims add NAME model.onnx     (or .safetensors, .gguf, "
           ".params, or "
           "a folder)\n";
  }
  Table table({{"REFERENCE"},
               {"FORMAT"},
               {"SIZE", Table::Align::kRight},
               {"VARIANTS"},
               {"RESIDENT"},
               {"LEASES", Table::Align::kRight},
               {"ADDED"}});
  for (const Json& model : models) {
    table.AddRow({ShortReference(Text(model, "reference")), Text(model, "format"),
                  HumanBytes(Number(model, "source_bytes")), Kinds(model, ""),
                  Kinds(model, "resident"), std::to_string(Leases(model)), Age(model, now)});
  }
  return table.Render();
}

std::string RenderReferences(const Json& list) {
  std::string text;
  for (const Json& model : List(list, "models")) {
    text += ShortReference(Text(model, "reference")) + '\n';
  }
  return text;
}

std::string RenderModel(const Json& model, int64_t now) {
  const Json& files = List(model, "files");
  Fields fields;
  fields.Add("reference", ShortReference(Text(model, "reference")) +
                              (Flag(model, "newest") ? "  (newest)" : ""));
  if (const std::string aliases = Aliases(model); !aliases.empty()) {
    fields.Add("aliases", aliases);
  }
  fields.Add("digest", "sha256:" + Text(model, "digest"));
  fields.Add("format", Text(model, "format"));
  fields.Add("source", Text(model, "source"));
  fields.Add("size",
             HumanBytes(Number(model, "source_bytes")) + " in " + Counted(files.size(), "file"));
  fields.Add("added", Age(model, now));
  if (const std::string kept = Text(model, "keep_alive"); !kept.empty()) {
    fields.Add("keep-alive", kept);
  }
  if (const std::string sandbox = Text(model, "sandbox"); !sandbox.empty()) {
    fields.Add("sandbox", Printable(sandbox));
  }
  std::string text = fields.Render() + '\n' + RenderVariants(model);
  if (!files.empty()) text += '\n' + RenderFiles(files);
  const Json& sharers = List(model, "shared_with");
  if (!sharers.empty()) text += '\n' + RenderSharers(sharers);
  const Json& notes = List(model, "notes");
  if (!notes.empty()) text += "\nnotes\n";
  for (const Json& note : notes) {
    if (note.is_string()) text += "  " + Printable(note.get_ref<const std::string&>()) + '\n';
  }
  return text;
}

std::string RenderRemoved(const Json& removed) {
  std::string text;
  for (const Json& model : List(removed, "removed")) {
    text += "removed " + ShortReference(Text(model, "reference")) + '\n';
  }
  return text.empty() ? "nothing was removed\n" : text;
}

std::string RenderVerified(const Json& verified) {
  Table table({{"REFERENCE"}, {"VARIANT"}, {"STATE"}, {"WHY"}});
  const Json& variants = List(verified, "variants");
  uint64_t bytes = 0;
  size_t intact = 0;
  for (const Json& variant : variants) {
    bytes += Number(variant, "bytes");
    const std::string state = Text(variant, "state");
    if (state == "intact") {
      ++intact;
      continue;
    }
    table.AddRow({ShortReference(Text(variant, "reference")), Text(variant, "kind"), state,
                  Text(Object(variant, "error"), "message")});
  }
  const std::string summary =
      fmt::format("verified {} variants, {}: ", variants.size(), HumanBytes(bytes));
  if (intact == variants.size()) return summary + "all intact\n";
  return summary + std::to_string(intact) + " intact\n\n" + table.Render();
}

}  // namespace trims::cli
