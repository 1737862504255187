#include "admin/pages.h"

#include <algorithm>
#include <array>
#include <string>

#include "admin/page_texts.h"  // made by CMake from pages/

namespace trims::admin {
namespace {

struct Page {
  std::string_view path;
  std::string_view content_type;
  std::string_view text;
  bool open;
};

constexpr std::array<Page, 5> kPages = {{
    {"/", "text/html; charset=utf-8", kDashboardHtml, true},
    {"/dashboard.css", "text/css; charset=utf-8", kDashboardCss, true},
    {"/dashboard.js", "text/javascript; charset=utf-8", kDashboardJs, true},
    {"/icon.svg", "image/svg+xml", kIconSvg, true},
    {"/v1/openapi.json", "application/json", kOpenApiJson, false},
}};

const Page* Find(std::string_view path) {
  const auto* found =
      std::ranges::find_if(kPages, [&](const Page& page) { return page.path == path; });
  return found == kPages.end() ? nullptr : found;
}

}  // namespace

std::optional<HttpResponse> PageAt(std::string_view path) {
  const Page* page = Find(path);
  if (page == nullptr) return std::nullopt;
  HttpResponse answer;
  answer.content_type = std::string(page->content_type);
  answer.body = std::string(page->text);
  return answer;
}

bool IsOpenPage(std::string_view path) {
  const Page* page = Find(path);
  return path == "/healthz" || (page != nullptr && page->open);
}

}  // namespace trims::admin
