#include "store/tags.h"

namespace vecload::store {
namespace {

// A parameter that is not bound is NULL, which is how a bucket's own tags are marked.
void BindOwner(const TagOwner& owner, sqlite::Statement* statement) {
  statement->Bind(1, owner.bucket);
  if (owner.index_id) statement->Bind(2, *owner.index_id);
}

}  // namespace

const char kTagsSchema[] =
    "CREATE TABLE tags("
    " bucket TEXT NOT NULL REFERENCES buckets(name) ON DELETE CASCADE,"
    " index_id INTEGER REFERENCES indexes(id) ON DELETE CASCADE,"
    " key TEXT NOT NULL, value TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX tags_by_owner ON tags(bucket, ifnull(index_id, 0), key);"
    // For the deletion of an index, which would read all tags otherwise.
    "CREATE INDEX tags_by_index ON tags(index_id)";

Result<Tags> ReadTags(sqlite::Database* catalog, const TagOwner& owner) {
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement select,
      catalog->Prepare(
          "SELECT key,value FROM tags WHERE bucket=?1 AND index_id IS ?2 ORDER BY key"));
  BindOwner(owner, &select);
  Tags tags;
  while (true) {
    VECLOAD_ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return tags;
    tags.emplace_back(select.Text(0), select.Text(1));
  }
}

Status WriteTags(sqlite::Database* catalog, const TagOwner& owner, const Tags& tags) {
  VECLOAD_ASSIGN_OR_RETURN(sqlite::Statement erase,
                           catalog->Prepare("DELETE FROM tags WHERE bucket=?1 AND index_id IS ?2"));
  BindOwner(owner, &erase);
  VECLOAD_RETURN_IF_ERROR(erase.Run());
  VECLOAD_ASSIGN_OR_RETURN(
      sqlite::Statement insert,
      catalog->Prepare("INSERT INTO tags(bucket,index_id,key,value) VALUES(?1,?2,?3,?4)"));
  BindOwner(owner, &insert);
  for (const auto& [key, value] : tags) {
    insert.Bind(3, std::string_view(key)).Bind(4, std::string_view(value));
    VECLOAD_RETURN_IF_ERROR(insert.Run());
  }
  return Status::Ok();
}

}  // namespace vecload::store
