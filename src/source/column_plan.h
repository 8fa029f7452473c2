#pragma once

#include <span>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "vecload/source.h"
#include "vecload/status.h"

namespace vecload::source {

// Which column becomes what, by the options and, where they are silent, by the one candidate
// (README.md has the rules). `partitions` are the hive partition columns of all files. `uri` names
// the file of the schema in messages. kInvalidArgument: a column that is not there or of a type
// that does not fit, no or several candidates.
Result<ColumnMapping> ChooseColumns(const arrow::Schema& schema,
                                    std::span<const std::string> partitions,
                                    const SourceOptions& options, const std::string& uri);

// The same of files that list keys: the vector is left empty, and there is no metadata.
Result<ColumnMapping> ChooseKeyColumn(const arrow::Schema& schema, const SourceOptions& options,
                                      const std::string& uri);

// The file's columns that the mapping needs, by name: key, vector (where there is one), then
// metadata and the shard's.
std::vector<std::string> NeededColumns(const ColumnMapping& mapping, const arrow::Schema& schema);

// Whether a further file has the columns of the first, in types that mean the same: the width of
// integers and offsets and dictionaries make no difference, and a column that is all null fits
// anything. kInvalidArgument names both files. A column that the first file has not is one that
// nobody would load: an error too, unless the metadata columns were chosen by name.
struct SchemaOf {
  const arrow::Schema& schema;
  const std::string& uri;
};
Status CheckSameColumns(const SchemaOf& first, const SchemaOf& other, const ColumnMapping& mapping,
                        const SourceOptions& options);

}  // namespace vecload::source
