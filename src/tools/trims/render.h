// The daemon's documents (docs/json.md) as a person reads them. Pure: a document in, text out,
// always ending in a newline.
#ifndef TRIMS_TOOLS_TRIMS_RENDER_H_
#define TRIMS_TOOLS_TRIMS_RENDER_H_

#include <cstdint>
#include <string>

#include "tools/trims/document.h"

namespace trims::cli {

// One line a model. Without any, how to add one. `now`: seconds since 1970.
std::string RenderList(const Json& list, int64_t now);

// The references of a list, one a line, and nothing else.
std::string RenderReferences(const Json& list);

// One model: fields, variants, files, notes.
std::string RenderModel(const Json& model, int64_t now);

// What was removed.
std::string RenderRemoved(const Json& removed);

// What was verified: what is not intact, and how much is.
std::string RenderVerified(const Json& verified);

// What is in force in a tier, and what there is to choose from.
std::string RenderPolicy(const Json& policy);

// A model in a tier, after a command about what stays there.
std::string RenderControlled(const Json& model);

// Whether the daemon serves, and who still holds leases.
std::string RenderDrain(const Json& drain);
// Of a list of holders, under that heading; nothing where there are none.
std::string RenderHolders(const Json& holders, const char* title);

// How long a model is kept that nobody has open.
std::string RenderKeptAlive(const Json& kept);

// One that was moved; one that is no more; all of them.
std::string RenderAlias(const Json& alias);
std::string RenderDeletedAlias(const Json& alias);
std::string RenderAliases(const Json& document);

// What an open would come to.
std::string RenderExplained(const Json& open);

// One line an event; and how many are missing before the next.
std::string RenderEvent(const Json& event);
std::string RenderLost(uint64_t lost, uint64_t opens_lost);

// What trims trace has done: recorded, sent, combined, summed up.
std::string RenderRecorded(const Json& document);
std::string RenderExported(const Json& document);
std::string RenderCombined(const Json& document);
std::string RenderTraceSummary(const Json& document);

// One screen: the daemon, its budget, its segments, its counters.
std::string RenderStatus(const Json& status);
// The same, and what was done since `before`, the status of a moment ago; empty: there is none.
std::string RenderTop(const Json& status, const Json& before);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_RENDER_H_
