// PrometheusText: writes Prometheus' text format (version 0.0.4), one family after the other.
//
//   PrometheusText page;
//   page.Family("trims_leases", "gauge", "Leases held now.");
//   page.Sample({{"tier", "host"}}, 3);
//   Serve(page.Take());
//
// Names, types and help texts are the caller's constants; label values may be any text and are escaped. Thread-safety: a value.
#ifndef TRIMS_ADMIN_PROMETHEUS_TEXT_H_
#define TRIMS_ADMIN_PROMETHEUS_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trims::admin {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

class PrometheusText {
 public:
  // What follows are its samples.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  void Sample(const Labels& labels, uint64_t value);
  void Sample(const Labels& labels, double value);
  // One histogram: `bounds` are upper ones, `counts` one more than these, not yet added up along the row.
  void Histogram(const Labels& labels, std::span<const double> bounds,
                 std::span<const uint64_t> counts, double sum);

  std::string Take() { return std::move(text_); }

 private:
  void Line(std::string_view suffix, const Labels& labels, std::string_view value);

  std::string text_;
  std::string name_;
};

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_PROMETHEUS_TEXT_H_
