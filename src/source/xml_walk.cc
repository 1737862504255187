#include "source/xml_walk.h"

#include <expat.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <utility>

namespace trims {
namespace {

constexpr size_t kMaxXmlDepth = 16;
constexpr size_t kMaxXmlText = 64 * 1024;

Status BadXml(const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "expected XML, came " + what);
}

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

}  // namespace

bool XmlPath::Is(std::initializer_list<std::string_view> names) const {
  return std::equal(names_.begin(), names_.end(), names.begin(), names.end());
}

// What expat calls back. After the first error nothing of it does anything.
class XmlWalker {
 public:
  explicit XmlWalker(const XmlVisit& visit) : visit_(visit), parser_(XML_ParserCreate("UTF-8")) {}

  Status Walk(std::string_view xml) {
    if (parser_ == nullptr) return Status(StatusCode::kResourceExhausted, "no memory to read XML");
    if (xml.size() > INT_MAX) return BadXml("too much of it");
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), OnStart, OnEnd);
    XML_SetCharacterDataHandler(parser_.get(), OnText);
    XML_SetStartDoctypeDeclHandler(parser_.get(), OnDoctype);
    const XML_Status parsed =
        XML_Parse(parser_.get(), xml.data(), static_cast<int>(xml.size()), /*isFinal=*/XML_TRUE);
    if (!status_.ok()) return status_;
    if (parsed == XML_STATUS_OK) return Status();
    return BadXml(XML_ErrorString(XML_GetErrorCode(parser_.get())));
  }

 private:
  static XmlWalker* Of(void* data) { return static_cast<XmlWalker*>(data); }
  static void OnStart(void* data, const XML_Char* name, const XML_Char**) { Of(data)->Start(name); }
  static void OnEnd(void* data, const XML_Char*) { Of(data)->End(); }
  static void OnText(void* data, const XML_Char* text, int length) {
    Of(data)->Text({text, static_cast<size_t>(length)});
  }
  static void OnDoctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    Of(data)->Fail(BadXml("a document type"));
  }

  void Start(std::string_view name) {
    if (!status_.ok()) return;
    if (texts_.size() == kMaxXmlDepth) return Fail(BadXml("elements too deep in one another"));
    path_.names_.emplace_back(name);
    texts_.emplace_back();
  }

  void Text(std::string_view text) {
    if (!status_.ok() || texts_.empty()) return;
    if (text.size() > kMaxXmlText - texts_.back().size()) return Fail(BadXml("an overlong text"));
    texts_.back() += text;
  }

  void End() {
    if (!status_.ok()) return;
    Status visited = visit_(path_, texts_.back());
    path_.names_.pop_back();
    texts_.pop_back();
    if (!visited.ok()) Fail(std::move(visited));
  }

  void Fail(Status status) {
    status_ = std::move(status);
    XML_StopParser(parser_.get(), /*resumable=*/XML_FALSE);
  }

  const XmlVisit& visit_;
  std::unique_ptr<XML_ParserStruct, FreeParser> parser_;
  XmlPath path_;
  std::vector<std::string> texts_;
  Status status_;
};

Status WalkXml(std::string_view xml, const XmlVisit& visit) { return XmlWalker(visit).Walk(xml); }

}  // namespace trims
