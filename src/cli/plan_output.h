#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "vecload/plan.h"
#include "vecload/record.h"

// A plan on stdout, of `plan` and of `load --dry-run`.
namespace vecload::cli {

// What the user named that a plan does not repeat.
struct PlanNames {
  std::optional<IndexName> index;
  std::string duplicates_path = {};
};

void PrintPlan(const LoadPlan& plan, const PlanNames& names, OutputFormat format);

// --prices.
void AddPricesFlag(CLI::App* command, std::string* path);

}  // namespace vecload::cli
