// The C ABI of Admin: converts, checks handles and lets no exception out.
#include "trims/c_admin.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "trims/admin.h"

#include "client/c_handles.h"

struct trims_admin {
  trims::Admin admin;
};

namespace {

using trims::Admin;
using trims::Result;
using trims::Status;
using trims::StatusCode;
using trims::Variant;
using trims::c::Guarded;
using trims::c::Missing;
using trims::c::Received;
using trims::c::TextOf;

Status Hand(Result<std::string> made, char** document) {
  if (!made.ok()) return std::move(made).status();
  if (document == nullptr) return Status();
  char* const copy = static_cast<char*>(std::malloc(made->size() + 1));
  if (copy == nullptr) return Status(StatusCode::kResourceExhausted, "no memory");
  std::memcpy(copy, made->c_str(), made->size() + 1);
  *document = copy;
  return Status();
}

Status VariantsOf(const int* values, size_t count, std::vector<Variant>* variants) {
  if (count > 0 && values == nullptr) return Missing("the list of variants");
  for (size_t i = 0; i < count; ++i) {
    if (values[i] < 0 || values[i] > TRIMS_VARIANT_ORT) {
      return Status(StatusCode::kInvalidArgument, "no variant " + std::to_string(values[i]));
    }
    variants->push_back(static_cast<Variant>(values[i]));
  }
  return Status();
}

std::function<void(const trims::Progress&)> ProgressOf(trims_progress_callback call,
                                                       void* context) {
  if (call == nullptr) return {};
  return [call, context](const trims::Progress& progress) {
    call(std::string(progress.stage).c_str(), progress.done, progress.total, context);
  };
}

// What is asked with texts alone, none of which may be NULL.
template <typename Call>
trims_status* Asked(trims_admin* admin, std::initializer_list<const char*> texts, char** document,
                    Call call) {
  return Guarded([&]() -> Status {
    const bool missing =
        std::ranges::any_of(texts, [](const char* text) { return text == nullptr; });
    if (admin == nullptr || missing) return Missing("the admin, or a text that is asked for,");
    return Hand(call(admin->admin), document);
  });
}

// What is beyond the longest wait is as long as that.
void SetTimeout(uint64_t milliseconds, std::chrono::milliseconds* timeout) {
  if (milliseconds == 0) return;
  *timeout = std::chrono::milliseconds(std::min<uint64_t>(milliseconds, UINT32_MAX));
}

using ResidentCall = Result<std::string> (Admin::*)(std::string_view,
                                                    const trims::ResidentOptions&);

trims_status* Resident(trims_admin* admin, const char* reference,
                       const trims_resident_options* options, char** document, ResidentCall call) {
  return Guarded([&]() -> Status {
    if (admin == nullptr || reference == nullptr) return Missing("admin or reference");
    const trims_resident_options given = Received(options, TRIMS_RESIDENT_OPTIONS_INIT);
    trims::ResidentOptions wanted{
        .tier = TextOf(given.tier),
        .wait = given.no_wait == 0,
        .when_idle = given.when_idle != 0,
        .on_progress = ProgressOf(given.progress, given.progress_context)};
    const Status status = VariantsOf(given.variants, given.variant_count, &wanted.variants);
    if (!status.ok()) return status;
    SetTimeout(given.timeout_ms, &wanted.timeout);
    return Hand((admin->admin.*call)(reference, wanted), document);
  });
}

}  // namespace

trims_status* trims_admin_connect(const trims_client_options* options, trims_admin** admin) {
  return Guarded([&]() -> Status {
    if (admin == nullptr) return Missing("the place for the admin");
    const trims_client_options given = Received(options, TRIMS_CLIENT_OPTIONS_INIT);
    Result<Admin> made = Admin::Connect(
        {.socket_path = TextOf(given.socket_path), .client_name = TextOf(given.client_name)});
    if (!made.ok()) return std::move(made).status();
    *admin = new trims_admin{*std::move(made)};
    return Status();
  });
}

void trims_admin_free(trims_admin* admin) { delete admin; }
void trims_text_free(char* text) { std::free(text); }

trims_status* trims_admin_add(trims_admin* admin, const char* reference, const char* source,
                              const trims_add_options* options, char** document) {
  return Guarded([&]() -> Status {
    if (admin == nullptr || reference == nullptr || source == nullptr)
      return Missing("admin, reference or source");
    const trims_add_options given = Received(options, TRIMS_ADD_OPTIONS_INIT);
    trims::AddOptions wanted{
        .precision = TextOf(given.precision),
        .on_progress = ProgressOf(given.progress, given.progress_context),
        .keep_versions = given.keep_versions,
        .keep_for = std::chrono::seconds(std::min<uint64_t>(given.keep_for_s, INT32_MAX))};
    const Status status = VariantsOf(given.variants, given.variant_count, &wanted.variants);
    if (!status.ok()) return status;
    SetTimeout(given.timeout_ms, &wanted.timeout);
    return Hand(admin->admin.Add(reference, source, wanted), document);
  });
}

trims_status* trims_admin_remove(trims_admin* admin, const char* reference, char** document) {
  return Asked(admin, {reference}, document, [&](Admin& asked) { return asked.Remove(reference); });
}

trims_status* trims_admin_list(trims_admin* admin, char** document) {
  return Asked(admin, {}, document, [&](Admin& asked) { return asked.List(); });
}

trims_status* trims_admin_show(trims_admin* admin, const char* reference, char** document) {
  return Asked(admin, {reference}, document, [&](Admin& asked) { return asked.Show(reference); });
}

trims_status* trims_admin_status(trims_admin* admin, char** document) {
  return Asked(admin, {}, document, [&](Admin& asked) { return asked.GetStatus(); });
}

trims_status* trims_admin_pin(trims_admin* admin, const char* reference,
                              const trims_resident_options* options, char** document) {
  return Resident(admin, reference, options, document, &Admin::Pin);
}

trims_status* trims_admin_unpin(trims_admin* admin, const char* reference,
                                const trims_resident_options* options, char** document) {
  return Resident(admin, reference, options, document, &Admin::Unpin);
}

trims_status* trims_admin_prefetch(trims_admin* admin, const char* reference,
                                   const trims_resident_options* options, char** document) {
  return Resident(admin, reference, options, document, &Admin::Prefetch);
}

trims_status* trims_admin_evict(trims_admin* admin, const char* reference,
                                const trims_resident_options* options, char** document) {
  return Resident(admin, reference, options, document, &Admin::Evict);
}

trims_status* trims_admin_demote(trims_admin* admin, const char* reference,
                                 const trims_resident_options* options, char** document) {
  return Resident(admin, reference, options, document, &Admin::Demote);
}

trims_status* trims_admin_explain(trims_admin* admin, const char* reference,
                                  const trims_resident_options* options, char** document) {
  return Resident(admin, reference, options, document, &Admin::Explain);
}

trims_status* trims_admin_keep_alive(trims_admin* admin, const char* name, const char* keep_alive,
                                     char** document) {
  return Asked(admin, {name}, document,
               [&](Admin& asked) { return asked.KeepAlive(name, TextOf(keep_alive)); });
}

trims_status* trims_admin_drain(trims_admin* admin, int off, int wait, uint64_t timeout_ms,
                                char** document) {
  trims::DrainOptions wanted{.on = off == 0, .wait = wait != 0};
  SetTimeout(timeout_ms, &wanted.timeout);
  return Asked(admin, {}, document, [&](Admin& asked) { return asked.Drain(wanted); });
}

trims_status* trims_admin_set_alias(trims_admin* admin, const char* alias, const char* reference,
                                    char** document) {
  return Asked(admin, {alias, reference}, document,
               [&](Admin& asked) { return asked.SetAlias(alias, reference); });
}

trims_status* trims_admin_rollback(trims_admin* admin, const char* alias, char** document) {
  return Asked(admin, {alias}, document, [&](Admin& asked) { return asked.Rollback(alias); });
}

trims_status* trims_admin_delete_alias(trims_admin* admin, const char* alias, char** document) {
  return Asked(admin, {alias}, document, [&](Admin& asked) { return asked.DeleteAlias(alias); });
}

trims_status* trims_admin_aliases(trims_admin* admin, char** document) {
  return Asked(admin, {}, document, [&](Admin& asked) { return asked.Aliases(); });
}

trims_status* trims_admin_policy(trims_admin* admin, const trims_policy_options* options,
                                 char** document) {
  return Asked(admin, {}, document, [&](Admin& asked) {
    const trims_policy_options given = Received(options, TRIMS_POLICY_OPTIONS_INIT);
    return asked.Policy({.tier = TextOf(given.tier),
                         .eviction = TextOf(given.eviction),
                         .admission = TextOf(given.admission),
                         .reclaim = TextOf(given.reclaim),
                         .budget = TextOf(given.budget),
                         .quota = TextOf(given.quota)});
  });
}
