// WalkXml: the elements of a short XML document that a service answered with, each when it ends.
//
//   const Status walked = WalkXml(body, [&](const XmlPath& path, std::string_view text) {
//     if (path.Is({"Error", "Code"})) code = text;
//     return Status();
//   });
//
// Nothing is looked up or replaced: a document type, and so every entity of its own, is refused.
// Thread-safety: a function.
#ifndef TRIMS_SOURCE_XML_WALK_H_
#define TRIMS_SOURCE_XML_WALK_H_

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims {

class XmlPath {
 public:
  bool Is(std::initializer_list<std::string_view> names) const;

 private:
  friend class XmlWalker;
  std::vector<std::string> names_;
};

// `text` is the element's own, without that of those in it.
using XmlVisit = std::function<Status(const XmlPath& path, std::string_view text)>;

// Stops at `visit`'s first error. INVALID_ARGUMENT: no XML, cut off, a document type, more than 16
// elements in one another, or a text of more than 64 KiB.
Status WalkXml(std::string_view xml, const XmlVisit& visit);

}  // namespace trims

#endif  // TRIMS_SOURCE_XML_WALK_H_
