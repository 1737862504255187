// The JSON documents that clients get; docs/json.md gives their fields. The only place that makes JSON of
// what the manager and the server know.
//
// Thread-safety: pure functions.
#ifndef TRIMS_SERVER_DOCUMENTS_H_
#define TRIMS_SERVER_DOCUMENTS_H_

#include <string>
#include <vector>

#include "catalog/alias.h"
#include "events/event_feed.h"
#include "ingest/registrar.h"
#include "manager/snapshot.h"
#include "server/server_snapshot.h"

namespace trims {

std::string ListDocument(const std::vector<ModelSnapshot>& models);
std::string ShowDocument(const ModelDetails& details);
std::string PolicyDocument(const TierSnapshot& tier);
std::string DiskPolicyDocument(const DiskSnapshot& disk);
std::string RemovedDocument(const std::vector<RemovedModel>& removed);
std::string VerifiedDocument(const std::vector<VerifiedVariant>& verified);
std::string PushedDocument(const PushedModel& pushed);
std::string ControlledDocument(const ControlledModel& model);
std::string KeptAliveDocument(const KeptAlive& kept);
std::string ExplainedDocument(const ExplainedOpen& open);
std::string DrainDocument(const DrainSnapshot& drain);
std::string AliasDocument(const Alias& alias);
std::string AliasesDocument(const std::vector<Alias>& aliases);
std::string EventsDocument(const EventBatch& batch);
std::string StatusDocument(const ManagerSnapshot& manager, const ServerSnapshot& server);

}  // namespace trims

#endif  // TRIMS_SERVER_DOCUMENTS_H_
